#include "forward/kafka/kafka.h"

#include "forward/kafka/producer.h"

namespace yushi::forward {
namespace {

// As Kafka has them.
Walk::Reader topic(Walk& walk, std::string where, std::string& out) {
  return [&walk, where, &out](const YAML::Node& node) {
    walk.text(where, out)(node);
    const bool allowed =
        out.size() <= 249 && out != "." && out != ".." &&
        out.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == std::string::npos;
    if (!allowed)
      walk.problem(node, where + ": Kafka has no topic \"" + out + "\"; a name matches [a-zA-Z0-9._-]{1,249}");
  };
}

void read_properties(Walk& walk, const YAML::Node& node, KafkaProperties& out) {
  std::map<std::string, Walk::Reader> readers;
  if (node.IsMap()) {
    out.reserve(node.size());  // the readers write into its elements
    for (auto pair : node) {
      auto name = pair.first.as<std::string>("");
      out.emplace_back(name, "");
      readers[name] = walk.text("forward.properties." + name, out.back().second);
    }
  }
  walk.map(node, "forward.properties.", readers);
  if (auto checked = check_kafka_properties(out); !checked)
    walk.problem(node, "forward.properties." + checked.error().message);
}

}  // namespace

std::unique_ptr<ForwarderConfig> read_kafka(Walk& walk, const YAML::Node& node) {
  auto config = std::make_unique<KafkaConfig>();
  auto& settings = config->settings;
  std::string delivery;
  auto readers = common_keys(walk, *config);
  readers.merge(std::map<std::string, Walk::Reader>{
      {"brokers", walk.text("forward.brokers", settings.brokers)},
      {"topic", topic(walk, "forward.topic", settings.topic)},
      {"alerts_topic", topic(walk, "forward.alerts_topic", settings.alerts_topic)},
      {"checkpoints_topic", topic(walk, "forward.checkpoints_topic", settings.checkpoints_topic)},
      {"cursors_topic", topic(walk, "forward.cursors_topic", settings.cursors_topic)},
      {"properties", [&](const YAML::Node& n) { read_properties(walk, n, settings.properties); }},
      {"delivery", walk.text("forward.delivery", delivery, {"at-least-once", "exactly-once"})}});
  walk.map(node, "forward.", readers);
  config->sends_alerts = node["alerts_topic"].IsDefined();
  config->sends_checkpoints = node["checkpoints_topic"].IsDefined();
  settings.exactly_once = delivery == "exactly-once";
  if (!node["brokers"]) walk.problem(node, "forward.brokers: missing, as in \"k1:9092,k2:9092\"");
  if (node["cursors_topic"] && !settings.exactly_once)
    walk.problem(node["cursors_topic"],
                 "forward.cursors_topic: is for delivery: exactly-once; set that, or remove the line");
  return config;
}

std::vector<std::pair<const char*, std::string>> KafkaConfig::addresses() const {
  std::vector<std::pair<const char*, std::string>> out = {{"topic", settings.topic + " of " + settings.brokers}};
  if (sends_alerts) out.emplace_back("alerts_topic", settings.alerts_topic + " of " + settings.brokers);
  return out;
}

Result<std::unique_ptr<Sink>> KafkaConfig::make_sink(const std::string& node) const {
  YUSHI_TRY(KafkaProducer::check(settings));
  return settings.exactly_once ? make_exactly_once(settings, node + "/" + settings.topic)
                               : make_at_least_once(settings);
}

}  // namespace yushi::forward
