// How many records each dataset got, and how many none: what `yushi_parse_total` and `yushi_parse_unknown_total` tell.
//
// Threads  add() and forget() by one ingest thread; read() by any.
// Memory   A counter for each dataset, of which parser files have some hundreds; those beyond 1,024 count as `other`.
// Cost     Some ns a record: the kinds met last are remembered with their counters.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>

#include "core/base/mutex.h"
#include "core/record/batch.h"

namespace yushi::daemon {

class DatasetCounts {
 public:
  void add(const Batch& batch);
  void forget();                                           // the parsers changed: kinds of before are no longer there
  void read(std::map<std::string, uint64_t>& into) const;  // adds to what is there

 private:
  using Counter = std::atomic<uint64_t>;  // written by one thread
  struct Slot {
    const MessageKind* kind = nullptr;
    Counter* counter = nullptr;
  };
  Counter* counter_of(const MessageKind* kind) YUSHI_EXCLUDES(mutex_);

  std::array<Slot, 256> slots_{};
  mutable Mutex mutex_;
  std::map<std::string, Counter, std::less<>> counters_ YUSHI_GUARDED_BY(mutex_);  // they stay where they are
};

}  // namespace yushi::daemon
