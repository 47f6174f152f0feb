// Text -> TimeText: which reader is asked, by the first bytes. The readers stand in time_syslog.cc and
// time_application.cc.
#include "core/base/time_text.h"

#include <cstring>

#include "core/base/calendar.h"
#include "core/base/time_parts.h"

namespace yushi {
namespace {

using namespace time_parts;

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
      if (const char* after = read_us_date(from, end, zone, parts))
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
  if (!read || read->length != text.size() || read->time.form == TimeForm::none) return std::nullopt;
  return read->time;
}

}  // namespace yushi
