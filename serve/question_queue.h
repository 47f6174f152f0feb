// Who may ask about content now: so many at once, the others wait in the order they came, and who waits too long, or is
// one too many, is told so.
//
// Threads  Any; enter() waits on the caller's.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <utility>

#include "core/base/mutex.h"
#include "core/base/result.h"

namespace yushi::serve {

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
    bool is_held() const { return queue_ != nullptr; }
    void leave();

   private:
    friend class QuestionQueue;
    explicit Turn(QuestionQueue* queue) : queue_(queue) {}
    QuestionQueue* queue_ = nullptr;
  };

  // exhausted: too many wait, or this one waited too long; the message says which. unavailable: `over` became true.
  Result<Turn> enter(const std::atomic<bool>& over);
  // The same for one who is being answered already: waits as long as it takes, and takes no newcomer's place to wait.
  Result<Turn> enter_again(const std::atomic<bool>& over);

  struct Counts {
    uint64_t running = 0, waiting = 0, refused = 0;  // now; now, those who come again too; since the start
  };
  Counts counts() const;

 private:
  Result<Turn> wait(const std::atomic<bool>& over, bool again);

  const Limits limits_;
  mutable Mutex mutex_;
  CondVar changed_;
  unsigned inside_ YUSHI_GUARDED_BY(mutex_) = 0;
  std::list<bool> waiting_ YUSHI_GUARDED_BY(mutex_);  // in order: whether each is there for the first time
  unsigned waiting_first_ YUSHI_GUARDED_BY(mutex_) = 0;
  uint64_t refused_ YUSHI_GUARDED_BY(mutex_) = 0;
};

}  // namespace yushi::serve
