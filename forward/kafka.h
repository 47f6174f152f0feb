// Tails the store into Kafka: each record once delivered moves the cursor, and nothing else does.
//
// Idempotent, acks=all. The broker may be away for a week: the forwarder waits with bounded memory, the store is the
// queue. After a fatal error of the producer it throws the producer away and begins again at the cursor, so a record
// may come twice (its `id` tells) and never not at all.
//
// Checkpoints  The newest of each log goes out when it was signed, and again after a start: whoever reads them can hold
//              the store to them. They have no cursor, and what was replaced by a newer one is not sent.
//
// Order    The first sights of a log's records of one key are in order, also when a message is too large for the
//          broker: it arrives shortened, in its place. One exception: a broker that does not even take a batch of
//          ordinary messages (500 kB before compression) may refuse the first one and take the next; then the batches
//          get smaller, for good.
//
// Memory   At most settings.in_flight_bytes of messages, the client's own structures included.
// Threads  start() makes one; all else is called from outside. wake() may be called by any thread, also often.
// Errors   start() says what is wrong with the settings. Later ones are counted, told by state() and retried. An outage
//          of all brokers that lasts is told once by on_away, and its end by on_back.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/filter/filter.h"
#include "core/filter/secret_mask.h"
#include "forward/message.h"
#include "forward/source.h"

namespace yushi::forward {

// Of librdkafka, for TLS and SASL: names and values.
using KafkaProperties = std::vector<std::pair<std::string, std::string>>;

// invalid: one that is not for TLS or SASL, that librdkafka does not know, or whose files cannot be used. Connects to
// nobody.
Result<void> check_kafka_properties(const KafkaProperties& properties);

struct KafkaSettings {
  std::string brokers;  // "k1:9092,k2:9092"
  std::string topic = "yushi.records";
  std::string alerts_topic;       // empty: no alerts
  std::string checkpoints_topic;  // empty: no checkpoints
  ForwardFormat format = ForwardFormat::ecs_json;
  Filter select = Filter::parse_kql("*", {}).value();
  size_t in_flight_bytes = 256 << 20;
  KafkaProperties properties;
  // By what secrets are hidden in records and alerts, asked anew for each batch: a reload changes it. None: all is sent
  // whole.
  std::function<std::shared_ptr<const SecretRules>()> secrets;
  std::chrono::seconds away_after{30};  // so long nobody answers, or nothing is acknowledged: an outage

  // On the forwarder's thread; must not wait.
  std::function<void(const std::string& why)> on_away;  // the last error; may be empty
  std::function<void(int64_t since_ns)> on_back;        // when the outage had begun
};

// Read by any thread at any time.
struct ForwardMetrics {
  std::atomic<uint64_t> sent{0};       // handed to the client; a record sent again counts again
  std::atomic<uint64_t> delivered{0};  // acknowledged by the broker
  std::atomic<uint64_t> truncated{0};  // too large for the broker
  std::atomic<uint64_t> alerts_delivered{0};
  std::atomic<uint64_t> errors{0};  // of the broker, the client, or reading the store
  std::atomic<uint64_t> done{0};    // records of all logs up to the first that is neither delivered nor left out
  std::atomic<uint64_t> in_flight_bytes{0};
  std::atomic<uint64_t> up{0};  // 1 while a broker answers
};

struct ForwardState {
  int64_t away_since_ns = 0;  // 0: a broker answers, or was not given up yet
  std::string last_error;     // empty: none since the last outage
  int64_t last_error_ns = 0;
};

class KafkaForwarder {
 public:
  KafkaForwarder(KafkaSettings settings, std::unique_ptr<RecordSource> source);
  ~KafkaForwarder();  // stops

  Result<void> start();
  // Gives what is on its way `seconds_max` to be acknowledged, saves the cursor, ends the thread.
  void stop(double seconds_max = 2);
  void wake();  // something was committed

  const ForwardMetrics& metrics() const;
  ForwardState state() const;
  uint64_t lag() const;      // records committed and not yet delivered
  std::string name() const;  // "k1:9092,k2:9092/yushi.records"

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace yushi::forward
