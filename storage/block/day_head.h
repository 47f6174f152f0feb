// What a search knows of the blocks that one log sealed on one store day before it looks at any of them: whether time
// leaves the day at all. FORMAT.md: "Summary".
//
// It says no more than the summaries of those blocks together, so that it can be made again from them.
//
// Errors   decode(): corrupt.
// Threads  Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "storage/block/block.h"

namespace yushi::storage {

struct DayHead {
  uint64_t first_index = 0, end = 0;  // of all its records; `end` is behind the last
  uint64_t blocks = 0, records = 0, raw_bytes = 0;
  int64_t received_from_ns = 0, received_to_ns = 0;
  std::vector<TimeRange> event_times;  // at most 8, disjoint, ascending; none: not known, and nothing is held back

  void add(const BlockSummary& block);  // in any order
  std::string encode() const;
  static Result<DayHead> decode(std::string_view bytes);
  bool operator==(const DayHead&) const = default;
};

}  // namespace yushi::storage
