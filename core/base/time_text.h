// Times as senders write them: text -> Unix nanoseconds, and back to the same bytes.
//
// The header reader and the parsers read times with parse_time(); the block builder keeps a time's text as its format
// and its value whenever format_time() gives the same bytes back, which is nearly always.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace yushi {

constexpr int64_t kSecond = 1'000'000'000;  // ns
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

// How far ahead of receipt a time without a year may be: clocks and zones are wrong by so much, and what is later is of
// a year before. A line of 10 December that comes in November has been on its way for long; it is no prophecy.
constexpr int64_t kYearAheadMax = 2 * 86'400 * kSecond;

// What was missing in the text and had to be inferred (yushi.time.inferred).
// kDateInferred: a clock stood alone, on the day nearest to receipt. kClockInferred: a date stood alone, its midnight.
enum TimeInferred : uint8_t {
  kYearInferred = 1,
  kZoneInferred = 2,
  kAllInferred = 4,
  kDateInferred = 8,
  kClockInferred = 16
};

// How a time was written. Never reuse a number: blocks store it.
enum class TimeForm : uint8_t {
  none = 0,       // of read_time(): a time that unix_ns cannot hold, before 1678 or after 2261
  rfc3339 = 1,    // 2026-11-01T08:00:00.123+08:00, also with a blank for T and a comma for the dot
  rfc3164 = 2,    // Nov  1 08:00:00, also Nov 01, with year before or after, with fraction, with zone name
  http_date = 3,  // 01/Nov/2026:08:00:00 +0800
  epoch = 4,      // 1364481363.243, seconds with or without a fraction
  other = 5,      // read, but not written back: the text is kept as text
};

// One time as read. `style` and `zone_minutes` hold all that format_time() needs beside `form` and the value.
struct TimeText {
  int64_t unix_ns = 0;  // UTC
  TimeForm form = TimeForm::none;
  uint8_t digits = 0;        // of the fraction, 0..9
  uint8_t style = 0;         // which variant of the form (time_style.h; stored in blocks with form)
  uint8_t inferred = 0;      // TimeInferred bits
  int16_t zone_minutes = 0;  // east of UTC, as written or as inferred
};

// A time zone by IANA name. Immutable; any thread.
class Zone {
 public:
  static Result<std::shared_ptr<const Zone>> find(std::string_view iana_name);
  // For names out of messages: nullptr when there is none, without an exception. What it gives lives as long as the
  // process.
  static const Zone* known(std::string_view iana_name);
  static std::shared_ptr<const Zone> utc();
  virtual ~Zone() = default;
  virtual std::string_view name() const = 0;
  // East of UTC, of a local wall-clock time. One that comes twice (the end of summer time) is the first of the two; one
  // that does not exist (its begin) is on the clock that was not yet put forward, and so an hour later in summer time.
  virtual int64_t offset_seconds_at_local(int64_t local_seconds) const = 0;
  virtual int64_t offset_seconds_at(int64_t unix_seconds) const = 0;
  // Since when it has been so: the Unix second of the last change of the clock, INT64_MIN when there was none before.
  virtual int64_t offset_began_at(int64_t unix_seconds) const = 0;
};

// Reads a time that starts at the first byte of `text`; `length` is how many bytes it took. A missing year is the
// latest with which it is at most kYearAheadMax ahead of `near_unix_ns` (receipt); a missing zone is `zone`. nullopt
// when no time stands there.
struct ReadTime {
  TimeText time;
  size_t length;
};
std::optional<ReadTime> read_time(std::string_view text, int64_t near_unix_ns, const Zone& zone);

// The same, but the whole of `text` must be the time.
std::optional<TimeText> parse_time(std::string_view text, int64_t near_unix_ns, const Zone& zone);

// Writes `time` in its form, style, digits and zone_minutes into `out` (at least 48 bytes); returns the length, 0 for
// TimeForm::other. The caller compares with the original text: only when equal may the text be dropped.
size_t format_time(const TimeText& time, char* out);

// RFC 3339 in UTC with `Z` and exactly 3, 6 or 9 digits of fraction, the fewest that lose nothing, as all our JSON has
// it.
size_t format_utc(int64_t unix_ns, char* out /* at least 32 */);
std::string utc_text(int64_t unix_ns);  // the same

}  // namespace yushi
