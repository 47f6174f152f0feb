#include "detect/rules/windows.h"

#include <algorithm>
#include <functional>

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
  save_groups(states_, out, std::mem_fn(&State::waits), [&out](const Group& group) {
    put_signed(out, group.due_ns);
    put_signed(out, group.over_ns);
    put_hits(out, group.hits);
  });
}

bool Windows::load(Reader& in) {
  const auto load_group = [&in](Group& group, uint32_t parts, uint64_t hits_max) {
    group.due_ns = load_time(in);
    group.over_ns = in.signed_varint();
    return read_hits(in, parts, hits_max, group.hits);
  };
  return load_groups(states_, Correlations::kGroupsMax, in, std::mem_fn(&State::waits), load_group);
}

}  // namespace yushi::detect
