#include "serve/question_queue.h"

#include <string>

namespace yushi::serve {

Result<QuestionQueue::Turn> QuestionQueue::enter(const std::atomic<bool>& over) { return wait(over, false); }
Result<QuestionQueue::Turn> QuestionQueue::enter_again(const std::atomic<bool>& over) { return wait(over, true); }

Result<QuestionQueue::Turn> QuestionQueue::wait(const std::atomic<bool>& over, bool again) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + limits_.wait;
  MutexLock lock(mutex_);
  const bool must_wait = inside_ >= limits_.at_once || !waiting_.empty();
  if (!again && must_wait && waiting_first_ >= limits_.waiting) {
    ++refused_;
    return fail(Code::exhausted, std::to_string(inside_) + " questions are being answered and " +
                                     std::to_string(waiting_.size()) + " wait already; ask again later");
  }
  const auto place = waiting_.insert(waiting_.end(), !again);
  waiting_first_ += !again;
  auto leave = [&](Code code, std::string words) YUSHI_REQUIRES(mutex_) {
    waiting_first_ -= *place;
    waiting_.erase(place);
    changed_.notify_all();
    return fail(code, std::move(words));
  };
  while (inside_ >= limits_.at_once || waiting_.begin() != place) {
    if (over) return leave(Code::unavailable, "the question ended before its turn came");
    if (!again && Clock::now() >= until) {
      ++refused_;
      return leave(Code::exhausted, std::to_string(inside_) + " questions are being answered, and this one waited " +
                                        std::to_string(limits_.wait.count() / 1000) +
                                        " s for its turn; ask again later");
    }
    changed_.wait_for(lock, std::chrono::milliseconds(50));  // `over` notifies nobody
  }
  waiting_first_ -= *place;
  waiting_.erase(place);
  ++inside_;
  changed_.notify_all();
  return Turn(this);
}

QuestionQueue::Counts QuestionQueue::counts() const {
  MutexLock lock(mutex_);
  return {inside_, waiting_.size(), refused_};
}

void QuestionQueue::Turn::leave() {
  if (!queue_) return;
  auto* queue = std::exchange(queue_, nullptr);
  MutexLock lock(queue->mutex_);
  --queue->inside_;
  queue->changed_.notify_all();
}

}  // namespace yushi::serve
