// A time as date, clock and zone in any order: what stands behind the functions of time_any.h, and of them alone.
//
// Threads  Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/time_text.h"

namespace yushi::time_elements {

constexpr size_t kTextMax = 128;  // bytes; nobody writes a longer time

// whole: a parser says that it is a time. leading: the beginning of some text. bracketed: that, behind a bracket or a
// quote, where less is needed to be sure.
enum class Trust : uint8_t { whole, bracketed, leading };

// The time that stands at the first byte; nullopt when none does.
std::optional<ReadTime> read(std::string_view text, Trust trust, int64_t near_unix_ns, const Zone& zone);

}  // namespace yushi::time_elements
