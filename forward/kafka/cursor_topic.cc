#include "forward/kafka/cursor_topic.h"

#include <chrono>

#include "forward/kafka/client.h"

namespace yushi::forward {
namespace {

constexpr int kAskMilliseconds = 2000;
constexpr auto kSegmentBytes = "16777216";  // what is not full is not compacted: a start reads it all

template <class T, void (*destroy)(T*)>
struct Destroy {
  void operator()(T* what) const { destroy(what); }
};
template <class T, void (*destroy)(T*)>
using Owned = std::unique_ptr<T, Destroy<T, destroy>>;
using Event = Owned<rd_kafka_event_t, rd_kafka_event_destroy>;
using Queue = Owned<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using AdminOptions = Owned<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;

AdminOptions admin_options(rd_kafka_t* client, rd_kafka_admin_op_t operation) {
  AdminOptions options(rd_kafka_AdminOptions_new(client, operation));
  char why[256];
  rd_kafka_AdminOptions_set_request_timeout(options.get(), kAskMilliseconds, why, sizeof why);
  return options;
}

Error error_of(rd_kafka_resp_err_t error, const std::string& doing, const char* words = nullptr) {
  return Error{
      error == RD_KAFKA_RESP_ERR__TIMED_OUT || error == RD_KAFKA_RESP_ERR__TRANSPORT ? Code::unavailable : Code::io,
      doing + ": " + (words != nullptr ? words : rd_kafka_err2str(error))};
}

const std::string kByHand = "; make it by hand, with one partition and cleanup.policy=compact";

// Asked first: who may not make topics may use one that is there.
Result<bool> has_topic(rd_kafka_t* client, const std::string& name) {
  Owned<rd_kafka_topic_t, rd_kafka_topic_destroy> topic(rd_kafka_topic_new(client, name.c_str(), nullptr));
  const struct rd_kafka_metadata* metadata = nullptr;
  if (auto error = rd_kafka_metadata(client, 0, topic.get(), &metadata, kAskMilliseconds))
    return tl::unexpected(error_of(error, "asking for the topic " + name));
  const bool is_there = metadata->topic_cnt == 1 && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR;
  rd_kafka_metadata_destroy(metadata);
  return is_there;
}

Result<void> create_topic(rd_kafka_t* client, const std::string& name) {
  const std::string doing = "making the topic " + name + " for cursors";
  char why[512] = "";
  Owned<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy> topic(
      rd_kafka_NewTopic_new(name.c_str(), 1, -1, why, sizeof why));
  if (!topic) return fail(Code::io, doing + ": " + why + kByHand);
  rd_kafka_NewTopic_set_config(topic.get(), "cleanup.policy", "compact");
  rd_kafka_NewTopic_set_config(topic.get(), "segment.bytes", kSegmentBytes);
  Queue queue(rd_kafka_queue_new(client));
  auto options = admin_options(client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
  auto* asked = topic.get();
  rd_kafka_CreateTopics(client, &asked, 1, options.get(), queue.get());
  Event event(rd_kafka_queue_poll(queue.get(), kAskMilliseconds));
  if (!event) return fail(Code::unavailable, doing + ": no answer");
  if (auto error = rd_kafka_event_error(event.get()))
    return tl::unexpected(error_of(error, doing, rd_kafka_event_error_string(event.get())));
  size_t count = 0;
  auto** made = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  auto error = count == 1 ? rd_kafka_topic_result_error(made[0]) : RD_KAFKA_RESP_ERR_UNKNOWN;
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return {};
  auto failed = error_of(error, doing, count == 1 ? rd_kafka_topic_result_error_string(made[0]) : nullptr);
  failed.message += kByHand;
  return tl::unexpected(std::move(failed));
}

// One that is not compacted forgets the cursor of a forwarder that has nothing to send for a week. Who may not ask has
// to know it himself.
Result<void> check_topic(rd_kafka_t* client, const std::string& name) {
  const std::string doing = "asking for the settings of the topic " + name;
  Owned<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy> resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
  Queue queue(rd_kafka_queue_new(client));
  auto options = admin_options(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
  auto* asked = resource.get();
  rd_kafka_DescribeConfigs(client, &asked, 1, options.get(), queue.get());
  Event event(rd_kafka_queue_poll(queue.get(), kAskMilliseconds));
  if (!event) return fail(Code::unavailable, doing + ": no answer");
  if (auto error = rd_kafka_event_error(event.get()))
    return tl::unexpected(error_of(error, doing, rd_kafka_event_error_string(event.get())));
  size_t count = 0;
  auto** told = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  if (count != 1) return fail(Code::io, doing + ": no answer");
  auto error = rd_kafka_ConfigResource_error(told[0]);
  if (error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) return {};
  if (error) return tl::unexpected(error_of(error, doing, rd_kafka_ConfigResource_error_string(told[0])));
  auto** entries = rd_kafka_ConfigResource_configs(told[0], &count);
  for (size_t i = 0; i < count; ++i) {
    if (std::string_view(rd_kafka_ConfigEntry_name(entries[i])) != "cleanup.policy") continue;
    const auto* policy = rd_kafka_ConfigEntry_value(entries[i]);
    if (policy == nullptr || std::string_view(policy) != "compact")
      return fail(Code::refused, "the topic " + name + " has cleanup.policy=" + (policy == nullptr ? "" : policy) +
                                     " and would forget cursors; set it to compact, or name another cursors_topic");
  }
  return {};
}

}  // namespace

// Two clients, for the end of what is written and of what is committed are two things. Between them lies what others
// have not committed yet; a commit of ours may lie behind it and is seen when theirs has ended.
struct CursorTopic::Client {
  rd_kafka_t *any = nullptr, *committed = nullptr;
  rd_kafka_topic_t* topic = nullptr;
  bool reads = false;
  int64_t end = 0;
  std::optional<std::string> found;

  ~Client() {
    if (reads) rd_kafka_consume_stop(topic, 0);
    if (topic != nullptr) rd_kafka_topic_destroy(topic);
    if (committed != nullptr) rd_kafka_destroy(committed);
    if (any != nullptr) rd_kafka_destroy(any);
  }
};

CursorTopic::CursorTopic(const KafkaSettings& settings, std::string key) : settings_(settings), key_(std::move(key)) {}
CursorTopic::~CursorTopic() = default;

void CursorTopic::close() { client_.reset(); }

Result<void> CursorTopic::open() {
  auto client = std::make_unique<Client>();
  ClientConf any(settings_), committed(settings_);
  any.set("isolation.level", "read_uncommitted");
  committed.set("isolation.level", "read_committed");
  committed.set("enable.partition.eof", "true");
  committed.set("auto.offset.reset", "earliest");
  client->any = YUSHI_TRY(any.make(RD_KAFKA_CONSUMER));
  client->committed = YUSHI_TRY(committed.make(RD_KAFKA_CONSUMER));
  const bool is_there = YUSHI_TRY(has_topic(client->any, settings_.cursors_topic));
  if (!is_there) YUSHI_TRY(create_topic(client->any, settings_.cursors_topic));
  YUSHI_TRY(check_topic(client->any, settings_.cursors_topic));
  int64_t begin = 0;
  if (auto error = rd_kafka_query_watermark_offsets(client->any, settings_.cursors_topic.c_str(), 0, &begin,
                                                    &client->end, kAskMilliseconds))
    return tl::unexpected(Error{Code::unavailable, "asking for the end of the topic " + settings_.cursors_topic + ": " +
                                                       rd_kafka_err2str(error)});
  client->topic = rd_kafka_topic_new(client->committed, settings_.cursors_topic.c_str(), nullptr);
  if (client->end > begin) {
    if (rd_kafka_consume_start(client->topic, 0, RD_KAFKA_OFFSET_BEGINNING) != 0)
      return tl::unexpected(error_of(rd_kafka_last_error(), "reading the topic " + settings_.cursors_topic));
    client->reads = true;
  }
  client_ = std::move(client);
  return {};
}

Result<std::optional<std::string>> CursorTopic::newest(int milliseconds) {
  if (!client_) YUSHI_TRY(open());
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  bool is_there = !client_->reads;
  while (!is_there) {
    if (std::chrono::steady_clock::now() >= until)
      return fail(Code::unavailable, "the topic " + settings_.cursors_topic + " is not read yet");
    Owned<rd_kafka_message_t, rd_kafka_message_destroy> message(rd_kafka_consume(client_->topic, 0, 100));
    if (!message) continue;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      is_there = message->offset >= client_->end;
    } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return tl::unexpected(error_of(message->err, "reading the topic " + settings_.cursors_topic));
    } else {
      is_there = message->offset >= client_->end;
      if (std::string_view(static_cast<const char*>(message->key), message->key_len) != key_) continue;
      client_->found.reset();
      // Without a value it was taken back.
      if (message->payload) client_->found.emplace(static_cast<const char*>(message->payload), message->len);
    }
  }
  return client_->found;
}

}  // namespace yushi::forward
