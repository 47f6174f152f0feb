// A stage's sign of life, for the watchdog (daemon/watchdog.h).
//
// A stage steps as it gets on with its work, and rests while it has none or waits for the stage behind it. One that
// stands at the same step and does not rest is stuck, if it does so for longer than whoever looks puts up with.
//
// Threads  One thread at a time steps and rests; any may look.
#pragma once

#include <atomic>
#include <cstdint>

namespace yushi::storage {

class Pulse {
 public:
  void step() { count_.store((count() | 1) + 2, std::memory_order_relaxed); }
  void rest() { count_.store((count() + 2) & ~uint64_t{1}, std::memory_order_relaxed); }
  bool rests() const { return count() % 2 == 0; }
  uint64_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> count_{0};  // even: at rest
};

}  // namespace yushi::storage
