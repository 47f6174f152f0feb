// A mutex of which the compiler knows what it guards. Clang's -Wthread-safety then proves what a comment would only
// promise: a member that is YUSHI_GUARDED_BY(mutex_) is read and written with the lock, a function that YUSHI_REQUIRES
// it is called with it, and one that YUSHI_EXCLUDES it, since it takes it, without. For GCC the words are empty.
//
// What it does not see: a reference or a pointer to what is guarded that outlives the lock; constructors and
// destructors, which are alone with their object; who may touch what no lock guards, since one thread does at a time.
// A lambda is a function of its own to it: one that touches what is guarded says YUSHI_REQUIRES too, or is a loop:
//
//   MutexLock lock(mutex_);
//   while (queue_.empty()) changed_.wait(lock);
//
// Cost     That of std::mutex, std::unique_lock and std::condition_variable, which they are.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#ifdef __clang__
#define YUSHI_THREAD_SAFETY(attribute) __attribute__((attribute))
#else
#define YUSHI_THREAD_SAFETY(attribute)
#endif

#define YUSHI_CAPABILITY(kind) YUSHI_THREAD_SAFETY(capability(kind))
#define YUSHI_SCOPED_CAPABILITY YUSHI_THREAD_SAFETY(scoped_lockable)
#define YUSHI_GUARDED_BY(mutex) YUSHI_THREAD_SAFETY(guarded_by(mutex))
#define YUSHI_REQUIRES(...) YUSHI_THREAD_SAFETY(requires_capability(__VA_ARGS__))
#define YUSHI_EXCLUDES(...) YUSHI_THREAD_SAFETY(locks_excluded(__VA_ARGS__))
#define YUSHI_ACQUIRE(...) YUSHI_THREAD_SAFETY(acquire_capability(__VA_ARGS__))
#define YUSHI_RELEASE(...) YUSHI_THREAD_SAFETY(release_capability(__VA_ARGS__))

namespace yushi {

// Locked by a MutexLock only.
class YUSHI_CAPABILITY("mutex") Mutex {
 public:
  constexpr Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

 private:
  friend class MutexLock;
  std::mutex native_;
};

// Holds a mutex while it lives, but for the time between unlock() and lock().
class YUSHI_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) YUSHI_ACQUIRE(mutex) : native_(mutex.native_) {}
  ~MutexLock() YUSHI_RELEASE() = default;
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void unlock() YUSHI_RELEASE() { native_.unlock(); }
  void lock() YUSHI_ACQUIRE() { native_.lock(); }

 private:
  friend class CondVar;
  std::unique_lock<std::mutex> native_;
};

// Waits without the lock and comes back with it. Each wait may end for no reason: ask again what is waited for.
class CondVar {
 public:
  void wait(MutexLock& lock) { native_.wait(lock.native_); }
  void wait_for(MutexLock& lock, std::chrono::nanoseconds most) { native_.wait_for(lock.native_, most); }
  // False when it is over.
  bool wait_until(MutexLock& lock, std::chrono::steady_clock::time_point end) {
    return native_.wait_until(lock.native_, end) == std::cv_status::no_timeout;
  }

  void notify_one() { native_.notify_one(); }
  void notify_all() { native_.notify_all(); }

 private:
  std::condition_variable native_;
};

}  // namespace yushi
