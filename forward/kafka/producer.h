// One librdkafka producer: what we set, what we hear back.
//
// It lives from open() to close(), which its first failed message brings about; then another is opened in its place.
//
// Threads  One owner, whose listener gets the reports, from inside poll() and commit_transaction().
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "forward/kafka/kafka.h"

namespace yushi::forward {

// After so long the broker gives a transaction up by itself.
constexpr int kTransactionMilliseconds = 60'000;

class KafkaProducer {
 public:
  // With an id it is transactional.
  KafkaProducer(const KafkaSettings& settings, std::string transactional_id);
  ~KafkaProducer();  // gives up what is on its way; no reports

  // invalid: what librdkafka says to the settings. Connects to nobody.
  static Result<void> check(const KafkaSettings& settings);

  // invalid when librdkafka refuses a setting.
  Result<void> open(SinkListener& listener);
  bool is_open() const { return client_ != nullptr; }
  // Gives up all that is on its way and hears the reports that are already there.
  void close();

  Sink::Queued send(Sink::What what, const Message& message, std::string_view format, uint64_t token, bool alone);
  void poll(int milliseconds);
  // Asks any broker; whether one answers within the time, which this waits for.
  bool is_answered(int milliseconds) const;
  // What fills a batch is refused for its neighbours perhaps.
  size_t alone_from_bytes() const { return batch_bytes_; }

  // unavailable: not yet, call it again; any other error: this producer is of no more use.
  Result<void> init_transactions(int milliseconds);
  Result<void> begin_transaction();
  // Sends `value` under the transactional id, into partition 0 of the cursors' topic; no report of it.
  Sink::Queued send_cursor(const std::string& value);
  Result<void> commit_transaction(int milliseconds);

 private:
  struct Client;
  Sink::Queued send(size_t topic, const Message& message, std::string_view format, uint64_t token, bool alone);
  const KafkaSettings settings_;
  const std::string transactional_id_;
  std::unique_ptr<Client> client_;
  size_t batch_bytes_;
  size_t next_batch_bytes_;  // of the next client, when this one's batches were too large
};

}  // namespace yushi::forward
