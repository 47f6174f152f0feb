// Kafka as a forwarder's sink: `type: kafka` in the config.
//
//   delivery: at-least-once   idempotent, acks=all; the store keeps the cursor
//   delivery: exactly-once    transactions that carry the cursor too (exactly_once.cc): who reads with read_committed
//                             sees each record once
//
// Order    The first sights of a log's records of one key are in order, also when a message is too large for the
//          broker: it arrives shortened, in its place. One exception, at least once: a broker that does not even take a
//          batch of ordinary messages (500 kB before compression) may refuse the first one and take the next; then the
//          batches get smaller, for good.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "forward/sinks.h"

namespace yushi::forward {

// Of librdkafka, for TLS and SASL: names and values.
using KafkaProperties = std::vector<std::pair<std::string, std::string>>;

// invalid: one that is not for TLS or SASL, that librdkafka does not know, or whose files cannot be used. Connects to
// nobody.
Result<void> check_kafka_properties(const KafkaProperties& properties);

struct KafkaSettings {
  std::string brokers;  // "k1:9092,k2:9092"
  std::string topic = "yushi.records";
  std::string alerts_topic = "yushi.alerts";
  std::string checkpoints_topic = "yushi.checkpoints";
  std::string cursors_topic = "yushi.cursors";  // compacted, for exactly-once; all nodes may share it
  bool exactly_once = false;
  KafkaProperties properties;
};

class KafkaConfig final : public ForwarderConfig {
 public:
  Result<std::unique_ptr<Sink>> make_sink(const std::string& node) const override;
  std::string name() const override { return settings.brokers + "/" + settings.topic; }
  std::vector<std::pair<const char*, std::string>> addresses() const override;

  KafkaSettings settings;
};

std::unique_ptr<ForwarderConfig> read_kafka(Walk& walk, const YAML::Node& node);

std::unique_ptr<Sink> make_at_least_once(const KafkaSettings& settings);
// `id` names the forwarder among all that send to these brokers.
std::unique_ptr<Sink> make_exactly_once(const KafkaSettings& settings, const std::string& id);

}  // namespace yushi::forward
