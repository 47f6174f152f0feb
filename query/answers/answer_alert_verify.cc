// Whether what an alert was raised for still gives that alert. Who judges is who has rules and detectors: Means.
#include "query/answers/alert_states.h"

namespace yushi::query {

Result<AnswerEnd> answer_alert_verify(const Permit& permit, const Asked& asked) {
  const auto found = YUSHI_TRY(find_alert(permit, asked));
  for (auto& [log, index] : found.alert.records) YUSHI_TRY(permit.see_log(log));
  if (!asked.means.recheck) return fail(Code::unavailable, "who answers here has no rules to judge an alert by");
  const auto checked = YUSHI_TRY(asked.means.recheck(asked.view, found.alert, found.index, asked.cancelled));
  if (asked.cancelled) return asked.so_far();
  constexpr const char* kOutcomes[] = {"same", "differs", "unknown"};
  SecretMask mask(asked.secrets);
  nlohmann::ordered_json line = {{"alert", found.alert.id},
                                 {"outcome", kOutcomes[static_cast<size_t>(checked.outcome)]},
                                 {"how", checked.how},
                                 {"how_zh", checked.how_zh},
                                 {"differences", nlohmann::ordered_json::array()}};
  for (auto& each : checked.differences) line["differences"].push_back(std::string(mask.mask(each)));
  if (!asked.say(line)) return asked.so_far();
  AnswerEnd end;
  end.records = 1;
  return end;
}

}  // namespace yushi::query
