#include "detect/correlations.h"

#include <algorithm>

#include "detect/finding.h"

namespace yushi::detect {
namespace {

using Hits = std::vector<CorrelationHit>;

uint64_t count_of(const Hits& hits, size_t from, size_t to, bool distinct) {
  if (!distinct) return to - from;
  std::vector<uint64_t> values;
  values.reserve(to - from);
  for (size_t i = from; i < to; ++i) values.push_back(hits[i].value);
  std::sort(values.begin(), values.end());
  return static_cast<uint64_t>(std::unique(values.begin(), values.end()) - values.begin());
}

// The hits that show that each part stands in hits[from, to): the newest of each; empty when one is missing.
Hits pick_all(const Hits& hits, size_t from, size_t to, uint32_t parts) {
  Hits picked;
  for (uint32_t part = 0; part < parts; ++part) {
    size_t at = to;
    while (at > from && hits[at - 1].part != part) --at;
    if (at == from) return {};
    picked.push_back(hits[at - 1]);
  }
  std::stable_sort(picked.begin(), picked.end(), [](const auto& a, const auto& b) { return a.at_ns < b.at_ns; });
  return picked;
}

// The same in the order of the parts: from the newest of the last part backwards, each as late as it can be. Within one
// event time (senders write whole seconds) the order of arrival counts, which is the order in `hits`.
Hits pick_ordered(const Hits& hits, size_t from, size_t to, uint32_t parts) {
  Hits picked;
  size_t at = to;
  for (uint32_t part = parts; part > 0; --part) {
    while (at > from && hits[at - 1].part != part - 1) --at;
    if (at == from) return {};
    picked.push_back(hits[--at]);
  }
  std::reverse(picked.begin(), picked.end());
  return picked;
}

// The oldest hit of the part that has the most, so that a flood of one part cannot push the others out.
void forget_one(Hits& hits, uint32_t parts) {
  std::vector<size_t> counts(parts, 0);
  for (const auto& hit : hits) ++counts[hit.part];
  auto most = static_cast<uint32_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
  hits.erase(std::find_if(hits.begin(), hits.end(), [most](const auto& hit) { return hit.part == most; }));
}

}  // namespace

void Correlations::take(const LoadedRules& rules) {
  std::vector<State> old = std::move(states_);
  states_.clear();
  for (const auto& linked : rules.correlations()) {
    const CorrelationRule& rule = linked.rule;
    State state{rule.head.id,
                rule.head.digest,
                rule.type,
                rule.timespan_ns,
                rule.at_least,
                rule.exactly.has_value(),
                static_cast<uint32_t>(rule.rules.size()),
                kHitsMax + static_cast<size_t>(rule.at_least),
                {}};
    for (auto& known : old)
      if (known.id == state.id && known.digest == state.digest) state.by_log = std::move(known.by_log);
    states_.push_back(std::move(state));
  }
}

bool Correlations::add(uint32_t number, std::string_view log, std::string_view group, const CorrelationHit& hit,
                       CorrelationFired* fired) {
  State& state = states_[number];
  auto groups = state.by_log.find(log);
  if (groups == state.by_log.end()) groups = state.by_log.try_emplace(std::string(log), kGroupsMax).first;
  Group& known = groups->second.use(group);
  Hits& hits = known.hits;
  auto at = std::upper_bound(hits.begin(), hits.end(), hit.at_ns, [](int64_t t, const auto& h) { return t < h.at_ns; });
  size_t added = static_cast<size_t>(at - hits.begin());
  hits.insert(at, hit);
  // Of one value its newest hit is enough, so that a flood of one value cannot push the others out.
  if (state.type == CorrelationRule::Type::value_count) {
    for (size_t i = 0; i < added; ++i) {
      if (hits[i].value != hit.value) continue;
      hits.erase(hits.begin() + static_cast<ptrdiff_t>(i));
      --added;
      break;
    }
  }
  bool fires = judge(state, known, added, fired);

  // What no window with a hit to come can hold goes: hits may be late by another span.
  size_t gone = 0;
  while (hits.back().at_ns - hits[gone].at_ns > 2 * state.timespan_ns) ++gone;
  hits.erase(hits.begin(), hits.begin() + static_cast<ptrdiff_t>(gone));
  if (hits.size() > state.hits_max) forget_one(hits, state.parts);
  return fires;
}

// Judges the windows that end with a hit at or after the added one and begin at most a span before it.
bool Correlations::judge(const State& state, const Group& group, size_t added, CorrelationFired* fired) {
  using Type = CorrelationRule::Type;
  const Hits& hits = group.hits;
  bool counts = state.type == Type::event_count || state.type == Type::value_count;
  if (counts && hits.size() < state.at_least) return false;
  size_t from = 0;
  for (size_t last = added; last < hits.size() && hits[last].at_ns - hits[added].at_ns <= state.timespan_ns; ++last) {
    while (hits[last].at_ns - hits[from].at_ns > state.timespan_ns) ++from;
    size_t to = last + 1;
    if (counts) {
      uint64_t count = count_of(hits, from, to, state.type == Type::value_count);
      if (state.exactly ? count != state.at_least : count < state.at_least) continue;
      fired->count = count;
      fired->hits.assign(hits.begin() + static_cast<ptrdiff_t>(from), hits.begin() + static_cast<ptrdiff_t>(to));
      return true;
    }
    Hits picked = state.type == Type::temporal ? pick_all(hits, from, to, state.parts)
                                               : pick_ordered(hits, from, to, state.parts);
    if (picked.empty()) continue;
    fired->count = picked.size();
    fired->hits = std::move(picked);
    return true;
  }
  return false;
}

void Correlations::save(std::string& out) const {
  put_varint(out, states_.size());
  for (const auto& state : states_) {
    put_text(out, state.id);
    put_text(out, state.digest);
    put_varint(out, state.by_log.size());
    for (const auto& [log, groups] : state.by_log) {
      put_text(out, log);
      put_varint(out, groups.size());
      groups.for_each([&out](const std::string& key, const Group& group) {
        put_text(out, key);
        put_varint(out, group.hits.size());
        for (const auto& hit : group.hits) {
          put_signed(out, hit.at_ns);
          put_varint(out, hit.index);
          put_varint(out, hit.part);
          put_varint(out, hit.value);
          put_text(out, hit.words);
          put_varint(out, hit.of_receipt);
        }
      });
    }
  }
}

bool Correlations::load(Reader& in) {
  for (auto& state : states_) state.by_log.clear();
  for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    std::string_view id = in.text(), digest = in.text();
    State* state = nullptr;
    for (auto& known : states_)
      if (known.id == id && known.digest == digest) state = &known;
    for (uint64_t logs = in.varint(); logs > 0 && in.ok(); --logs) {
      std::string log(in.text());
      Groups* groups = state ? &state->by_log.try_emplace(log, kGroupsMax).first->second : nullptr;
      for (uint64_t count = in.varint(); count > 0 && in.ok(); --count) {
        std::string_view key = in.text();
        Hits hits;
        for (uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
          CorrelationHit hit;
          hit.at_ns = bounded_time(in.signed_varint());
          hit.index = in.varint();
          hit.part = static_cast<uint32_t>(in.varint());
          hit.value = in.varint();
          hit.words = in.text();
          hit.of_receipt = in.varint() != 0;
          if (hit.words.size() > kHitWordsMax) return false;
          if (!hits.empty() && hit.at_ns < hits.back().at_ns) return false;
          if (state && (hit.part >= state->parts || hits.size() >= state->hits_max)) return false;
          hits.push_back(hit);
        }
        if (groups && in.ok() && !hits.empty()) groups->use(key).hits = std::move(hits);
      }
    }
  }
  return in.ok();
}

}  // namespace yushi::detect
