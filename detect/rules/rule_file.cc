#include "detect/rules/rule_file.h"

#include <algorithm>
#include <charconv>

#include <yaml-cpp/yaml.h>

#include "core/base/bytes.h"
#include "core/filter/sigma.h"
#include "core/ledger/sha256.h"
#include "core/record/dataset.h"
#include "detect/rules/correlation_file.h"
#include "detect/rules/rule_yaml.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

using rule_yaml::convert;
using rule_yaml::count_of;
using rule_yaml::get;
using rule_yaml::is_among;
using rule_yaml::kFileBytesMax;
using rule_yaml::load_documents;
using rule_yaml::may_be_named;
using rule_yaml::only_keys;
using rule_yaml::Stop;
using rule_yaml::stop;
using rule_yaml::stop_at_field;
using rule_yaml::Stops;
using rule_yaml::text_of;
using rule_yaml::texts_of;
using rule_yaml::there;
using rule_yaml::unsupported;

// What somebody does in one sitting is one alert; what he does later that day is told again.
constexpr int64_t kSittingNs = 4 * kHour;

std::optional<Severity> read_level(const YAML::Node& of, const char* name) {
  const std::string level = text_of(of, name);
  if (level.empty()) return std::nullopt;
  if (auto severity = severity_of(level)) return severity;
  stop(get(of, name), std::string(name) + " '" + level + "' is none of informational, low, medium, high, critical");
}

RuleTest read_test(const YAML::Node& node) {
  if (!node.IsMap()) stop(node, "a test is a map with lines and expect");
  only_keys(node, {"name", "received", "lines", "expect"});
  RuleTest test;
  test.name = text_of(node, "name");
  test.line = node.Mark().line + 1;
  test.received = text_of(node, "received");
  test.lines = texts_of(node, "lines");
  if (test.lines.empty()) stop(node, "a test needs lines");
  YAML::Node expect = get(node, "expect");
  if (!there(expect)) stop(node, "a test needs expect: alert or none");
  if (expect.IsScalar()) {
    if (!is_among(expect.Scalar(), {"alert", "none"})) stop(expect, "expect is alert, none or a map");
    test.any = expect.Scalar() == "alert";
    return test;
  }
  if (!expect.IsMap()) stop(expect, "expect is alert, none or a map");
  only_keys(expect, {"alerts", "reason"});
  if (YAML::Node alerts = get(expect, "alerts"); there(alerts)) test.alerts = count_of(alerts);
  test.any = !test.alerts || *test.alerts > 0;
  test.reason = text_of(expect, "reason");
  return test;
}

void check_names(const LogSources& sources, const YAML::Node& names, const char* where) {
  auto check = [&](const YAML::Node& name) {
    if (!name.IsScalar()) return;
    std::string_view left = name.Scalar();  // of A|B both
    for (auto bar = left.find('|'); bar != left.npos && may_be_named(left.substr(0, bar)); bar = left.find('|'))
      left.remove_prefix(bar + 1);
    if (!may_be_named(left)) stop_at_field(sources, name, 0, name.Scalar(), where);
  };
  if (!there(names)) return;
  if (names.IsScalar()) return check(names);
  for (const auto& name : names) check(name);
}

// Each %{NAME} is a field, or what a correlation says of its window; `aliases` are names of its own. %{A|B} says the
// first of them that a record has. Gives the words with the fields of the rule's log source in the place of Sigma's
// names.
std::string read_reason(const LogSources& sources, const RuleScope* scope, const YAML::Node& reason,
                        bool is_correlation, const YAML::Node& aliases) {
  if (!there(reason)) return {};
  const std::string& words = reason.Scalar();
  std::string out;
  size_t at = 0;
  for (size_t open = words.find("%{"); open != words.npos; open = words.find("%{", at)) {
    const size_t close = words.find('}', open);
    if (close == words.npos) break;
    out.append(words, at, open - at);
    out += "%{";
    for (size_t begin = open + 2; begin <= close;) {
      const size_t end = std::min(words.find('|', begin), close);
      const std::string name = words.substr(begin, end - begin);
      const bool is_of_window = is_correlation && is_among(name, {"count", "timespan", "since"});
      std::string fields = name;
      if (!is_of_window && !may_be_named(name) && !there(get(aliases, name.c_str()))) {
        fields.clear();
        for (const auto& field : scope ? sources.find_field(*scope, name) : std::vector<std::string>())
          fields += (fields.empty() ? "" : "|") + field;
        if (fields.empty()) stop_at_field(sources, reason, begin, name, "reason");
      }
      out += (begin == open + 2 ? "" : "|") + fields;
      begin = end + 1;
    }
    at = close;
  }
  return out.append(words, at, words.npos);
}

void read_own_part(const LogSources& sources, const YAML::Node& document, const RuleScope* scope, RuleHead& head,
                   std::vector<RuleTest>& tests, Stops& stops) {
  YAML::Node own = get(document, "yushi");
  if (!there(own)) return;
  if (!own.IsMap()) stop(own, "yushi must be a map");
  stops.attempt([&] {
    only_keys(own, {"key", "reason", "title_zh", "reason_zh", "failed_level", "habit", "fold", "score", "tests"});
  });
  for (auto [key, names] : {std::pair("key", &head.key), {"habit", &head.habit}}) {
    const char* of = key;
    auto* into = names;
    stops.attempt([&] {
      *into = texts_of(own, of);
      check_names(sources, get(own, of), of);
    });
  }
  YAML::Node correlation = get(document, "correlation");
  for (auto [key, words] : {std::pair("reason", &head.reason), {"reason_zh", &head.reason_zh}}) {
    const char* of = key;
    auto* into = words;
    stops.attempt([&] {
      (void)text_of(own, of);  // a text
      *into = read_reason(sources, scope, get(own, of), there(correlation), get(correlation, "aliases"));
    });
  }
  stops.attempt([&] { head.title_zh = text_of(own, "title_zh"); });
  stops.attempt([&] { head.failed_severity = read_level(own, "failed_level"); });
  stops.attempt([&] {
    YAML::Node score = get(own, "score");
    if (!there(score)) return;
    uint64_t value = count_of(score);
    if (value > 100) stop(score, "score must be from 0 to 100");
    head.score = static_cast<uint32_t>(value);
  });
  if (!head.habit.empty()) head.fold_ns = kSittingNs;
  stops.attempt([&] {
    std::string fold = text_of(own, "fold");
    if (fold.empty()) return;
    auto span = parse_timespan(fold);
    if (!span) stop(get(own, "fold"), "'" + fold + "' is no time span such as 30m, 1h or 7d");
    head.fold_ns = *span;
  });
  YAML::Node list = get(own, "tests");
  if (!there(list)) return;
  if (!list.IsSequence()) stop(list, "tests must be a list");
  for (const auto& item : list) {
    const YAML::Node& test = item;
    stops.attempt([&] { tests.push_back(read_test(test)); });
  }
}

// "12:5: what" from compile_sigma -> line 12, column 5 and "what".
Stop from_sigma(const Error& failed, const YAML::Node& detection) {
  const std::string& message = failed.message;
  const bool is_unsupported = failed.code == Code::refused;
  int line = 0, column = 0;
  const char* end = message.data() + message.size();
  auto first = std::from_chars(message.data(), end, line);
  if (first.ec == std::errc() && first.ptr != end && *first.ptr == ':') {
    auto second = std::from_chars(first.ptr + 1, end, column);
    auto after = static_cast<size_t>(second.ptr - message.data());
    if (second.ec == std::errc() && message.compare(after, 2, ": ") == 0)
      return {line, column, message.substr(after + 2), is_unsupported};
  }
  return {detection.Mark().line + 1, detection.Mark().column + 1, message, is_unsupported};
}

// A name with a dot is meant as one of ours; any other may be a field of Sigma's that has no row in our tables.
Error no_rule_field(const LogSources& sources, const RuleScope& scope, std::string_view name) {
  auto nearest = sources.field_suggestion(scope, name);
  if (name.find('.') != name.npos)
    return {Code::invalid, "field " + std::string(name) + " is neither of ECS nor of a parser" + nearest};
  return {Code::refused, "field " + std::string(name) + " has no place among the fields of this log source" + nearest};
}

LogSourceWords read_log_source(const YAML::Node& source) {
  return {text_of(source, "product"), text_of(source, "category"), text_of(source, "service")};
}

SigmaFields fields_of(const LogSources& sources, const RuleScope& scope, const Placeholders& placeholders) {
  SigmaFields fields;
  fields.find = [&](std::string_view name) { return sources.find_field(scope, name); };
  fields.missing = [&](std::string_view name) { return no_rule_field(sources, scope, name); };
  fields.placeholder = [&](std::string_view name) {
    auto list = placeholders.find(name);
    return list == placeholders.end() ? nullptr : &list->second;
  };
  return fields;
}

const SigmaValue* entry_of(const SigmaValue& map, std::string_view key) {
  for (const auto& [name, value] : map.entries)
    if (name == key) return &value;
  return nullptr;
}

// With its condition; `rules` says which ones, and is no search.
FilterRule read_filter(const YAML::Node& document, const SigmaValue& whole, RuleHead head) {
  const YAML::Node node = get(document, "filter"), source = get(document, "logsource");
  if (!node.IsMap()) stop(node, "filter must be a map");
  FilterRule out;
  out.head = std::move(head);
  if (there(source) && source.IsMap()) out.source = read_log_source(source);
  out.rules = texts_of(node, "rules");
  if (out.rules == std::vector<std::string>{"any"})
    out.rules.clear();
  else if (out.rules.empty())
    stop(node, "a filter needs rules: a list of ids or names, or any");
  out.detection = *entry_of(whole, "filter");
  std::erase_if(out.detection.entries, [](const SigmaEntry& entry) { return entry.first == "rules"; });
  return out;
}

std::string joined_words(const std::vector<std::string>& words) {
  constexpr size_t kShownMax = 6;
  std::string out;
  for (size_t i = 0; i < words.size() && i < kShownMax; ++i) out += (i ? ", " : "") + words[i];
  return out + (words.size() > kShownMax ? " …" : "");
}

// What no record can match guards nothing.
void check_filled(const YAML::Node& detection, const RuleScope& scope, const std::string& source,
                  const Expression& expression) {
  if (scope.can_match(expression)) return;
  const auto missing = scope.fields_not_filled(expression);
  const auto& whose = scope.datasets.empty() ? scope.processes : scope.datasets;
  const std::string of = whose.empty() ? "" : " of " + joined_words(whose);
  if (whose.empty() && !missing.empty())
    unsupported(detection,
                "log source (" + source + ") has no parser here, so that nothing fills " + joined_words(missing));
  unsupported(detection, missing.empty() ? "the fields that it needs are filled by no one parser" + of
                                         : "no parser" + of + " fills " + joined_words(missing));
}

// What `stops` then has says why there is none.
RuleDocument read_document(const LogSources& sources, const Placeholders& placeholders, const YAML::Node& document,
                           const RuleFile& file, size_t number, Stops& stops) {
  size_t nodes = 0;
  SigmaValue whole = convert(document, nodes, 0);  // bounds the size of everything below, and refuses double keys
  if (!document.IsMap()) return {};
  const auto has = [&](const char* key) { return there(get(document, key)); };
  if (!has("detection") && !has("correlation") && !has("filter") && !has("logsource")) return {};

  RuleHead head;
  stops.attempt([&] { head.title = text_of(document, "title", true); });
  stops.attempt([&] { head.id = text_of(document, "id"); });
  stops.attempt([&] { head.name = text_of(document, "name"); });
  std::string digest_of = file.text;
  if (number > 0) digest_of += "\n# " + std::to_string(number);
  head.digest = to_hex(as_bytes(sha256(digest_of)));
  if (head.id.empty()) head.id = number == 0 ? file.name : file.name + "#" + std::to_string(number);
  head.path = file.path;
  head.line = document.Mark().line + 1;
  stops.attempt([&] { head.tags = texts_of(document, "tags"); });
  stops.attempt([&] { head.severity = read_level(document, "level").value_or(Severity::medium); });
  head.score = score_of(head.severity);

  RuleDocument out;
  std::optional<RuleScope> scope;
  LogSourceWords source_words;
  YAML::Node source = get(document, "logsource");
  if (there(source) && source.IsMap() && !has("correlation")) {
    source_words = read_log_source(source);
    scope = sources.find(source_words.product, source_words.category, source_words.service);
  }
  stops.attempt([&] { read_own_part(sources, document, scope ? &*scope : nullptr, head, out.tests, stops); });
  if (YAML::Node correlation = get(document, "correlation"); there(correlation)) {
    out.correlation = read_correlation(sources, correlation, std::move(head));
    return out;
  }
  if (has("filter")) {
    out.filter = read_filter(document, whole, std::move(head));
    return out;
  }

  if (!there(source) || !source.IsMap()) stop(document, "logsource is missing");
  const auto& [product, category, service] = source_words;
  std::string words;
  for (auto& [key, value] : {std::pair("product", product), {"category", category}, {"service", service}})
    if (!value.empty()) words += (words.empty() ? "" : ", ") + std::string(key) + " " + value;
  if (!scope)
    unsupported(source,
                "log source (" + words + ") has no datasets here" + sources.suggestion(product, category, service));
  // Our own name any dataset, so a misspelt one would be a rule that is asked of nothing.
  if (product == "yushi" && category.empty() && !service.empty() && !may_be_dataset(service))
    stop(get(source, "service"),
         "service " + service + ": no parser has this dataset or program" + dataset_suggestion(service));
  YAML::Node detection = get(document, "detection");
  if (!there(detection) || !detection.IsMap()) stop(document, "detection is missing");
  if (YAML::Node frame = get(detection, "timeframe"); there(frame))
    unsupported(frame, "timeframe belongs to aggregations, which Sigma v2 has replaced by correlations");
  auto filter = compile_sigma(*entry_of(whole, "detection"), fields_of(sources, *scope, placeholders));
  if (!filter) throw from_sigma(filter.error(), detection);
  check_filled(detection, *scope, words, filter->expression());
  if (scope->when) {
    std::vector<Expression> both = {*scope->when, filter->expression()};
    filter = Filter::from(std::make_shared<const Expression>(Expression::all_of(std::move(both))));
  }
  out.rule = SigmaRule{std::move(head), std::move(source_words), std::move(*scope), std::move(*filter)};
  return out;
}

}  // namespace

Result<Filter> with_filter(const SigmaRule& rule, const FilterRule& filter, const LogSources& sources,
                           const Placeholders& placeholders) {
  auto also = YUSHI_TRY(compile_sigma(filter.detection, fields_of(sources, rule.scope, placeholders)));
  std::vector<Expression> both = {rule.filter.expression(), also.expression()};
  return Filter::from(std::make_shared<const Expression>(Expression::all_of(std::move(both))));
}

uint32_t score_of(Severity severity) {
  constexpr uint32_t kScores[] = {10, 25, 50, 75, 95};
  return kScores[static_cast<size_t>(severity)];
}

std::string RuleProblem::text() const {
  if (path.empty()) return message;
  return path + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " +
         (unsupported ? "unsupported: " : "") + message;
}

Placeholders placeholders_of(const std::vector<RuleFile>& files, const LogSources& sources) {
  Placeholders out = sources.placeholders();
  for (const auto& file : files) {
    if (file.text.size() > kFileBytesMax || file.text.find("placeholders:") == std::string::npos) continue;
    try {
      for (const auto& document : load_documents(file.text)) {
        size_t nodes = 0;
        convert(document, nodes, 0);
        const YAML::Node lists = get(document, "placeholders");
        if (!there(lists) || !lists.IsMap()) continue;
        for (const auto& list : lists)
          if (list.first.IsScalar()) out[list.first.Scalar()] = texts_of(lists, list.first.Scalar().c_str());
      }
    } catch (const Stop&) {  // told when the file is parsed
    } catch (const YAML::Exception&) {
    }
  }
  return out;
}

ParsedRuleFile parse_rule_file(const RuleFile& file, const LogSources& sources, const Placeholders& placeholders) {
  ParsedRuleFile out;
  auto problem = [&](int line, int column, std::string message, bool is_unsupported) {
    out.problems.push_back({file.path, line, column, std::move(message), is_unsupported});
  };
  if (file.text.size() > kFileBytesMax) {
    problem(1, 1, "a rule file has at most 1 MiB", false);
    return out;
  }
  std::vector<YAML::Node> documents;
  try {
    documents = load_documents(file.text);
  } catch (const YAML::Exception& error) {
    problem(error.mark.line + 1, error.mark.column + 1, error.msg, false);
    return out;
  } catch (const std::exception& error) {
    problem(1, 1, error.what(), false);
    return out;
  }
  for (size_t i = 0; i < documents.size(); ++i) {
    if (documents[i].IsNull()) continue;
    Stops stops;
    stops.attempt([&] {
      auto document = read_document(sources, placeholders, documents[i], file, i, stops);
      if (!stops.empty()) return;
      if (document.rule || document.correlation || document.filter)
        out.documents.push_back(std::move(document));
      else if (!there(get(documents[i], "placeholders")))
        out.passed_over.push_back(file.path + ":" + std::to_string(documents[i].Mark().line + 1) +
                                  ":1: passed over: it has neither detection, correlation nor filter");
      else if (!get(documents[i], "placeholders").IsMap())
        stop(documents[i], "placeholders is a map of lists");
      else
        for (const auto& list : get(documents[i], "placeholders"))
          if (list.first.IsScalar()) texts_of(get(documents[i], "placeholders"), list.first.Scalar().c_str());
    });
    for (auto& stopped : std::move(stops).in_order())
      problem(stopped.line, stopped.column, stopped.message, stopped.unsupported);
  }
  bool is_empty = std::all_of(documents.begin(), documents.end(), [](auto& document) { return document.IsNull(); });
  if (is_empty) out.passed_over.push_back(file.path + ":1:1: passed over: it is empty");
  return out;
}

}  // namespace yushi::detect
