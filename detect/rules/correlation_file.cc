#include "detect/rules/correlation_file.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "detect/words.h"

namespace yushi::detect {
namespace {

using rule_yaml::count_of;
using rule_yaml::get;
using rule_yaml::is_among;
using rule_yaml::may_be_named;
using rule_yaml::only_keys;
using rule_yaml::stop;
using rule_yaml::stop_at_field;
using rule_yaml::text_of;
using rule_yaml::texts_of;
using rule_yaml::there;
using rule_yaml::unsupported;

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

}  // namespace

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

}  // namespace yushi::detect
