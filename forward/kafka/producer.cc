#include "forward/kafka/producer.h"

#include <unistd.h>

#include <array>

#include "forward/kafka/client.h"

namespace yushi::forward {
namespace {

// A broker works on one request of a connection at a time: 200 kB cost a third more CPU, 900 kB no less.
constexpr size_t kBatchBytes = 500'000;

constexpr size_t kCursorTopic = 3;  // behind those of Sink::What

// No message of a forwarder has it: a cursor's reports are nobody's.
constexpr uint64_t kCursorToken = UINT64_MAX;

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
  std::array<rd_kafka_topic_t*, 4> topics{};  // by Sink::What, then the cursors'; made when sent to first
  SinkListener* listener = nullptr;
  size_t batch_bytes = 0, next_batch_bytes = 0;
  bool is_alone = false;  // what was sent last, and nothing else is on its way

  ~Client() {
    if (kafka == nullptr) return;
    listener = nullptr;
    rd_kafka_purge(kafka, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    for (auto* topic : topics)
      if (topic != nullptr) rd_kafka_topic_destroy(topic);
    rd_kafka_destroy_flags(kafka, 0);
  }

  void report(const rd_kafka_message_t& message) {
    const auto token = reinterpret_cast<uint64_t>(message._private);
    auto outcome = SinkListener::Outcome::failed;
    switch (message.err) {
      case RD_KAFKA_RESP_ERR_NO_ERROR:
        outcome = SinkListener::Outcome::delivered;
        break;
      case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
      case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
        return;  // we gave it up
      case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        listener->on_error("a message or batch is too large for the broker", SinkListener::Trouble::fatal);
        // What was not alone may have been refused for its neighbours: first the batches get smaller, and only what is
        // refused alone is cut.
        if (is_alone || batch_bytes == 1)
          outcome = SinkListener::Outcome::too_large;
        else
          next_batch_bytes = std::max<size_t>(batch_bytes / 8, 1);
        break;
      default:
        listener->on_error(rd_kafka_err2str(message.err), SinkListener::Trouble::fatal);
    }
    if (token != kCursorToken) listener->on_report(token, outcome, message.key_len, message.len);
  }

  static void on_report(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    auto& client = *static_cast<Client*>(opaque);
    if (client.listener != nullptr) client.report(*message);
  }

  static void on_error(rd_kafka_t* kafka, int error, const char* reason, void* opaque) {
    auto* listener = static_cast<Client*>(opaque)->listener;
    if (listener == nullptr) return;
    std::string words = reason;
    bool fatal = error == RD_KAFKA_RESP_ERR__FATAL;
    if (fatal) {
      char why[512];
      rd_kafka_fatal_error(kafka, why, sizeof why);
      words = why;
    }
    listener->on_error(words, fatal                                          ? SinkListener::Trouble::fatal
                              : error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ? SinkListener::Trouble::all_away
                                                                             : SinkListener::Trouble::passing);
  }
};

KafkaProducer::KafkaProducer(const KafkaSettings& settings, std::string transactional_id)
    : settings_(settings),
      transactional_id_(std::move(transactional_id)),
      batch_bytes_(kBatchBytes),
      next_batch_bytes_(kBatchBytes) {}

KafkaProducer::~KafkaProducer() = default;

Result<void> KafkaProducer::check(const KafkaSettings& settings) {
  ClientConf conf(settings);
  auto* client = YUSHI_TRY(conf.make(RD_KAFKA_PRODUCER));
  rd_kafka_destroy(client);
  return {};
}

Result<void> KafkaProducer::open(SinkListener& listener) {
  auto client = std::make_unique<Client>();
  client->listener = &listener;
  client->batch_bytes = client->next_batch_bytes = batch_bytes_ = next_batch_bytes_;

  ClientConf conf(settings_);
  conf.set("acks", "all");
  conf.set("enable.idempotence", "true");
  if (transactional_id_.empty()) {
    conf.set("enable.gapless.guarantee", "true");
    conf.set("message.timeout.ms", "0");  // the default drops after 300 s
  } else {
    conf.set("transactional.id", transactional_id_);  // no message waits longer than its transaction may: 60 s
    conf.set("transaction.timeout.ms", std::to_string(kTransactionMilliseconds));
  }
  conf.set("message.max.bytes", std::to_string(16 << 20));  // the broker judges
  conf.set("batch.size", std::to_string(batch_bytes_));
  // Smaller batches mean that the broker refused one for its size. A broker takes any sequence number as a new
  // producer's first, so what is on its way behind a refused first message would overtake it.
  if (batch_bytes_ < kBatchBytes) conf.set("max.in.flight.requests.per.connection", "1");
  conf.set("linger.ms", "5");
  conf.set("queue.buffering.max.messages", "2000000");  // with 100,000 it is 18 times slower
  conf.set("queue.buffering.max.kbytes", std::to_string(kInFlightBytesMax >> 10));
  conf.set("compression.type", "lz4");
  conf.set("partitioner", "murmur2_random");  // as Java's
  rd_kafka_conf_set_opaque(conf.get(), client.get());
  rd_kafka_conf_set_dr_msg_cb(conf.get(), &Client::on_report);
  rd_kafka_conf_set_error_cb(conf.get(), &Client::on_error);
  client->kafka = YUSHI_TRY(conf.make(RD_KAFKA_PRODUCER));
  client_ = std::move(client);
  return {};
}

void KafkaProducer::close() {
  if (client_ == nullptr) return;
  rd_kafka_purge(client_->kafka, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  while (rd_kafka_poll(client_->kafka, 0) > 0) {
  }
  next_batch_bytes_ = client_->next_batch_bytes;
  client_.reset();
}

Sink::Queued KafkaProducer::send(Sink::What what, const Message& message, std::string_view format, uint64_t token,
                                 bool alone) {
  return send(static_cast<size_t>(what), message, format, token, alone);
}

Sink::Queued KafkaProducer::send(size_t topic, const Message& message, std::string_view format, uint64_t token,
                                 bool alone) {
  client_->is_alone = alone;
  auto*& handle = client_->topics[topic];
  if (handle == nullptr) {
    const std::string* names[] = {&settings_.topic, &settings_.alerts_topic, &settings_.checkpoints_topic,
                                  &settings_.cursors_topic};
    handle = rd_kafka_topic_new(client_->kafka, names[topic]->c_str(), nullptr);
  }
  std::array<rd_kafka_vu_t, 11> parts;
  size_t n = 0;
  auto next = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
    parts[n].vtype = type;
    return parts[n++];
  };
  next(RD_KAFKA_VTYPE_RKT).u.rkt = handle;
  next(RD_KAFKA_VTYPE_MSGFLAGS).u.i = RD_KAFKA_MSG_F_COPY;
  next(RD_KAFKA_VTYPE_VALUE).u.mem = {const_cast<char*>(message.value.data()), message.value.size()};
  next(RD_KAFKA_VTYPE_KEY).u.mem = {const_cast<char*>(message.key.data()), message.key.size()};
  next(RD_KAFKA_VTYPE_OPAQUE).u.ptr = reinterpret_cast<void*>(token);
  auto header = [&](const char* name, std::string_view value) {
    next(RD_KAFKA_VTYPE_HEADER).u.header = {name, value.data(), static_cast<ssize_t>(value.size())};
  };
  if (token == kCursorToken) {
    next(RD_KAFKA_VTYPE_PARTITION).u.i32 = 0;
  } else {
    header("id", message.id);
    header("tenant", message.tenant);
    header("format", format);
    if (!message.entry.empty()) header("entry", message.entry);
    if (message.truncated) header("truncated", "true");  // for the formats that cannot say it inside
  }

  rd_kafka_error_t* error = rd_kafka_produceva(client_->kafka, parts.data(), n);
  if (error == nullptr) return Sink::Queued::yes;
  auto code = rd_kafka_error_code(error);
  std::string words = rd_kafka_error_string(error);
  rd_kafka_error_destroy(error);
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return Sink::Queued::full;
  if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) return Sink::Queued::too_large;
  client_->listener->on_error(words, SinkListener::Trouble::fatal);
  return Sink::Queued::failed;
}

void KafkaProducer::poll(int milliseconds) { rd_kafka_poll(client_->kafka, milliseconds); }

bool KafkaProducer::is_answered(int milliseconds) const {
  const struct rd_kafka_metadata* metadata = nullptr;
  if (rd_kafka_metadata(client_->kafka, 0, nullptr, &metadata, milliseconds) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return false;
  rd_kafka_metadata_destroy(metadata);
  return true;
}

// ----------------------------------------------------------------------------------------------------------
// transactions

namespace {

Result<void> result_of(rd_kafka_error_t* error, const char* doing) {
  if (error == nullptr) return {};
  const bool again = rd_kafka_error_is_retriable(error) != 0;
  std::string words = std::string(doing) + ": " + rd_kafka_error_string(error);
  rd_kafka_error_destroy(error);
  return fail(again ? Code::unavailable : Code::io, std::move(words));
}

}  // namespace

Result<void> KafkaProducer::init_transactions(int milliseconds) {
  return result_of(rd_kafka_init_transactions(client_->kafka, milliseconds), "taking up the forwarder's transactions");
}

Result<void> KafkaProducer::begin_transaction() {
  return result_of(rd_kafka_begin_transaction(client_->kafka), "beginning a transaction");
}

Sink::Queued KafkaProducer::send_cursor(const std::string& value) {
  Message message;
  message.key = transactional_id_;
  message.value = value;
  return send(kCursorTopic, message, {}, kCursorToken, false);
}

Result<void> KafkaProducer::commit_transaction(int milliseconds) {
  return result_of(rd_kafka_commit_transaction(client_->kafka, milliseconds), "committing a transaction");
}

}  // namespace yushi::forward
