// delivery: exactly-once. Transactions: messages, and the cursor behind them in a compacted topic, or neither.
//
// The transactional id names the forwarder: a new producer of that id first ends what one before it has left open, and
// none but the newest gets anything committed. Then the cursor that was committed last is read back, with
// read_committed: it is the truth, whatever the store says. Nothing is ever mended in an open transaction: after any
// error, also after an outage longer than a transaction may take, the producer is given up, and a new one begins at the
// cursor.
#include <chrono>
#include <optional>

#include "forward/kafka/cursor_topic.h"
#include "forward/kafka/producer.h"

namespace yushi::forward {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWaitMilliseconds = 500;  // of begin() and commit(): a stop is heard between two calls

class ExactlyOnce final : public Sink {
 public:
  ExactlyOnce(const KafkaSettings& settings, const std::string& id) : producer_(settings, id), cursors_(settings, id) {}

  Result<Cursor> begin(const Cursor& stored, SinkListener& listener) override {
    auto cursor = try_begin(stored, listener);
    if (!cursor && cursor.error().code != Code::unavailable) end();
    return cursor;
  }

  Queued send(What what, const Message& message, std::string_view format, uint64_t token, bool alone) override {
    if (!open_transaction()) return Queued::failed;
    return producer_.send(what, message, format, token, alone);
  }
  size_t alone_from_bytes() const override { return producer_.alone_from_bytes(); }
  void serve(int milliseconds) override { producer_.poll(milliseconds); }
  bool is_answered(int milliseconds) override { return producer_.is_open() && producer_.is_answered(milliseconds); }
  bool keeps_cursor() const override { return true; }

  Result<void> commit(const Cursor& cursor) override {
    if (!committing_since_) {
      if (!open_transaction() || producer_.send_cursor(cursor.encode()) != Queued::yes)
        return fail(Code::io, "the cursor cannot be sent");
      committing_since_ = Clock::now();
    }
    auto done = producer_.commit_transaction(kWaitMilliseconds);
    const auto waited = Clock::now() - *committing_since_;
    if (!done && done.error().code == Code::unavailable && waited > std::chrono::milliseconds(kTransactionMilliseconds))
      return fail(Code::io, done.error().message);
    if (done) in_transaction_ = false, committing_since_.reset();
    return done;
  }

  void end() override {
    producer_.close();
    cursors_.close();
    is_ready_ = in_transaction_ = false;
    committing_since_.reset();
  }

 private:
  Result<Cursor> try_begin(const Cursor& stored, SinkListener& listener) {
    listener_ = &listener;
    if (!producer_.is_open()) YUSHI_TRY(producer_.open(listener));
    if (!is_ready_) {
      producer_.poll(0);  // errors
      YUSHI_TRY(producer_.init_transactions(kWaitMilliseconds));
      is_ready_ = true;
    }
    auto bytes = YUSHI_TRY(cursors_.newest(kWaitMilliseconds));
    cursors_.close();
    if (!bytes) return stored;
    return Cursor::decode(*bytes);
  }

  bool open_transaction() {
    if (in_transaction_) return true;
    auto begun = producer_.begin_transaction();
    if (!begun) listener_->on_error(begun.error().message, SinkListener::Trouble::fatal);
    return in_transaction_ = begun.has_value();
  }

  KafkaProducer producer_;
  CursorTopic cursors_;
  SinkListener* listener_ = nullptr;
  bool is_ready_ = false, in_transaction_ = false;
  std::optional<Clock::time_point> committing_since_;
};

}  // namespace

std::unique_ptr<Sink> make_exactly_once(const KafkaSettings& settings, const std::string& id) {
  return std::make_unique<ExactlyOnce>(settings, id);
}

}  // namespace yushi::forward
