// A time as people type it, in a query or after --since and --until: `2026-11-01`, `today`, `now-1h`, `7d`.
//
//   2026 · 2026-11 · 2026-11-01 · 2026-11-01T08 · …T08:00 · …T08:00:30 · …T08:00:30.250, also with a blank for T,
//   then nothing (the clock's zone), Z, or +08:00
//   now · now-1h · now+30m · today · yesterday · 7d 90m (so long before now); units s m h d w, of fixed length
//
// A date names a span: 2026-11-01 is that whole day, 2026-11-01T08:00 that whole minute, `now` an instant.
// A time of day without its day is none.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/result.h"
#include "core/filter/filter.h"

namespace yushi {

struct When {
  int64_t from_ns, to_ns;  // both inclusive
};

// invalid when `text` is none of these; the message says what would be.
Result<When> parse_when(std::string_view text, const QueryClock& clock);

// A length of time: `30s`, `5m`, `1h`, `7d`, `2w`; in nanoseconds, more than 0.
Result<int64_t> parse_duration(std::string_view text);

}  // namespace yushi
