#include "detect/rules/windows.h"

#include <algorithm>

#include "detect/finding.h"

namespace yushi::detect {

int64_t Windows::State::late_ns() const { return std::min(rule.timespan_ns, kLateMaxNs); }

void Windows::take(const LoadedRules& rules) {
  std::vector<State> old = std::move(states_);
  states_.clear();
  for (const auto& linked : rules.correlations()) {
    State state{linked.rule, {}};
    for (auto& known : old)
      if (known.rule.head.id == state.rule.head.id && known.rule.head.digest == state.rule.head.digest)
        state.by_log = std::move(known.by_log);
    states_.push_back(std::move(state));
  }
}

void Windows::add(uint32_t number, std::string_view log, std::string_view group, const CorrelationHit& hit,
                  int64_t received_ns, std::vector<Over>& over) {
  State& state = states_[number];
  Group& known = state.by_log.use(log, Correlations::kGroupsMax).use(group);
  if (hit.at_ns <= known.over_ns) return;
  auto& hits = known.hits;
  const auto is_later = [](int64_t t, const auto& one) { return t < one.at_ns; };
  hits.insert(std::upper_bound(hits.begin(), hits.end(), hit.at_ns, is_later), hit);
  known.due_ns = std::max(known.due_ns, bounded_time(received_ns) + state.rule.timespan_ns + state.late_ns());
  while (hits.back().at_ns - hits.front().at_ns > state.rule.timespan_ns + state.late_ns())
    end_first(number, log, group, known, over);
  // The oldest of the part that has most, so that a flood of one part cannot push the others out.
  if (hits.size() > state.rule.hits_max()) forget_one(hits, static_cast<uint32_t>(state.rule.rules.size()));
}

void Windows::tick(int64_t received_ns, std::vector<Over>& over) {
  for (uint32_t number = 0; number < states_.size(); ++number)
    for (auto& of_log : states_[number].by_log)
      of_log.second.change_each([&](std::string_view group, Group& known) {
        const bool is_due = !known.hits.empty() && known.due_ns <= received_ns;
        while (!known.hits.empty() && known.due_ns <= received_ns) end_first(number, of_log.first, group, known, over);
        return is_due;
      });
}

void Windows::end_first(uint32_t number, std::string_view log, std::string_view group, Group& known,
                        std::vector<Over>& over) {
  const CorrelationRule& rule = states_[number].rule;
  known.over_ns = known.hits.front().at_ns + rule.timespan_ns;
  const auto end = std::find_if(known.hits.begin(), known.hits.end(),
                                [&](const CorrelationHit& hit) { return hit.at_ns > known.over_ns; });
  Over one{number, std::string(log), std::string(group), {}};
  if (judge_window(rule, known.hits, 0, static_cast<size_t>(end - known.hits.begin()), &one.fired))
    over.push_back(std::move(one));
  known.hits.erase(known.hits.begin(), end);
}

void Windows::hold(Holdings& out) {
  for (auto& state : states_)
    for (auto& [log, groups] : state.by_log) out.push_back({log, Kept::passing, &groups});
}

void Windows::save(std::string& out) const {
  put_varint(out, static_cast<uint64_t>(
                      std::count_if(states_.begin(), states_.end(), [](const State& state) { return state.waits(); })));
  for (const auto& state : states_) {
    if (!state.waits()) continue;
    put_text(out, state.rule.head.id);
    put_text(out, state.rule.head.digest);
    put_varint(out, state.by_log.size());
    for (const auto& [log, groups] : state.by_log) {
      put_text(out, log);
      put_varint(out, groups.size());
      groups.for_each([&out](std::string_view key, const Group& group) {
        put_text(out, key);
        put_signed(out, group.due_ns);
        put_signed(out, group.over_ns);
        put_hits(out, group.hits);
      });
    }
  }
}

bool Windows::load(Reader& in) {
  for (auto& state : states_) state.by_log.clear();
  for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    const std::string_view id = in.text(), digest = in.text();
    State* state = nullptr;
    for (auto& known : states_)
      if (known.waits() && known.rule.head.id == id && known.rule.head.digest == digest) state = &known;
    for (uint64_t logs = in.varint(); logs > 0 && in.ok(); --logs) {
      const std::string log(in.text());
      auto* groups = state ? &state->by_log.use(log, Correlations::kGroupsMax) : nullptr;
      for (uint64_t count = in.varint(); count > 0 && in.ok(); --count) {
        const std::string_view key = in.text();
        Group group;
        group.due_ns = load_time(in);
        group.over_ns = in.signed_varint();
        const auto parts = state ? static_cast<uint32_t>(state->rule.rules.size()) : UINT32_MAX;
        if (!read_hits(in, parts, state ? state->rule.hits_max() : UINT64_MAX, group.hits)) return false;
        if (groups && in.ok()) groups->use(key) = std::move(group);
      }
    }
  }
  return in.ok();
}

}  // namespace yushi::detect
