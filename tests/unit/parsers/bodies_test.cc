// Readers of bodies by tests/cases/bodies.jsonl: a text, and the pairs that it gives (null: it is no such body), values
// as they are meant.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "core/record/value.h"
#include "parsers/authoring/check.h"
#include "parsers/body/body_reader.h"
#include "parsers/body/body_shape.h"
#include "parsers/file/key_table.h"
#include "parsers/parser_set.h"

namespace yushi::parsers {
namespace {

const std::map<std::string, Body> kForms = {{"json", Body::json},   {"key-value", Body::key_values},
                                            {"cef", Body::cef},     {"leef", Body::leef},
                                            {"csv", Body::csv},     {"xml", Body::xml},
                                            {"names", Body::names}, {"none", Body::none}};

void check_shape(const nlohmann::json& test) {
  const auto text = test["text"].get<std::string>();
  const auto shape = shape_of(text);
  EXPECT_EQ(static_cast<int>(shape.form), static_cast<int>(kForms.at(test["shape"][0]))) << text;
  EXPECT_EQ(shape.begin, test["shape"][1].get<size_t>()) << text;
}

TEST(Bodies, GiveThePairsOfTheCaseFile) {
  const KeyTable keys("x.", {}, {}, {});
  std::ifstream in(YUSHI_SOURCE_DIR "/tests/cases/bodies.jsonl");
  ASSERT_TRUE(in);
  size_t cases = 0;
  for (std::string line; std::getline(in, line); ++cases) {
    const auto test = nlohmann::json::parse(line);
    if (test["form"] == "shape") {
      check_shape(test);
      continue;
    }
    BodyReader reader;
    BodyShape shape;
    if (test.contains("columns")) shape.csv.columns = test["columns"].get<std::vector<std::string>>();
    shape.csv.separator = test.value("separator", "");
    shape.pairs = {test.value("between", ""), test.value("equals", "")};
    // In the middle of a text: offsets count from its beginning, and nothing behind the end is read.
    const auto body = test["text"].get<std::string>();
    const std::string text = "=1 " + body + "\"}>9";
    const bool ok = reader.read(kForms.at(test["form"]), text, 3, 3 + body.size(), keys, shape, 0);
    EXPECT_EQ(ok, !test["pairs"].is_null()) << body;
    auto pairs = nlohmann::json::array();
    Scratch scratch;
    uint32_t at = 3;
    for (auto& pair : reader.pairs().list()) {
      EXPECT_GE(pair.begin, at) << body;
      EXPECT_LE(pair.begin + pair.length, 3 + body.size()) << body;
      at = pair.begin + pair.length;
      pairs.push_back({pair.name->path, decode_escape(reader.pairs().value(pair), pair.escape, scratch)});
    }
    EXPECT_EQ(pairs, ok ? test["pairs"] : nlohmann::json::array()) << body;
  }
  EXPECT_GT(cases, 50u);
}

TEST(Bodies, AreReadOnceHoweverManyAsk) {
  const KeyTable keys("x.", {}, {}, {});
  BodyReader reader;
  const BodyShape shape;
  std::string text = R"({"a":1})";
  ASSERT_TRUE(reader.read(Body::json, text, 0, text.size(), keys, shape, 2));
  text[1] = 'x';  // a second reading would fail
  EXPECT_TRUE(reader.read(Body::json, text, 0, text.size(), keys, shape, 2));
  reader.forget();
  EXPECT_FALSE(reader.read(Body::json, text, 0, text.size(), keys, shape, 2));
}

TEST(Bodies, NamesOfAHostileMessageAreBounded) {
  const KeyTable keys("x.", {}, {}, {});
  BodyReader reader;
  const BodyShape shape;
  for (int round = 0; round < 20; ++round) {
    std::string text = "{";
    for (int i = 0; i < 5000; ++i)
      text += (i ? ",\"" : "\"") + std::string("r") + std::to_string(round) + "k" + std::to_string(i) + "\":{\"z\":[]}";
    text += "}";
    ASSERT_TRUE(reader.read(Body::json, text, 0, text.size(), keys, shape, 0));
    EXPECT_LE(reader.pairs().list().size(), BodyPairs::kPairsMax);
  }
  // Quotes and brackets that nobody closes cost no more than a look at the text each.
  std::string open;
  for (int i = 0; i < 20'000; ++i) open += " k" + std::to_string(i) + (i % 2 ? "=\"x" : "={x");
  EXPECT_TRUE(reader.read(Body::key_values, open, 0, open.size(), keys, shape, 0));
  EXPECT_TRUE(reader.pairs().is_capped());
}

// Every option of keys, in the manner of a product's file.
TEST(Bodies, KeysSayWhereValuesGo) {
  std::ifstream in(YUSHI_SOURCE_DIR "/tests/cases/bodies_parser.yaml");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto set = ParserSet::load({{"demo.yaml", "demo.yaml", text}});
  ASSERT_TRUE(set) << set.error().message;
  const auto report = run_parser_tests(*set);
  EXPECT_GT(report.tests, 15u);
  for (auto& failure : report.failures) ADD_FAILURE() << failure;
}

class BodyRoutes : public testing::Test {
 protected:
  void load(const std::vector<std::string>& texts) {
    std::vector<ParserFile> files;
    for (auto& text : texts) {
      const auto name = "p" + std::to_string(files.size()) + ".yaml";
      files.push_back({name, name, text});
    }
    auto set = ParserSet::load(files);
    ASSERT_TRUE(set) << set.error().message;
    worker_ = std::make_unique<ParserWorker>(*set);
  }

  // "parser/pattern" of a message of no known program; its header gave `captures_`.
  std::string parse(const std::string& message) {
    raw_ = message;
    record_ = Record();
    record_.raw = raw_;
    record_.origin = &origin_;
    record_.message_begin = begin_;
    record_.message_length = static_cast<uint32_t>(raw_.size()) - begin_;
    worker_->parse(record_, *Zone::utc(), arena_, captures_);
    record_.captures = captures_;
    return record_.kind ? record_.kind->parser + "/" + record_.kind->pattern : "none";
  }

  std::string value(std::string_view name) {
    std::string out;
    scratch_.clear();
    const auto take = [](void* context, const Value& v) {
      auto& to = *static_cast<std::string*>(context);
      to += (to.empty() ? "" : ",") + std::string(v.text);
    };
    visit_field(record_, find_field(name), name, scratch_, take, &out);
    captures_.clear();
    return out;
  }

  std::unique_ptr<ParserWorker> worker_;
  Origin origin_;
  Arena arena_;
  Scratch scratch_;
  std::string raw_;
  uint32_t begin_ = 0;
  Record record_;
  std::vector<Capture> captures_;
};

std::string product(const std::string& name, const std::string& keys, const std::string& more = "") {
  return "name: " + name + "\nmatch: {keys: [" + keys +
         "]}\nkeys: {srcip: source.ip}\npatterns:\n  - {name: p, extract: json" + more +
         "}\n  - {name: q, extract: key-value" + more + "}\ntests:\n  - {line: '{\"a\":1}', expect: {user.name: }}\n";
}

const char* const kGenericJson =
    "name: json\ngeneric: true\npatterns:\n  - {name: o, extract: json}\ntests:\n  - {line: '{\"a\":1}', expect: "
    "{json.a: 1}}\n";
const char* const kGenericPairs =
    "name: kv\ngeneric: true\npatterns:\n  - {name: p, extract: key-value}\ntests:\n  - {line: 'a=1 b=2', expect: "
    "{kv.a: 1}}\n";
const char* const kNames = R"(
names:
  source.ip: {names: [src ip, 源IP], grok: '%{IPV4:source.ip}:%{PORT:source.port}'}
  source.port: [src port]
  user.name: [user, login name]
  event.reason: {names: [reason], text: true}
  host.name: [device name]
words:
  - names: [result, act]
    rows: {成功: {event.outcome: success}, denied: {event.type: denied, event.outcome: failure}}
null_values: ['-']
)";

TEST_F(BodyRoutes, ADateAndAClockInColumnsApartAreOneTime) {
  load({R"(
name: acme
match: {any: true}
keys: {日期: '@timestamp.date', 时间: '@timestamp.time', 用户: user.name, 源: source.ip}
patterns:
  - {name: row, extract: csv, columns: [日期, 用户, 时间, 源]}
tests:
  - {line: 'a,b,c,d', expect: {user.name: b}}
)"});
  for (auto* row : {"2026-11-28,li,10:20:30,192.0.2.7", "二〇二六年十一月二十八日,li,十时二十分三十秒,192.0.2.7",
                    "2026年11月28日,li,10:20:30,192.0.2.7"}) {
    EXPECT_EQ(parse(row), "acme/row");
    EXPECT_EQ(record_.event_ns, 1'795'861'230 * kSecond) << row;
    EXPECT_EQ(value("user.name"), "li");
  }
}

TEST_F(BodyRoutes, ABodyIsTheProductsWhoseNamesAreAllThere) {
  load({product("one", "a, b"), product("three", "a, b, c.d"), product("other", "a, z"), kGenericJson, kGenericPairs});
  EXPECT_EQ(parse(R"({"a":1,"b":{},"srcip":"192.0.2.1"})"), "one/p");
  EXPECT_EQ(value("source.ip") + " " + value("one.a"), "192.0.2.1 1");
  EXPECT_EQ(parse(R"({"a":1,"b":2,"c":{"d":null}})"), "three/p");
  EXPECT_EQ(parse(R"({"a":1,"c":{"d":3}})"), "json/o");
  EXPECT_EQ(parse("lead: a=1;z=two words;srcip=192.0.2.1"), "other/q");
  EXPECT_EQ(value("other.z"), "two words");
  EXPECT_EQ(parse("a=1 c=2"), "kv/p");
}

TEST_F(BodyRoutes, AProductThatDoesNotWantTheBodyLeavesItToTheNext) {
  load({product("first", "a, b, c", ", body: {a: '7*'}"), product("second", "a, b"), kGenericJson});
  EXPECT_EQ(parse(R"({"a":"70","b":1,"c":1})"), "first/p");
  EXPECT_EQ(parse(R"({"a":"60","b":1,"c":1})"), "second/p");
}

TEST_F(BodyRoutes, TheDictionaryKnowsProductsNames) {
  load({kNames, kGenericJson, kGenericPairs});
  EXPECT_EQ(parse("SRC_IP=192.0.2.1:77 src-port=5 login-name=li act=denied reason=no such user x=1"), "kv/p");
  EXPECT_EQ(value("source.ip"), "192.0.2.1");
  parse("SRC_IP=192.0.2.1:77 src-port=5 login-name=li act=denied reason=no such user x=1");
  EXPECT_EQ(value("event.outcome"), "failure");
  parse("user=li wei src ip=- result=成功 user=root device name=x");
  EXPECT_EQ(value("user.name"), "");  // of several words, and nothing holds them together
  parse("user=li;user=root;result=成功");
  EXPECT_EQ(value("yushi.repeated_name"), "user");
  parse(R"({"content":{"源IP":"192.0.2.1"},"user":"li","src_ip":"none"})");
  EXPECT_EQ(value("source.ip"), "192.0.2.1");
  parse(R"({"content":{"源IP":"192.0.2.1"},"user":"li","src_ip":"none"})");
  EXPECT_EQ(value("json.src_ip") + value("yushi.inferred"), "nonetrue");
  // In prose nothing is inferred.
  EXPECT_EQ(parse("the user=li came with src_ip=192.0.2.1"), "kv/p");
  EXPECT_EQ(value("source.ip") + value("yushi.inferred"), "");
  EXPECT_EQ(parse("a=1 b=2"), "kv/p");
  EXPECT_EQ(value("yushi.inferred"), "");
}

TEST_F(BodyRoutes, WhatTheHeaderGaveTheDictionaryDoesNotGiveAnew) {
  load({kNames, kGenericPairs});
  begin_ = 5;
  captures_.push_back({0, 4, 0, ecs::host_name});
  EXPECT_EQ(parse("web1 device_name=bank user=li x=1"), "kv/p");
  EXPECT_EQ(value("host.name"), "web1");
}

TEST_F(BodyRoutes, ATagMayBeTheFirstName) {
  load({kNames, kGenericPairs,
        "name: names\ngeneric: true\npatterns:\n  - {name: l, extract: names}\ntests:\n  - {line: 'user: li; src ip: "
        "192.0.2.1', expect: {user.name: li}}\n"});
  captures_.push_back({0, 4, 0, ecs::process_name});
  begin_ = 5;
  EXPECT_EQ(parse("user:li;src ip:192.0.2.1;x:1"), "names/l");
  EXPECT_EQ(record_.message_begin, 0u);
  EXPECT_EQ(value("user.name"), "li");
  captures_.push_back({0, 4, 0, ecs::process_name});
  EXPECT_EQ(parse("sshd:li;src ip:192.0.2.1;x:1"), "none");
  EXPECT_EQ(record_.message_begin, 5u);
}

TEST(Dictionary, SaysWhereItIsWrong) {
  const auto problems = check_parser_files({{"n.yaml", "n.yaml", R"(names:
  source.ip: [src]
  destination.ip: [SRC]
  no.field: [x]
words:
  - {names: [a]}
)"}});
  ASSERT_EQ(problems.size(), 3u);
  EXPECT_EQ(problems[0].substr(0, 11), "n.yaml:3:19");
  EXPECT_EQ(problems[1].substr(0, 10), "n.yaml:4:3");
  EXPECT_EQ(problems[2].substr(0, 10), "n.yaml:6:5");
}

}  // namespace
}  // namespace yushi::parsers
