// The committed records that are in no block yet, as they lie in memory until they are sealed: followers, forwarders
// and searches take these, so that no chunk is unpacked and parsed again for them.
//
// Invariants  What stands here is durable, and says what its chunk says. Nobody changes it any more.
// Memory      Shares the batches with the open blocks, and ends when their block is written; a pointer a record. Who
//             reads keeps the batch alive.
// Threads     The committer adds, the sealer erases, any may read.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/mutex.h"
#include "core/record/batch.h"

namespace yushi::storage {

class OpenTail {
 public:
  // The records of a chunk, which are of `batch`.
  void add(const std::string& log, std::shared_ptr<const Batch> batch, std::vector<const Record*> records)
      YUSHI_EXCLUDES(mutex_);
  // A block has these now.
  void erase(const std::string& log, uint64_t from_index, uint64_t to_index) YUSHI_EXCLUDES(mutex_);

  // The records of the chunk that holds `index`; nullptr when it is not here. Their bytes are shared.
  std::unique_ptr<Batch> read(std::string_view log, uint64_t index) const YUSHI_EXCLUDES(mutex_);

 private:
  struct Chunk {
    std::shared_ptr<const Batch> batch;
    std::vector<const Record*> records;
  };
  using Chunks = std::map<uint64_t, std::shared_ptr<const Chunk>>;  // by first index

  mutable Mutex mutex_;
  std::map<std::string, Chunks, std::less<>> logs_ YUSHI_GUARDED_BY(mutex_);
};

}  // namespace yushi::storage
