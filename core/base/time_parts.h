// What the readers of times share: the pieces that all spellings have, and Parts, which the readers fill and finish()
// makes a TimeText of. Private to the time_*.cc that read; time_text.cc chooses the reader by the first bytes.
#pragma once

#include <cstring>
#include <optional>
#include <string_view>

#include "core/base/calendar.h"
#include "core/base/time_style.h"
#include "core/base/time_text.h"

namespace yushi::time_parts {

using namespace time_style;

constexpr uint32_t kPowers[] = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};
// int64 nanoseconds hold 1677-09-21 … 2262-04-11.
constexpr int kYearMin = 1678, kYearMax = 2261;
constexpr unsigned kBad = 255;

inline bool is_digit(char c) { return static_cast<unsigned>(c - '0') <= 9; }
inline bool is_letter(char c) { return static_cast<unsigned>((c | 0x20) - 'a') < 26; }
inline bool is_alnum(char c) { return is_digit(c) || is_letter(c); }

// Two digits; kBad when they are none.
inline unsigned two(const char* at) {
  const unsigned high = static_cast<unsigned char>(at[0]) - '0', low = static_cast<unsigned char>(at[1]) - '0';
  return high > 9 || low > 9 ? kBad : high * 10 + low;
}
inline int four(const char* at) {
  const unsigned high = two(at), low = two(at + 2);
  return high == kBad || low == kBad ? -1 : static_cast<int>(high * 100 + low);
}

// 1..12, or 0. In any case; `canonical` when written as in "Nov".
inline unsigned month_at(const char* at, bool* canonical) {
  const uint32_t lower = static_cast<uint32_t>(at[0] | 0x20) << 16 | static_cast<uint32_t>(at[1] | 0x20) << 8 |
                         static_cast<uint32_t>(at[2] | 0x20);
  const auto key = [](const char(&name)[4]) {
    return static_cast<uint32_t>(name[0]) << 16 | static_cast<uint32_t>(name[1]) << 8 | static_cast<uint32_t>(name[2]);
  };
  unsigned month = 0;
  switch (lower & 0xffffff) {
    case key("jan"):
      month = 1;
      break;
    case key("feb"):
      month = 2;
      break;
    case key("mar"):
      month = 3;
      break;
    case key("apr"):
      month = 4;
      break;
    case key("may"):
      month = 5;
      break;
    case key("jun"):
      month = 6;
      break;
    case key("jul"):
      month = 7;
      break;
    case key("aug"):
      month = 8;
      break;
    case key("sep"):
      month = 9;
      break;
    case key("oct"):
      month = 10;
      break;
    case key("nov"):
      month = 11;
      break;
    case key("dec"):
      month = 12;
      break;
    default:
      return 0;
  }
  if (!is_letter(at[0]) || !is_letter(at[1]) || !is_letter(at[2])) return 0;
  *canonical = std::memcmp(at, kMonths + 3 * (month - 1), 3) == 0;
  return month;
}

// What the readers fill; finish() makes a TimeText of it.
struct Parts {
  int year = -1;  // -1: not given
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
  uint32_t ns = 0;
  unsigned digits = 0;
  bool has_zone = false;
  bool exact = true;  // format_time() will give these bytes back
  bool leap = false;
  int zone_minutes = 0;
  uint8_t style = 0;
};

// hh:mm:ss; the byte after must not be a digit. One digit of the hour is for the callers.
inline const char* read_clock(const char* at, const char* end, Parts& parts) {
  if (end - at < 8 || at[2] != ':' || at[5] != ':') return nullptr;
  parts.hour = two(at);
  parts.minute = two(at + 3);
  parts.second = two(at + 6);
  if (parts.hour > 23 || parts.minute > 59 || parts.second > 60) return nullptr;
  if (parts.second == 60) {  // a leap second is the last one of its minute
    parts.second = 59;
    parts.leap = true;
    parts.exact = false;
  }
  at += 8;
  return at < end && is_digit(*at) ? nullptr : at;
}

// ".123" when one stands there, or ":123" as Comware and some loggers write milliseconds. More than nine digits are
// read and not kept.
inline const char* read_fraction(const char* at, const char* end, Parts& parts, bool* comma) {
  *comma = false;
  if (end - at < 2 || !is_digit(at[1])) return at;
  if (*at == ':') {
    if (end - at < 4 || !is_digit(at[2]) || !is_digit(at[3]) || (end - at > 4 && (is_alnum(at[4]) || at[4] == ':')))
      return at;
    parts.exact = false;
  } else if (*at != '.' && *at != ',') {
    return at;
  }
  *comma = *at == ',';
  uint32_t value = 0;
  unsigned digits = 0;
  for (++at; at < end && is_digit(*at) && digits < 9; ++at, ++digits)
    value = value * 10 + static_cast<uint32_t>(*at - '0');
  while (at < end && is_digit(*at)) {
    parts.exact = false;
    ++at;
  }
  parts.digits = digits;
  parts.ns = value * kPowers[9 - digits];
  return at;
}

// ±hh:mm, ±hhmm, ±hh. Returns nullptr when none stands there.
inline const char* read_offset(const char* at, const char* end, Parts& parts, Zone3339* kind, bool* minus_zero) {
  if (end - at < 3 || (*at != '+' && *at != '-')) return nullptr;
  const unsigned hours = two(at + 1);
  if (hours > 23) return nullptr;
  unsigned minutes = 0;
  const char* after = at + 3;
  *kind = kHourOnly;
  if (end - at >= 6 && at[3] == ':' && (minutes = two(at + 4)) <= 59) {
    *kind = kHourColonMinute;
    after = at + 6;
  } else if (end - at >= 5 && (minutes = two(at + 3)) <= 59) {
    *kind = kHourMinute;
    after = at + 5;
  } else {
    minutes = 0;
  }
  if (after < end && is_digit(*after)) return nullptr;
  const int size = static_cast<int>(hours * 60 + minutes);
  parts.zone_minutes = *at == '-' ? -size : size;
  *minus_zero = *at == '-' && size == 0;
  parts.has_zone = true;
  return after;
}

inline int64_t local_seconds(const Parts& parts) {
  return days_from_civil(parts.year, parts.month, parts.day) * kDaySeconds + parts.hour * 3600 + parts.minute * 60 +
         parts.second;
}

// " UTC", " CST": a blank and the name of a zone that ends there. The year must be known already.
const char* read_zone_name(const char* at, const char* end, const Zone& zone, Parts& parts, std::string_view* name);

// Minutes east of UTC of a zone's name at a wall-clock time: "CEST", "PT", "Asia/Shanghai". `own` is the tenant's zone,
// which settles the names that several lands use. nullopt for a name that is no zone's.
std::optional<int> zone_name_minutes(std::string_view name, int64_t local_seconds, const Zone& own);

// Settles a missing year: the latest that brings the time no more than kYearAheadMax ahead of receipt. False when there
// is no such year.
bool infer_year(Parts& parts, int64_t near_unix_ns, const Zone& zone);

// Makes a TimeText of what was read; infers what is missing. False when there is no such day. Of a year that unix_ns
// cannot hold the form stays `none`.
bool finish(Parts& parts, TimeForm form, int64_t near_unix_ns, const Zone& zone, TimeText& time);

// A year that stands alone: four digits from 1970 on, and then no word goes on.
inline int lone_year(const char* at, const char* end) {
  if (end - at < 4) return -1;
  const int year = four(at);
  if (year < 1970 || year > 2199) return -1;
  if (end - at > 5 && at[4] == ':' && at[5] != ' ') return -1;  // 2001:db8::7 is an address
  if (end - at > 4 && (is_alnum(at[4]) || at[4] == '-' || at[4] == '.' || at[4] == '_' || at[4] == '/')) return -1;
  return year;
}

// The readers. Each returns where the time ends, or nullptr when none stands at `at`.

// --------------------------------------------------------------------------------- of syslog headers: time_syslog.cc

// 2026-11-01T08:00:00.123+08:00 and its kin. The caller has seen that the fifth byte is `-` or `/`.
const char* read_3339(const char* at, const char* end, const Zone& zone, Parts& parts);
// Nov  1 08:00:00 and its kin, from the month on; `lead` and `year_place` are what the caller has read before it.
const char* read_3164(const char* at, const char* end, unsigned lead, unsigned year_place, int64_t near_unix_ns,
                      const Zone& zone, Parts& parts);

// ------------------------------------------------------------------------------ of applications: time_application.cc

// 01/Nov/2026:08:00:00 +0800, 01-Nov-2026 08:00:00.123, 1 Nov 2026 08:00:00.
const char* read_http(const char* at, const char* end, const Zone& zone, Parts& parts);
// 261101  8:00:00 (mysql before 5.7) and 26/11/01 08:00:00 (Spark). Not written back.
const char* read_short_year(const char* at, const char* end, Parts& parts);
// 11/28/2026:08:00:00 GMT, as NetScaler writes it unless it was told to put the day first; a number above 12 is the
// day.
const char* read_us_date(const char* at, const char* end, const Zone& zone, Parts& parts);
// 20261101T080000Z. Not written back.
const char* read_basic(const char* at, const char* end, Parts& parts);
// 1364481363.243; 13, 16 and 19 digits are milli-, micro- and nanoseconds.
std::optional<ReadTime> read_epoch(const char* at, const char* end);

}  // namespace yushi::time_parts
