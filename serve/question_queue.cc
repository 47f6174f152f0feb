#include "serve/question_queue.h"

#include <string>

namespace yushi::serve {

void QuestionQueue::wait(const std::atomic<bool>& over, Then then, bool again) {
  {
    MutexLock lock(mutex_);
    const bool must_wait = inside_ >= limits_.at_once || !waiting_.empty();
    if (again || !must_wait || newcomers_ < limits_.waiting) {
      waiting_.push_back({&over, std::move(then), {}});
      if (!again) waiting_.back().until = Clock::now() + limits_.wait;
      newcomers_ += !again;
      then = {};
    } else {
      ++refused_;
    }
  }
  if (then) {
    const auto now = counts();
    return then(fail(Code::exhausted, std::to_string(now.running) + " questions are being answered and " +
                                          std::to_string(now.waiting) + " wait already; ask again later"));
  }
  let_in();
}

// Whose turn has come is called without the lock: he may leave at once.
void QuestionQueue::let_in() {
  std::list<Waiting> entering;
  {
    MutexLock lock(mutex_);
    while (inside_ < limits_.at_once && !waiting_.empty()) {
      ++inside_;
      newcomers_ -= waiting_.front().until.has_value();
      entering.splice(entering.end(), waiting_, waiting_.begin());
    }
  }
  for (auto& each : entering) each.then(Turn(this));
}

void QuestionQueue::tick() {
  std::list<Waiting> leaving;
  unsigned running = 0;
  {
    MutexLock lock(mutex_);
    running = inside_;
    const auto now = Clock::now();
    for (auto each = waiting_.begin(); each != waiting_.end();) {
      const auto next = std::next(each);
      const bool is_late = each->until && now >= *each->until;
      if (is_late || *each->over) {
        refused_ += !*each->over;
        newcomers_ -= each->until.has_value();
        leaving.splice(leaving.end(), waiting_, each);
      }
      each = next;
    }
  }
  for (auto& each : leaving) {
    if (*each.over) {
      each.then(fail(Code::unavailable, "the question ended before its turn came"));
    } else {
      each.then(fail(Code::exhausted, std::to_string(running) + " questions are being answered, and this one waited " +
                                          std::to_string(limits_.wait.count() / 1000) +
                                          " s for its turn; ask again later"));
    }
  }
}

QuestionQueue::Counts QuestionQueue::counts() const {
  MutexLock lock(mutex_);
  return {inside_, waiting_.size(), refused_};
}

void QuestionQueue::Turn::leave() {
  if (!queue_) return;
  auto* queue = std::exchange(queue_, nullptr);
  {
    MutexLock lock(queue->mutex_);
    --queue->inside_;
  }
  queue->let_in();
}

}  // namespace yushi::serve
