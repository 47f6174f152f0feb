// Correlations: what several hits within a span of event time say together.
//
// event_count, value_count and value_sum fire when a window of `timespan` holds so many hits (distinct values, so great
// a sum) of one group; temporal when each of its rules hit within the span, or as its condition says; temporal_ordered
// when they did so in the order written. What more hits can undo is decided by detect/rules/windows.h.
// Groups never mix tenants: the log is part of every group.
//
// Invariants  Pure function of the hits in commit order: no clock. Hits may come out of order in event time; each is
//             put at its place, and every window that holds it is judged.
// Memory      Per log and correlation at most kGroupsMax groups (the least recently hit goes) with at most
//             CorrelationRule::hits_max() + 1 hits each, each with at most kHitWordsMax bytes of words.
// Threads     One owner.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "detect/memory/room.h"
#include "detect/memory/state.h"
#include "detect/rules/rules.h"

namespace yushi::detect {

// A hit as its correlations see it.
struct CorrelationHit {
  int64_t at_ns = 0;        // event time as the engine counts it
  uint64_t index = 0;       // of the record in its log
  uint32_t part = 0;        // which of the correlation's rules
  uint64_t value = 0;       // value_count: hash of the value; other value_*: the bits of a double
  bool of_receipt = false;  // at_ns is the receipt's: the record has no time of its own
  std::string words = {};   // what its record says in the rule's reason, see alert_words.h; often nothing
  auto parts() { return std::tie(words); }
};

// A correlation that fired: the window's hits, oldest first.
struct CorrelationFired {
  std::vector<CorrelationHit> hits;
  uint64_t count = 0;  // hits or distinct values in the window; those forgotten to save memory are not counted
  double value = 0;    // what the rule's limits are about: the count, the sum, the average …
};

// Judges hits[from, to), ascending by time and all within one window, by the rule's limits or its condition.
bool judge_window(const CorrelationRule& rule, const std::vector<CorrelationHit>& hits, size_t from, size_t to,
                  CorrelationFired* fired);
// The oldest hit of the part that has the most goes, so that a flood of one part cannot push the others out.
void forget_one(std::vector<CorrelationHit>& hits, uint32_t parts);
void put_hits(std::string& out, const std::vector<CorrelationHit>& hits);
// False when they are damaged, or more than `hits_max`, or of a part that is not below `parts`.
bool read_hits(Reader& in, uint32_t parts, uint64_t hits_max, std::vector<CorrelationHit>& hits);

// What is remembered of correlations, in the state: of each that `is_mine` its rule's id and digest, and its groups by
// log, as `save_group(group)` writes one. A State has a rule and a ByLog of groups.
template <class State, class IsMine, class SaveGroup>
void save_groups(const std::vector<State>& states, std::string& out, IsMine&& is_mine, SaveGroup&& save_group) {
  put_varint(out, static_cast<uint64_t>(std::count_if(states.begin(), states.end(), is_mine)));
  for (const State& state : states) {
    if (!is_mine(state)) continue;
    put_text(out, state.rule.head.id);
    put_text(out, state.rule.head.digest);
    save_by_log(state.by_log, out, save_group);
  }
}
// `load_group(group, parts, hits_max)` reads what that one wrote, within these bounds. Groups of rules that are not
// loaded any more are read and dropped.
template <class State, class IsMine, class LoadGroup>
bool load_groups(std::vector<State>& states, size_t groups_max, Reader& in, IsMine&& is_mine, LoadGroup&& load_group) {
  for (State& state : states) state.by_log.clear();
  for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    const std::string_view id = in.text(), digest = in.text();
    const auto known = std::find_if(states.begin(), states.end(), [&](const State& state) {
      return is_mine(state) && state.rule.head.id == id && state.rule.head.digest == digest;
    });
    const bool is_loaded = known != states.end();
    const auto parts = is_loaded ? static_cast<uint32_t>(known->rule.rules.size()) : UINT32_MAX;
    const uint64_t hits_max = is_loaded ? known->rule.hits_max() : UINT64_MAX;
    decltype(State::by_log) dropped;
    if (!load_by_log(is_loaded ? known->by_log : dropped, groups_max, in,
                     [&](auto& group) { return load_group(group, parts, hits_max); }))
      return false;
  }
  return in.ok();
}

class Correlations {
 public:
  static constexpr size_t kGroupsMax = 4096;
  static constexpr size_t kHitWordsMax = 1024;

  // Windows of correlations whose rule is unchanged (same id and digest) are kept.
  void take(const LoadedRules& rules);

  // Feeds a hit to correlation `number`; true when it fires.
  bool add(uint32_t number, std::string_view log, std::string_view group, const CorrelationHit& hit,
           CorrelationFired* fired);

  void hold(Holdings& out);
  void save(std::string& out) const;
  // After take(); windows of correlations that are not loaded are dropped.
  bool load(Reader& in);

 private:
  struct Group {
    std::vector<CorrelationHit> hits;  // ascending by at_ns
    auto parts() { return std::tie(hits); }
  };
  using Groups = LruMap<Group>;
  struct State {
    CorrelationRule rule;
    uint32_t parts;
    ByLog<Groups> by_log;
  };
  static bool judge(const CorrelationRule& rule, const Group& group, size_t added, CorrelationFired* fired);

  std::vector<State> states_;
};

// The first value of the rule's field, as CorrelationHit::value has it; false when there is none, or no number where
// numbers are asked for.
bool correlation_value(const CorrelationRule& rule, const Record& record, Scratch& scratch, uint64_t* out);

}  // namespace yushi::detect
