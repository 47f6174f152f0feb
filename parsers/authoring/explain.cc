#include "parsers/authoring/explain.h"

#include <algorithm>

#include <re2/re2.h>

#include "core/base/display.h"
#include "parsers/loaded_parsers.h"

namespace yushi::parsers {
namespace {

constexpr size_t kPatternsShown = 12;  // of one parser: those that came furthest
constexpr size_t kShownColumns = 60;

// A regular expression cut where its parts follow each other: literals, groups, classes, each with its repetition.
std::vector<std::string> parts_of(const std::string& regex) {
  std::vector<std::string> out;
  bool is_literal = false;
  for (size_t at = 0; at < regex.size();) {
    size_t end = at;
    const char c = regex[at];
    bool literal = false;
    if (c == '|') return {regex};  // alternatives: one part
    if (c == '(') {
      size_t depth = 0;
      bool in_class = false;
      for (; end < regex.size(); ++end) {
        if (regex[end] == '\\')
          ++end;
        else if (in_class)
          in_class = regex[end] != ']';
        else if (regex[end] == '[') {
          in_class = true;
          if (end + 1 < regex.size() && regex[end + 1] == '^') ++end;
          if (end + 1 < regex.size() && regex[end + 1] == ']') ++end;
        } else if (regex[end] == '(')
          ++depth;
        else if (regex[end] == ')' && --depth == 0)
          break;
      }
      ++end;
    } else if (c == '[') {
      ++end;
      if (end < regex.size() && regex[end] == '^') ++end;
      if (end < regex.size() && regex[end] == ']') ++end;
      for (; end < regex.size() && regex[end] != ']'; ++end) end += regex[end] == '\\';
      ++end;
    } else {
      literal = c != '.' && c != '^' && c != '$';
      end = at + (c == '\\' ? 2 : 1);
    }
    end = std::min(end, regex.size());
    size_t behind = end;
    if (behind < regex.size() && (regex[behind] == '*' || regex[behind] == '+' || regex[behind] == '?'))
      ++behind;
    else if (behind < regex.size() && regex[behind] == '{')
      behind = std::min(regex.find('}', behind), regex.size() - 1) + 1;
    if (behind > end && behind < regex.size() && regex[behind] == '?') ++behind;
    literal = literal && behind == end;
    auto part = regex.substr(at, behind - at);
    if (literal && is_literal)
      out.back() += part;
    else
      out.push_back(std::move(part));
    is_literal = literal;
    at = behind;
  }
  return out;
}

std::string cited(std::string_view text) {
  std::string out = "\"";
  append_printable(out, text, kShownColumns);
  return out + "\"";
}

// A part as its author knows it: by the fields of its groups.
std::string named(const std::string& part, size_t groups_before, const std::vector<std::string>& fields) {
  std::string out;
  size_t group = groups_before;
  for (size_t at = 0; at < part.size(); ++at) {
    if (part[at] == '\\')
      ++at;
    else if (part[at] == '(' && (at + 1 == part.size() || part[at + 1] != '?') && group < fields.size())
      out += (out.empty() ? "" : " or ") + ("%{" + fields[group++] + "}");
  }
  if (!out.empty()) return out;
  std::string text;
  bool plain = true;
  for (size_t at = 0; at < part.size(); ++at) {
    if (part[at] == '\\' && at + 1 < part.size() && !std::isalnum(static_cast<unsigned char>(part[at + 1])))
      text.push_back(part[++at]);
    else if (std::string_view("\\(|[.*+?").find(part[at]) != std::string_view::npos)
      plain = false;
    else
      text.push_back(part[at]);
  }
  return plain ? cited(text) : "/" + part.substr(0, kShownColumns) + (part.size() > kShownColumns ? "…" : "") + "/";
}

size_t groups_of(const std::string& part) {
  size_t count = 0;
  bool in_class = false;
  for (size_t at = 0; at < part.size(); ++at) {
    if (part[at] == '\\')
      ++at;
    else if (in_class)
      in_class = part[at] != ']';
    else if (part[at] == '[')
      in_class = true;
    else if (part[at] == '(')
      count += at + 1 == part.size() || part[at + 1] != '?';
  }
  return count;
}

// Why a parser is asked for this record, in the order in which they are.
std::string why_asked(const Record& record, const ParserDefinition& parser, std::string_view text) {
  std::string program;
  for (auto& capture : record.captures)
    if (capture.field == ecs::process_name) {
      program = record.text(capture);
      break;
    }
  for (char& c : program) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  auto& match = parser.match;
  auto is_program = [&](std::string app) {
    for (char& c : app) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return app == program || program.ends_with("/" + app) || program == "(" + app + ")" ||
           program.starts_with(app + "/");
  };
  if (parser.generic) return "generic, asked last";
  if (!program.empty() && std::any_of(match.apps.begin(), match.apps.end(), is_program)) return "program " + program;
  for (auto& prefix : match.prefixes)
    if (text.find(prefix) < 64) return "begins with " + cited(prefix);
  if (!match.files.empty() && record.origin && !record.origin->source.empty())
    return "file " + std::string(record.origin->source);
  if (match.any) return "any program's";
  return "by name, transport or content";
}

}  // namespace

PatternReach reach_of(const std::string& regex, const std::vector<std::string>& fields, std::string_view text) {
  const auto parts = parts_of(regex);
  re2::RE2::Options options(re2::RE2::CannedOptions::Quiet);
  options.set_dot_nl(true);
  const re2::StringPiece input(text.data(), text.size());
  size_t end = 0;
  auto matches = [&](size_t count) {
    std::string begin;
    for (size_t i = 0; i < count; ++i) begin += parts[i];
    const re2::RE2 re(begin, options);
    re2::StringPiece found;
    if (!re.ok() || !re.Match(input, 0, text.size(), re2::RE2::ANCHOR_START, &found, 1)) return false;
    end = found.size();
    return true;
  };
  size_t low = 0, high = parts.size();  // so many match, so many at most
  while (low < high) {
    const auto middle = (low + high + 1) / 2;
    if (matches(middle))
      low = middle;
    else
      high = middle - 1;
  }
  PatternReach out;
  if (low > 0) (void)matches(low);
  out.text_end = end;
  out.begins = low > 0 && end > 0;
  if (low == parts.size()) {
    out.wanted = "the end of the message";
    return out;
  }
  size_t groups = 0;
  for (size_t i = 0; i < low; ++i) groups += groups_of(parts[i]);
  out.wanted = named(parts[low], groups, fields);
  return out;
}

std::string explain_asked(const Record& record, const std::vector<AskedPattern>& asked) {
  std::string out;
  for (size_t at = 0; at < asked.size();) {
    // One parser's run on one text.
    size_t end = at;
    while (end < asked.size() && asked[end].parser == asked[at].parser && asked[end].text == asked[at].text) ++end;
    auto& parser = *asked[at].parser;
    out += "  asked    " + parser.name + " (" + why_asked(record, parser, asked[at].text) + ")";
    if (asked[at].text != record.message() && asked[at].text != matched_text(record.message()))
      out += " on " + cited(asked[at].text);
    out += "\n";
    struct Tried {
      std::string name;
      PatternReach reach;
    };
    std::vector<Tried> tried;
    size_t never_began = 0;
    for (size_t i = at; i < end; ++i) {
      auto* pattern = asked[i].pattern;
      if (pattern == nullptr) {
        ++never_began;
        continue;
      }
      if (asked[i].matched) {
        out += "    won    " + pattern->name + "\n";
        continue;
      }
      if (!pattern->pattern) {
        out += "    no     " + pattern->name + ": the body has another form\n";
        continue;
      }
      std::vector<std::string> fields;
      for (auto& capture : pattern->captures) fields.emplace_back(capture.field ? capture.field->name : "KEYVALUES");
      auto reach = reach_of(pattern->pattern->regex(), fields, asked[i].text);
      if (reach.begins)
        tried.push_back({pattern->name, std::move(reach)});
      else
        ++never_began;
    }
    std::stable_sort(tried.begin(), tried.end(), [](auto& a, auto& b) { return a.reach.text_end > b.reach.text_end; });
    for (size_t i = 0; i < tried.size() && i < kPatternsShown; ++i) {
      auto& one = tried[i];
      out += "    no     " + one.name + ": came to byte " + std::to_string(one.reach.text_end);
      const auto rest = std::string_view(asked[at].text).substr(one.reach.text_end);
      out += rest.empty() ? ", the end" : ", before " + cited(rest);
      out += "; wanted " + one.reach.wanted + "\n";
    }
    const auto more = tried.size() > kPatternsShown ? tried.size() - kPatternsShown : 0;
    if (more + never_began)
      out += "    no     " + std::to_string(more + never_began) + " patterns that came less far, or begin otherwise\n";
    at = end;
  }
  return out;
}

}  // namespace yushi::parsers
