#include "query/parameters.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "core/base/clock.h"
#include "core/filter/when.h"

namespace yushi::query {

Result<void> Parameters::allow(const QuestionKind& kind) const {
  for (auto& [name, value] : question_.parameters) {
    const auto* parameter = kind.parameter(name);
    if (!parameter) {
      std::string known;
      for (auto& each : kind.parameters) known += (known.empty() ? "" : ", ") + std::string(each.name);
      return fail(Code::invalid, question_.name + " knows no parameter \"" + name + "\"; it knows " +
                                     (known.empty() ? "none" : known));
    }
    if (name == "tenant" && value.empty())
      return fail(Code::invalid, "tenant: its name is missing; without `tenant` all are asked");
    if (parameter->kind == ParameterKind::flag) YUSHI_TRY(flag(name));
    if (parameter->kind == ParameterKind::number) YUSHI_TRY(number(name));
  }
  for (auto& parameter : kind.parameters) {
    // What an empty text is wrong in, the answer says.
    const bool is_there = parameter.kind == ParameterKind::text
                              ? question_.parameters.contains(std::string(parameter.name))
                              : !text(parameter.name).empty();
    if (parameter.is_required && !is_there)
      return fail(Code::invalid, question_.name + " needs `" + std::string(parameter.name) + "`");
  }
  return {};
}

std::string_view Parameters::text(std::string_view name) const {
  auto found = question_.parameters.find(std::string(name));
  return found == question_.parameters.end() ? std::string_view() : found->second;
}

Result<bool> Parameters::flag(std::string_view name) const {
  auto found = question_.parameters.find(std::string(name));
  if (found == question_.parameters.end()) return false;
  auto& value = found->second;
  if (value.empty() || value == "1" || value == "true" || value == "yes") return true;
  if (value == "0" || value == "false" || value == "no") return false;
  return fail(Code::invalid, std::string(name) + ": \"" + value + "\" is neither true nor false");
}

Result<std::optional<uint64_t>> Parameters::number(std::string_view name) const {
  auto value = text(name);
  if (value.empty()) return std::optional<uint64_t>();
  uint64_t number = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) {
    return fail(Code::invalid, std::string(name) + ": \"" + std::string(value) + "\" is no number");
  }
  return std::optional<uint64_t>(number);
}

Result<QueryClock> Parameters::clock() const {
  QueryClock clock;
  clock.now_ns = realtime_ns();
  if (auto name = text("zone"); !name.empty()) {
    auto zone = Zone::find(name);
    if (!zone) return fail(Code::invalid, "zone: " + zone.error().message);
    clock.zone = *zone;
  }
  return clock;
}

Result<Filter::Times> Parameters::times(const QueryClock& clock) const {
  Filter::Times times{std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()};
  if (auto since = text("since"); !since.empty()) {
    auto when = parse_when(since, clock);
    if (!when) return fail(Code::invalid, "since: " + when.error().message);
    times.from_ns = when->from_ns;
  }
  if (auto until = text("until"); !until.empty()) {
    auto when = parse_when(until, clock);
    if (!when) return fail(Code::invalid, "until: " + when.error().message);
    times.to_ns = when->to_ns;
  }
  if (times.from_ns > times.to_ns) {
    return fail(Code::invalid, "since " + std::string(text("since")) + " is after until " + std::string(text("until")) +
                                   ": no time is between them");
  }
  return times;
}

Result<std::vector<std::string>> Parameters::logs(const Permit& permit, const storage::StoreView& view,
                                                  bool with_own) const {
  const auto tenant = text("tenant");
  if (!tenant.empty()) YUSHI_TRY(permit.see_tenant(tenant));
  std::vector<std::string> out;
  for (auto& log : YUSHI_TRY(view.logs())) {
    const bool is_asked = tenant.empty() ? with_own || !log.starts_with('_') : tenant_of_log(log) == tenant;
    if (is_asked && permit.sees_log(log)) out.push_back(log);
  }
  if (!tenant.empty() && out.empty()) {
    return fail(Code::not_found, "no tenant \"" + std::string(tenant) + "\" has a log in this store");
  }
  return out;
}

}  // namespace yushi::query
