#include "parsers/pattern/grok.h"

#include <cctype>
#include <optional>

namespace yushi::parsers {
namespace {

constexpr std::pair<std::string_view, Body> kBodies[] = {{"KEYVALUES", Body::key_values},
                                                         {"JSON", Body::json},
                                                         {"CEF", Body::cef},
                                                         {"LEEF", Body::leef},
                                                         {"CSV", Body::csv},
                                                         {"XML", Body::xml},
                                                         {"NAMES", Body::names}};
constexpr int kMacroDepthMax = 16;
constexpr size_t kRegexBytesMax = 32 << 10;

bool is_name(std::string_view text) {
  if (text.empty()) return false;
  for (char c : text)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_') return false;
  return true;
}

class GrokReader {
 public:
  explicit GrokReader(const GrokMacros& own) : own_(own) {}

  Result<GrokPattern> read(std::string_view grok) {
    if (auto problem = expand(grok, 0, false); !problem.empty()) return fail(Code::invalid, problem);
    if (auto problem = check_repetition(); !problem.empty()) return fail(Code::invalid, problem);
    return std::move(out_);
  }

 private:
  // Returns what is wrong, or nothing.
  std::string expand(std::string_view grok, int depth, bool captured) {
    if (depth > kMacroDepthMax) return "macros nest deeper than 16: one of them is circular";
    bool in_class = false;
    for (size_t at = 0; at < grok.size(); ++at) {
      if (out_.regex.size() > kRegexBytesMax) return "the pattern expands to more than 32 KiB";
      char c = grok[at];
      if (c == '\\' && at + 1 < grok.size()) {
        out_.regex += grok.substr(at++, 2);
        continue;
      }
      if (c == '[' && !in_class) {
        in_class = true;
        out_.regex += c;
        if (at + 1 < grok.size() && grok[at + 1] == '^') out_.regex += grok[++at];
        if (at + 1 < grok.size() && grok[at + 1] == ']') out_.regex += grok[++at];
        continue;
      }
      if (c == ']' && in_class) in_class = false;
      if (c == '(' && !in_class && (at + 1 == grok.size() || grok[at + 1] != '?'))
        return "a bare group '(': write (?:…), captures come from %{MACRO:field} only";
      if (c == '(' && !in_class && grok.substr(at, 3) == "(?P") return "a named group '(?P<…>': write %{MACRO:field}";
      if (c != '%' || in_class || at + 1 == grok.size() || grok[at + 1] != '{') {
        out_.regex += c;
        continue;
      }
      size_t end = grok.find('}', at);
      if (end == std::string_view::npos) return "a %{ without its }";
      auto problem = macro(grok.substr(at + 2, end - at - 2), depth, captured);
      if (!problem.empty()) return problem;
      at = end;
    }
    return {};
  }

  std::string macro(std::string_view text, int depth, bool captured) {
    std::string whole_body;
    for (auto& [group, form] : kBodies)
      if (text == group) text = whole_body = "GREEDYDATA:" + std::string(group);
    auto colon = text.find(':');
    auto name = text.substr(0, colon);
    std::string_view field, how;
    if (colon != std::string_view::npos) {
      field = text.substr(colon + 1);
      if (auto second = field.find(':'); second != std::string_view::npos) {
        how = field.substr(second + 1);
        field = field.substr(0, second);
      }
      if (field.empty()) return "%{" + std::string(text) + "}: the field is missing after the colon";
    }
    auto body = own_.find(name);
    bool built_in = body == own_.end();
    if (built_in) body = built_in_macros().find(name);
    if (!is_name(name) || body == (built_in ? built_in_macros().end() : own_.end()))
      return "unknown macro %{" + std::string(name) + "}";
    const size_t begin = out_.regex.size() + 1, number = out_.captures.size();
    if (field.empty()) {
      out_.regex += "(?:";
    } else {
      if (captured) return "%{" + std::string(text) + "} is a capture inside a capture";
      GrokCapture capture;
      capture.field = field;
      if (how == "hex")
        capture.escape = Escape::hex;
      else if (how == "json")
        capture.escape = Escape::json;
      else if (how == "lower")
        capture.escape = Escape::lower;
      else if (!how.empty())
        return "%{" + std::string(text) + "}: after the field may stand hex, json or lower, not '" + std::string(how) +
               "'";
      for (auto& [group, form] : kBodies)
        if (field == group) capture.body = form;
      out_.captures.push_back(capture);
      out_.regex += "(";
    }
    auto problem = expand(body->second, depth + 1, captured || !field.empty());
    if (!field.empty()) out_.captures[number].regex = out_.regex.substr(begin);
    out_.regex += ")";
    return problem;
  }

  // A capture inside a repetition would keep its last value only: refused. The regex is well formed up to RE2's
  // judgement.
  std::string check_repetition() const {
    struct Group {
      bool capture;
    };
    std::vector<Group> open;
    const auto& regex = out_.regex;
    bool in_class = false;
    for (size_t at = 0; at < regex.size(); ++at) {
      char c = regex[at];
      if (c == '\\') {
        ++at;
      } else if (in_class) {
        if (c == ']') in_class = false;
      } else if (c == '[') {
        in_class = true;
        if (at + 1 < regex.size() && regex[at + 1] == '^') ++at;
        if (at + 1 < regex.size() && regex[at + 1] == ']') ++at;
      } else if (c == '(') {
        open.push_back({at + 1 < regex.size() && regex[at + 1] != '?'});
      } else if (c == ')' && !open.empty()) {
        bool capture = open.back().capture;
        open.pop_back();
        char next = at + 1 < regex.size() ? regex[at + 1] : '\0';
        bool repeated =
            next == '*' || next == '+' ||
            (next == '{' && at + 2 < regex.size() && std::isdigit(static_cast<unsigned char>(regex[at + 2])));
        if (capture && repeated)
          return "a capture inside a repetition keeps only its last value: capture the whole run";
        if (capture && !open.empty()) open.back().capture = true;
      }
    }
    return {};
  }

  const GrokMacros& own_;
  GrokPattern out_;
};

}  // namespace

const GrokMacros& built_in_macros() {
  static const GrokMacros kMacros = {
      {"WORD", R"([0-9A-Za-z_]+)"},
      {"INT", R"([+-]?[0-9]+)"},
      {"POSINT", R"([0-9]+)"},
      {"NUMBER", R"([+-]?[0-9]+(?:\.[0-9]+)?)"},
      {"HEX", R"((?:0[xX])?[0-9A-Fa-f]+)"},
      {"NOTSPACE", R"(\S+)"},
      {"SPACE", R"(\s*)"},
      {"DATA", R"(.*?)"},
      {"GREEDYDATA", R"(.*)"},
      {"USER", R"([0-9A-Za-z._@\\$+-]+)"},
      {"USERNAME", R"([0-9A-Za-z._@\\$+-]+)"},
      {"IPV4", R"([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})"},
      // With its zone (fe80::1%eth0), which no field of an address takes.
      {"IPV6", R"([0-9A-Fa-f]*:[0-9A-Fa-f:.]+(?:%[0-9A-Za-z._~-]+)?)"},
      {"IP", R"(%{IPV4}|%{IPV6})"},
      {"HOSTNAME", R"([0-9A-Za-z_][0-9A-Za-z_.-]*)"},
      {"IPORHOST", R"(%{IP}|%{HOSTNAME})"},
      {"PORT", R"([0-9]{1,5})"},
      {"MAC", R"([0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5})"},
      {"UUID", R"([0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12})"},
      {"PATH", R"((?:/|[A-Za-z]:\\)[^\s"']*)"},
      {"URIPATH", R"([^\s?"]+)"},
      {"URIQUERY", R"([^\s"]*)"},
      {"QUOTEDSTRING", R"("[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*')"},
      {"QUOTED", R"([^"\\]*(?:\\.[^"\\]*)*)"},  // what stands between double quotes
      {"LOGLEVEL", R"([A-Za-z]+)"},
      {"MONTH", R"([A-Z][a-z][a-z])"},
      {"TIME", R"([0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?)"},
      {"ZONE", R"(Z|[+-][0-9]{2}:?[0-9]{2})"},
      {"TIMESTAMP_ISO8601", R"([0-9]{4}-[0-9]{2}-[0-9]{2}[T ]%{TIME}(?: ?%{ZONE})?)"},
      {"SYSLOGTIMESTAMP", R"(%{MONTH} {1,2}[0-9]{1,2} %{TIME})"},
      {"HTTPDATE", R"([0-9]{2}/%{MONTH}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4})"},
      {"EPOCH", R"([0-9]{9,11}(?:\.[0-9]{1,9})?)"},
  };
  return kMacros;
}

Result<GrokPattern> expand_grok(std::string_view grok, const GrokMacros& own) { return GrokReader(own).read(grok); }

}  // namespace yushi::parsers
