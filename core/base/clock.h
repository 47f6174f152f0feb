// The machine's clocks, in nanoseconds. Read where time comes in; everything else is given its time.
#pragma once

#include <time.h>

#include <cstdint>

namespace yushi {

inline int64_t clock_ns(clockid_t clock) {
  timespec time;
  ::clock_gettime(clock, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}
inline int64_t realtime_ns() { return clock_ns(CLOCK_REALTIME); }  // since 1970

}  // namespace yushi
