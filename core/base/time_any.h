// Times as anybody writes them: a date, a clock and a zone in any order and spelling, for text that a parser or a
// product's table says is a time, and for the time with which a line of an unknown log begins.
//
// time_text.h reads the few forms of headers and of what we write ourselves, fast and strict; this stands behind it.
// As there, parse_ takes the whole of a text and read_ what stands at its first byte.
// What is read here is seldom written back (TimeForm::other). The forms, the order of day and month and what is
// inferred are told in docs/time.md; its cases are tests/cases/time.txt.
//
// Threads  Pure functions; a zone's name is looked up in a table that any thread may read.
// Cost     0.1 to 0.4 µs.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/time_text.h"

namespace yushi {

// The whole of `text` is a time, since its parser says so; blanks, quotes and brackets around it do not count.
// `near_unix_ns` (receipt) settles a missing year, or with a clock alone the day. nullopt when it is none: then the
// record's time stays.
std::optional<TimeText> parse_any_time(std::string_view text, int64_t near_unix_ns, const Zone& zone);

// A time in parts, as `date=2026-11-28 time=10:20:30 tz="+0800"`: any of them may be empty, but not date and clock
// both. A date alone is its midnight.
std::optional<TimeText> parse_time_parts(std::string_view date, std::string_view clock, std::string_view zone_text,
                                         int64_t near_unix_ns, const Zone& zone);

// The time with which a line begins, behind a bracket, a quote or the like: `[Sun Nov 01 08:00:00 2026] [notice] …`,
// `03-17 16:13:38.811 1702 2395 D …`. Only what can be nothing else: a date and a clock, or an epoch that is likely.
struct LeadingTime {
  TimeText time;
  uint32_t begin, length;  // where it stands in `line`
};
std::optional<LeadingTime> find_leading_time(std::string_view line, int64_t near_unix_ns, const Zone& zone);

// The same at the first byte, for headers: nothing before it is skipped.
std::optional<ReadTime> read_any_time(std::string_view text, int64_t near_unix_ns, const Zone& zone);

}  // namespace yushi
