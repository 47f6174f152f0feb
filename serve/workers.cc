#include "serve/workers.h"

#include <system_error>

namespace yushi::serve {

bool Workers::run(unsigned threads_max, std::function<void()> job) {
  MutexLock lock(mutex_);
  if (free_ <= jobs_.size() && threads_.size() < threads_max) {
    try {
      threads_.emplace_back();
      try {
        threads_.back() = std::thread([this] { work(); });
      } catch (...) {
        threads_.pop_back();
        throw;
      }
    } catch (const std::exception&) {  // those that are there come to it later
      if (threads_.empty()) return false;
    }
  }
  jobs_.push_back(std::move(job));
  changed_.notify_one();
  return true;
}

bool Workers::is_behind() const {
  MutexLock lock(mutex_);
  return jobs_.size() > free_;
}

void Workers::work() {
  if (begin_) begin_();
  MutexLock lock(mutex_);
  while (true) {
    ++free_;
    while (jobs_.empty() && !stopping_) changed_.wait(lock);
    --free_;
    if (jobs_.empty()) return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = {};  // what it holds goes before it is free again
    lock.lock();
  }
}

void Workers::stop() {
  std::vector<std::thread> threads;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
  }
  changed_.notify_all();
  for (auto& thread : threads) thread.join();
}

}  // namespace yushi::serve
