// What yushid may hold in memory, limits.memory, and what it does hold: one number for a user to set, of which each
// part has its share.
//
// Beside the parts that are counted stands the rest: the program itself, threads, RocksDB's cache and tables, what
// building a block and reading for a question take for the moment, and what the heap has free between them.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/result.h"

namespace yushi::daemon {

constexpr uint64_t kMemoryDefault = 512 << 20;
constexpr uint64_t kMemoryLeast = kMemoryDefault / 2;

struct MemoryShares {
  uint64_t in_flight = 0;    // read and not yet committed
  uint64_t open_blocks = 0;  // committed and not yet sealed
  uint64_t memtables = 0;    // RocksDB's
  uint64_t parsers = 0;      // what parsers and rules are compiled to: room for it, no bound
  uint64_t detectors = 0;    // what they remember
  uint64_t questions = 0;
  uint64_t rest = 0;
};

// A part that is set has what it is set to; the others share what is left of `memory` in their proportions. nullopt
// when that is less than they have of kMemoryLeast.
std::optional<MemoryShares> share_memory(uint64_t memory, std::optional<uint64_t> in_flight = {},
                                         std::optional<uint64_t> questions = {});
// The least `memory` for which it gives something.
uint64_t memory_needed(std::optional<uint64_t> in_flight, std::optional<uint64_t> questions);

// Of the process; what is said of the heap may be two seconds old. Any thread.
struct ProcessMemory {
  uint64_t resident = 0;  // as the kernel counts it, the program's own pages too
  uint64_t heap_free = 0;
};
ProcessMemory process_memory();
uint64_t heap_bytes_in_use();  // now: not for a hot path

}  // namespace yushi::daemon
