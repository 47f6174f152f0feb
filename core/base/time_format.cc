// TimeText -> the sender's own bytes, and our one way to write UTC.
#include <cstring>

#include "core/base/calendar.h"
#include "core/base/time_style.h"
#include "core/base/time_text.h"

namespace yushi {
namespace {

using namespace time_style;

constexpr uint32_t kPowers[] = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};

struct Pairs {
  char digits[200];
  constexpr Pairs() : digits() {
    for (int i = 0; i < 100; ++i) {
      digits[2 * i] = static_cast<char>('0' + i / 10);
      digits[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
  }
};
constexpr Pairs kPairs;

inline char* two(char* at, unsigned value) {
  std::memcpy(at, kPairs.digits + 2 * value, 2);
  return at + 2;
}
inline char* four(char* at, unsigned value) { return two(two(at, value / 100), value % 100); }
inline char* mark(char* at, char c) {
  *at = c;
  return at + 1;
}
inline char* three(char* at, const char* from) {
  std::memcpy(at, from, 3);
  return at + 3;
}

// `.123`; nothing for zero digits.
inline char* fraction(char* at, uint32_t ns, unsigned digits, char point) {
  if (digits == 0) return at;
  *at++ = point;
  uint32_t value = ns / kPowers[9 - digits];
  for (char* to = at + digits; to > at; value /= 10) *--to = static_cast<char>('0' + value % 10);
  return at + digits;
}

// `+08:00` with `colon`, `+0800` without; hours alone when `hours_only`.
inline char* offset(char* at, int minutes, bool minus_zero, bool colon, bool hours_only = false) {
  const bool negative = minutes < 0 || minus_zero;
  const auto size = static_cast<unsigned>(minutes < 0 ? -minutes : minutes);
  *at++ = negative ? '-' : '+';
  at = two(at, size / 60 % 100);
  if (hours_only) return at;
  if (colon) *at++ = ':';
  return two(at, size % 60);
}

struct Local {
  CivilDate date;
  int64_t days;
  unsigned hour, minute, second;
  uint32_t ns;
};

inline Local split(int64_t unix_ns, int offset_minutes) {
  const int64_t unix_seconds = floor_div(unix_ns, kSecond);
  int64_t ns_of_second = unix_ns % kSecond;  // a product of seconds would overflow at the first representable second
  if (ns_of_second < 0) ns_of_second += kSecond;
  const int64_t seconds = unix_seconds + offset_minutes * 60;
  const int64_t days = floor_div(seconds, kDaySeconds);
  const auto of_day = static_cast<unsigned>(seconds - days * kDaySeconds);
  return {civil_from_days(days), days,        of_day / 3600,
          of_day / 60 % 60,      of_day % 60, static_cast<uint32_t>(ns_of_second)};
}

inline char* clock(char* at, const Local& local) {
  at = mark(two(at, local.hour), ':');
  at = mark(two(at, local.minute), ':');
  return two(at, local.second);
}

char* format_3339(const TimeText& time, const Local& local, char* at) {
  const char between = time.style & kSlashes ? '/' : '-';
  at = mark(four(at, static_cast<unsigned>(local.date.year)), between);
  at = mark(two(at, local.date.month), between);
  at = two(at, local.date.day);
  at = mark(at, (time.style & 3) == kUpperT ? 'T' : (time.style & 3) == kLowerT ? 't' : ' ');
  at = fraction(clock(at, local), local.ns, time.digits, time.style & kComma ? ',' : '.');
  const bool minus_zero = time.style & kMinusZero;
  switch (time.style & kZoneMask) {
    case kNoZone:
      return at;
    case kUpperZ:
      return mark(at, 'Z');
    case kLowerZ:
      return mark(at, 'z');
    case kHourColonMinute:
      return offset(at, time.zone_minutes, minus_zero, true);
    case kHourMinute:
      return offset(at, time.zone_minutes, minus_zero, false);
    case kHourOnly:
      return offset(at, time.zone_minutes, minus_zero, false, true);
    case kBlankHourMinute:
      return offset(mark(at, ' '), time.zone_minutes, minus_zero, false);
    default:
      return three(mark(at, ' '), "UTC");
  }
}

char* format_3164(const TimeText& time, const Local& local, char* at) {
  unsigned rest = time.style;
  const unsigned day = rest % 3, year = rest / 3 % 4, lead = rest / 12 % 4, zone = rest / 48;
  const auto year_number = static_cast<unsigned>(local.date.year);
  if (lead == kLeadStar) at = mark(at, '*');
  if (lead == kLeadDot) at = mark(at, '.');
  if (lead == kLeadWeekday) at = mark(three(at, kWeekdays + 3 * weekday_from_days(local.days)), ' ');
  if (year == kYearFirst) at = mark(four(at, year_number), ' ');
  at = mark(three(at, kMonths + 3 * (local.date.month - 1)), ' ');
  if (local.date.day >= 10 || day == kDayZero) {
    at = two(at, local.date.day);
  } else {
    if (day == kDayBlank) at = mark(at, ' ');
    at = mark(at, static_cast<char>('0' + local.date.day));
  }
  at = mark(at, ' ');
  if (year == kYearAfterDay) at = mark(four(at, year_number), ' ');
  at = fraction(clock(at, local), local.ns, time.digits, '.');
  if (year == kYearLast) at = four(mark(at, ' '), year_number);
  switch (zone) {
    case kZoneNone:
      return at;
    case kZoneUtc:
      return three(mark(at, ' '), "UTC");
    case kZoneGmt:
      return three(mark(at, ' '), "GMT");
    case kZoneCst:
      return three(mark(at, ' '), "CST");
    default:
      return offset(mark(at, ' '), time.zone_minutes, false, false);
  }
}

char* format_http(const TimeText& time, const Local& local, char* at) {
  const unsigned date_mark = time.style & 3;
  const char between = date_mark == kSlash ? '/' : date_mark == kDash ? '-' : ' ';
  at = mark(two(at, local.date.day), between);
  at = mark(three(at, kMonths + 3 * (local.date.month - 1)), between);
  at = mark(four(at, static_cast<unsigned>(local.date.year)), time.style & kBlankTime ? ' ' : ':');
  at = fraction(clock(at, local), local.ns, time.digits, '.');
  const unsigned zone = time.style & 3 << 3;
  return zone == kHttpNoZone ? at : offset(mark(at, ' '), time.zone_minutes, zone == kHttpMinusZero, false);
}

char* format_epoch(const TimeText& time, char* at) {
  const int64_t seconds = floor_div(time.unix_ns, kSecond);
  if (seconds < 0 || time.style > 9) return at;
  char digits[20];
  char* from = digits + sizeof digits;
  uint64_t left = static_cast<uint64_t>(seconds);
  do {
    *--from = static_cast<char>('0' + left % 10);
    left /= 10;
  } while (left);
  const auto length = static_cast<size_t>(digits + sizeof digits - from);
  std::memcpy(at, from, length);
  const auto ns = static_cast<uint32_t>(time.unix_ns - seconds * kSecond);
  if (time.style == 0) return fraction(at + length, ns, time.digits, '.');
  // Milliseconds and finer: the fraction's digits stand in the integer, without a point.
  char* end = fraction(at + length, ns, time.style, '.');
  std::memmove(at + length, at + length + 1, time.style);
  return end - 1;
}

}  // namespace

size_t format_time(const TimeText& time, char* out) {
  if (time.form == TimeForm::epoch) return time.digits > 9 ? 0 : static_cast<size_t>(format_epoch(time, out) - out);
  if (time.form == TimeForm::none || time.form >= TimeForm::other) return 0;
  // A block may be damaged: what cannot be a time of ours is not written, so that no table is read past its end.
  const Local local = split(time.unix_ns, time.zone_minutes);
  if (time.digits > 9 || local.date.year < 0 || local.date.year > 9999) return 0;
  char* end = out;
  if (time.form == TimeForm::rfc3339) end = format_3339(time, local, out);
  if (time.form == TimeForm::rfc3164) end = format_3164(time, local, out);
  if (time.form == TimeForm::http_date) end = format_http(time, local, out);
  return static_cast<size_t>(end - out);
}

size_t format_utc(int64_t unix_ns, char* out) {
  const Local local = split(unix_ns, 0);
  char* at = mark(four(out, static_cast<unsigned>(local.date.year)), '-');
  at = mark(two(at, local.date.month), '-');
  at = clock(mark(two(at, local.date.day), 'T'), local);
  const unsigned digits = local.ns % 1'000'000 == 0 ? 3 : local.ns % 1'000 == 0 ? 6 : 9;
  at = mark(fraction(at, local.ns, digits, '.'), 'Z');
  return static_cast<size_t>(at - out);
}

std::string utc_text(int64_t unix_ns) {
  char text[32];
  return {text, format_utc(unix_ns, text)};
}

}  // namespace yushi
