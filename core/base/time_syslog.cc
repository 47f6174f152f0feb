// The times of syslog headers: RFC 3339 and RFC 3164. They look at each byte once.
#include "core/base/time_parts.h"

namespace yushi::time_parts {

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
        if (after && kind != kHourOnly) {
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
    if (!is_digit(at[1])) return nullptr;
    parts.day = static_cast<unsigned>(at[1] - '0');
    at += 2;
    if (is_digit(*at)) {  // by who pads without looking: "Nov  11 08:00:00"
      parts.day = parts.day * 10 + static_cast<unsigned>(*at++ - '0');
      parts.exact = false;
    }
    if (parts.day > 31 || *at++ != ' ') return nullptr;
    if (end - at < 7) return nullptr;
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
  if (at < end && (*at == '.' || *at == ',' || *at == ':')) {
    bool comma;
    at = read_fraction(at, end, parts, &comma);
    if (comma) parts.exact = false;
  }
  if (at < end && *at == 'Z' && (end - at < 2 || !is_alnum(at[1]))) {
    parts.has_zone = true;
    parts.exact = false;
    ++at;
  } else if (end - at >= 3 && *at == ' ' && (at[1] == 'A' || at[1] == 'P') && at[2] == 'M' &&
             (end - at == 3 || !is_alnum(at[3])) && parts.hour - 1 < 12) {  // the clock of twelve hours
    parts.hour = parts.hour % 12 + (at[1] == 'P' ? 12 : 0);
    parts.exact = false;
    at += 3;
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
        if (after && kind != kHourOnly) {
          zone_style = kZoneNumber;
          if (*at != ' ' || kind != kHourMinute || minus_zero) parts.exact = false;
          at = after;
        } else {
          parts.has_zone = false;
          parts.zone_minutes = 0;
        }
      } else if (sign >= 'A' && sign <= 'Z' && *at == ' ') {
        // The name CST needs the year to be settled; with a year of its own or the one that is inferred.
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

}  // namespace yushi::time_parts
