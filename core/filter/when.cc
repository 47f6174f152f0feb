#include "core/filter/when.h"

#include <limits>
#include <optional>
#include <string>

#include "core/base/calendar.h"

namespace yushi {
namespace {

constexpr int64_t kLastNs = std::numeric_limits<int64_t>::max();
constexpr int64_t kFirstNs = std::numeric_limits<int64_t>::min();

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
bool same_word(std::string_view a, std::string_view lower_case) {
  if (a.size() != lower_case.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower_case[i]) return false;
  return true;
}

int64_t clamp_ns(__int128 ns) {
  if (ns > kLastNs) return kLastNs;
  if (ns < kFirstNs) return kFirstNs;
  return static_cast<int64_t>(ns);
}

// Takes exactly `digits` digits off the front.
std::optional<int> take_number(std::string_view& text, size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

struct Civil {
  int year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0;
};

int64_t local_seconds(const Civil& at) {
  return days_from_civil(at.year, static_cast<unsigned>(at.month), static_cast<unsigned>(at.day)) * kDaySeconds +
         at.hour * 3600 + at.minute * 60 + at.second;
}

int64_t to_utc(int64_t local, std::optional<int> offset_seconds, const Zone& zone) {
  return local - (offset_seconds ? *offset_seconds : zone.offset_seconds_at_local(local));
}

// Midnight that begins the local day `days_back` before the clock's.
int64_t day_start(const QueryClock& clock, int64_t days_back) {
  int64_t seconds = floor_div(clock.now_ns, kSecond);
  int64_t local = seconds + clock.zone->offset_seconds_at(seconds);
  return to_utc((floor_div(local, kDaySeconds) - days_back) * kDaySeconds, std::nullopt, *clock.zone);
}

std::optional<When> calendar_span(std::string_view text, const QueryClock& clock) {
  Civil at;
  auto year = take_number(text, 4);
  if (!year) return std::nullopt;
  at.year = *year;
  enum { of_year, of_month, of_day, of_hour, of_minute, of_second } span = of_year;
  auto part = [&](char separator, int& into, int low, int high) {
    std::string_view rest = text;
    if (!take(rest, separator)) return false;
    auto value = take_number(rest, 2);
    if (!value || *value < low || *value > high) return false;
    into = *value;
    text = rest;
    return true;
  };
  int64_t fraction_ns = 0, fraction_span = kSecond;
  if (part('-', at.month, 1, 12)) {
    span = of_month;
    auto last_day = static_cast<int>(days_in_month(at.year, static_cast<unsigned>(at.month)));
    if (part('-', at.day, 1, last_day)) {
      span = of_day;
      if (part('T', at.hour, 0, 23) || part('t', at.hour, 0, 23) || part(' ', at.hour, 0, 23)) {
        span = of_hour;
        if (part(':', at.minute, 0, 59)) {
          span = of_minute;
          if (part(':', at.second, 0, 60)) {
            span = of_second;
            if (text.size() > 1 && (text[0] == '.' || text[0] == ',')) {
              text.remove_prefix(1);
              size_t digits = 0;
              while (!text.empty() && text[0] >= '0' && text[0] <= '9' && digits < 9) {
                fraction_span /= 10;
                fraction_ns += (text[0] - '0') * fraction_span;
                text.remove_prefix(1);
                ++digits;
              }
              if (digits == 0) return std::nullopt;
            }
          }
        }
      }
    }
  }
  std::optional<int> offset;
  if (span >= of_hour && !text.empty()) {
    if (take(text, 'Z') || take(text, 'z')) {
      offset = 0;
    } else if (text[0] == '+' || text[0] == '-') {
      int sign = text[0] == '-' ? -1 : 1;
      text.remove_prefix(1);
      auto hours = take_number(text, 2);
      if (!hours || *hours > 23) return std::nullopt;
      take(text, ':');
      int minutes = 0;
      if (!text.empty()) {
        auto value = take_number(text, 2);
        if (!value || *value > 59) return std::nullopt;
        minutes = *value;
      }
      offset = sign * (*hours * 3600 + minutes * 60);
    }
  }
  if (!text.empty()) return std::nullopt;

  int64_t local = local_seconds(at);
  Civil next = at;
  int64_t next_local = 0;
  switch (span) {
    case of_year:
      next.year += 1;
      next_local = local_seconds(next);
      break;
    case of_month:
      next.month += 1;
      if (next.month == 13) next.month = 1, next.year += 1;
      next_local = local_seconds(next);
      break;
    case of_day:
      next_local = local + kDaySeconds;
      break;
    default:
      break;
  }
  auto from = static_cast<__int128>(to_utc(local, offset, *clock.zone)) * kSecond + fraction_ns;
  __int128 to;
  if (span <= of_day)
    to = static_cast<__int128>(to_utc(next_local, offset, *clock.zone)) * kSecond - 1;
  else
    to = from + (span == of_hour ? 3600 * kSecond : span == of_minute ? 60 * kSecond : fraction_span) - 1;
  return When{clamp_ns(from), clamp_ns(to)};
}

}  // namespace

Result<int64_t> parse_duration(std::string_view text) {
  int64_t count = 0;
  size_t at = 0;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9' && at < 9) count = count * 10 + (text[at++] - '0');
  int64_t unit = 0;
  if (at > 0 && at + 1 == text.size()) {
    switch (text[at]) {
      case 's':
        unit = 1;
        break;
      case 'm':
        unit = 60;
        break;
      case 'h':
        unit = 3600;
        break;
      case 'd':
        unit = kDaySeconds;
        break;
      case 'w':
        unit = 7 * kDaySeconds;
        break;
      default:
        break;
    }
  }
  if (unit == 0 || count == 0)
    return fail(Code::invalid, "`" + std::string(text) + "` is no length of time; write 30s, 5m, 1h, 7d or 2w");
  return clamp_ns(static_cast<__int128>(count) * unit * kSecond);
}

Result<When> parse_when(std::string_view text, const QueryClock& clock) {
  if (same_word(text, "today")) return When{day_start(clock, 0) * kSecond, day_start(clock, -1) * kSecond - 1};
  if (same_word(text, "yesterday")) return When{day_start(clock, 1) * kSecond, day_start(clock, 0) * kSecond - 1};
  auto instant = [](__int128 ns) { return When{clamp_ns(ns), clamp_ns(ns)}; };
  if (same_word(text, "now")) return instant(clock.now_ns);
  if (text.size() > 4 && same_word(text.substr(0, 3), "now") && (text[3] == '-' || text[3] == '+')) {
    auto length = YUSHI_TRY(parse_duration(text.substr(4)));
    return instant(static_cast<__int128>(clock.now_ns) + (text[3] == '-' ? -length : length));
  }
  if (auto length = parse_duration(text)) return instant(static_cast<__int128>(clock.now_ns) - *length);
  if (auto span = calendar_span(text, clock)) return *span;
  return fail(Code::invalid, "`" + std::string(text) +
                                 "` is no time; write 2026-11-01, 2026-11-01T08:00:00+08:00, today, now-1h or 7d");
}

}  // namespace yushi
