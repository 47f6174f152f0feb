// How many records each dataset and each parser got, and how many none: what `yushi_parse_total`,
// `yushi_parse_unknown_total` and `yushi parsers list` tell.
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
  struct OfParser {
    uint64_t records = 0;
    int64_t last_ns = 0;  // when the newest of them was received
  };
  void read_parsers(std::map<std::string, OfParser>& into) const;  // the same

 private:
  struct Counter {  // written by one thread
    std::atomic<uint64_t> records{0};
    std::atomic<int64_t> last_ns{0};
  };
  using Key = std::pair<std::string, std::string>;  // dataset, parser
  struct Slot {
    const MessageKind* kind = nullptr;
    Counter* counter = nullptr;
  };
  Counter* counter_of(const MessageKind* kind) YUSHI_EXCLUDES(mutex_);

  std::array<Slot, 256> slots_{};
  mutable Mutex mutex_;
  std::map<Key, Counter> counters_ YUSHI_GUARDED_BY(mutex_);  // they stay where they are
};

}  // namespace yushi::daemon
