// What became of alerts: each one's state by what was done to it, from the index alone.
//
//   new      nobody did anything yet
//   taken    by somebody who looks at it
//   closed   as true, false-alarm or accepted; an acknowledgement closes as accepted
//
// The last act counts: a closed alert that is taken is open again.
//
// Memory   An entry for each alert to which something was done.
// Threads  Plain values.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/filter/secret_mask.h"
#include "query/answers/answer.h"
#include "storage/read/record_reader.h"

namespace yushi::query {

constexpr std::string_view kClosedAs[] = {"true", "false-alarm", "accepted"};

struct AlertState {
  std::string_view name = "new";
  std::string by, closed_as;
  int64_t usual_until_ns = 0;
  uint64_t held_back = 0;
  std::vector<uint64_t> acts;  // indexes in `_audit`, ascending

  void take(uint64_t audit_index, const storage::AlertActEntry& act);
  bool is(std::string_view wanted) const;  // `open`: new or taken; empty: any
};

// Of the alerts from this index of `_audit` on. What of the index is damaged goes to `missing`.
class AlertStates {
 public:
  static Result<AlertStates> read(const storage::StoreView& view, uint64_t from_audit_index,
                                  std::vector<std::string>& missing);
  const AlertState& of(uint64_t alert_index) const;

 private:
  std::unordered_map<uint64_t, AlertState> by_alert_;
};

// The alert's JSON, masked, with its state.
nlohmann::ordered_json with_state(std::string_view alert_json, const AlertState& state, SecretMask& mask);

struct FoundAlert {
  uint64_t index = 0;  // in `_audit`
  Alert alert;
  std::string raw;
};
// The alert of asked.id, which may be the beginning of an id that no other alert has. not_found; invalid: several.
Result<FoundAlert> find_alert(const Permit& permit, const Asked& asked);

}  // namespace yushi::query
