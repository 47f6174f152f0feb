// Record -> Alert: what rules matched, and what detectors find odd, in commit order.
//
// Stateless matching (detect/rules/rule_set.h) runs next to the parser on the ingest threads; everything with a memory
// (correlations, the detectors of detect/behaviours/detectors.h) runs in the committer, and its alerts go into the same
// atomic commit as the records.
//
// Invariants  Two inputs only: records in commit order, and ticks. No clock is read: windows and hours count in event
//             time, so a replay of the same commits gives the same alerts, with the same ids.
// Memory      Bounded: accounts, windows and groups per tenant have limits, and all that is remembered has one
//             (detect/memory/room.h); the least recently seen goes first.
// Threads     An Engine belongs to the committer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/base/time_text.h"
#include "core/event/alert.h"
#include "core/event/own_record.h"
#include "core/record/batch.h"
#include "detect/memory/room.h"
#include "detect/rules/rule_set.h"

namespace yushi::detect {

class ExceptionSet;  // detect/alerts/exceptions.h
class Lists;

// A point on the earth: of an address, by whoever knows.
struct PlaceOnEarth {
  std::string name;
  double latitude = 0, longitude = 0;
};

struct DetectOptions {
  // Hours of the day count in the zone of the tenant whose log this is.
  std::function<std::shared_ptr<const Zone>(std::string_view log)> zone_of = [](auto) { return Zone::utc(); };
  int64_t learning_ns = 14 * kDay;  // event time from an account's first record on
  // Where an address is that no list places (detect/lists/lists.h); what it says stands in the finding's baseline.
  std::function<std::optional<PlaceOnEarth>(std::string_view address)> place_of = [](auto) { return std::nullopt; };
  std::shared_ptr<const Lists> lists;       // nullptr: none
  uint64_t memory_bytes = Room::kBytesMax;  // for all that is remembered
  bool counts = false;                      // hits of correlations, in RuleSet::list(): of what is judged once more, no
};

class Engine {
 public:
  Engine(std::shared_ptr<const RuleSet> rules, DetectOptions options);
  ~Engine();

  // Records must have index and origin->log. An event joined of several lines comes in their place, when it is closed,
  // and its alerts name them all. Alerts are appended in order; one that is repeated, or beyond its sender's
  // share, is only counted (detect/alerts/folds.h).
  void observe(const Batch& batch, std::vector<Alert>& alerts) { observe(batch, 0, batch.records.size(), alerts); }
  // The same for records number `begin` to `end` of it, in that order.
  void observe(const Batch& batch, size_t begin, size_t end, std::vector<Alert>& alerts);
  // Once a second of receipt time, after the records of a commit. A replay must show it again in its place.
  void tick(uint64_t commit, int64_t received_ns, std::vector<Alert>& alerts);
  // As if every window that is waited for were over, as at the end of a rule's test.
  void close_windows(std::vector<Alert>& alerts);
  // From the next record on these lists hold.
  void use(std::shared_ptr<const Lists> lists);
  // Takes new rules over, keeping baselines; correlations whose rule is unchanged keep their windows.
  void reload(std::shared_ptr<const RuleSet> rules);
  // From now on what these hold for is not raised.
  void except(std::shared_ptr<const ExceptionSet> exceptions);
  // Of an acknowledgement that teaches: in commit order, after the records and the tick of its commit.
  void teach(const AlertAct& act);
  // What was held back and is to be told in `_audit`, with the commit that it came of (detect/alerts/held_back.h).
  std::vector<OwnRecord> take_told();
  // What is remembered, as of the last tick; and what was forgotten and is to be told.
  const Room& room() const;
  // The bytes of what is remembered of this account, in the logs of which `sees` says yes.
  uint64_t bytes_of(std::string_view account, const std::function<bool(std::string_view log)>& sees);
  std::vector<Forgotten> take_forgotten();

  // State as of the last observed record; load() restores exactly that, but for a part of a version that is not ours:
  // whose it is learns anew, and is named in the answer. corrupt when the bytes are damaged or none of a state; then
  // nothing is loaded.
  std::string save() const;
  Result<std::vector<std::string>> load(std::string_view state);

 private:
  struct Memory;
  struct State;
  Result<std::vector<std::string>> load_parts(std::string_view state);

  std::unique_ptr<State> state_;
};

}  // namespace yushi::detect
