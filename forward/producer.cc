#include "forward/producer.h"

#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include <array>

namespace yushi::forward {
namespace {

// A queued message's own structures in librdkafka: the message, its headers and their allocations; measured ~ 600.
constexpr size_t kMessageOverheadBytes = 640;

// The thread sanitizer does not know how librdkafka starts its threads, and ends the process.
#ifdef __SANITIZE_THREAD__
constexpr bool kMakesClients = false;
#else
constexpr bool kMakesClients = true;
#endif

// All others are ours: what is promised of delivery hangs on them.
bool is_for_security(std::string_view name) {
  return name == "security.protocol" || name == "enable.ssl.certificate.verification" || name.starts_with("ssl.") ||
         name.starts_with("sasl.");
}

}  // namespace

Result<void> check_kafka_properties(const KafkaProperties& properties) {
  auto* conf = rd_kafka_conf_new();
  char why[512] = "";
  std::string wrong;
  for (const auto& [name, value] : properties) {
    if (!is_for_security(name)) {
      wrong =
          name +
          ": is not for TLS or SASL; known here: security.protocol, enable.ssl.certificate.verification, ssl.*, sasl.*";
    } else if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why, sizeof why) != RD_KAFKA_CONF_OK) {
      wrong = name + ": " + why;
    } else if (name.ends_with(".location") && value != "probe" && ::access(value.c_str(), R_OK) != 0) {
      wrong = name + ": there is no file \"" + value + "\", or it may not be read";
    }
    if (!wrong.empty()) break;
  }
  rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});  // why is said below
  // Without brokers: it reads certificates and keys, and asks nobody.
  rd_kafka_t* client =
      wrong.empty() && kMakesClients ? rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why) : nullptr;
  if (client != nullptr) {
    rd_kafka_destroy(client);
    return {};
  }
  rd_kafka_conf_destroy(conf);
  if (wrong.empty()) wrong = why;
  return wrong.empty() ? Result<void>() : fail(Code::invalid, wrong);
}

struct KafkaProducer::Client {
  rd_kafka_t* kafka = nullptr;
  std::array<rd_kafka_topic_t*, 3> topics{};
  Listener listener{};

  ~Client() {
    if (kafka == nullptr) return;
    rd_kafka_purge(kafka, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    for (auto* topic : topics)
      if (topic != nullptr) rd_kafka_topic_destroy(topic);
    listener.context = nullptr;
    rd_kafka_destroy_flags(kafka, 0);
  }

  static void on_report(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    auto& listener = static_cast<Client*>(opaque)->listener;
    if (listener.context == nullptr) return;
    Outcome outcome;
    switch (message->err) {
      case RD_KAFKA_RESP_ERR_NO_ERROR:
        outcome = Outcome::delivered;
        break;
      case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
      case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
        outcome = Outcome::purged;
        break;
      case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        outcome = Outcome::too_large;
        break;
      default:
        outcome = Outcome::failed;
    }
    if (outcome == Outcome::failed) listener.error(listener.context, rd_kafka_err2str(message->err), Trouble::fatal);
    listener.report(listener.context, reinterpret_cast<uint64_t>(message->_private), outcome, message->len,
                    message->len + message->key_len + kMessageOverheadBytes);
  }

  static void on_error(rd_kafka_t* kafka, int error, const char* reason, void* opaque) {
    auto& listener = static_cast<Client*>(opaque)->listener;
    if (listener.context == nullptr) return;
    std::string words = reason;
    bool fatal = error == RD_KAFKA_RESP_ERR__FATAL;
    if (fatal) {
      char why[512];
      rd_kafka_fatal_error(kafka, why, sizeof why);
      words = why;
    }
    listener.error(listener.context, words,
                   fatal                                          ? Trouble::fatal
                   : error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ? Trouble::all_away
                                                                  : Trouble::passing);
  }
  // Brokers that are away would be told once for each try; on_error says it once.
  static void on_log(const rd_kafka_t*, int, const char*, const char*) {}
};

Result<std::unique_ptr<KafkaProducer>> KafkaProducer::make(const KafkaSettings& settings, size_t batch_bytes,
                                                           const Listener& listener) {
  std::unique_ptr<KafkaProducer> producer(new KafkaProducer);
  producer->client_ = std::make_unique<Client>();
  Client& client = *producer->client_;
  client.listener = listener;

  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char why[512] = "";
  bool refused = false;
  auto set = [&](const std::string& name, const std::string& value) {
    if (!refused) refused = rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why, sizeof why) != RD_KAFKA_CONF_OK;
  };
  set("bootstrap.servers", settings.brokers);
  set("client.id", "yushi");
  set("acks", "all");
  set("enable.idempotence", "true");
  set("enable.gapless.guarantee", "true");
  set("message.timeout.ms", "0");                      // the default drops after 300 s
  set("message.max.bytes", std::to_string(16 << 20));  // the broker judges
  set("batch.size", std::to_string(batch_bytes));
  // Smaller batches mean that the broker refused one for its size. A broker takes any sequence number as a new
  // producer's first, so what is on its way behind a refused first message would overtake it.
  if (batch_bytes < kBatchBytes) set("max.in.flight.requests.per.connection", "1");
  set("linger.ms", "5");
  set("queue.buffering.max.messages", "2000000");  // with 100,000 it is 18 times slower
  set("queue.buffering.max.kbytes", std::to_string(std::max<size_t>(settings.in_flight_bytes >> 10, 1024)));
  set("compression.type", "lz4");
  set("partitioner", "murmur2_random");  // as Java's
  set("reconnect.backoff.max.ms", "2000");
  set("socket.keepalive.enable", "true");
  for (const auto& [name, value] : settings.properties) set(name, value);
  if (refused) {
    rd_kafka_conf_destroy(conf);
    return fail(Code::invalid, std::string("forward to Kafka: librdkafka refuses a setting: ") + why);
  }
  rd_kafka_conf_set_opaque(conf, &client);
  rd_kafka_conf_set_dr_msg_cb(conf, &Client::on_report);
  rd_kafka_conf_set_error_cb(conf, &Client::on_error);
  rd_kafka_conf_set_log_cb(conf, &Client::on_log);
  client.kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  if (client.kafka == nullptr) {
    rd_kafka_conf_destroy(conf);
    return fail(Code::invalid, std::string("forward to Kafka: ") + why);
  }
  const std::string* names[] = {&settings.topic, &settings.alerts_topic, &settings.checkpoints_topic};
  for (size_t i = 0; i < client.topics.size(); ++i) {
    if (names[i]->empty()) continue;
    client.topics[i] = rd_kafka_topic_new(client.kafka, names[i]->c_str(), nullptr);
    if (client.topics[i] == nullptr)
      return fail(Code::invalid,
                  "forward to Kafka: topic `" + *names[i] + "`: " + rd_kafka_err2str(rd_kafka_last_error()));
  }
  return producer;
}

KafkaProducer::~KafkaProducer() = default;

size_t KafkaProducer::message_bytes(const Message& message) {
  return message.value.size() + message.key.size() + kMessageOverheadBytes;
}

KafkaProducer::Queued KafkaProducer::send(Topic topic, const Message& message, std::string_view format,
                                          uint64_t token) {
  std::array<rd_kafka_vu_t, 10> parts;
  size_t n = 0;
  auto next = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
    parts[n].vtype = type;
    return parts[n++];
  };
  next(RD_KAFKA_VTYPE_RKT).u.rkt = client_->topics[static_cast<size_t>(topic)];
  next(RD_KAFKA_VTYPE_MSGFLAGS).u.i = RD_KAFKA_MSG_F_COPY;
  next(RD_KAFKA_VTYPE_VALUE).u.mem = {const_cast<char*>(message.value.data()), message.value.size()};
  next(RD_KAFKA_VTYPE_KEY).u.mem = {const_cast<char*>(message.key.data()), message.key.size()};
  next(RD_KAFKA_VTYPE_OPAQUE).u.ptr = reinterpret_cast<void*>(token);
  auto header = [&](const char* name, std::string_view value) {
    next(RD_KAFKA_VTYPE_HEADER).u.header = {name, value.data(), static_cast<ssize_t>(value.size())};
  };
  header("id", message.id);
  header("tenant", message.tenant);
  header("format", format);
  if (!message.entry.empty()) header("entry", message.entry);
  if (message.truncated) header("truncated", "true");  // for the formats that cannot say it inside

  rd_kafka_error_t* error = rd_kafka_produceva(client_->kafka, parts.data(), n);
  if (error == nullptr) return Queued::yes;
  auto code = rd_kafka_error_code(error);
  std::string words = rd_kafka_error_string(error);
  rd_kafka_error_destroy(error);
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return Queued::full;
  if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) return Queued::too_large;
  client_->listener.error(client_->listener.context, words, Trouble::fatal);
  return Queued::failed;
}

void KafkaProducer::poll(int milliseconds) { rd_kafka_poll(client_->kafka, milliseconds); }

bool KafkaProducer::is_answered(int milliseconds) const {
  const struct rd_kafka_metadata* metadata = nullptr;
  if (rd_kafka_metadata(client_->kafka, 0, nullptr, &metadata, milliseconds) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return false;
  rd_kafka_metadata_destroy(metadata);
  return true;
}

void KafkaProducer::purge() {
  rd_kafka_purge(client_->kafka, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  while (rd_kafka_poll(client_->kafka, 0) > 0) {
  }
}

}  // namespace yushi::forward
