#include "core/filter/filter.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/filter/expression.h"

namespace yushi {
namespace {

constexpr int64_t kFirst = std::numeric_limits<int64_t>::min();
constexpr int64_t kLast = std::numeric_limits<int64_t>::max();

enum class Truth : uint8_t { no, maybe, yes };

// `holds` answers for a test.
template <class Holds>
Truth truth(const Expression& expression, const Holds& holds) {
  Truth out = Truth::yes;
  switch (expression.kind) {
    case Expression::Kind::all:
      return Truth::yes;
    case Expression::Kind::none:
      return Truth::no;
    case Expression::Kind::all_of:
      for (const Expression& child : expression.children)
        if (out = std::min(out, truth(child, holds)); out == Truth::no) break;
      return out;
    case Expression::Kind::any_of:
      out = Truth::no;
      for (const Expression& child : expression.children)
        if (out = std::max(out, truth(child, holds)); out == Truth::yes) break;
      return out;
    case Expression::Kind::not_of:
      out = truth(expression.children.front(), holds);
      return out == Truth::maybe ? out : out == Truth::no ? Truth::yes : Truth::no;
    case Expression::Kind::test:
      return holds(expression);
  }
  return Truth::maybe;
}

// What is told of records without a look at their captures.
Truth truth_of(const Expression& test, const RecordForm& form, Scratch& scratch) {
  const bool is_of_more = std::holds_alternative<DateTest>(test.test) ||
                          std::holds_alternative<TimePartTest>(test.test) ||
                          std::holds_alternative<SameFieldTest>(test.test);
  if (is_of_more || !is_told_by_kind(test.name) || form.has_capture(test.name))
    return may_hold_in_text(test, form.has_literal) ? Truth::maybe : Truth::no;
  scratch.clear();
  return evaluate(test, *form.without_captures, scratch) ? Truth::yes : Truth::no;
}

Filter::Times times_of(const Expression& expression) {
  switch (expression.kind) {
    case Expression::Kind::none:
      return {kLast, kFirst};
    case Expression::Kind::all_of: {
      Filter::Times all{kFirst, kLast};
      for (const Expression& child : expression.children) {
        auto times = times_of(child);
        all = {std::max(all.from_ns, times.from_ns), std::min(all.to_ns, times.to_ns)};
      }
      return all;
    }
    case Expression::Kind::any_of: {
      Filter::Times any{kLast, kFirst};
      for (const Expression& child : expression.children) {
        auto times = times_of(child);
        if (times.from_ns > times.to_ns) continue;
        any = {std::min(any.from_ns, times.from_ns), std::max(any.to_ns, times.to_ns)};
      }
      return any;
    }
    case Expression::Kind::test: {
      auto* date = std::get_if<DateTest>(&expression.test);
      if (!date || expression.field != ecs::timestamp) break;
      switch (date->order) {
        case Order::equal:
          return {date->from_ns, date->to_ns};
        case Order::less:
          return date->from_ns == kFirst ? Filter::Times{kLast, kFirst} : Filter::Times{kFirst, date->from_ns - 1};
        case Order::less_or_equal:
          return {kFirst, date->to_ns};
        case Order::greater:
          return date->to_ns == kLast ? Filter::Times{kLast, kFirst} : Filter::Times{date->to_ns + 1, kLast};
        case Order::greater_or_equal:
          return {date->from_ns, kLast};
      }
      break;
    }
    default:
      break;
  }
  return {kFirst, kLast};
}

}  // namespace

Filter Filter::from(std::shared_ptr<const Expression> expression) { return Filter(std::move(expression)); }

bool Filter::matches(const Record& record, Scratch& scratch) const {
  scratch.clear();
  return evaluate(*expression_, record, scratch);
}

bool Filter::may_match(const std::function<bool(uint64_t)>& has_token) const {
  const auto holds = [&](const Expression& test) {
    return std::all_of(test.tokens.begin(), test.tokens.end(), has_token) ? Truth::maybe : Truth::no;
  };
  return truth(*expression_, holds) != Truth::no;
}

bool Filter::may_match_form(const RecordForm& form, Scratch& scratch) const {
  return truth(*expression_, [&](const Expression& test) { return truth_of(test, form, scratch); }) != Truth::no;
}

Filter::Times Filter::times() const { return times_of(*expression_); }

uint64_t ip_hash(const std::array<uint8_t, 16>& address) {
  uint64_t high, low;
  std::memcpy(&high, address.data(), 8);
  std::memcpy(&low, address.data() + 8, 8);
  if constexpr (std::endian::native == std::endian::big) {
    high = __builtin_bswap64(high);
    low = __builtin_bswap64(low);
  }
  // Another multiplier than token_hash's, so that an address is no word.
  auto product = static_cast<unsigned __int128>(high ^ 0xd6e8feb86659fd93) * (low ^ 0x9e6c63d0876a9a35);
  return (static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64)) * 0x9fb21c651e98df25;
}

}  // namespace yushi
