// Sizes and spans of time as people say them.
#pragma once

#include <cstdint>
#include <string>

namespace yushi {

// "640 B", "1.2 GiB"
std::string bytes_text(uint64_t bytes);
// In its two largest units: "12 s", "5 min 10 s", "3 h 20 min", "3 d 4 h"
std::string span_text(int64_t seconds);
// "1,234,567"
std::string count_text(uint64_t count);

}  // namespace yushi
