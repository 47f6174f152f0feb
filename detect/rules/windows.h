// Correlations that more hits can undo: fewer than, an average, `a and not b`. They are decided when their window is
// over.
//
// A window of a group begins with the first hit that no earlier one holds and is `timespan` long, in event time. It is
// over when a hit of its group comes that is later than its end by more than kLateMaxNs (or the span, if that is
// shorter), or when no hit of the group came for as long after the span, by receipt. A hit that comes later still
// belongs to no window.
//
// Invariants  Pure function of the hits in commit order and of the ticks: no clock.
// Memory      Per log and correlation at most Correlations::kGroupsMax groups (the least recently hit goes untold) with
//             the hits that decide a count, or the newest 1,016 of which an average or a percentile is taken.
// Threads     One owner.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/time_text.h"
#include "detect/memory/state.h"
#include "detect/rules/correlations.h"

namespace yushi::detect {

class Windows {
 public:
  static constexpr int64_t kLateMaxNs = 5 * kMinute;

  struct Over {
    uint32_t correlation;
    std::string log, group;
    CorrelationFired fired;
  };

  // Windows of correlations whose rule is unchanged (same id and digest) are kept.
  void take(const LoadedRules& rules);

  // Feeds a hit to correlation `number`; appends what is over by it and fires.
  void add(uint32_t number, std::string_view log, std::string_view group, const CorrelationHit& hit,
           int64_t received_ns, std::vector<Over>& over);
  // Appends what is over at this time of receipt and fires.
  void tick(int64_t received_ns, std::vector<Over>& over);

  void hold(Holdings& out);
  void save(std::string& out) const;
  // After take(); windows of correlations that are not loaded are dropped.
  bool load(Reader& in);

 private:
  struct Group {
    std::vector<CorrelationHit> hits;  // ascending by at_ns; of the open window, and later ones
    int64_t due_ns = 0;                // receipt time from which on nothing more is waited for
    int64_t over_ns = INT64_MIN;       // event time up to which windows are over
    auto parts() { return std::tie(hits); }
  };
  struct State {
    CorrelationRule rule;
    ByLog<LruMap<Group>> by_log;

    int64_t late_ns() const;
    bool waits() const { return rule.waits; }
  };
  // Ends the first window of the group.
  void end_first(uint32_t number, std::string_view log, std::string_view group, Group& known, std::vector<Over>& over);

  std::vector<State> states_;  // of all correlations, by their number; those that do not wait have no groups
};

}  // namespace yushi::detect
