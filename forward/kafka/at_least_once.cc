// delivery: at-least-once. What the broker has acknowledged is delivered; the store keeps the cursor.
#include "forward/kafka/producer.h"

namespace yushi::forward {
namespace {

class AtLeastOnce final : public Sink {
 public:
  explicit AtLeastOnce(const KafkaSettings& settings) : producer_(settings, "") {}

  Result<Cursor> begin(const Cursor& stored, SinkListener& listener) override {
    YUSHI_TRY(producer_.open(listener));
    return stored;
  }
  Queued send(What what, const Message& message, std::string_view format, uint64_t token, bool alone) override {
    return producer_.send(what, message, format, token, alone);
  }
  size_t alone_from_bytes() const override { return producer_.alone_from_bytes(); }
  void serve(int milliseconds) override { producer_.poll(milliseconds); }
  bool is_answered(int milliseconds) override { return producer_.is_open() && producer_.is_answered(milliseconds); }
  bool keeps_cursor() const override { return false; }
  Result<void> commit(const Cursor&) override { return {}; }
  void end() override { producer_.close(); }

 private:
  KafkaProducer producer_;
};

}  // namespace

std::unique_ptr<Sink> make_at_least_once(const KafkaSettings& settings) {
  return std::make_unique<AtLeastOnce>(settings);
}

}  // namespace yushi::forward
