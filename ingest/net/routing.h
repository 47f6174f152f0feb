// Where the records of an origin go: an address, or the name that its certificate proves, has a tenant, and the tenant
// a log. What the config says of it is swapped as one by a reload, while connections stay.
//
// Threads  Any. Whoever remembers an answer asks again once version() is another.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>
#include <utility>

#include "core/base/mutex.h"
#include "core/record/record.h"
#include "ingest/net/origin_map.h"

namespace yushi::ingest {

class Routing {
 public:
  // Maps origins to logs; all others go to `default`.
  explicit Routing(OriginMap log_of = {}) : log_of_(std::make_shared<OriginMap>(std::move(log_of))) {}

  // The log of the first entry that the address or the name is of; `default` where there is none.
  LogId find(const Address& address, std::string_view name = {}) const {
    MutexLock lock(mutex_);
    const auto log_of = log_of_;
    lock.unlock();
    return log_of->find(address, name);
  }

  // From the next find() on.
  void take(OriginMap log_of) {
    std::shared_ptr<const OriginMap> next = std::make_shared<OriginMap>(std::move(log_of));
    MutexLock lock(mutex_);
    log_of_.swap(next);
    version_ += 1;
  }

  uint64_t version() const { return version_.load(std::memory_order_acquire); }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const OriginMap> log_of_ YUSHI_GUARDED_BY(mutex_);
  std::atomic<uint64_t> version_{0};
};

}  // namespace yushi::ingest
