// How many sources a log may have on datagram inputs, whose addresses anyone can forge: each source costs a counter
// in the store for ever.
//
// Threads  Any. Callers remember the answer per sender, so the lock is taken once a source, not once a datagram.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "core/base/mutex.h"
#include "core/record/record.h"

namespace yushi::ingest {

class SourceLimit {
 public:
  static constexpr std::string_view kOverflow = "overflow";  // the source of all that came too late

  explicit SourceLimit(size_t sources_max = 65536) : sources_max_(sources_max) {}

  // Whether `source` is one of the log's; makes it one while there is room. The daemon admits the sources that the
  // store knows before it starts the inputs.
  bool admit(LogId log, std::string_view source) {
    MutexLock lock(mutex_);
    auto& sources = sources_[log];
    std::string key(source);
    if (sources.contains(key)) return true;
    if (sources.size() >= sources_max_) return false;
    sources.insert(std::move(key));
    return true;
  }

 private:
  const size_t sources_max_;
  Mutex mutex_;
  std::unordered_map<LogId, std::unordered_set<std::string>> sources_ YUSHI_GUARDED_BY(mutex_);
};

}  // namespace yushi::ingest
