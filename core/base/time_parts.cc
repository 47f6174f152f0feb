// What a time leaves unsaid: the year, the instant.
#include "core/base/time_parts.h"

namespace yushi::time_parts {
namespace {

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

}  // namespace

bool infer_year(Parts& parts, int64_t near_unix_ns, const Zone& zone) {
  constexpr int64_t kAhead = kYearAheadMax / kSecond;
  const int64_t near_seconds = floor_div(near_unix_ns, kSecond);
  const int near_year = year_of(near_seconds);
  const auto is_year = [&](int year) {
    return year >= kYearMin && year <= kYearMax && parts.day <= days_in_month(year, parts.month);
  };
  parts.year = near_year;
  if (is_year(near_year)) {
    // Zones are at most a day apart. Not so far ahead that it might be the year before, nor so far back that it might
    // be the next one: the usual case looks no further.
    const int64_t apart = local_seconds(parts) - near_seconds;
    if (apart < kAhead - kDaySeconds && apart > kAhead + kDaySeconds - 365 * kDaySeconds) return true;
  }
  for (int year = near_year + 1; year >= near_year - 8; --year) {  // 29 February may be eight years back (1904 … 1896)
    if (!is_year(year)) continue;
    parts.year = year;
    const int64_t local = local_seconds(parts);
    const int64_t at = local - (parts.has_zone ? parts.zone_minutes * 60 : zone.offset_seconds_at_local(local));
    if (at <= near_seconds + kAhead) return true;
  }
  return false;
}

bool finish(Parts& parts, TimeForm form, int64_t near_unix_ns, const Zone& zone, TimeText& time) {
  if (parts.month - 1 > 11 || parts.day - 1 > 30) return false;
  time.inferred = 0;
  if (parts.year < 0) {
    if (!infer_year(parts, near_unix_ns, zone)) return false;
    time.inferred |= kYearInferred;
  } else if (parts.day > 28 && parts.day > days_in_month(parts.year, parts.month)) {
    return false;
  } else if (parts.year < kYearMin || parts.year > kYearMax) {
    time.inferred = parts.has_zone ? 0 : kZoneInferred;
    return true;  // TimeForm::none
  }
  const int64_t local = local_seconds(parts);
  int64_t offset = parts.zone_minutes * 60;
  if (!parts.has_zone) {
    offset = zone.offset_seconds_at_local(local);
    time.inferred |= kZoneInferred;
    if (offset % 60 != 0) parts.exact = false;  // local mean time, before standard time came
  }
  if (parts.leap) parts.ns = 999'999'999;
  time.unix_ns = (local - offset) * kSecond + parts.ns;
  time.form = parts.exact ? form : TimeForm::other;
  time.digits = static_cast<uint8_t>(parts.digits);
  time.style = parts.exact ? parts.style : 0;
  time.zone_minutes = static_cast<int16_t>(floor_div(offset, 60));
  return true;
}

}  // namespace yushi::time_parts
