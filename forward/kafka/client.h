// One librdkafka client as all of ours are: where its brokers are, TLS and SASL, silent.
//
// Threads  One owner.
// Errors   What librdkafka refuses of the settings is kept, and told by make().
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>

#include "core/base/result.h"
#include "forward/kafka/kafka.h"

namespace yushi::forward {

class ClientConf {
 public:
  explicit ClientConf(const KafkaSettings& settings) : conf_(rd_kafka_conf_new()) {
    set("bootstrap.servers", settings.brokers);
    set("client.id", "yushi");
    set("reconnect.backoff.max.ms", "2000");
    set("socket.keepalive.enable", "true");
    for (const auto& [name, value] : settings.properties) set(name, value);
    // Brokers that are away would be told once for each try; the error callback says it once.
    rd_kafka_conf_set_log_cb(conf_, [](const rd_kafka_t*, int, const char*, const char*) {});
  }
  ~ClientConf() {
    if (conf_ != nullptr) rd_kafka_conf_destroy(conf_);
  }
  ClientConf(const ClientConf&) = delete;

  void set(const std::string& name, const std::string& value) {
    if (!refused_)
      refused_ = rd_kafka_conf_set(conf_, name.c_str(), value.c_str(), why_, sizeof why_) != RD_KAFKA_CONF_OK;
  }
  rd_kafka_conf_t* get() { return conf_; }

  // invalid when librdkafka refuses a setting. Once; the caller destroys the client.
  Result<rd_kafka_t*> make(rd_kafka_type_t type) {
    if (refused_) return fail(Code::invalid, std::string("Kafka: librdkafka refuses a setting: ") + why_);
    auto* client = rd_kafka_new(type, conf_, why_, sizeof why_);
    if (client == nullptr) return fail(Code::invalid, std::string("Kafka: ") + why_);
    conf_ = nullptr;
    return client;
  }

 private:
  rd_kafka_conf_t* conf_;
  bool refused_ = false;
  char why_[512] = "";
};

}  // namespace yushi::forward
