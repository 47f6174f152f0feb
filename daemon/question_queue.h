// Who may ask about content now: so many at once, the others wait in the order they came, and who waits too long, or is one
// too many, is told so.
//
// Threads  Any; enter() waits on the caller's.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <utility>

#include "core/base/result.h"

namespace yushi {

class QuestionQueue {
 public:
  struct Limits {
    unsigned at_once = 4;
    unsigned waiting = 128;
    std::chrono::milliseconds wait{30'000};
  };
  explicit QuestionQueue(Limits limits) : limits_(limits) {}

  // A place, for as long as it lives.
  class Turn {
   public:
    Turn() = default;
    Turn(Turn&& other) noexcept : queue_(std::exchange(other.queue_, nullptr)) {}
    Turn& operator=(Turn&& other) noexcept {
      leave();
      queue_ = std::exchange(other.queue_, nullptr);
      return *this;
    }
    ~Turn() { leave(); }
    void leave();

   private:
    friend class QuestionQueue;
    explicit Turn(QuestionQueue* queue) : queue_(queue) {}
    QuestionQueue* queue_ = nullptr;
  };

  // exhausted: too many wait, or this one waited too long; the message says which. unavailable: `over` became true.
  Result<Turn> enter(const std::atomic<bool>& over);
  // The same for one who is being answered already: waits as long as it takes.
  Result<Turn> enter_again(const std::atomic<bool>& over);

 private:
  Result<Turn> wait(const std::atomic<bool>& over, bool for_ever);

  const Limits limits_;
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned inside_ = 0;       // protected by mutex_
  std::list<int> waiting_;    // in order; protected by mutex_
};

}  // namespace yushi
