#include "core/record/lookups.h"

#include <atomic>
#include <mutex>
#include <utility>

namespace yushi {
namespace {
std::atomic<uint64_t> changes{0};
std::mutex mutex;
std::shared_ptr<const Lookups>& in_use() {  // protected by mutex
  static std::shared_ptr<const Lookups> lookups;
  return lookups;
}
}  // namespace

void use_lookups(std::shared_ptr<const Lookups> lookups) {
  std::lock_guard lock(mutex);
  in_use() = std::move(lookups);
  changes.fetch_add(1, std::memory_order_release);
}

const Lookups* LookupsInUse::current() {
  if (const auto now = changes.load(std::memory_order_acquire); now != seen_) [[unlikely]] {
    std::lock_guard lock(mutex);
    lookups_ = in_use();
    seen_ = now;
  }
  return lookups_.get();
}

}  // namespace yushi
