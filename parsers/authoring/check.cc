#include "parsers/authoring/check.h"

#include <algorithm>
#include <cstring>
#include <set>

#include <yaml-cpp/yaml.h>

#include "core/base/text.h"
#include "parsers/file/event_kind.h"
#include "parsers/header/syslog_header.h"
#include "parsers/joiner.h"
#include "parsers/loaded_parsers.h"

namespace yushi::parsers {
namespace {

std::string in_quotes(std::string_view text) { return "'" + std::string(text) + "'"; }

std::string joined(const std::vector<std::string>& values) {
  if (values.empty()) return "nothing";
  std::string out;
  for (auto& value : values) out += (out.empty() ? "" : ", ") + in_quotes(value);
  return out;
}

// Runs single lines through a worker and reads the fields back, as any reader of records does.
class TestRun {
 public:
  explicit TestRun(const std::shared_ptr<const ParserSet>& set)
      : set_(set), parsers_(static_cast<const LoadedParsers&>(*set)), worker_(set) {}

  // `paths`: of these files only; none: of all.
  ParserTestReport run(const std::vector<std::string>& paths) {
    const auto is_asked = [&](const ParserDefinition& parser) {
      return paths.empty() || std::find(paths.begin(), paths.end(), parser.path) != paths.end();
    };
    for (auto& parser : parsers_.parsers()) {
      const bool asked = is_asked(*parser);
      for (auto& test : parser->tests) {
        report_.tests += asked;
        const auto before = report_.failures.size();
        record_ = Record();
        if (asked) test.is_event ? run_event(*parser, test) : run_own(*parser, test);
        const auto outcome = test.is_event  ? std::string("ok: event")
                             : record_.kind ? "ok: pattern " + in_quotes(record_.kind->pattern)
                                            : std::string("ok: not known");
        for (auto& other : parsers_.parsers())
          if (!test.is_event && !test.none && (asked || is_asked(*other))) offer(*parser, test, *other);
        if (!asked || paths.empty()) continue;
        const bool is_wrong = report_.failures.size() > before;
        report_.cases.push_back(
            {parser->path, test.position.line, is_wrong ? report_.failures[before] : outcome, is_wrong});
      }
    }
    return std::move(report_);
  }

  std::optional<ParsedLine> parse(const std::string& name, const std::string& line) {
    for (auto& parser : parsers_.parsers()) {
      if (parser->name != name) continue;
      ParserTest test;
      test.line = line;
      understand(test, parser->name, *parser);
      if (!record_.kind || record_.kind->parser != name) return std::nullopt;
      ParsedLine out{record_.kind->pattern, {}};
      for (auto& capture : captures_) {
        std::string field(capture.field->name);
        if (capture.field == ecs::timestamp || capture.field->type == FieldType::date) continue;
        if (std::any_of(out.fields.begin(), out.fields.end(), [&](auto& known) { return known.first == field; }))
          continue;
        if (auto values = values_of({capture.field, field, {}, {}}); !values.empty())
          out.fields.emplace_back(field, std::move(values));
      }
      return out;
    }
    return std::nullopt;
  }

 private:
  void understand(const ParserTest& test, std::string_view dataset, const ParserDefinition& parser) {
    arena_ = Arena();
    understand(test, test.line, dataset, parser);
  }

  void understand(const ParserTest& test, std::string_view line, std::string_view dataset,
                  const ParserDefinition& parser) {
    captures_.clear();
    origin_.received_ns = test.received_ns;
    origin_.transport = parser.match.transports.empty() ? Transport::tcp : parser.match.transports[0];
    record_ = Record();
    record_.raw = line;
    record_.origin = &origin_;
    record_.event_ns = test.received_ns;
    record_.time_inferred = kAllInferred;
    record_.message_length = static_cast<uint32_t>(line.size());
    if (test.has_header) read_syslog_header(record_, *Zone::utc(), arena_, captures_);
    worker_.parse(record_, *Zone::utc(), arena_, captures_, dataset);
    record_.captures = captures_;
  }

  void failed(const ParserDefinition& parser, FilePosition at, const std::string& what) {
    report_.failures.push_back(parser.path + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " +
                               what);
  }

  void run_own(const ParserDefinition& parser, const ParserTest& test) {
    understand(test, parser.name, parser);
    if (test.none) {
      if (record_.kind)
        failed(parser, test.position, "must not match, but pattern " + in_quotes(record_.kind->pattern) + " does");
      return;
    }
    if (!record_.kind) return failed(parser, test.position, "no pattern matches the line");
    uint32_t at = 0;
    for (auto& capture : captures_) {
      // `user=""` of structured data is there, though it says nothing.
      const bool is_empty = capture.length == 0 && !capture.field->name.starts_with(kStructuredDataPrefix);
      if (capture.begin < at || is_empty || capture.end() > record_.raw.size())
        failed(parser, test.position, "the captures overlap or are out of order at " + in_quotes(capture.field->name));
      at = capture.end();
    }
    compare(parser, test);
  }

  // `lines:` of one event, as a log file has them.
  void run_event(const ParserDefinition& parser, const ParserTest& test) {
    Joiner joiner(set_, JoinerOptions::of_file());
    arena_ = Arena();
    uint64_t index = 0;
    std::vector<Record> alone;
    for (std::string_view rest = test.line;; rest.remove_prefix(rest.find('\n') + 1)) {
      understand(test, rest.substr(0, rest.find('\n')), parser.name, parser);
      origin_.transport = Transport::file;
      record_.index = index++;
      joiner.begin();
      if (!joiner.add(record_, Zone::utc())) alone.push_back(record_);
      if (rest.find('\n') == std::string_view::npos) break;
    }
    joiner.close_all();
    auto& events = joiner.closed();
    if (events.size() + alone.size() != 1 || events.empty())
      return failed(parser, test.position, "the lines are " + std::to_string(events.size() + alone.size()) + " events");
    record_ = events[0].record;
    if (test.none || !record_.kind) {
      if (test.none != !record_.kind)
        failed(parser, test.position, "no pattern knows the event, or one does that must not");
      return;
    }
    compare(parser, test);
  }

  void compare(const ParserDefinition& parser, const ParserTest& test) {
    for (auto& expected : test.expected) {
      auto values = values_of(expected);
      auto wanted = expected.values;
      if (values != wanted)
        failed(parser, expected.position,
               expected.name + " is " + joined(values) + ", expected " + joined(wanted) + " (pattern " +
                   in_quotes(record_.kind->pattern) + ")");
    }
  }

  std::vector<std::string> values_of(const ParserTest::Expected& expected) {
    scratch_.clear();
    std::vector<std::string> out;
    auto take = [](void* context, const Value& value) {
      auto& list = *static_cast<std::vector<std::string>*>(context);
      if (value.type == Value::Type::date) {
        char text[32];
        list.emplace_back(text, format_utc(value.integer, text));
      } else {
        list.emplace_back(value.text);
      }
    };
    auto* field = expected.field ? expected.field : find_field(expected.name);
    visit_field(record_, field, expected.name, scratch_, take, &out);
    return out;
  }

  // Whether a message with this line, of a program or file that `parser` is asked for, may come to `other` too. What is
  // asked for its own program alone may know every line of it.
  static bool may_be_asked(const ParserDefinition& other, const ParserDefinition& parser, std::string_view line) {
    const auto share = [](auto& a, auto& b) {
      return std::any_of(a.begin(), a.end(), [&](auto& one) { return std::find(b.begin(), b.end(), one) != b.end(); });
    };
    if (!other.match.transports.empty()) return other.match.transports == parser.match.transports;
    const auto text = matched_text(line);
    return other.match.any || !other.match.keys.empty() || share(other.match.apps, parser.match.apps) ||
           share(other.match.tags, parser.match.tags) || share(other.match.apps, parser.match.tags) ||
           share(other.match.tags, parser.match.apps) || share(other.match.files, parser.match.files) ||
           std::any_of(other.match.prefixes.begin(), other.match.prefixes.end(),
                       [&](auto& prefix) { return text.starts_with(prefix); });
  }

  void offer(const ParserDefinition& parser, const ParserTest& test, const ParserDefinition& other) {
    if (&other == &parser || other.generic) return;
    if (!parser.format.empty() && parser.format == other.format) return;
    if (!may_be_asked(other, parser, test.line)) return;
    // A body is a product's when the order of routes gives it to that product.
    understand(test, other.match.keys.empty() ? other.name : std::string_view(), other);
    if (record_.kind && record_.kind->parser == other.name)
      failed(parser, test.position,
             "the parser " + in_quotes(other.name) + " knows this line too (pattern " +
                 in_quotes(record_.kind->pattern) + "); they must share a format: or differ");
  }

  const std::shared_ptr<const ParserSet>& set_;
  const LoadedParsers& parsers_;
  ParserWorker worker_;
  ParserTestReport report_;
  Arena arena_;
  Origin origin_;
  Record record_;
  std::vector<Capture> captures_;
  Scratch scratch_;
};

}  // namespace

std::vector<std::string> check_parser_files(const std::vector<ParserFile>& files) {
  Problems problems;
  auto set = load_parsers(files, problems);
  return problems.list;
}

ParserTestReport run_parser_tests(const std::shared_ptr<const ParserSet>& set, const std::vector<std::string>& paths) {
  return TestRun(set).run(paths);
}

std::optional<ParsedLine> parse_test_line(const std::shared_ptr<const ParserSet>& set, const std::string& parser,
                                          const std::string& line) {
  return TestRun(set).parse(parser, line);
}

namespace {

// The kinds of events that a parser's file names: of the file, patterns, variants and rows of tables.
void gather_kinds(const YAML::Node& node, std::set<std::string>& kinds) {
  if (node.IsSequence())
    for (const auto& item : node) gather_kinds(item, kinds);
  if (!node.IsMap()) return;
  for (const auto& entry : node) {
    const auto key = entry.first.IsScalar() ? entry.first.Scalar() : std::string();
    if (key == "tests") continue;
    if (key == "event" && entry.second.IsScalar() && find_event_kind(entry.second.Scalar()))
      kinds.insert(entry.second.Scalar());
    gather_kinds(entry.second, kinds);
  }
}

}  // namespace

std::vector<ParserListing> list_parsers(const ParserSet& set) {
  std::vector<ParserListing> out;
  for (auto& parser : static_cast<const LoadedParsers&>(set).parsers()) {
    std::set<std::string> kinds;
    size_t tests = 0;
    for (auto& file : set.files()) {
      if (file.path != parser->path) continue;
      const auto root = YAML::Load(file.text);
      gather_kinds(root, kinds);
      tests = root["tests"].size();  // also where the load left them out
    }
    out.push_back({parser->name,
                   parser->dataset,
                   parser->path,
                   parser->about,
                   parser->aliases,
                   parser->match.apps,
                   {kinds.begin(), kinds.end()},
                   parser->patterns.size(),
                   tests,
                   parser->generic,
                   parser->cost_ns->load()});
  }
  return out;
}

std::vector<ParserSample> parser_samples(const ParserSet& set) {
  std::vector<ParserSample> out;
  for (auto& parser : static_cast<const LoadedParsers&>(set).parsers())
    for (auto& test : parser->tests)
      if (!test.is_event && !test.has_header) out.push_back({parser->name, test.line, !test.none});
  return out;
}

std::string compare_with_re2(const ParserSet& set, std::string_view text, std::string_view name) {
  if (!is_utf8(text)) return {};  // the worker decodes such a text first
  MatchStack stack;
  PatternFilter::Found found;
  uint32_t ours[2 * Pattern::kGroupsMax], theirs[2 * Pattern::kGroupsMax];
  for (auto& parser : static_cast<const LoadedParsers&>(set).parsers()) {
    if (!name.empty() && parser->name != name) continue;
    parser->filter.search(text, found);
    for (auto& pattern : parser->patterns) {
      if (!pattern.pattern) continue;
      bool here = pattern.pattern->match(text, ours, stack), there = pattern.pattern->match_by_re2(text, theirs);
      size_t bytes = sizeof(uint32_t) * 2 * pattern.captures.size();
      const bool possible = found.may_match(static_cast<uint16_t>(&pattern - parser->patterns.data()));
      if (here != there || (here && std::memcmp(ours, theirs, bytes) != 0) || (there && !possible && !pattern.whole))
        return parser->name + "/" + pattern.name + " differs from RE2 on " + in_quotes(text);
    }
  }
  return {};
}

}  // namespace yushi::parsers
