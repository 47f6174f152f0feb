// A letter in words, for people: what stands in a mail or in a chat. What an alert says is told as it says it.
//
// Log text stands in it, which strangers write: all that cannot be seen is escaped (core/base/display.h).
//
// Threads  Pure functions.
#pragma once

#include <cstddef>
#include <string>

#include "forward/route/route.h"

namespace yushi::forward {

// "[high] A login from a new address: alice"; of several the gravest rule, as "[critical] 34 alerts: A log was cleared
// (2) and 3 more rules".
std::string subject_of(const Letter& letter);
// One alert with all that it says, or a digest: the most severe first, those of one rule about one account in a line.
// At most `bytes_max` bytes.
std::string text_of(const Letter& letter, size_t bytes_max);

}  // namespace yushi::forward
