// A pool of threads for what may wait: each is made when there is work and none is free, and stays.
//
// Threads  Any; stop() by one, once, after the last run().
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "core/base/mutex.h"

namespace yushi::serve {

class Workers {
 public:
  // `begin` is the first thing that each thread does.
  explicit Workers(std::function<void()> begin = {}) : begin_(std::move(begin)) {}
  ~Workers() { stop(); }

  // Jobs begin in the order they came, on `threads_max` threads at most. False: the system has no thread for it, and
  // none of ours would come to it.
  bool run(unsigned threads_max, std::function<void()> job) YUSHI_EXCLUDES(mutex_);
  // Whether jobs wait for those that run.
  bool is_behind() const YUSHI_EXCLUDES(mutex_);
  void stop() YUSHI_EXCLUDES(mutex_);  // once all jobs are done

 private:
  void work() YUSHI_EXCLUDES(mutex_);

  const std::function<void()> begin_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> jobs_ YUSHI_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ YUSHI_GUARDED_BY(mutex_);
  unsigned free_ YUSHI_GUARDED_BY(mutex_) = 0;  // threads that wait for a job
  bool stopping_ YUSHI_GUARDED_BY(mutex_) = false;
};

}  // namespace yushi::serve
