// Text -> TimeText. One reader per family of spellings, chosen by the first bytes; the two that syslog headers use
// (RFC 3339 and RFC 3164) come first and look at each byte once.
#include "core/base/time_text.h"

#include <cstring>

#include "core/base/calendar.h"
#include "core/base/time_style.h"

namespace yushi {
namespace {

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

// hh:mm:ss with `colon` between; the byte after must not be a digit. One digit of the hour is for the callers.
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

// ".123" when one stands there. More than nine digits are read and not kept.
inline const char* read_fraction(const char* at, const char* end, Parts& parts, bool* comma) {
  *comma = false;
  if (end - at < 2 || (*at != '.' && *at != ',') || !is_digit(at[1])) return at;
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
  *kind = kHour;
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

struct NamedZone {
  char name[6];
  int16_t minutes;
};
// Abbreviations that mean one thing in logs. CST and IST and BST are settled in read_zone_name().
constexpr NamedZone kZones[] = {
    {"UTC", 0},    {"GMT", 0},     {"Z", 0},       {"CET", 60},   {"CEST", 120}, {"MET", 60},   {"MEST", 120},
    {"WET", 0},    {"WEST", 60},   {"EET", 120},   {"EEST", 180}, {"MSK", 180},  {"BST", 60},   {"IST", 330},
    {"CST", -360}, {"CDT", -300},  {"EST", -300},  {"EDT", -240}, {"MST", -420}, {"MDT", -360}, {"PST", -480},
    {"PDT", -420}, {"AKST", -540}, {"AKDT", -480}, {"HST", -600}, {"JST", 540},  {"KST", 540},  {"HKT", 480},
    {"SGT", 480},  {"AWST", 480},  {"AEST", 600},  {"AEDT", 660}, {"ACST", 570}, {"ACDT", 630}, {"NZST", 720},
    {"NZDT", 780}, {"SAST", 120},  {"PKT", 300},   {"ICT", 420},  {"WIB", 420},  {"PHT", 480},
};

inline int64_t local_seconds(const Parts& parts) {
  return days_from_civil(parts.year, parts.month, parts.day) * kDaySeconds + parts.hour * 3600 + parts.minute * 60 +
         parts.second;
}

// " UTC", " CST": a blank and a name of kZones that ends there. The year must be known already.
const char* read_zone_name(const char* at, const char* end, const Zone& zone, Parts& parts, std::string_view* name) {
  if (end - at < 4 || *at != ' ' || at[1] < 'A' || at[1] > 'Z') return nullptr;
  const char* from = ++at;
  while (at < end && at - from < 5 && *at >= 'A' && *at <= 'Z') ++at;
  if (at - from < 3 || (at < end && (is_alnum(*at) || *at == '-' || *at == '.' || *at == '_' || *at == '/')))
    return nullptr;
  *name = {from, static_cast<size_t>(at - from)};
  for (const NamedZone& known : kZones) {
    if (*name != known.name) continue;
    parts.has_zone = true;
    parts.zone_minutes = known.minutes;
    // CST is China's at a Chinese unit and North America's elsewhere; so with the other names that several lands use:
    // where the tenant lives in one of them, it is that one.
    const int64_t own = zone.offset_seconds_at_local(local_seconds(parts)) / 60;
    if ((*name == "CST" && own == 480) || (*name == "IST" && (own == 60 || own == 120)) ||
        (*name == "PST" && own == 480))
      parts.zone_minutes = static_cast<int>(own);
    return at;
  }
  return nullptr;
}

inline int64_t instant(const Parts& parts, int64_t local, int64_t offset_seconds) {
  return (local - offset_seconds) * kSecond + parts.ns;
}

// The year of an instant. Receipt times of one thread stay in one year for long.
int year_of(int64_t unix_seconds) {
  struct Known {
    int64_t begin = 0, end = 0;
    int year = 0;
  };
  thread_local Known known;
  if (unix_seconds < known.begin || unix_seconds >= known.end) {
    const int year = civil_from_days(floor_div(unix_seconds, kDaySeconds)).year;
    known = {days_from_civil(year, 1, 1) * kDaySeconds, days_from_civil(year + 1, 1, 1) * kDaySeconds, year};
  }
  return known.year;
}

// The year that brings the time nearest to receipt.
bool infer_year(Parts& parts, int64_t near_unix_ns, const Zone& zone) {
  const int64_t near_seconds = floor_div(near_unix_ns, kSecond);
  const int near_year = year_of(near_seconds);
  parts.year = near_year;
  if (near_year >= kYearMin && near_year <= kYearMax && parts.day <= days_in_month(near_year, parts.month)) {
    // Within 181 days no other year can be nearer, whatever the zone: the usual case looks no further.
    const int64_t apart = local_seconds(parts) - near_seconds;
    if (apart > -181 * kDaySeconds && apart < 181 * kDaySeconds) return true;
  }
  const auto distance = [&](int year) -> uint64_t {
    if (year < kYearMin || year > kYearMax || parts.day > days_in_month(year, parts.month)) return UINT64_MAX;
    parts.year = year;
    const int64_t local = local_seconds(parts);
    const int64_t at = local - (parts.has_zone ? parts.zone_minutes * 60 : zone.offset_seconds_at_local(local));
    const int64_t apart = at - near_seconds;
    return static_cast<uint64_t>(apart < 0 ? -apart : apart);
  };
  uint64_t best = distance(near_year);
  int best_year = near_year;
  for (int step = 1; step <= 8; ++step) {  // 29 February may be eight years away (1896 … 1904)
    for (int year : {near_year - step, near_year + step}) {
      const uint64_t apart = distance(year);
      if (apart < best) {
        best = apart;
        best_year = year;
      }
    }
    if (best != UINT64_MAX && best < static_cast<uint64_t>(step) * 366 * kDaySeconds) break;
  }
  parts.year = best_year;
  return best != UINT64_MAX;
}

bool finish(Parts& parts, TimeForm form, int64_t near_unix_ns, const Zone& zone, TimeText& time) {
  if (parts.month - 1 > 11 || parts.day - 1 > 30) return false;
  time.inferred = 0;
  if (parts.year < 0) {
    if (!infer_year(parts, near_unix_ns, zone)) return false;
    time.inferred |= kYearInferred;
  } else if (parts.year < kYearMin || parts.year > kYearMax ||
             (parts.day > 28 && parts.day > days_in_month(parts.year, parts.month))) {
    return false;
  }
  const int64_t local = local_seconds(parts);
  int64_t offset = parts.zone_minutes * 60;
  if (!parts.has_zone) {
    offset = zone.offset_seconds_at_local(local);
    time.inferred |= kZoneInferred;
    if (offset % 60 != 0) parts.exact = false;  // local mean time, before standard time came
  }
  if (parts.leap) parts.ns = 999'999'999;
  time.unix_ns = instant(parts, local, offset);
  time.form = parts.exact ? form : TimeForm::other;
  time.digits = static_cast<uint8_t>(parts.digits);
  time.style = parts.exact ? parts.style : 0;
  time.zone_minutes = static_cast<int16_t>(floor_div(offset, 60));
  return true;
}

// 2026-11-01T08:00:00.123+08:00 and its kin. The caller has seen that the fifth byte is `-` or `/`.
const char* read_3339(const char* at, const char* end, const Zone& zone, Parts& parts) {
  if (end - at < 19 || at[7] != at[4]) return nullptr;
  parts.year = four(at);
  parts.month = two(at + 5);
  parts.day = two(at + 8);
  if (parts.year < 0 || parts.month - 1 > 11 || parts.day - 1 > 30) return nullptr;
  uint8_t style = at[4] == '/' ? kSlashes : 0;
  switch (at[10]) {
    case 'T':
      break;
    case 't':
      style |= kLowerT;
      break;
    case ' ':
      style |= kBlank;
      break;
    default:
      return nullptr;
  }
  at = read_clock(at + 11, end, parts);
  if (!at) return nullptr;
  bool comma;
  at = read_fraction(at, end, parts, &comma);
  if (comma) style |= kComma;
  if (at < end) {
    bool minus_zero = false;
    Zone3339 kind = kNoZone;
    std::string_view name;
    if (*at == 'Z' || *at == 'z') {
      if (end - at < 2 || !is_alnum(at[1])) {
        style |= *at == 'Z' ? kUpperZ : kLowerZ;
        parts.has_zone = true;
        ++at;
      }
    } else if (*at == '+' || *at == '-') {
      if (const char* after = read_offset(at, end, parts, &kind, &minus_zero)) {
        style |= kind;
        at = after;
      }
    } else if (*at == ' ' && end - at >= 4) {
      if (at[1] == '+' || at[1] == '-') {
        const char* after = read_offset(at + 1, end, parts, &kind, &minus_zero);
        if (after && kind != kHour) {
          if (kind == kHourMinute)
            style |= kBlankHourMinute;
          else
            parts.exact = false;
          at = after;
        } else {
          parts.has_zone = false;  // " -1 …" is something else
          parts.zone_minutes = 0;
          minus_zero = false;
        }
      } else if (parts.day <= days_in_month(parts.year, parts.month)) {
        if (const char* after = read_zone_name(at, end, zone, parts, &name)) {
          if (name == "UTC")
            style |= kBlankUtc;
          else
            parts.exact = false;
          at = after;
        }
      }
    }
    if (minus_zero) style |= kMinusZero;
  }
  parts.style = style;
  return at;
}

// A year that stands alone: four digits from 1970 on, and then no word goes on.
inline int lone_year(const char* at, const char* end) {
  if (end - at < 4) return -1;
  const int year = four(at);
  if (year < 1970 || year > 2199) return -1;
  if (end - at > 5 && at[4] == ':' && at[5] != ' ') return -1;  // 2001:db8::7 is an address
  if (end - at > 4 && (is_alnum(at[4]) || at[4] == '-' || at[4] == '.' || at[4] == '_' || at[4] == '/')) return -1;
  return year;
}

// Nov  1 08:00:00 and its kin, from the month on; `lead` and `year_place` are what the caller has read before it.
const char* read_3164(const char* at, const char* end, unsigned lead, unsigned year_place, int64_t near_unix_ns,
                      const Zone& zone, Parts& parts) {
  if (end - at < 13) return nullptr;  // Nov 1 8:00:00
  bool canonical;
  parts.month = month_at(at, &canonical);
  if (parts.month == 0 || at[3] != ' ') return nullptr;
  if (!canonical) parts.exact = false;
  at += 4;
  unsigned day_style = kDayBlank;
  if (*at == ' ') {  // blank-padded
    if (!is_digit(at[1]) || at[2] != ' ') return nullptr;
    parts.day = static_cast<unsigned>(at[1] - '0');
    at += 3;
  } else if (at[1] == ' ') {
    if (!is_digit(*at)) return nullptr;
    parts.day = static_cast<unsigned>(*at - '0');
    day_style = kDayShort;
    at += 2;
  } else {
    parts.day = two(at);
    if (parts.day > 31 || at[2] != ' ') return nullptr;
    if (parts.day < 10) day_style = kDayZero;
    at += 3;
  }
  if (parts.day == 0) return nullptr;
  if (end - at >= 13 && at[4] == ' ' && is_digit(at[2])) {
    if (year_place != kYearNone) return nullptr;
    parts.year = lone_year(at, end);
    if (parts.year < 0) return nullptr;
    year_place = kYearAfterDay;
    at += 5;
  }
  if (end - at >= 7 && (*at == ' ' || at[1] == ':') && is_digit(at[*at == ' '])) {
    // An hour of one digit, padded with a blank or not at all: read, not written back.
    char clock[8] = {'0', at[*at == ' ']};
    const char* colon = *at == ' ' ? at + 2 : at + 1;
    if (end - colon < 6) return nullptr;
    std::memcpy(clock + 2, colon, 6);
    if (!read_clock(clock, clock + 8, parts) || (colon + 6 < end && is_digit(colon[6]))) return nullptr;
    parts.exact = false;
    at = colon + 6;
  } else {
    at = read_clock(at, end, parts);
    if (!at) return nullptr;
  }
  unsigned zone_style = kZoneNone;
  if (at < end && (*at == '.' || *at == ',')) {
    bool comma;
    at = read_fraction(at, end, parts, &comma);
    if (comma) parts.exact = false;
  }
  if (at < end && (*at == ' ' || *at == '+' || *at == '-')) {
    if (year_place == kYearNone && *at == ' ') {
      if (const int year = lone_year(at + 1, end); year >= 0) {
        parts.year = year;
        year_place = kYearLast;
        at += 5;
      }
    }
    if (end - at >= 4) {
      Zone3339 kind;
      bool minus_zero;
      std::string_view name;
      const char sign = *at == ' ' ? at[1] : *at;
      if (sign == '+' || sign == '-') {
        const char* after = read_offset(*at == ' ' ? at + 1 : at, end, parts, &kind, &minus_zero);
        if (after && kind != kHour) {
          zone_style = kZoneNumber;
          if (*at != ' ' || kind != kHourMinute || minus_zero) parts.exact = false;
          at = after;
        } else {
          parts.has_zone = false;
          parts.zone_minutes = 0;
        }
      } else if (sign >= 'A' && sign <= 'Z' && *at == ' ') {
        // The name CST needs the year to be settled; with a year of its own or the one that is nearest.
        Parts guess = parts;
        if (guess.year < 0 && !infer_year(guess, near_unix_ns, zone)) return nullptr;
        if (guess.year > kYearMax || guess.day > days_in_month(guess.year, guess.month)) return nullptr;
        if (const char* after = read_zone_name(at, end, zone, guess, &name)) {
          parts.has_zone = true;
          parts.zone_minutes = guess.zone_minutes;
          at = after;
          if (name == "UTC")
            zone_style = kZoneUtc;
          else if (name == "GMT")
            zone_style = kZoneGmt;
          else if (name == "CST")
            zone_style = kZoneCst;
          else
            parts.exact = false;
          if (year_place == kYearNone && at < end && *at == ' ') {  // date(1): Sun Nov  1 08:00:00 UTC 2026
            if (const int year = lone_year(at + 1, end); year >= 0) {
              parts.year = year;
              parts.exact = false;
              at += 5;
            }
          }
        }
      }
    }
  }
  parts.style = pack3164(day_style, year_place, lead, zone_style);
  return at;
}

// 01/Nov/2026:08:00:00 +0800, 01-Nov-2026 08:00:00.123, 1 Nov 2026 08:00:00.
const char* read_http(const char* at, const char* end, const Zone& zone, Parts& parts) {
  if (end - at < 19) return nullptr;
  if (is_digit(at[1])) {
    parts.day = two(at);
    at += 2;
  } else {
    parts.day = static_cast<unsigned>(*at - '0');
    parts.exact = false;
    at += 1;
  }
  const char between = *at;
  uint8_t style;
  switch (between) {
    case '/':
      style = kSlash;
      break;
    case '-':
      style = kDash;
      break;
    case ' ':
      style = kDateBlank;
      break;
    default:
      return nullptr;
  }
  bool canonical;
  parts.month = month_at(at + 1, &canonical);
  if (parts.month == 0 || at[4] != between) return nullptr;
  if (!canonical) parts.exact = false;
  at += 5;
  if (end - at < 13) return nullptr;
  parts.year = four(at);
  if (parts.year < 0 || (at[4] != ':' && at[4] != ' ')) return nullptr;
  if (at[4] == ' ') style |= kBlankTime;
  at = read_clock(at + 5, end, parts);
  if (!at) return nullptr;
  bool comma;
  at = read_fraction(at, end, parts, &comma);
  if (comma) parts.exact = false;
  if (end - at >= 4 && *at == ' ') {
    Zone3339 kind;
    bool minus_zero;
    std::string_view name;
    if (at[1] == '+' || at[1] == '-') {
      const char* after = read_offset(at + 1, end, parts, &kind, &minus_zero);
      if (after && kind != kHour) {
        style |= minus_zero ? kHttpMinusZero : kHttpZone;
        if (kind != kHourMinute) parts.exact = false;
        at = after;
      } else {
        parts.has_zone = false;
        parts.zone_minutes = 0;
      }
    } else if (parts.day - 1 < 31 && parts.year >= kYearMin && parts.year <= kYearMax) {
      if (const char* after = read_zone_name(at, end, zone, parts, &name)) {
        parts.exact = false;
        at = after;
      }
    }
  }
  parts.style = style;
  return at;
}

// 261101  8:00:00 (mysql before 5.7) and 26/11/01 08:00:00 (Spark). Read, not written back.
const char* read_short_year(const char* at, const char* end, Parts& parts) {
  const bool slashes = end - at >= 17 && at[2] == '/' && at[5] == '/' && at[8] == ' ';
  if (!slashes && (end - at < 15 || at[6] != ' ')) return nullptr;
  const int step = slashes ? 3 : 2;
  const unsigned year = two(at);
  parts.month = two(at + step);
  parts.day = two(at + 2 * step);
  if (year == kBad || parts.month - 1 > 11 || parts.day - 1 > 30) return nullptr;
  parts.year = static_cast<int>(year < 70 ? 2000 + year : 1900 + year);
  at += slashes ? 9 : 7;
  char clock[8];
  std::memcpy(clock, at, 8);
  if (clock[0] == ' ') clock[0] = '0';
  if (!read_clock(clock, clock + 8, parts)) return nullptr;
  parts.exact = false;
  at += 8;
  return at < end && is_digit(*at) ? nullptr : at;
}

// 20261101T080000Z. Read, not written back.
const char* read_basic(const char* at, const char* end, Parts& parts) {
  if (end - at < 15 || at[8] != 'T') return nullptr;
  parts.year = four(at);
  parts.month = two(at + 4);
  parts.day = two(at + 6);
  const char clock[8] = {at[9], at[10], ':', at[11], at[12], ':', at[13], at[14]};
  if (parts.year < 0 || parts.month - 1 > 11 || parts.day - 1 > 30 || !read_clock(clock, clock + 8, parts))
    return nullptr;
  parts.exact = false;
  at += 15;
  if (at < end && is_digit(*at)) return nullptr;
  bool comma, minus_zero;
  Zone3339 kind;
  at = read_fraction(at, end, parts, &comma);
  if (at < end && *at == 'Z') {
    parts.has_zone = true;
    return at + 1;
  }
  const char* after = read_offset(at, end, parts, &kind, &minus_zero);
  return after ? after : at;
}

// 1364481363.243; 13, 16 and 19 digits are milli-, micro- and nanoseconds.
std::optional<ReadTime> read_epoch(const char* at, const char* end) {
  const char* from = at;
  uint64_t value = 0;
  while (at < end && is_digit(*at) && at - from < 19) value = value * 10 + static_cast<uint64_t>(*at++ - '0');
  const auto digits = static_cast<unsigned>(at - from);
  if ((at < end && is_alnum(*at)) || *from == '0') return std::nullopt;
  ReadTime read{};
  read.time.form = TimeForm::epoch;
  if (digits == 10) {
    if (value > INT64_MAX / kSecond - 1) return std::nullopt;
    Parts parts;
    bool comma;
    const char* after = read_fraction(at, end, parts, &comma);
    if (comma) {  // "1364481363,5" is a list of numbers
      after = at;
      parts = Parts();
    }
    if (!parts.exact) read.time.form = TimeForm::other;
    read.time.unix_ns = static_cast<int64_t>(value) * kSecond + parts.ns;
    read.time.digits = static_cast<uint8_t>(parts.digits);
    at = after;
  } else if (digits == 13 || digits == 16 || digits == 19) {
    const unsigned fraction = digits - 10;
    if (value > static_cast<uint64_t>(INT64_MAX) / kPowers[9 - fraction]) return std::nullopt;
    read.time.unix_ns = static_cast<int64_t>(value * kPowers[9 - fraction]);
    read.time.digits = static_cast<uint8_t>(fraction);
    read.time.style = static_cast<uint8_t>(fraction);
  } else {
    return std::nullopt;
  }
  read.length = static_cast<size_t>(at - from);
  return read;
}

inline std::optional<ReadTime> finished(const char* from, const char* after, TimeForm form, Parts& parts,
                                        int64_t near_unix_ns, const Zone& zone) {
  ReadTime read;
  if (!after || !finish(parts, form, near_unix_ns, zone, read.time)) return std::nullopt;
  read.length = static_cast<size_t>(after - from);
  return read;
}

// "Sun Nov  1 08:00:00 2026" and "Sun, 01 Nov 2026 08:00:00 GMT".
std::optional<ReadTime> read_after_weekday(std::string_view text, int64_t near_unix_ns, const Zone& zone) {
  const char* from = text.data();
  const char* end = from + text.size();
  unsigned weekday = 0;
  while (weekday < 7 && std::memcmp(from, kWeekdays + 3 * weekday, 3) != 0) ++weekday;
  if (weekday == 7) return std::nullopt;
  Parts parts;
  const bool comma = from[3] == ',';
  if (from[comma ? 4 : 3] != ' ') return std::nullopt;
  if (comma) {
    parts.exact = false;
    const char* after = is_digit(from[5]) ? read_http(from + 5, end, zone, parts) : nullptr;
    return finished(from, after, TimeForm::other, parts, near_unix_ns, zone);
  }
  const char* after = read_3164(from + 4, end, kLeadWeekday, kYearNone, near_unix_ns, zone, parts);
  auto read = finished(from, after, TimeForm::rfc3164, parts, near_unix_ns, zone);
  if (!read) return std::nullopt;
  // A wrong weekday is not written back: format_time() derives it from the date.
  const int64_t days = floor_div(floor_div(read->time.unix_ns, kSecond) + read->time.zone_minutes * 60, kDaySeconds);
  if (weekday_from_days(days) != weekday) read->time.form = TimeForm::other;
  return read;
}

}  // namespace

std::optional<ReadTime> read_time(std::string_view text, int64_t near_unix_ns, const Zone& zone) {
  if (text.size() < 10) return std::nullopt;
  const char* from = text.data();
  const char* end = from + text.size();
  Parts parts;
  if (is_digit(*from)) {
    if (from[4] == '-' || from[4] == '/') {
      const char* after = read_3339(from, end, zone, parts);
      return finished(from, after, TimeForm::rfc3339, parts, near_unix_ns, zone);
    }
    if (is_digit(from[4])) {
      if (const char* after = read_short_year(from, end, parts))
        return finished(from, after, TimeForm::other, parts, near_unix_ns, zone);
      parts = Parts();
      if (const char* after = read_basic(from, end, parts))
        return finished(from, after, TimeForm::other, parts, near_unix_ns, zone);
      return read_epoch(from, end);
    }
    if (text.size() < 15) return std::nullopt;
    if (from[4] == ' ' && is_letter(from[5])) {  // 2026 Nov  1 08:00:00
      parts.year = lone_year(from, end);
      if (parts.year < 0) return std::nullopt;
      const char* after = read_3164(from + 5, end, kLeadNone, kYearFirst, near_unix_ns, zone, parts);
      return finished(from, after, TimeForm::rfc3164, parts, near_unix_ns, zone);
    }
    if (const char* after = read_http(from, end, zone, parts))
      return finished(from, after, TimeForm::http_date, parts, near_unix_ns, zone);
    parts = Parts();
    return finished(from, read_short_year(from, end, parts), TimeForm::other, parts, near_unix_ns, zone);
  }
  if (text.size() < 13) return std::nullopt;
  unsigned lead = kLeadNone;
  const char* at = from;
  if (*at == '*' || *at == '.') lead = *at++ == '*' ? kLeadStar : kLeadDot;  // Cisco: clock not set, not in sync
  if (lead != kLeadNone && is_digit(*at)) {
    if (end - at < 19 || at[4] != ' ' || !is_letter(at[5])) return std::nullopt;
    parts.year = lone_year(at, end);
    if (parts.year < 0) return std::nullopt;
    const char* after = read_3164(at + 5, end, lead, kYearFirst, near_unix_ns, zone, parts);
    return finished(from, after, TimeForm::rfc3164, parts, near_unix_ns, zone);
  }
  // Months begin with ADFJMNOS, weekdays with FMSTW, and the third byte is no blank: most text is refused here.
  constexpr auto bit = [](char c) { return 1u << (c - 'a'); };
  constexpr uint32_t kFirst =
      bit('a') | bit('d') | bit('f') | bit('j') | bit('m') | bit('n') | bit('o') | bit('s') | bit('t') | bit('w');
  if (!is_letter(*at) || !(kFirst >> ((*at | 0x20) - 'a') & 1) || (at[3] != ' ' && at[3] != ',')) return std::nullopt;
  if (const char* after = read_3164(at, end, lead, kYearNone, near_unix_ns, zone, parts))
    return finished(from, after, TimeForm::rfc3164, parts, near_unix_ns, zone);
  if (lead != kLeadNone || text.size() < 17) return std::nullopt;  // Sun Nov 1 8:00:00
  return read_after_weekday(text, near_unix_ns, zone);
}

std::optional<TimeText> parse_time(std::string_view text, int64_t near_unix_ns, const Zone& zone) {
  auto read = read_time(text, near_unix_ns, zone);
  if (!read || read->length != text.size()) return std::nullopt;
  return read->time;
}

}  // namespace yushi
