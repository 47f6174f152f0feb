// Who may ask about content now: so many at once, the others wait in the order they came, and who waits too long, or is
// one too many, is told so. Waiting costs no thread: whose turn has come, or is not to come, is called.
//
// Threads  Any.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
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
  using Then = std::function<void(Result<Turn>)>;

  // `then` is called once, by this thread or by the one that makes room or sees that there is none. It must not wait.
  // `over` must outlive that.
  void enter(const std::atomic<bool>& over, Then then) YUSHI_EXCLUDES(mutex_) { wait(over, std::move(then), false); }
  // The same for one who is being answered already: waits as long as it takes, and takes no newcomer's place to wait.
  void enter_again(const std::atomic<bool>& over, Then then) YUSHI_EXCLUDES(mutex_) {
    wait(over, std::move(then), true);
  }
  // Looks for those who wait no longer: nobody tells of `over`, or of the time. Now and then.
  void tick() YUSHI_EXCLUDES(mutex_);

  struct Counts {
    uint64_t running = 0, waiting = 0, refused = 0;  // now; now, those who come again too; since the start
  };
  Counts counts() const YUSHI_EXCLUDES(mutex_);

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiting {
    const std::atomic<bool>* over;
    Then then;
    std::optional<Clock::time_point> until;  // none: it comes again
  };
  void wait(const std::atomic<bool>& over, Then then, bool again) YUSHI_EXCLUDES(mutex_);
  void let_in() YUSHI_EXCLUDES(mutex_);

  const Limits limits_;
  mutable Mutex mutex_;
  unsigned inside_ YUSHI_GUARDED_BY(mutex_) = 0;
  std::list<Waiting> waiting_ YUSHI_GUARDED_BY(mutex_);  // in order
  unsigned newcomers_ YUSHI_GUARDED_BY(mutex_) = 0;      // of these
  uint64_t refused_ YUSHI_GUARDED_BY(mutex_) = 0;
};

}  // namespace yushi::serve
