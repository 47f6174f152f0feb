// The times of applications: web servers, databases, Java, epochs.
#include <utility>

#include "core/base/time_parts.h"

namespace yushi::time_parts {

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
      if (after && kind != kHourOnly) {
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

const char* read_us_date(const char* at, const char* end, const Zone& zone, Parts& parts) {
  if (end - at < 19 || at[2] != '/' || at[5] != '/' || at[10] != ':') return nullptr;
  parts.month = two(at);
  parts.day = two(at + 3);
  if (parts.month > 12 && parts.day <= 12) std::swap(parts.month, parts.day);
  parts.year = four(at + 6);
  if (parts.year < 0 || parts.month - 1 > 11 || parts.day - 1 > 30) return nullptr;
  at = read_clock(at + 11, end, parts);
  if (!at) return nullptr;
  parts.exact = false;
  std::string_view name;
  const char* after = read_zone_name(at, end, zone, parts, &name);
  return after ? after : at;
}

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

}  // namespace yushi::time_parts
