#include "query/answers/alert_states.h"

#include "core/base/name.h"
#include "core/base/time_text.h"
#include "query/answers/alert_reading.h"

namespace yushi::query {

void AlertState::take(uint64_t audit_index, const storage::AlertActEntry& act) {
  acts.push_back(audit_index);
  switch (act.kind) {
    case AlertAct::Kind::held_back:
      held_back = act.held_back;
      return;
    case AlertAct::Kind::taken:
      name = "taken";
      closed_as.clear();
      break;
    case AlertAct::Kind::closed:
    case AlertAct::Kind::acknowledged:
      name = "closed";
      closed_as = act.closed_as;
      break;
  }
  by = act.by;
  if (act.usual_until_ns != 0) usual_until_ns = act.usual_until_ns, held_back = 0;
}

bool AlertState::is(std::string_view wanted) const {
  return wanted.empty() || name == wanted || (wanted == "open" && name != "closed");
}

Result<AlertStates> AlertStates::read(const storage::StoreView& view, uint64_t from_audit_index,
                                      std::vector<std::string>& missing) {
  constexpr size_t kMissingMax = 100;
  AlertStates out;
  YUSHI_TRY(view.each_alert_act(from_audit_index, [&](uint64_t index, auto& entry) {
    if (entry) {
      if (entry->alert >= from_audit_index) out.by_alert_[entry->alert].take(index, *entry);
    } else if (missing.size() < kMissingMax) {
      missing.push_back("what _audit/" + std::to_string(index) + " says of an alert: " + entry.error().message);
    }
    return true;
  }));
  return out;
}

const AlertState& AlertStates::of(uint64_t alert_index) const {
  static const AlertState kNew;
  const auto at = by_alert_.find(alert_index);
  return at == by_alert_.end() ? kNew : at->second;
}

namespace {
void mask_texts(nlohmann::ordered_json& json, SecretMask& mask) {
  if (json.is_string()) json = std::string(mask.mask(json.get_ref<const std::string&>()));
  if (json.is_structured())
    for (auto& part : json) mask_texts(part, mask);
}
}  // namespace

nlohmann::ordered_json with_state(std::string_view alert_json, const AlertState& state, SecretMask& mask) {
  auto json = nlohmann::ordered_json::parse(mask.mask(alert_json), nullptr, false);
  // What is masked may have taken a sign of the JSON with it.
  if (json.is_discarded()) {
    json = nlohmann::ordered_json::parse(alert_json, nullptr, false);
    mask_texts(json, mask);
  }
  const nlohmann::ordered_json::json_pointer place("/yushi/alert");
  if (json.is_discarded() || !json.contains(place) || !json[place].is_object()) return json;
  auto& alert = json[place];
  alert["state"] = state.name;
  if (!state.by.empty()) alert["state_by"] = state.by;
  if (!state.closed_as.empty()) alert["closed_as"] = state.closed_as;
  if (state.usual_until_ns != 0) alert["usual_until"] = utc_text(state.usual_until_ns);
  if (state.held_back != 0) alert["held_back"] = state.held_back;
  return json;
}

Result<FoundAlert> find_alert(const Permit& permit, const Asked& asked) {
  std::optional<uint64_t> index;
  uint64_t alike = 0;
  bool whole = false;
  YUSHI_TRY(asked.view.each_alert(0, true, [&](uint64_t each, auto& entry) {
    if (entry && entry->id.starts_with(asked.id) && permit.sees_tenant(entry->tenant)) {
      index = each;
      ++alike;
      whole = entry->id == asked.id;
    }
    return !whole && !asked.cancelled;
  }));
  if (asked.cancelled) return fail(Code::exhausted, "the answer was ended");
  if (!index) {
    const bool may_be_id = asked.id.find_first_not_of("0123456789abcdef") == asked.id.npos;
    return fail(Code::not_found, "no alert " + std::string(asked.id) +
                                     (may_be_id ? ""
                                                : "; of an account, host or address `yushi who " +
                                                      std::string(asked.id) + "` tells, with its stories"));
  }
  if (!whole && alike > 1)
    return fail(Code::invalid,
                std::to_string(alike) + " alerts begin with " + std::string(asked.id) + ": give more of it");
  storage::RecordReader reader(asked.view);
  std::string_view raw;
  auto alert = YUSHI_TRY(read_alert(reader, *index, &raw));
  return FoundAlert{*index, std::move(alert), std::string(raw)};
}

}  // namespace yushi::query
