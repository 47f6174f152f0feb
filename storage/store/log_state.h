// What the committer knows of one log: its tree, the counters of its sources, its open block. The store has the same in
// encoded form (storage/FORMAT.md, "Keys and values"): a commit writes what it moved, a start reads it back.
//
// Invariants  Between commits it is what is durable. While a commit is filled it is ahead; when that one fails, the
// Store
//             has to be opened again.
// Memory      Two hashes a level of the tree, each source's counters, and the batches of the open block.
// Threads     Owned by the committer; others read the encoded forms. An open block goes to the sealer whole.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/base/time_text.h"
#include "core/ledger/merkle.h"
#include "storage/block/sections.h"
#include "storage/store/known_logs.h"
#include "storage/tail/chunk.h"
#include "storage/tail/source_state.h"
#include "storage/tail/tree_tiles.h"

namespace yushi::storage {

constexpr uint64_t kBlockBytesMax = 16 << 20;  // of raw

// What a batch takes of limits.memory: all that it owns.
inline size_t memory_of(const Batch& batch) {
  return sizeof(Batch) + batch.bytes + batch.arena.bytes() + batch.records.capacity() * sizeof(Record);
}

// The records of a log that are durable in the tail and not yet in a block. `records` point into `batches`, which it
// shares with whoever still works on one.
struct OpenBlock {
  uint64_t first_index = 0;
  std::vector<std::shared_ptr<Batch>> batches;
  std::vector<const Record*> records;
  uint64_t raw_bytes = 0;
  size_t memory_bytes = 0;  // its share of the batches
  int64_t opened_ns = 0;    // receipt of its first record
  int64_t newest_ns = 0;    // of its last one
  bool due = false;         // seal it at the first chance, however small
  ParseContexts parsed;     // how each of `records` was understood
};

// Where the key lies that takes over from the one at `path`, until it has (Store::rotate_key).
inline std::string next_key_path(const std::string& path) { return path + ".next"; }

struct LogState {
  explicit LogState(std::shared_ptr<KnownLog> log) : known(std::move(log)), name(known->name) {}

  const std::shared_ptr<KnownLog> known;
  const std::string& name;
  CompactRange tree;
  TreeTiles tiles;
  std::map<std::string, SourceState, std::less<>> sources;
  OpenBlock open;
  uint64_t checkpoint_size = 0;  // of the newest signed checkpoint; 0: none
  uint64_t touched_by = 0;       // the last commit with records of it
  int64_t small_sealed_ns = 0;   // when a small block of it was sealed last, by the caller's clock; 0: not in this run
  // What `_audit` was told of it last, in this run, and on which store day.
  std::shared_ptr<const ParseContext> told;
  uint32_t told_day = UINT32_MAX;
};

}  // namespace yushi::storage
