#include "query/budget.h"

#include <algorithm>
#include <chrono>

namespace yushi::query {

Budget::~Budget() {
  MutexLock lock(pool_->mutex_);
  pool_->lendable_ += borrowed_;
  pool_->leased_ -= leased_;
}

size_t QueryPool::leased() {
  MutexLock lock(mutex_);
  return leased_;
}

size_t Budget::lease(size_t most) {
  const size_t share = pool_->share();
  MutexLock lock(pool_->mutex_);
  const size_t more = std::min(most > share ? most - share : 0, pool_->lendable_);
  pool_->lendable_ -= more;
  borrowed_ += more;
  leased_ += share + more;
  pool_->leased_ += share + more;
  return share + more;
}

void Budget::end(const std::string& why) {
  MutexLock lock(mutex_);
  if (over_) return;
  why_ = why;
  over_ = true;
}

std::string Budget::why() const {
  MutexLock lock(mutex_);
  return why_;
}

ReadTurn::ReadTurn(QueryPool* pool, const std::function<bool()>& over) : pool_(pool) {
  if (!pool_) return;
  MutexLock lock(pool_->mutex_);
  const auto place = pool_->waiting_.insert(pool_->waiting_.end(), this);
  while (pool_->readers_free_ == 0 || pool_->waiting_.front() != this) {
    if (over()) {
      pool_->waiting_.erase(place);
      pool_->changed_.notify_all();
      pool_ = nullptr;
      return;
    }
    pool_->changed_.wait_for(lock, std::chrono::milliseconds(50));
  }
  pool_->waiting_.erase(place);
  --pool_->readers_free_;
  if (pool_->readers_free_ > 0) pool_->changed_.notify_all();
}

ReadTurn::~ReadTurn() {
  if (!pool_) return;
  MutexLock lock(pool_->mutex_);
  ++pool_->readers_free_;
  pool_->changed_.notify_all();
}

}  // namespace yushi::query
