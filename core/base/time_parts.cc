// What a time leaves unsaid: the zone behind a name, the year, the instant.
#include "core/base/time_parts.h"

namespace yushi::time_parts {
namespace {

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

bool infer_year(Parts& parts, int64_t near_unix_ns, const Zone& zone) {
  constexpr int64_t kAhead = kYearAheadMax / kSecond;
  const int64_t near_seconds = floor_div(near_unix_ns, kSecond);
  const int near_year = year_of(near_seconds);
  const auto is_year = [&](int year) {
    return year >= kYearMin && year <= kYearMax && parts.day <= days_in_month(year, parts.month);
  };
  parts.year = near_year;
  if (is_year(near_year)) {
    // Zones are at most a day apart. Not so far ahead that it might be the year before, nor so far back that it might be
    // the next one: the usual case looks no further.
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
