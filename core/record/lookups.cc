#include "core/record/lookups.h"

#include <atomic>
#include <utility>

#include "core/base/mutex.h"

namespace yushi {
namespace {
std::atomic<uint64_t> changes{0};
Mutex mutex;
std::shared_ptr<const Lookups>& in_use() YUSHI_REQUIRES(mutex) {
  static std::shared_ptr<const Lookups> lookups;
  return lookups;
}
}  // namespace

void use_lookups(std::shared_ptr<const Lookups> lookups) {
  MutexLock lock(mutex);
  in_use() = std::move(lookups);
  changes.fetch_add(1, std::memory_order_release);
}

const Lookups* LookupsInUse::current() {
  if (const auto now = changes.load(std::memory_order_acquire); now != seen_) [[unlikely]] {
    MutexLock lock(mutex);
    lookups_ = in_use();
    seen_ = now;
  }
  return lookups_.get();
}

}  // namespace yushi
