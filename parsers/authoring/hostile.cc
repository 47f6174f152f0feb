// `yushi parsers test --hostile`: may what a stranger writes become another field, or hide the line?
//
// Each capture that takes text from outside is filled with blanks, quotes, brackets, escapes, an address, each line
// that the parser knows, the ending of its own line, and 2 KiB of text: in its place, before it and behind it. No other
// field may change, nor what the pattern says of the event.
// The text is written as the program would write it: in hex in auditd's way, with the escapes of JSON, CEF, CSV or XML,
// or with a backslash where the parser says `escapes: true`.
//
// A capture takes text from outside when its expression takes a quote, a bracket or an @, or when its field is a name
// or a part of a request; not when the parser names its field in `trusted`. Of key=value pairs only those in quotes
// or hex are tried: a value without them cannot be told from what stands behind it. Of bodies those are not tried that
// decide which event it is (body:, tables:, variants:, the dictionary's words): they are the program's own words.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <span>

#include "core/base/bytes.h"
#include "parsers/authoring/check.h"
#include "parsers/header/syslog_header.h"
#include "parsers/loaded_parsers.h"

namespace yushi::parsers {
namespace {

constexpr std::string_view kOutsideNames[] = {"user.name", "user.effective.name", "user.target.name",
                                              "url.path",  "url.query",           "url.original",
                                              "url.full",  "user_agent.original", "http.request.referrer"};
// One text of the client's, of which the parts are cut at a sign in it.
constexpr std::string_view kRequest[] = {"url.path", "url.query",  "url.original", "url.domain",
                                         "url.port", "url.scheme", "url.full"};

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string shown(std::string_view text) {
  constexpr size_t kShownMax = 120;
  std::string out = "'";
  for (char c : text.substr(0, kShownMax)) out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  return out + (text.size() > kShownMax ? "…'" : "'");
}

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n"), end = text.find_last_not_of(" \t\r\n");
  return begin == std::string_view::npos ? std::string() : std::string(text.substr(begin, end - begin + 1));
}

// related.user, a URL's parts that are derived of the whole: they change as what they follow from does, which is looked
// at.
bool follows_from_others(const Record& record, const Field& field) {
  if (field.name.starts_with("related.") || field.name.starts_with("yushi.url.") ||
      field.name.starts_with("yushi.request."))
    return true;
  if (&field != ecs::process_name && !field.name.starts_with("url.")) return false;
  const auto says = [&](const auto& one) { return one.field == &field; };
  return std::none_of(record.captures.begin(), record.captures.end(), says) &&
         (!record.kind || std::none_of(record.kind->constants.begin(), record.kind->constants.end(), says));
}

// Addresses stay addresses so, and ports ports.
std::string with_other_numbers(std::string text) {
  for (char& c : text)
    if (c >= '0' && c <= '9') c = '1';
  return text;
}

// How a program writes what comes from outside.
enum class Writing { plain, backslash, json, hex, cef, leef, csv, xml };

// Without the quotes of its own that hex takes away.
std::string written(std::string_view text, Writing how) {
  std::string out;
  if (how == Writing::plain) return std::string(text);
  if (how == Writing::hex) {
    for (char c : to_hex(text)) out += c >= 'a' ? static_cast<char>(c - 32) : c;
    return out;
  }
  for (char c : text) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    if (how == Writing::cef) {
      if (byte < 0x20)
        out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : " ";
      else
        (c == '\\' || c == '=' || c == '|' ? out += '\\' : out) += c;
    } else if (how == Writing::leef) {
      out += byte < 0x20 ? ' ' : c;  // a tab parts its pairs, and has no escape
    } else if (how == Writing::csv) {
      (c == '"' ? out += '"' : out) += c;
    } else if (how == Writing::xml) {
      if (byte < 0x20 || c == '<' || c == '>' || c == '&' || c == '"' || c == '\'')
        out += "&#" + std::to_string(byte) + ";";
      else
        out += c;
    } else if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (byte < 0x20)
      ((out += how == Writing::json ? "\\u00" : "\\x") += kDigits[byte >> 4]) += kDigits[byte & 15];
    else
      out += c;
  }
  return out;
}

const std::vector<std::string>& odd_texts() {
  static const std::vector<std::string> kTexts = [] {
    std::vector<std::string> out = {"a b",
                                    " a",
                                    "a ",
                                    "  ",
                                    "'",
                                    "\"",
                                    "\\\"",
                                    "\\",
                                    "a\"b'c`d",
                                    "''",
                                    "(a)[b]{c}<d>",
                                    ")",
                                    "]",
                                    "a=b",
                                    " from 203.0.113.77 port 22 ssh2",
                                    "203.0.113.77",
                                    "2001:db8::77 ",
                                    "\\x41\\n%0a\\r\\",
                                    "a\rb",
                                    "a\tb",
                                    "%00",
                                    "%n%s",
                                    "; DROP ; USER=root",
                                    "中 文"};
    std::string& long_text = out.emplace_back();
    while (long_text.size() < 2048) long_text += "long text ";
    return out;
  }();
  return kTexts;
}

class HostileRun {
 public:
  explicit HostileRun(const std::shared_ptr<const ParserSet>& set)
      : parsers_(static_cast<const LoadedParsers&>(*set)), worker_(set) {}

  ParserTestReport run(size_t one_of) {
    size_t lines = 0;
    for (auto& parser : parsers_.parsers()) {
      texts_ = odd_texts();
      for (auto& test : parser->tests)
        if (!test.none && !test.is_event) texts_.push_back(test.line);
      for (auto& test : parser->tests)
        if (!test.none && lines++ % one_of == 0) try_line(*parser, test);
    }
    return std::move(report_);
  }

 private:
  // Every value of every field, but those that are the message itself.
  using Fields = std::map<std::string, std::vector<std::string>, std::less<>>;

  // nullptr when no pattern of this parser knows the line, or the event as a whole.
  // The fields of the captures lie in `arena`.
  const MessageKind* read(const std::string& line, const ParserDefinition& parser, const ParserTest& test, Arena& arena,
                          Fields* fields) {
    arena = Arena();
    captures_.clear();
    origin_.received_ns = test.received_ns;
    origin_.transport = parser.match.transports.empty() ? Transport::tcp : parser.match.transports[0];
    Record record;
    record.raw = line;
    record.origin = &origin_;
    record.event_ns = test.received_ns;
    record.time_inferred = kAllInferred;
    record.message_length = static_cast<uint32_t>(line.size());
    if (test.has_header) read_syslog_header(record, *Zone::utc(), arena, captures_);
    if (test.is_event)
      worker_.parse_whole(record, *Zone::utc(), arena, captures_, parser);
    else
      worker_.parse(record, *Zone::utc(), arena, captures_, parser.name);
    record.captures = captures_;
    fields->clear();
    scratch_.clear();
    for_each_field(record, scratch_, [&](const Field& field, const Value& value) {
      if (&field == ecs::message || &field == ecs::event_original || follows_from_others(record, field)) return;
      (*fields)[std::string(field.name)].emplace_back(value.type == Value::Type::date ? std::to_string(value.integer)
                                                                                      : std::string(value.text));
    });
    return record.kind;
  }

  static const PatternDefinition* pattern_of(const ParserDefinition& parser, const MessageKind* kind) {
    for (auto& pattern : parser.patterns)
      if (pattern.kinds->has(kind)) return &pattern;
    return nullptr;
  }

  // The fields of a pattern's groups that take text from outside.
  const std::set<const Field*>& outside_of(const PatternDefinition& pattern) {
    auto [at, is_new] = outside_.try_emplace(&pattern);
    if (!is_new) return at->second;
    for (size_t i = 0; i < pattern.captures.size(); ++i) {
      auto* field = pattern.captures[i].field;
      if (!field || std::find(pattern.trusted.begin(), pattern.trusted.end(), field) != pattern.trusted.end()) continue;
      if (is_one_of(kOutsideNames, field->name) || takes_any_text(pattern.expressions[i])) at->second.insert(field);
    }
    return at->second;
  }

  bool takes_any_text(const std::string& expression) {
    auto pattern = Pattern::compile("(" + expression + ")");
    std::array<uint32_t, 2 * Pattern::kGroupsMax> spans;
    if (!pattern) return true;
    for (std::string_view text : {"a'b", "a\"b", "a(b", "a@b"})
      if (pattern->match(text, spans.data(), stack_)) return true;
    return false;
  }

  // Of a body the program's own: what the parser trusts, what decides which event it is, the words of the dictionary.
  static bool is_of_program(const PatternDefinition& pattern, const Field& field) {
    const auto is_it = [&](const Field* other) {
      return other == &field || (field.id == kDynamicField && other->name == field.name);
    };
    if (std::any_of(pattern.trusted.begin(), pattern.trusted.end(), is_it) ||
        &field == find_field("yushi.repeated_name"))
      return true;
    for (auto& table : pattern.tables)
      if (std::any_of(table->by.begin(), table->by.end(), is_it)) return true;
    for (auto& variant : pattern.variants)
      for (auto& condition : variant.conditions)
        if (is_it(condition.field)) return true;
    const std::string& prefix = pattern.keys->prefix();
    const auto own = field.name.starts_with(prefix) ? field.name.substr(prefix.size()) : std::string_view();
    for (auto& condition : pattern.conditions) {
      if (own == condition.path) return true;
      const auto found = pattern.keys->find(condition.path);
      if (found == KeyTable::kNotFound) continue;
      auto& fields = pattern.keys->targets()[found].fields;
      if (std::any_of(fields.begin(), fields.end(), is_it)) return true;
    }
    // Text where a field of another type would be: an address in its place is that field's.
    if (!own.empty() && pattern.keys->find(own) != KeyTable::kNotFound) return true;
    const auto* entry = pattern.dictionary && !own.empty() ? pattern.dictionary->find(own).entry : nullptr;
    return entry && (!entry->words.empty() || !entry->target.fields.empty());
  }

  // How the program writes this capture's text; nothing when no text from outside stands there.
  std::optional<Writing> writing_of(const ParserDefinition& parser, const PatternDefinition& pattern,
                                    const Capture& capture, std::string_view line) {
    if (capture.field->type != FieldType::keyword && capture.field->type != FieldType::text) return std::nullopt;
    if (capture.field->name.ends_with(".address")) return std::nullopt;  // it stands where an address should
    const bool quoted = capture.begin > 0 && capture.end() < line.size() && line[capture.begin - 1] == '"' &&
                        line[capture.end()] == '"';
    Body form = pattern.extract;
    if (form == Body::none) {
      for (auto& group : pattern.captures) {
        if (group.field == capture.field) {
          if (!outside_of(pattern).contains(capture.field)) return std::nullopt;
          return parser.escapes ? Writing::backslash : Writing::plain;
        }
        if (group.body != Body::none) form = group.body;
      }
    }
    if (form != Body::none && is_of_program(pattern, *capture.field)) return std::nullopt;
    // Vendor, product, version and class of CEF and LEEF.
    constexpr ptrdiff_t kOwnParts = 5;
    if ((form == Body::cef || form == Body::leef) &&
        std::count(line.begin(), line.begin() + capture.begin, '|') < kOwnParts)
      return std::nullopt;
    switch (form) {
      case Body::none:
      case Body::structured_data:
        return std::nullopt;
      case Body::json:
        return quoted ? std::optional(Writing::json) : std::nullopt;
      case Body::csv:
        return quoted ? std::optional(Writing::csv) : std::nullopt;
      case Body::leef:
        return Writing::leef;
      case Body::xml:
        return Writing::xml;
      // What a custom field is called, the program says.
      case Body::cef:
        return capture.field->name.ends_with("Label") ? std::nullopt : std::optional(Writing::cef);
      case Body::key_values:
      case Body::names:
        break;
    }
    for (auto& target : pattern.keys->targets())
      for (auto* field : target.fields)
        if (field == capture.field && target.hex) return Writing::hex;
    return quoted && !pattern.keys->has_hex() ? std::optional(Writing::backslash) : std::nullopt;
  }

  void try_line(const ParserDefinition& parser, const ParserTest& test) {
    Fields before;
    Arena arena;
    auto* kind = read(test.line, parser, test, arena, &before);
    if (kind == nullptr) return;  // `parsers test` says so
    auto* pattern = pattern_of(parser, kind);
    if (pattern == nullptr) return;
    const auto captures = captures_;
    for (auto& capture : captures)
      if (auto writing = writing_of(parser, *pattern, capture, test.line))
        try_capture({parser, test, kind, before, capture, *writing});
  }

  struct Trial {
    const ParserDefinition& parser;
    const ParserTest& test;
    const MessageKind* kind;
    const Fields& before;
    const Capture& capture;
    Writing writing;
  };

  // One failure of a capture is enough to say.
  void try_capture(const Trial& trial) {
    const auto& line = trial.test.line;
    uint32_t begin = trial.capture.begin, end = trial.capture.end();
    std::string value = line.substr(begin, end - begin);
    if (trial.writing == Writing::hex) {
      if (trial.capture.escape == static_cast<uint32_t>(Escape::hex)) value.clear();
      if (begin > 0 && line[begin - 1] == '"') --begin, ++end;
    }
    // What the program writes behind it, with other numbers: whoever writes it there may be believed.
    auto texts = texts_;
    for (auto& text : {line.substr(end), value + line.substr(end), line}) texts.push_back(with_other_numbers(text));
    for (auto& text : texts)
      for (auto& put : {text, value + text, text + value}) {
        if (trial.test.is_event && put.find('\n') != std::string::npos) continue;  // that would begin another line
        // What stands there is written already; only `text` is to be written, but hex is all or nothing.
        std::string inside = trial.writing == Writing::hex ? written(put, Writing::hex)
                             : put == text                 ? written(text, trial.writing)
                             : put == value + text         ? value + written(text, trial.writing)
                                                           : written(text, trial.writing) + value;
        ++report_.tests;
        auto problem = changed(trial, line.substr(0, begin) + inside + line.substr(end), trimmed(put).empty());
        if (problem.empty()) continue;
        report_.failures.push_back(trial.parser.path + ":" + std::to_string(trial.test.position.line) + ":" +
                                   std::to_string(trial.test.position.column) + ": with " + shown(put) + " in " +
                                   std::string(trial.capture.field->name) + " " + problem + " (pattern '" +
                                   trial.kind->pattern + "'); anchor the pattern at what only the program writes");
        return;
      }
  }

  // Two patterns may read one line, a simple and a fast one: what counts is what they say of it.
  static bool same_meaning(const MessageKind& one, const MessageKind& other) {
    auto is_same = [](const ConstantField& a, const ConstantField& b) {
      return a.field == b.field && a.value == b.value;
    };
    return &one == &other || std::equal(one.constants.begin(), one.constants.end(), other.constants.begin(),
                                        other.constants.end(), is_same);
  }

  // What is another than before, in words; empty when nothing is.
  std::string changed(const Trial& trial, const std::string& line, bool is_blank) {
    Fields after;
    auto* kind = read(line, trial.parser, trial.test, arena_, &after);
    if (kind == nullptr) return "no pattern knows the line";
    if (!same_meaning(*kind, *trial.kind)) return "the pattern is '" + kind->pattern + "'";
    const std::string own(trial.capture.field->name);
    const bool is_request = is_one_of(kRequest, own);
    for (const Fields* fields : {&trial.before, const_cast<const Fields*>(&after)})
      for (auto& [name, values] : *fields) {
        if (name == own || name == "yushi.repeated_name" || (is_request && is_one_of(kRequest, name))) continue;
        const auto was = trial.before.find(name);
        const Fields::const_iterator is = after.find(name);
        if (was == trial.before.end()) return name + " is " + shown(is->second[0]) + " and was not there";
        if (is == after.end()) return name + " is gone";
        if (was->second != is->second)
          return name + " is " + shown(is->second[0]) + " and was " + shown(was->second[0]);
      }
    return is_request || is_blank || !trial.before.contains(own) || after.contains(own) ? std::string()
                                                                                        : own + " itself is gone";
  }

  const LoadedParsers& parsers_;
  ParserWorker worker_;
  ParserTestReport report_;
  std::vector<std::string> texts_;
  std::map<const PatternDefinition*, std::set<const Field*>> outside_;
  Arena arena_;  // of the line with something put in
  Origin origin_;
  std::vector<Capture> captures_;
  Scratch scratch_;
  MatchStack stack_;
};

}  // namespace

ParserTestReport run_hostile_tests(const std::shared_ptr<const ParserSet>& set, size_t one_of) {
  return HostileRun(set).run(one_of);
}

}  // namespace yushi::parsers
