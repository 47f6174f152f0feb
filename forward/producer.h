// One librdkafka producer: what we set, what we hear back. No header of librdkafka leaves this pair of files.
//
// Lives until its first failed message; then the forwarder purges it and makes another (kafka.h).
//
// Threads  One owner, who also gets the reports, from inside poll().
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "forward/kafka.h"

namespace yushi::forward {

// A broker works on one request of a connection at a time: 200 kB cost a third more CPU, 900 kB no less.
constexpr size_t kBatchBytes = 500'000;

class KafkaProducer {
 public:
  enum class Outcome : uint8_t {
    delivered,
    too_large,  // the broker will not take it, or the batch that it was in
    failed,
    purged,  // we gave it up
  };
  // `bytes` is what message_bytes() said when it was sent.
  using OnReport = void (*)(void* context, uint64_t token, Outcome outcome, size_t value_bytes, size_t bytes);

  enum class Trouble : uint8_t {
    passing,   // the client goes on by itself
    all_away,  // no broker can be reached; it goes on trying
    fatal,     // this producer is of no more use
  };
  struct Listener {
    void* context;
    OnReport report;
    void (*error)(void* context, std::string_view words, Trouble trouble);
  };

  // invalid when librdkafka refuses a setting.
  static Result<std::unique_ptr<KafkaProducer>> make(const KafkaSettings& settings, size_t batch_bytes,
                                                     const Listener& listener);
  ~KafkaProducer();  // gives up what is on its way; no reports

  enum class Topic : uint8_t { records, alerts, checkpoints };
  enum class Queued : uint8_t { yes, full, too_large, failed };
  Queued send(Topic topic, const Message& message, std::string_view format, uint64_t token);

  void poll(int milliseconds);
  // Asks any broker; whether one answers within the time, which this waits for.
  bool is_answered(int milliseconds) const;
  // Gives up all that is on its way and hears the reports that are already there.
  void purge();

  // Memory that a message takes until its report.
  static size_t message_bytes(const Message& message);

 private:
  KafkaProducer() = default;
  struct Client;
  std::unique_ptr<Client> client_;
};

}  // namespace yushi::forward
