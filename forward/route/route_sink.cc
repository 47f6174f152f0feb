// The pace of a route, and what it does about failures: alerts to letters, letters to a courier.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <deque>

#include "core/base/assert.h"
#include "forward/route/route.h"

namespace yushi::forward {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr size_t kWaitingBytesMax = 4 << 20;
constexpr seconds kRetryMin{1}, kRetryMax{60};
constexpr seconds kPaceTime{60};

class RouteSink final : public Sink {
 public:
  RouteSink(std::unique_ptr<Courier> courier, unsigned letters_a_minute, bool in_chinese)
      : courier_(std::move(courier)), letters_a_minute_(letters_a_minute), in_chinese_(in_chinese) {}

  Result<Cursor> begin(const Cursor& stored, SinkListener& listener) override {
    listener_ = &listener;
    return stored;
  }

  Queued send(What what, const Message& message, std::string_view, uint64_t token, bool) override {
    YUSHI_ASSERT(what == What::alert, "a route was sent something else, %d", static_cast<int>(what));
    if (!waiting_.empty() &&
        (waiting_.size() >= kLetterAlertsMax || waiting_bytes_ + message.value.size() > kWaitingBytesMax))
      return Queued::full;
    auto alert = alert_of(message.value);
    if (!alert) {  // what the loop makes of one that is too large; none is, for us
      listener_->on_report(token, SinkListener::Outcome::delivered, message.key.size(), message.value.size());
      return Queued::yes;
    }
    waiting_bytes_ += message.value.size();
    waiting_.push_back({token, message.key.size(), std::move(*alert), message.value});
    return Queued::yes;
  }

  void serve(int milliseconds) override {
    if (!letter_) begin_letter();
    if (letter_) {
      if (auto fate = courier_->serve(milliseconds)) end_letter(*fate);
    } else if (milliseconds > 0) {
      ::usleep(static_cast<useconds_t>(milliseconds) * 1000);
    }
  }

  bool is_answered(int milliseconds) override {
    if (letter_ || !courier_->is_there(milliseconds)) return false;
    if (was_away_) try_at_ = Clock::now();
    return true;
  }

  bool holds_back() const override {
    return !letter_ && !waiting_.empty() && letters_left_ == 0 && letters_a_minute_ > 0 && Clock::now() < pace_end_;
  }

  bool keeps_cursor() const override { return false; }
  Result<void> commit(const Cursor&) override { return {}; }

  void end() override {
    courier_->give_up();
    letter_.reset();
    waiting_.clear();
    waiting_bytes_ = 0;
  }

 private:
  struct Waiting {
    uint64_t token;
    size_t key_bytes;
    Alert alert;
    std::string json;
  };

  void begin_letter() {
    const auto now = Clock::now();
    if (waiting_.empty() || now < try_at_) return;
    size_t count = waiting_.size();
    if (letters_a_minute_ > 0) {
      if (now >= pace_end_) letters_left_ = letters_a_minute_, pace_end_ = now + kPaceTime;
      if (letters_left_ == 0) return;
      if (count <= letters_left_) count = 1;
    }
    count = std::min(count, alerts_max_);
    letter_.emplace();
    letter_->is_brief = is_brief_;
    letter_->in_chinese = in_chinese_;
    size_t bytes = 0;
    for (size_t i = 0; i < count; ++i) {
      bytes += waiting_[i].json.size();
      if (i > 0 && bytes > kLetterBytesMax) break;
      letter_->items.push_back({&waiting_[i].alert, waiting_[i].json});
    }
    courier_->begin(*letter_);
  }

  void end_letter(const Courier::Fate& fate) {
    using Kind = Courier::Fate::Kind;
    const size_t count = letter_->items.size();
    const bool was_brief = letter_->is_brief;
    letter_.reset();
    was_away_ = fate.kind == Kind::away;
    if (fate.kind == Kind::taken) {
      letters_left_ = count > 1 ? 0 : letters_left_ - std::min(letters_left_, 1U);
      is_brief_ = false;
      alerts_max_ = std::min(alerts_max_ * 2, kLetterAlertsMax);
      retry_wait_ = kRetryMin;
      for (size_t i = 0; i < count; ++i) {
        auto done = std::move(waiting_.front());
        waiting_.pop_front();
        waiting_bytes_ -= done.json.size();
        listener_->on_report(done.token, SinkListener::Outcome::delivered, done.key_bytes, done.json.size());
      }
      return;
    }
    if (fate.kind == Kind::refused) {
      alerts_max_ = std::max<size_t>(count / 2, 1);
      is_brief_ = count == 1 && !was_brief;  // when that is refused too, its words are not why
    }
    try_at_ = Clock::now() + retry_wait_;
    retry_wait_ = std::min(retry_wait_ * 2, kRetryMax);
    listener_->on_error(fate.words, was_away_ ? SinkListener::Trouble::all_away : SinkListener::Trouble::passing);
  }

  const std::unique_ptr<Courier> courier_;
  const unsigned letters_a_minute_;
  const bool in_chinese_;
  SinkListener* listener_ = nullptr;
  std::deque<Waiting> waiting_;
  size_t waiting_bytes_ = 0;
  std::optional<Letter> letter_;  // under way: of the first that wait
  Clock::time_point try_at_{}, pace_end_{};
  seconds retry_wait_ = kRetryMin;
  unsigned letters_left_ = 0;  // until pace_end_
  size_t alerts_max_ = kLetterAlertsMax;
  bool is_brief_ = false;  // the first that waits was refused
  bool was_away_ = false;
};

}  // namespace

std::unique_ptr<Sink> make_route_sink(std::unique_ptr<Courier> courier, unsigned letters_a_minute, bool in_chinese) {
  return std::make_unique<RouteSink>(std::move(courier), letters_a_minute, in_chinese);
}

}  // namespace yushi::forward
