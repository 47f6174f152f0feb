// How the daemon is, in one word and the reasons: what `yushi status` opens with.
//
// OK: all is as it should be. WARN: nothing is lost yet, or it was lost and is over; somebody should look. FAIL:
// records do not come in, or are not made durable or signed.
//
// Threads  Any: everything read here is atomic or under a lock of its own.
#pragma once

#include <string>
#include <vector>

#include "daemon/metrics.h"

namespace yushi::daemon {

struct Trouble {
  bool fails;         // else it is a warning
  std::string words;  // what it is, since when, what to do
};

std::vector<Trouble> troubles_of(const Watched& watched, int64_t now_ns);
// "OK", "WARN" or "FAIL".
const char* verdict_of(const std::vector<Trouble>& troubles);

}  // namespace yushi::daemon
