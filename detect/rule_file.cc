#include "detect/rule_file.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include <yaml-cpp/yaml.h>

#include "core/base/bytes.h"
#include "core/config/yaml_place.h"
#include "core/filter/sigma.h"
#include "core/ledger/sha256.h"
#include "core/record/dataset.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr size_t kFileBytesMax = 1 << 20;
constexpr size_t kNodesMax = 100'000;
constexpr int kDepthMax = 64;
// What somebody does in one sitting is one alert; what he does later that day is told again.
constexpr int64_t kSittingNs = int64_t{4} * 3600 * kSecond;

// Ends the reading of one part of a document; never leaves this file.
struct Stop {
  int line, column;
  std::string message;
  bool unsupported;
};

// Of a document: each part is read, so that all that is wrong is told at once.
class Stops {
 public:
  template <class Part>
  void attempt(const Part& part) {
    try {
      part();
    } catch (const Stop& stopped) {
      all_.push_back(stopped);
    } catch (const YAML::Exception& error) {
      all_.push_back({error.mark.line + 1, error.mark.column + 1, error.msg, false});
    }
  }
  bool empty() const { return all_.empty(); }
  std::vector<Stop> in_order() && {
    std::stable_sort(all_.begin(), all_.end(),
                     [](auto& a, auto& b) { return std::pair(a.line, a.column) < std::pair(b.line, b.column); });
    return std::move(all_);
  }

 private:
  std::vector<Stop> all_;
};

[[noreturn]] void stop(const YAML::Node& at, std::string message) {
  YAML::Mark mark = at.Mark();
  throw Stop{mark.line + 1, mark.column + 1, std::move(message), false};
}
[[noreturn]] void unsupported(const YAML::Node& at, std::string message) {
  YAML::Mark mark = at.Mark();
  throw Stop{mark.line + 1, mark.column + 1, std::move(message), true};
}

bool is_among(std::string_view text, std::initializer_list<std::string_view> words) {
  for (auto word : words)
    if (text == word) return true;
  return false;
}

// YAML's core schema for plain scalars.
SigmaValue scalar(const YAML::Node& node) {
  SigmaValue value;
  value.text = node.Scalar();
  value.type = SigmaValue::Type::string;
  if (node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str") return value;
  const std::string& text = value.text;
  if (is_among(text, {"", "~", "null", "Null", "NULL"})) {
    value.type = SigmaValue::Type::null;
    return value;
  }
  if (is_among(text, {"true", "True", "TRUE", "false", "False", "FALSE"})) {
    value.type = SigmaValue::Type::boolean;
    value.integer = text[0] == 't' || text[0] == 'T';
    return value;
  }
  const char* begin = text.data();
  const char* end = begin + text.size();
  int base = 10;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'o')) {
    base = text[1] == 'x' ? 16 : 8;
    begin += 2;
  } else if (text[0] == '+') {
    ++begin;
  }
  auto integer = std::from_chars(begin, end, value.integer, base);
  if (integer.ec == std::errc() && integer.ptr == end && begin != end) {
    value.type = SigmaValue::Type::integer;
    return value;
  }
  value.integer = 0;
  bool numeric = text.find_first_not_of("0123456789+-.eE") == std::string::npos &&
                 text.find_first_of("0123456789") != std::string::npos;
  if (numeric) {
    char* stopped = nullptr;
    value.real = std::strtod(text.c_str(), &stopped);
    if (stopped == text.c_str() + text.size()) value.type = SigmaValue::Type::real;
  }
  return value;
}

SigmaValue convert(const YAML::Node& node, size_t& nodes, int depth) {
  if (++nodes > kNodesMax) stop(node, "more than 100000 nodes, aliases counted as often as they are used");
  if (depth > kDepthMax) stop(node, "nested deeper than 64");
  SigmaValue value;
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      value = scalar(node);
      break;
    case YAML::NodeType::Sequence:
      value.type = SigmaValue::Type::list;
      for (const auto& item : node) value.items.push_back(convert(item, nodes, depth + 1));
      break;
    case YAML::NodeType::Map:
      value.type = SigmaValue::Type::map;
      for (const auto& entry : node) {
        if (!entry.first.IsScalar()) stop(entry.first, "a key that is no text");
        for (const auto& known : value.entries)
          if (known.first == entry.first.Scalar()) stop(entry.first, "key '" + known.first + "' stands twice");
        value.entries.emplace_back(entry.first.Scalar(), convert(entry.second, nodes, depth + 1));
        value.entries.back().second.line = entry.first.Mark().line + 1;
        value.entries.back().second.column = entry.first.Mark().column + 1;
      }
      break;
    default:
      break;
  }
  value.line = node.Mark().line + 1;
  value.column = node.Mark().column + 1;
  return value;
}

// The value of `key`, which may be missing (an undefined node). yaml-cpp's operator[] compares keys by conversion and
// is happy with maps only.
YAML::Node get(const YAML::Node& map, const char* key) {
  if (!map.IsMap()) return YAML::Node(YAML::NodeType::Undefined);
  for (const auto& entry : map)
    if (entry.first.IsScalar() && entry.first.Scalar() == key) return entry.second;
  return YAML::Node(YAML::NodeType::Undefined);
}
bool there(const YAML::Node& node) { return node.IsDefined() && !node.IsNull(); }

std::string text_of(const YAML::Node& map, const char* key, bool required = false) {
  YAML::Node node = get(map, key);
  if (!there(node)) {
    if (required) stop(map, std::string(key) + " is missing");
    return {};
  }
  if (!node.IsScalar()) stop(node, std::string(key) + " must be a text");
  return node.Scalar();
}

std::vector<std::string> texts_of(const YAML::Node& map, const char* key) {
  YAML::Node node = get(map, key);
  std::vector<std::string> out;
  if (!there(node)) return out;
  if (node.IsScalar()) return {node.Scalar()};
  if (!node.IsSequence()) stop(node, std::string(key) + " must be a list");
  for (const auto& item : node) {
    if (!item.IsScalar()) stop(item, std::string(key) + " must be a list of texts");
    out.push_back(item.Scalar());
  }
  return out;
}

void only_keys(const YAML::Node& map, std::initializer_list<std::string_view> known) {
  for (const auto& entry : map)
    if (!entry.first.IsScalar() || !is_among(entry.first.Scalar(), known))
      stop(entry.first, "unknown key '" + (entry.first.IsScalar() ? entry.first.Scalar() : std::string("?")) + "'");
}

uint64_t count_of(const YAML::Node& node) {
  uint64_t count = 0;
  std::string text = node.IsScalar() ? node.Scalar() : "";
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || count > 1'000'000)
    stop(node, "must be a whole number from 0 to 1000000");
  return count;
}

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

[[noreturn]] void stop_at_field(const LogSources& sources, const YAML::Node& at, size_t offset, const std::string& name,
                                const std::string& where) {
  YAML::Mark mark = place_within(at, offset);
  throw Stop{mark.line + 1, mark.column + 1,
             where + ": " + name + " is a field neither of ECS nor of a parser" + sources.own_field_suggestion(name),
             false};
}

bool may_be_named(std::string_view name) { return name == kActor || name == kDoer || may_be_field(name); }

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

// Whether a `not` stands in it: then another hit can undo it.
bool can_be_undone(const SigmaCondition& condition) {
  return condition.kind == SigmaCondition::Kind::not_of ||
         std::any_of(condition.children.begin(), condition.children.end(), can_be_undone);
}

// Of a count or a value: `{gte: 3, lte: 5}`.
template <class CheckField>
void read_limits(const YAML::Node& condition, CorrelationRule& out, const CheckField& check_field) {
  using Op = CorrelationRule::Limit::Op;
  constexpr std::pair<std::string_view, Op> kOps[] = {{"gte", Op::gte}, {"gt", Op::gt}, {"lte", Op::lte},
                                                      {"lt", Op::lt},   {"eq", Op::eq}, {"neq", Op::neq}};
  const auto number = [](const YAML::Node& node) {
    char* end = nullptr;
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || end != text.c_str() + text.size() || !std::isfinite(value)) stop(node, "must be a number");
    return value;
  };
  bool has_percentile = false;
  for (const auto& entry : condition) {
    if (!entry.first.IsScalar()) stop(entry.first, "a key that is no text");
    const std::string& key = entry.first.Scalar();
    if (auto op = std::find_if(std::begin(kOps), std::end(kOps), [&](auto& one) { return one.first == key; });
        op != std::end(kOps)) {
      const double operand = out.counts() ? static_cast<double>(count_of(entry.second)) : number(entry.second);
      out.limits.push_back({op->second, operand});
    } else if (key == "field" && out.type != CorrelationRule::Type::event_count) {
      out.value_field = text_of(condition, "field");
      check_field(entry.second, "condition.field");
    } else if (key == "percentile" && out.type == CorrelationRule::Type::value_percentile) {
      has_percentile = true;
      out.percentile = number(entry.second);
      if (out.percentile < 0 || out.percentile > 100) stop(entry.second, "a percentile is from 0 to 100");
    } else {
      stop(entry.first, "unknown key '" + key + "' in a condition");
    }
  }
  if (out.type != CorrelationRule::Type::event_count && out.value_field.empty())
    stop(condition, "the type needs condition.field");
  if (out.type == CorrelationRule::Type::value_percentile && !has_percentile)
    stop(condition, "value_percentile needs condition.percentile");
  if (out.limits.empty()) stop(condition, "a condition needs gte, gt, lte, lt, eq or neq");
  for (const auto& [op, operand] : out.limits) {
    if (out.counts() && op == Op::gte && operand < 1) stop(condition, "a count of 0 is always reached");
    // A group begins with a hit.
    if (out.counts() && ((op == Op::lt && operand <= 1) || ((op == Op::lte || op == Op::eq) && operand < 1)))
      unsupported(condition, "a count of 0 belongs to no group, and is not done here");
    if (out.counts() && operand > 10'000) unsupported(condition, "a count over 10000 would need too much memory");
    const bool is_upper = op == Op::lt || op == Op::lte || op == Op::neq;
    out.waits |= is_upper || (op == Op::eq && !out.counts());
  }
  if (out.reads_numbers() && out.type != CorrelationRule::Type::value_sum) out.waits = true;
}

CorrelationRule read_correlation(const LogSources& sources, const YAML::Node& node, RuleHead head) {
  if (!node.IsMap()) stop(node, "correlation must be a map");
  only_keys(node, {"type", "rules", "group-by", "timespan", "condition", "aliases", "generate"});
  CorrelationRule out;
  out.head = std::move(head);
  std::string type = text_of(node, "type", true);
  using Type = CorrelationRule::Type;
  if (type == "event_count")
    out.type = Type::event_count;
  else if (type == "value_count")
    out.type = Type::value_count;
  else if (type == "temporal")
    out.type = Type::temporal;
  else if (type == "temporal_ordered")
    out.type = Type::temporal_ordered;
  else if (type == "value_sum")
    out.type = Type::value_sum;
  else if (type == "value_avg")
    out.type = Type::value_avg;
  else if (type == "value_percentile")
    out.type = Type::value_percentile;
  else if (type == "value_median")
    out.type = Type::value_median;
  else
    unsupported(get(node, "type"), "correlation type '" + type + "' is not done here");
  out.rules = texts_of(node, "rules");
  if (out.rules.empty()) stop(node, "a correlation needs rules");
  if (out.rules.size() > 32) unsupported(get(node, "rules"), "more than 32 rules in one correlation");
  out.group_by = texts_of(node, "group-by");
  auto check_field = [&](const YAML::Node& at, const std::string& where) {
    if (!at.IsScalar()) return;
    const std::string& name = at.Scalar();
    if (!may_be_named(name) && !sources.is_sigma_field(name) && !there(get(get(node, "aliases"), name.c_str())))
      stop_at_field(sources, at, 0, name, where);
  };
  if (YAML::Node groups = get(node, "group-by"); there(groups)) {
    if (groups.IsScalar())
      check_field(groups, "group-by");
    else
      for (const auto& group : groups) check_field(group, "group-by");
  }
  std::string span = text_of(node, "timespan", true);
  auto timespan = parse_timespan(span);
  if (!timespan) stop(get(node, "timespan"), "'" + span + "' is no time span such as 30s, 5m, 1h or 7d");
  out.timespan_ns = *timespan;
  std::string generate = text_of(node, "generate");
  out.generate = is_among(generate, {"true", "True", "TRUE"});
  if (YAML::Node aliases = get(node, "aliases"); there(aliases)) {
    if (!aliases.IsMap()) stop(aliases, "aliases must be a map");
    for (const auto& alias : aliases) {
      if (!alias.first.IsScalar() || !alias.second.IsMap()) stop(alias.second, "an alias is a map of rule: field");
      auto& fields = out.aliases.emplace_back(alias.first.Scalar(), std::vector<std::pair<std::string, std::string>>());
      for (const auto& entry : alias.second) {
        if (!entry.first.IsScalar() || !entry.second.IsScalar()) stop(entry.second, "an alias is a map of rule: field");
        check_field(entry.second, "aliases");
        fields.second.emplace_back(entry.first.Scalar(), entry.second.Scalar());
      }
    }
  }
  YAML::Node condition = get(node, "condition");
  if (!there(condition)) {
    if (!out.is_temporal()) stop(node, "a count needs a condition");
    return out;
  }
  if (out.is_temporal()) {
    if (!condition.IsScalar()) unsupported(condition, "numbers in the condition of a temporal correlation");
    if (out.type == Type::temporal_ordered)
      unsupported(condition, "a condition over rule names in an ordered correlation is not done here");
    auto read = parse_sigma_condition(condition.Scalar(), out.rules);
    if (!read && read.error().code == Code::refused) unsupported(condition, read.error().message);
    if (!read) stop(condition, read.error().message);
    out.waits = can_be_undone(*read);
    out.condition = std::move(*read);
    return out;
  }
  if (!condition.IsMap()) stop(condition, "the condition of a count is a map such as {gte: 10}");
  read_limits(condition, out, check_field);
  return out;
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
void check_filled(const YAML::Node& detection, const RuleScope& scope, const Expression& expression) {
  if (scope.can_match(expression)) return;
  const auto missing = scope.fields_not_filled(expression);
  const auto& whose = scope.datasets.empty() ? scope.processes : scope.datasets;
  const std::string of = whose.empty() ? "" : " of " + joined_words(whose);
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
  if (!scope) {
    std::string words;
    for (auto& [key, value] : {std::pair("product", product), {"category", category}, {"service", service}})
      if (!value.empty()) words += (words.empty() ? "" : ", ") + std::string(key) + " " + value;
    unsupported(source, "log source (" + words + ") has no datasets here");
  }
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
  check_filled(detection, *scope, filter->expression());
  if (scope->when) {
    std::vector<Expression> both = {*scope->when, filter->expression()};
    filter = Filter::from(std::make_shared<const Expression>(Expression::all_of(std::move(both))));
  }
  out.rule = SigmaRule{std::move(head), std::move(source_words), std::move(*scope), std::move(*filter)};
  return out;
}

}  // namespace

bool CorrelationRule::Limit::holds(double value) const {
  switch (op) {
    case Op::gte:
      return value >= operand;
    case Op::gt:
      return value > operand;
    case Op::lte:
      return value <= operand;
    case Op::lt:
      return value < operand;
    case Op::eq:
      return value == operand;
    case Op::neq:
      return value != operand;
  }
  return false;
}

bool CorrelationRule::holds(double value) const {
  return std::all_of(limits.begin(), limits.end(), [value](const Limit& limit) { return limit.holds(value); });
}

uint64_t CorrelationRule::hits_max() const {
  constexpr uint64_t kBeside = 16, kNumbers = 1000;
  if (reads_numbers()) return kBeside + kNumbers;
  uint64_t most = 1;
  for (const auto& [op, operand] : limits)
    most = std::max(
        most, static_cast<uint64_t>(operand) + (op == Limit::Op::gt || op == Limit::Op::lte || op == Limit::Op::neq));
  return kBeside + most;
}

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

namespace {

// The documents of a file, cut at lines that begin with `---`. yaml-cpp's own LoadAll never ends on some broken files
// (one that begins with a comma). Each document is loaded behind as many line feeds as stand before it, so that its
// marks are those of the file.
std::vector<YAML::Node> load_documents(const std::string& text) {
  std::vector<YAML::Node> documents;
  size_t begin = 0, lines_before = 0;
  while (begin < text.size()) {
    size_t end = begin, lines = 0;
    do {
      end = text.find('\n', end);
      end = end == std::string::npos ? text.size() : end + 1;
      ++lines;
    } while (end < text.size() && text.compare(end, 3, "---") != 0);
    documents.push_back(YAML::Load(std::string(lines_before, '\n') + text.substr(begin, end - begin)));
    begin = end;
    lines_before += lines;
  }
  return documents;
}

}  // namespace

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
