#include "forward/message.h"

#include <gtest/gtest.h>

#include "core/filter/secret_mask.h"
#include "core/ledger/sha256.h"
#include "record.pb.h"
#include "storage/tail/leaf.h"

namespace yushi::forward {
namespace {

class MessageOfARecord : public testing::Test {
 protected:
  MessageOfARecord() {
    origin_.received_ns = 1'793'491'200'123'456'789;
    origin_.source = "10.1.2.3";
    origin_.address = "10.1.2.3";
    origin_.log = "finance";
    origin_.node = "log-01";
    record_.raw = raw_;
    record_.origin = &origin_;
    record_.event_ns = origin_.received_ns;
    record_.index = 7;
    record_.source_seq = 5;
    record_.message_begin = 16;
    record_.message_length = static_cast<uint32_t>(raw_.size() - 16);
    captures_ = {{5, 6, 0, ecs::host_name}};
    record_.captures = captures_;
  }

  Message make(ForwardFormat format, size_t value_bytes_max = SIZE_MAX) {
    Message message;
    MessageMaker(format).make(record_, value_bytes_max, message);
    return message;
  }

  std::string raw_ = "<13> web-01 app: hello \"world\"\n\xff end";
  Origin origin_;
  std::vector<Capture> captures_;
  Record record_;
};

TEST_F(MessageOfARecord, HasKeyAndHeadersByWhichAReaderKnowsIt) {
  auto message = make(ForwardFormat::raw);
  EXPECT_EQ(message.key, "finance/web-01");
  EXPECT_EQ(message.id, "finance/7");
  EXPECT_EQ(message.tenant, "finance");
  EXPECT_EQ(message.entry, "1793491200123456789 10.1.2.3 5 tcp");
  EXPECT_EQ(message.value, raw_);
  EXPECT_FALSE(message.truncated);
}

TEST_F(MessageOfARecord, WithoutAHostNameGoesByItsSourceAddress) {
  record_.captures = {};
  EXPECT_EQ(make(ForwardFormat::raw).key, "finance/10.1.2.3");
}

TEST_F(MessageOfARecord, OfANewEpochOrAnArchiverNamesItsTenant) {
  EXPECT_EQ(tenant_of_log("finance@2"), "finance");
  EXPECT_EQ(tenant_of_log("finance:topic:3"), "finance");
  origin_.log = "finance@2";
  auto message = make(ForwardFormat::raw);
  EXPECT_EQ(message.tenant, "finance");
  EXPECT_EQ(message.id, "finance@2/7");
}

TEST_F(MessageOfARecord, TheEntryHeaderIsTheLeafEntryWithoutTheDigest) {
  std::string entry;
  make_entry_head(storage::entry_head_of(record_), entry);
  append_digest(sha256(raw_), entry);
  EXPECT_EQ(make(ForwardFormat::raw).entry, entry.substr(0, entry.rfind(' ')));
}

// Of a line in which a secret is hidden nothing tells what it was, not even a hash by which to try.
TEST_F(MessageOfARecord, WithSecretsMaskedNoFormatHoldsOrProvesThem) {
  auto files = read_secret_directories({YUSHI_SOURCE_DIR "/config/secrets"});
  ASSERT_TRUE(files);
  auto rules = SecretRules::load(*files);
  ASSERT_TRUE(rules);
  raw_ = "<13> web-01 app: user=li password=hunter2 \xff end";
  record_.raw = raw_;
  record_.message_length = static_cast<uint32_t>(raw_.size() - 16);
  captures_.push_back({34, 7, 0, find_field("user.name")});
  record_.captures = captures_;
  SecretMask mask(*rules);
  for (auto format : {ForwardFormat::raw, ForwardFormat::ecs_json, ForwardFormat::protobuf}) {
    Message message;
    MessageMaker(format).make(mask.mask(record_), SIZE_MAX, message);
    EXPECT_EQ(message.value.find("hunter2"), std::string::npos) << message.value;
    EXPECT_NE(message.value.find("[masked]"), std::string::npos) << message.value;
    EXPECT_EQ(message.id, "finance/7");
    EXPECT_EQ(message.entry, "1793491200123456789 10.1.2.3 5 tcp");
    v1::Record proto;
    if (format != ForwardFormat::protobuf) continue;
    ASSERT_TRUE(proto.ParseFromString(message.value));
    EXPECT_EQ(proto.entry(), message.entry);
    EXPECT_EQ(proto.raw(), "<13> web-01 app: user=li password=[masked] \xff end");
  }
}

TEST_F(MessageOfARecord, AsProtobufHasTheRawBytesTheWholeEntryAndTypedFields) {
  v1::Record proto;
  ASSERT_TRUE(proto.ParseFromString(make(ForwardFormat::protobuf).value));
  EXPECT_EQ(proto.log(), "finance");
  EXPECT_EQ(proto.index(), 7u);
  EXPECT_EQ(proto.raw(), raw_);
  std::string entry;
  make_entry_head(storage::entry_head_of(record_), entry);
  append_digest(sha256(raw_), entry);
  EXPECT_EQ(proto.entry(), entry);
  std::string host;
  for (const auto& field : proto.fields()) {
    if (field.name() == "host.name") host = field.s();
    EXPECT_NE(field.name(), "event.original");
  }
  EXPECT_EQ(host, "web-01");
}

TEST_F(MessageOfARecord, InItsTenantsCharsetGoesOutAsTextAndRaw) {
  raw_ = "<13> \xd6\xf7\xbb\xfa app: \xb5\xc7\xc2\xbc";
  record_.raw = raw_;
  record_.charset = charset_of(raw_, Charset::gb18030);
  record_.message_begin = 15;
  record_.message_length = 4;
  captures_[0].length = 4;
  auto message = make(ForwardFormat::protobuf);
  EXPECT_EQ(message.key, "finance/主机");
  v1::Record proto;
  ASSERT_TRUE(proto.ParseFromString(message.value));
  EXPECT_EQ(proto.raw(), raw_);
  std::string texts;
  for (const auto& field : proto.fields())
    if (field.name() == "host.name" || field.name() == "message") texts += field.s() + " ";
  EXPECT_EQ(texts, "主机 登录 ");
  auto json = make(ForwardFormat::ecs_json).value;
  for (auto* part : {"\"name\":\"主机\"", "\"message\":\"登录\"", "\"original\":\"<13> 主机 app: 登录\"", "raw_base64"})
    EXPECT_NE(json.find(part), std::string::npos) << json;
}

TEST_F(MessageOfARecord, AsJsonIsOneLine) {
  auto message = make(ForwardFormat::ecs_json);
  EXPECT_EQ(message.value.find('\n'), std::string::npos);
  EXPECT_NE(message.value.find("\"web-01\""), std::string::npos);
  EXPECT_NE(message.value.find("finance/7"), std::string::npos);
}

TEST_F(MessageOfARecord, TooLargeIsCutAndSaysSoAndKeepsItsId) {
  raw_ = "<13> web-01 app: " + std::string(60'000, 'x');
  record_.raw = raw_;
  record_.message_length = static_cast<uint32_t>(raw_.size() - 16);
  for (auto format : {ForwardFormat::ecs_json, ForwardFormat::raw, ForwardFormat::protobuf}) {
    auto message = make(format, 5'000);
    EXPECT_LE(message.value.size(), 5'000u) << format_name(format);
    EXPECT_GT(message.value.size(), 1'000u) << format_name(format);
    EXPECT_TRUE(message.truncated);
    EXPECT_EQ(message.id, "finance/7");
    EXPECT_EQ(message.key, "finance/web-01");
  }
  EXPECT_NE(make(ForwardFormat::ecs_json, 5'000).value.find("\"truncated\":true"), std::string::npos);
}

TEST_F(MessageOfARecord, ThatCannotFitAtAllStillTellsItsId) {
  auto message = make(ForwardFormat::ecs_json, 100);
  EXPECT_EQ(message.value, R"({"event":{"id":"finance/7"},"yushi":{"truncated":true}})");
  v1::Record proto;
  ASSERT_TRUE(proto.ParseFromString(make(ForwardFormat::protobuf, 100).value));
  EXPECT_EQ(proto.index(), 7u);
  EXPECT_TRUE(proto.raw().empty());
  ASSERT_EQ(proto.fields_size(), 1);
  EXPECT_TRUE(proto.fields(0).b());
}

}  // namespace
}  // namespace yushi::forward
