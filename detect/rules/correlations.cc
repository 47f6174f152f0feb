#include "detect/rules/correlations.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/ledger/sha256.h"
#include "detect/finding.h"

namespace yushi::detect {
namespace {

using Hits = std::vector<CorrelationHit>;

// By value, ascending.
std::vector<double> numbers_of(const Hits& hits, size_t from, size_t to) {
  std::vector<double> out;
  for (size_t i = from; i < to; ++i) out.push_back(std::bit_cast<double>(hits[i].value));
  std::sort(out.begin(), out.end());
  return out;
}

// What the rule's limits are about.
double measure(const CorrelationRule& rule, const Hits& hits, size_t from, size_t to) {
  using Type = CorrelationRule::Type;
  const auto count = static_cast<double>(to - from);
  switch (rule.type) {
    case Type::value_count: {
      std::vector<uint64_t> values;
      for (size_t i = from; i < to; ++i) values.push_back(hits[i].value);
      std::sort(values.begin(), values.end());
      return static_cast<double>(std::unique(values.begin(), values.end()) - values.begin());
    }
    case Type::value_sum:
    case Type::value_avg: {
      double sum = 0;
      for (double number : numbers_of(hits, from, to)) sum += number;
      return rule.type == Type::value_sum ? sum : sum / count;
    }
    case Type::value_percentile: {  // the nearest rank
      const double rank = std::ceil(rule.percentile / 100 * count);
      return numbers_of(hits, from, to)[static_cast<size_t>(std::max(rank, 1.0)) - 1];
    }
    case Type::value_median: {
      const auto numbers = numbers_of(hits, from, to);
      const size_t middle = numbers.size() / 2;
      return numbers.size() % 2 ? numbers[middle] : (numbers[middle - 1] + numbers[middle]) / 2;
    }
    default:
      return count;
  }
}

// The hits of all parts in their order, or nothing: from the newest of the last part backwards, each as late as it can
// be. Within one event time (senders write whole seconds) the order of arrival counts, which is the order in `hits`.
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

// The newest hit of each part that is there.
Hits pick_present(const Hits& hits, size_t from, size_t to, uint32_t parts) {
  Hits picked;
  for (uint32_t part = 0; part < parts; ++part)
    for (size_t at = to; at > from; --at)
      if (hits[at - 1].part == part) {
        picked.push_back(hits[at - 1]);
        break;
      }
  std::stable_sort(picked.begin(), picked.end(), [](const auto& a, const auto& b) { return a.at_ns < b.at_ns; });
  return picked;
}

}  // namespace

bool judge_window(const CorrelationRule& rule, const Hits& hits, size_t from, size_t to, CorrelationFired* fired) {
  const auto parts = static_cast<uint32_t>(rule.rules.size());
  if (!rule.is_temporal()) {
    fired->value = measure(rule, hits, from, to);
    if (!rule.holds(fired->value)) return false;
    fired->count = rule.counts() ? static_cast<uint64_t>(fired->value) : to - from;
    fired->hits.assign(hits.begin() + static_cast<ptrdiff_t>(from), hits.begin() + static_cast<ptrdiff_t>(to));
    return true;
  }
  Hits picked = rule.type == CorrelationRule::Type::temporal_ordered ? pick_ordered(hits, from, to, parts)
                                                                     : pick_present(hits, from, to, parts);
  const bool is_there = rule.condition ? holds(*rule.condition,
                                               [&](const std::string& name) {
                                                 return std::any_of(picked.begin(), picked.end(), [&](const auto& hit) {
                                                   return rule.rules[hit.part] == name;
                                                 });
                                               })
                                       : picked.size() == parts;
  if (!is_there || picked.empty()) return false;
  fired->count = picked.size();
  fired->hits = std::move(picked);
  return true;
}

void forget_one(Hits& hits, uint32_t parts) {
  std::vector<size_t> counts(parts, 0);
  for (const auto& hit : hits) ++counts[hit.part];
  auto most = static_cast<uint32_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
  hits.erase(std::find_if(hits.begin(), hits.end(), [most](const auto& hit) { return hit.part == most; }));
}

void put_hits(std::string& out, const Hits& hits) {
  put_varint(out, hits.size());
  for (const auto& hit : hits) {
    put_signed(out, hit.at_ns);
    put_varint(out, hit.index);
    put_varint(out, hit.part);
    put_varint(out, hit.value);
    put_text(out, hit.words);
    put_varint(out, hit.of_receipt);
  }
}

bool read_hits(Reader& in, uint32_t parts, uint64_t hits_max, Hits& hits) {
  for (uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    CorrelationHit hit;
    hit.at_ns = load_time(in);
    hit.index = in.varint();
    hit.part = load_number<uint32_t>(in);
    hit.value = in.varint();
    hit.words = in.text();
    hit.of_receipt = in.varint() != 0;
    if (hit.words.size() > Correlations::kHitWordsMax) return false;
    if (!hits.empty() && hit.at_ns < hits.back().at_ns) return false;
    if (hit.part >= parts || hits.size() >= hits_max) return false;
    hits.push_back(hit);
  }
  return true;
}

void Correlations::take(const LoadedRules& rules) {
  std::vector<State> old = std::move(states_);
  states_.clear();
  for (const auto& linked : rules.correlations()) {
    const CorrelationRule& rule = linked.rule;
    State state{rule, static_cast<uint32_t>(rule.rules.size()), {}};
    for (auto& known : old)
      if (known.rule.head.id == rule.head.id && known.rule.head.digest == rule.head.digest)
        state.by_log = std::move(known.by_log);
    states_.push_back(std::move(state));
  }
}

bool Correlations::add(uint32_t number, std::string_view log, std::string_view group, const CorrelationHit& hit,
                       CorrelationFired* fired) {
  State& state = states_[number];
  Group& known = state.by_log.use(log, kGroupsMax).use(group);
  Hits& hits = known.hits;
  auto at = std::upper_bound(hits.begin(), hits.end(), hit.at_ns, [](int64_t t, const auto& h) { return t < h.at_ns; });
  size_t added = static_cast<size_t>(at - hits.begin());
  hits.insert(at, hit);
  // Of one value its newest hit is enough, so that a flood of one value cannot push the others out.
  if (state.rule.type == CorrelationRule::Type::value_count) {
    for (size_t i = 0; i < added; ++i) {
      if (hits[i].value != hit.value) continue;
      hits.erase(hits.begin() + static_cast<ptrdiff_t>(i));
      --added;
      break;
    }
  }
  bool fires = judge(state.rule, known, added, fired);

  // What no window with a hit to come can hold goes: hits may be late by another span.
  size_t gone = 0;
  while (hits.back().at_ns - hits[gone].at_ns > 2 * state.rule.timespan_ns) ++gone;
  hits.erase(hits.begin(), hits.begin() + static_cast<ptrdiff_t>(gone));
  if (hits.size() > state.rule.hits_max()) forget_one(hits, state.parts);
  return fires;
}

// Judges the windows that end with a hit at or after the added one and begin at most a span before it.
bool Correlations::judge(const CorrelationRule& rule, const Group& group, size_t added, CorrelationFired* fired) {
  const Hits& hits = group.hits;
  // Nothing is sorted for a count that cannot be reached.
  if (rule.counts())
    for (const auto& [op, operand] : rule.limits)
      if (static_cast<double>(hits.size()) < operand) return false;
  size_t from = 0;
  for (size_t last = added; last < hits.size() && hits[last].at_ns - hits[added].at_ns <= rule.timespan_ns; ++last) {
    while (hits[last].at_ns - hits[from].at_ns > rule.timespan_ns) ++from;
    if (judge_window(rule, hits, from, last + 1, fired)) return true;
  }
  return false;
}

void Correlations::hold(Holdings& out) {
  for (auto& state : states_)
    for (auto& [log, groups] : state.by_log) out.push_back({log, Kept::passing, &groups});
}

void Correlations::save(std::string& out) const {
  const auto all = [](const State&) { return true; };
  save_groups(states_, out, all, [&out](const Group& group) { put_hits(out, group.hits); });
}

bool Correlations::load(Reader& in) {
  const auto all = [](const State&) { return true; };
  return load_groups(states_, kGroupsMax, in, all, [&in](Group& group, uint32_t parts, uint64_t hits_max) {
    return read_hits(in, parts, hits_max, group.hits);
  });
}

bool correlation_value(const CorrelationRule& rule, const Record& record, Scratch& scratch, uint64_t* out) {
  struct Found {
    const CorrelationRule& rule;
    bool any = false, right = false;
    uint64_t bits = 0;
  } found{rule};
  scratch.clear();
  visit_field(
      record, find_field(rule.value_field), rule.value_field, scratch,
      [](void* context, const Value& value) {
        auto* to = static_cast<Found*>(context);
        if (to->any) return;
        to->any = true;
        if (Number number; to->rule.reads_numbers()) {
          to->right = read_number(value.text, &number);
          to->bits = std::bit_cast<uint64_t>(number.is_integer ? static_cast<double>(number.integer) : number.real);
        } else {
          Hash digest = sha256(value.text);
          to->right = true;
          to->bits = get_be64(reinterpret_cast<const char*>(digest.data()));
        }
      },
      &found);
  *out = found.bits;
  return found.right;
}

}  // namespace yushi::detect
