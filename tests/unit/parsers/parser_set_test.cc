#include "parsers/parser_set.h"
#include "parsers/file/share_directory.h"

#include <gtest/gtest.h>

#include "parsers/authoring/check.h"

namespace yushi::parsers {
namespace {

// A set of small files written here, and one message at a time through it.
class ParserSetTest : public testing::Test {
 protected:
  void load(std::vector<std::string> texts) {
    std::vector<ParserFile> files;
    for (size_t i = 0; i < texts.size(); ++i) {
      auto name = "p" + std::to_string(i) + ".yaml";
      files.push_back({name, name, texts[i]});
    }
    auto set = ParserSet::load(files);
    ASSERT_TRUE(set.has_value()) << set.error().message;
    set_ = *set;
    worker_ = std::make_unique<ParserWorker>(set_);
  }

  // As if the header had given `app` and cut the message off after it.
  const Record& parse(const std::string& app, const std::string& message, std::string_view dataset = {}) {
    raw_ = app.empty() ? message : app + ": " + message;
    captures_.clear();
    record_ = Record();
    record_.raw = raw_;
    record_.origin = &origin_;
    record_.message_begin = static_cast<uint32_t>(raw_.size() - message.size());
    record_.message_length = static_cast<uint32_t>(message.size());
    if (!app.empty()) captures_.push_back({0, static_cast<uint32_t>(app.size()), 0, ecs::process_name});
    worker_->parse(record_, *Zone::utc(), arena_, captures_, dataset);
    record_.captures = captures_;
    return record_;
  }

  std::string kind() const { return record_.kind ? record_.kind->parser + "/" + record_.kind->pattern : "none"; }

  std::string value(std::string_view name) {
    std::string out;
    scratch_.clear();
    visit_field(
        record_, find_field(name), name, scratch_,
        [](void* context, const Value& v) {
          auto& to = *static_cast<std::string*>(context);
          to += (to.empty() ? "" : ",") + std::string(v.text);
        },
        &out);
    return out;
  }

  std::shared_ptr<const ParserSet> set_;
  std::unique_ptr<ParserWorker> worker_;
  Origin origin_;
  Arena arena_;
  Scratch scratch_;
  std::string raw_;
  std::vector<Capture> captures_;
  Record record_;
};

const char* const kDoor = R"(
name: door
aliases: [doors.log]
match: {app: [doord]}
fields: {event.category: [session]}
patterns:
  - name: opened
    grok: 'door %{INT:door.number} opened(?: by %{USER:user.name})?'
    fields: {event.type: [start]}
  - name: any
    grok: 'door %{GREEDYDATA:door.text}'
tests:
  - {line: 'door 5 opened by wang', expect: {door.number: 5}}
  - {line: 'door jammed', expect: {door.text: jammed}}
)";

const char* const kPairs = R"(
name: kv
generic: true
patterns: [{name: pairs, extract: key-value}]
tests: [{line: 'a=1 b=2', expect: {kv.a: 1}}]
)";

const char* const kJson = R"(
name: json
generic: true
patterns: [{name: object, extract: json}]
tests: [{line: '{"a":1}', expect: {json.a: 1}}]
)";

TEST_F(ParserSetTest, TheFirstPatternOfTheFileThatMatchesWins) {
  load({kDoor});
  parse("doord", "door 5 opened by wang");
  EXPECT_EQ(kind(), "door/opened");
  EXPECT_EQ(value("door.number"), "5");
  EXPECT_EQ(value("event.category"), "session");
  parse("doord", "door 5 burned");
  EXPECT_EQ(kind(), "door/any");
}

TEST_F(ParserSetTest, TheAppIsFoundWhateverItsCaseAndFolder) {
  load({kDoor});
  for (auto* app : {"doord", "DOORD", "/usr/sbin/doord", "(doord)", "doord/worker"}) {
    parse(app, "door 5 opened");
    EXPECT_EQ(kind(), "door/opened") << app;
  }
  parse("windowd", "door 5 opened");
  EXPECT_EQ(kind(), "none");
  parse("windowd", "door 5 opened", "doors.log");
  EXPECT_EQ(kind(), "door/opened");
}

TEST_F(ParserSetTest, ALineThatTwoParsersClaimIsTheFirstOnesAndIsCounted) {
  const auto shaped = [](const std::string& name, const std::string& more) {
    return "name: " + name + "\n" + more + R"(match: {any: true}
patterns: [{name: line, grok: 'door %{INT:)" +
           name + R"(.n} opened(?: by .*)?'}]
tests: [{line: 'door 5 opened', expect: {)" +
           name + R"(.n: 5}}]
)";
  };
  load({kDoor, shaped("shape", "")});
  for (int i = 0; i < 252; ++i) {
    parse("doord", "door 5 opened by wang");
    ASSERT_EQ(kind(), "door/opened");
    ASSERT_EQ(value("door.number"), "5");
    ASSERT_EQ(value("user.name"), "wang");
    ASSERT_EQ(value("shape.n"), "");
  }
  EXPECT_EQ(worker_->ambiguous(), 2u * 251) << "the first message and the 252nd are offered";
  parse("doord", "door 5 jammed");
  EXPECT_EQ(worker_->ambiguous(), 2u * 251);

  load({kDoor});
  for (int i = 0; i < 300; ++i) parse("doord", "door 5 opened");
  EXPECT_EQ(worker_->ambiguous(), 0u);
  load({shaped("a", "format: same\n"), shaped("b", "format: same\n"), kPairs});
  parse("other", "door 5 opened by x=1 y=2");
  EXPECT_EQ(kind(), "a/line");
  EXPECT_EQ(worker_->ambiguous(), 0u) << "those of one format share their lines, and generic ones know all";
  load({shaped("a", ""), shaped("b", "")});
  parse("other", "door 5 opened");
  EXPECT_EQ(kind(), "a/line") << "by file name";
  EXPECT_EQ(worker_->ambiguous(), 251u);
}

TEST_F(ParserSetTest, GenericParsersAreAskedLast) {
  load({kDoor, kPairs, kJson});
  parse("doord", "door a=1 b=2");
  EXPECT_EQ(kind(), "door/any");
  parse("other", "door a=1 b=2");
  EXPECT_EQ(kind(), "kv/pairs");
  EXPECT_EQ(value("kv.b"), "2");
}

TEST_F(ParserSetTest, CapturesAreAscendingSpansOfRawEvenWhenBytesDoNotDecode) {
  load({kDoor, kPairs, kJson});
  for (std::string message :
       {"door \xd3\xc3\xbb\xa7 opened", "u=\xb1\x7c b=\xff\xfe c=3", "{\"a\":\"\xc4\xe3\",\"b\":[1,2]}"}) {
    parse("doord", message);
    ASSERT_TRUE(record_.kind) << message;
    uint32_t at = 0;
    for (auto& capture : record_.captures) {
      EXPECT_GE(capture.begin, at);
      EXPECT_GT(capture.length, 0u);
      at = capture.end();
    }
    EXPECT_LE(at, raw_.size());
  }
  parse("doord", "door \xd3\xc3\xbb\xa7 opened");
  EXPECT_EQ(record_.text(record_.captures.back()), "\xd3\xc3\xbb\xa7 opened");
}

const char* const kOwn = R"(
name: own.log
match: {transport: [internal, journald]}
patterns: [{name: record, extract: json}]
tests: [{line: '{"event":{"action":"x"}}', expect: {event.action: x}}]
)";

TEST_F(ParserSetTest, BlanksAroundAMessageAreNotMatched) {
  load({kDoor, kPairs, kJson});
  for (std::string lead : {"", " ", "  ", "\t", " \t ", "[ID 800047 auth.info] ", " [ID 7 local0.notice]  "}) {
    for (std::string trail : {"", " ", "\r", "\t \r\n"}) {
      SCOPED_TRACE("'" + lead + "' '" + trail + "'");
      auto& record = parse("doord", lead + "door 5 opened by wang" + trail);
      EXPECT_EQ(kind(), "door/opened");
      EXPECT_EQ(value("user.name"), "wang");
      EXPECT_EQ(record.message(), lead + "door 5 opened by wang" + trail) << "the message keeps every byte";
      parse("", lead + "a=1 b=2" + trail);
      EXPECT_EQ(kind() + " " + value("kv.a") + value("kv.b"), "kv/pairs 12");
      parse("", lead + "{\"a\":1}" + trail);
      EXPECT_EQ(kind() + " " + value("json.a"), "json/object 1");
      // decoded: the way back to raw begins behind the blanks
      parse("doord", lead +
                         "door \xff\xe4"
                         "5 opened" +
                         trail);
      EXPECT_EQ(kind() + " " + value("door.text"),
                "door/any \xff\xe4"
                "5 opened");
    }
  }
  for (const char* message :
       {" ", "\t", "\r\n", "[ID 1 auth.info] ", "[ID auth.info] door 5 opened", "[ID 1 auth.info door 5 opened",
        "[ID 1 auth.info]door 5 opened", "[ID ", "[ID 1", "[ID 1 a"}) {
    parse("doord", message);
    EXPECT_EQ(kind(), "none") << message;
  }
}

const char* const kTrace = R"(
name: trace
match: {any: true}
patterns:
  - name: frame
    grok: '\s+at %{NOTSPACE:trace.place}'
  - name: prompt
    grok: 'login as %{NOTSPACE:user.name}: '
tests:
  - {line: "\tat x", expect: {trace.place: x}}
  - {line: 'login as wang: ', expect: {user.name: wang}}
)";

TEST_F(ParserSetTest, APatternMayAskForTheBlanksAroundAMessage) {
  load({kTrace});
  for (std::string message : {"\tat pay.run", "  at pay.run", "\tat \xffpay"}) {
    parse("app", message);
    EXPECT_EQ(kind(), "trace/frame") << message;
    EXPECT_EQ(value("trace.place"), message.find("pay.run") != std::string::npos ? "pay.run" : "\xffpay");
  }
  parse("app", "at pay.run");
  EXPECT_EQ(kind(), "none");
  parse("app", "login as wang: ");
  EXPECT_EQ(kind() + " " + value("user.name"), "trace/prompt wang");
}

TEST(ParserSet, ATestLineWithBlanksAroundItReachesItsPattern) {
  EXPECT_TRUE(ParserSet::load({{"a.yaml", "a.yaml", R"(
name: a
match: {any: true}
patterns: [{name: b, grok: 'up %{WORD:a.c}'}]
tests: [{line: ' up now ', expect: {a.c: now}}]
)"}}));
}

TEST_F(ParserSetTest, AParserOfATransportIsAskedForWhatCameThatWayAndForNothingElse) {
  load({kJson, kOwn});
  const std::string ours = R"({"event":{"action":"reload"},"message":"read again","organization":{"name":"x"}})";
  origin_.transport = Transport::internal;
  parse("", ours);
  EXPECT_EQ(kind(), "own.log/record");
  EXPECT_EQ(value("event.dataset"), "own.log");
  EXPECT_EQ(value("event.action"), "reload");
  EXPECT_EQ(value("message"), "read again");
  for (auto transport : {Transport::udp, Transport::tcp, Transport::unix_socket, Transport::file}) {
    origin_.transport = transport;
    parse("", ours);
    EXPECT_EQ(kind(), "json/object") << transport_name(transport);
    EXPECT_EQ(value("json.organization.name"), "x");
  }
}

TEST_F(ParserSetTest, ATransportThatDoesNotExistIsAProblemWithItsPlace) {
  std::string text = kOwn;
  text.replace(text.find("journald"), 8, "pigeon");
  auto problems = check_parser_files({{"own.yaml", "own.yaml", text}});
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_TRUE(problems[0].starts_with("own.yaml:3:20: 'pigeon'")) << problems[0];
}

TEST_F(ParserSetTest, AJsonSenderCannotSpeakForUs) {
  load({kJson});
  parse("", R"({"organization":{"name":"x"},"event":{"id":"9"},"source":{"ip":"10.0.0.1"},"a":{"b":[1,true,"s\n"]}})");
  EXPECT_EQ(kind(), "json/object");
  EXPECT_EQ(value("json.organization.name"), "x");
  EXPECT_EQ(value("json.event.id"), "9");
  EXPECT_EQ(value("source.ip"), "10.0.0.1");
}

TEST_F(ParserSetTest, WhatTheHeaderNamedAJsonBodyDoesNotNameAnew) {
  load({kJson});
  for (auto* body : {R"({"process.name":"sshd","host.name":"bank","process":{"pid":7}})",
                     R"({"process":{"pid":7,"name":"sshd"},"host":{"name":"bank"}})"}) {
    parse("app", body);
    EXPECT_EQ(value("process.name"), "app");
    EXPECT_EQ(value("json.process.name"), "sshd");
    EXPECT_EQ(value("process.pid"), "7") << "the header gave none";
    EXPECT_EQ(value("host.name"), "bank") << "the header gave none";
    parse("", body);
    EXPECT_EQ(value("process.name"), "sshd") << "what one message had is not remembered for the next";
  }

  // With a header of all parts, and one of ours.
  const std::string header = "2026-11-01T08:00:00Z web1 app 9: ";
  const std::string body =
      R"({"@timestamp":"2020-01-01T00:00:00Z","host":{"name":"bank"},"process":{"name":"sshd","pid":1}})";
  raw_ = header + body;
  for (auto transport : {Transport::udp, Transport::internal}) {
    origin_.transport = transport;
    record_ = Record();
    record_.raw = raw_;
    record_.origin = &origin_;
    record_.event_ns = 1'793'520'000 * kSecond;
    record_.message_begin = static_cast<uint32_t>(header.size());
    record_.message_length = static_cast<uint32_t>(body.size());
    captures_ = {{0, 20, 0, ecs::timestamp},
                 {21, 4, 0, ecs::host_name},
                 {26, 3, 0, ecs::process_name},
                 {30, 1, 0, ecs::process_pid}};
    worker_->parse(record_, *Zone::utc(), arena_, captures_);
    record_.captures = captures_;
    const bool ours = transport == Transport::internal;
    EXPECT_EQ(record_.event_ns == 1'793'520'000 * kSecond, !ours);
    EXPECT_EQ(value("host.name"), ours ? "bank" : "web1");
    EXPECT_EQ(value("process.name"), ours ? "sshd" : "app");
    EXPECT_EQ(value("process.pid"), ours ? "1" : "9");
    EXPECT_EQ(value("json.@timestamp"), ours ? "" : "2020-01-01T00:00:00Z");
    EXPECT_EQ(value("json.host.name"), ours ? "" : "bank");
    EXPECT_EQ(value("json.process.pid"), ours ? "" : "1");
  }
}

TEST_F(ParserSetTest, FieldsBeyondTheBoundAreToldAndCounted) {
  load(
      {"name: json\ngeneric: true\npatterns:\n  - {name: o, extract: json}\ntests:\n  - {line: '{\"a\":1}', expect: "
       "{json.a: 1}}\n",
       "name: kv\ngeneric: true\npatterns:\n  - {name: p, extract: key-value}\ntests:\n  - {line: 'a=1 b=2', expect: "
       "{kv.a: 1}}\n",
       "name: fw\nmatch: {app: [fw]}\nkeys: {k0: fw.k0}\npatterns:\n  - {name: p, grok: 'fw %{KEYVALUES}', variants: "
       "[{name: dropped, when: {fw.k0: ['0']}, fields: {event.action: drop}}]}\n"
       "tests:\n  - {line: 'fw a=1', expect: {fw.a: 1}}\n"});
  for (int fields : {1024, 1025}) {
    std::string json, pairs;
    for (int i = 0; i < fields; ++i) {
      json += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":" + std::to_string(i);
      pairs += "k" + std::to_string(i) + "=" + std::to_string(i) + " ";
    }
    const bool capped = fields > 1024;
    const std::string suffix = capped ? "/capped" : "";
    const auto before = worker_->capped();
    parse("app", "{" + json + "}");
    EXPECT_EQ(kind(), "json/o" + suffix);
    EXPECT_EQ(value("json.k1023"), "1023");
    EXPECT_EQ(value("json.k1024"), "");
    EXPECT_EQ(value("error.message").empty(), !capped);
    parse("app", pairs);
    EXPECT_EQ(kind(), "kv/p" + suffix);
    EXPECT_EQ(value("kv.k1023"), "1023");
    EXPECT_EQ(value("error.message").empty(), !capped);
    parse("fw", "fw " + pairs);
    EXPECT_EQ(kind(), "fw/p/dropped" + suffix);
    EXPECT_EQ(value("event.action"), "drop");
    EXPECT_EQ(value("error.message").empty(), !capped);
    EXPECT_EQ(worker_->capped() - before, capped ? 3u : 0u);
  }
}

TEST_F(ParserSetTest, OfTwoEqualKeysTheFirstCounts) {
  load(
      {"name: kv\ngeneric: true\npatterns:\n  - {name: p, extract: key-value}\ntests:\n  - {line: 'a=1 b=2', expect: "
       "{kv.a: 1}}\n"});
  parse("app", "user=ann ip=10.0.0.1 user=bob ip=203.0.113.5");
  EXPECT_EQ(value("kv.user"), "ann");
  EXPECT_EQ(value("kv.ip"), "10.0.0.1");
  parse("app", "ip=10.0.0.2 user=eve");  // what was seen is of one message
  EXPECT_EQ(value("kv.ip"), "10.0.0.2");

  load({kJson});
  parse(
      "app",
      R"({"source":{"ip":"10.0.0.1"},"a":1,"source.ip":"203.0.113.5","a":2,"b":[1],"b":2,"b":[3],"c":5,"c":[6,7],"d":[{"e":1},2,{"e":3}]})");
  EXPECT_EQ(value("source.ip"), "10.0.0.1");
  EXPECT_EQ(value("json.a"), "1");
  EXPECT_EQ(value("json.b"), "1,3");
  EXPECT_EQ(value("json.c"), "5");
  EXPECT_EQ(value("json.d.e"), "1,3");
  EXPECT_EQ(value("json.d"), "2");
  parse("app", R"({"a":3,"source":{"ip":["10.0.0.2"]},"source.ip":"203.0.113.5"})");
  EXPECT_EQ(value("json.a"), "3");
  EXPECT_EQ(value("source.ip"), "10.0.0.2");
  // Names enough that many of them meet in the table of names.
  std::string many = "{";
  for (auto* said : {"first", "second"})
    for (int i = 0; i < 500; ++i) many += "\"k" + std::to_string(i) + "\":\"" + said + "\",";
  many.back() = '}';
  parse("app", many);
  EXPECT_EQ(captures_.size(), 501u);
  for (int i = 0; i < 500; ++i) EXPECT_EQ(value("json.k" + std::to_string(i)), "first") << i;
}

TEST_F(ParserSetTest, AnArrayForAFieldOfOneValueStaysAList) {
  load(
      {"name: json\ngeneric: true\npatterns:\n  - {name: o, extract: json}\ntests:\n  - {line: '{\"a\":1}', expect: "
       "{json.a: 1}}\n"});
  parse("app", R"({"source":{"ip":["10.0.0.1"]},"host":{"ip":["10.0.0.2","10.0.0.3"]}})");
  EXPECT_EQ(value("source.ip"), "10.0.0.1");
  parse("app", R"({"source":[{"ip":"10.0.0.1"},{"ip":"10.0.0.2"},{"ip":"10.0.0.3"}]})");
  EXPECT_EQ(value("source.ip"), "");
  EXPECT_EQ(value("json.source.ip"), "10.0.0.1,10.0.0.2,10.0.0.3");
}

TEST_F(ParserSetTest, WhatIsNoAddressIsKeptAsTextAndAZoneIsCutOff) {
  load(
      {"name: p\nmatch: {app: [p]}\nkeys: {src: source.ip, dst: destination.ip}\npatterns:\n  - {name: p, grok: "
       "'%{IP:client.ip} %{KEYVALUES}'}\n"
       "tests:\n  - {line: '10.0.0.1 src=10.0.0.2', expect: {source.ip: 10.0.0.2}}\n"});
  parse("p", "fe80::1%eth0.5 src=gate-7 dst=::ffff:192.0.2.1");
  EXPECT_EQ(value("client.ip"), "fe80::1");
  EXPECT_EQ(value("source.ip"), "");
  EXPECT_EQ(value("source.address"), "gate-7");
  EXPECT_EQ(value("destination.ip"), "192.0.2.1");
}

TEST_F(ParserSetTest, JsonThatIsNotWhollyValidIsNoJson) {
  load({kJson});
  for (auto* text :
       {"{", "{}x", "{\"a\":1,}", "{\"a\":01}", "{\"a\":\"\x01\"}", "{\"a\":tru}", "{a:1}", "[1]", "{\"a\":\"\\x\"}"}) {
    parse("", text);
    EXPECT_EQ(kind(), "none") << text;
    EXPECT_TRUE(record_.captures.empty()) << text;
  }
  parse("", " {\"a\" : {} , \"b\" : [ ] , \"c\" : -1.5e+3 } ");
  EXPECT_EQ(kind(), "json/object");
  EXPECT_EQ(value("json.c"), "-1.5e+3");
}

TEST_F(ParserSetTest, NestingWithoutEndNeitherCrashesNorIsBelieved) {
  load({kJson});
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "{\"a\":";
  parse("", deep);
  EXPECT_EQ(kind(), "none");
}

TEST_F(ParserSetTest, ATimeInTheMessageMovesTheEventTime) {
  load({R"(
name: clock
match: {app: [clock]}
patterns: [{name: tick, grok: 'at %{NOTSPACE:@timestamp} tick'}]
tests: [{line: 'at 2026-11-01T08:00:00.5Z tick', expect: {'@timestamp': '2026-11-01T08:00:00.500Z'}}]
)"});
  parse("clock", "at 2026-11-01T08:00:00.5Z tick");
  EXPECT_EQ(record_.event_ns, 1'793'520'000 * kSecond + kSecond / 2);
  EXPECT_EQ(record_.event_digits, 1);
  parse("clock", "at noon tick");
  EXPECT_EQ(kind(), "clock/tick");
  EXPECT_EQ(record_.captures.size(), 1u) << "what is no time is no capture of @timestamp";
}

TEST(ParserSet, TheDigestIsOfNamesAndTextsAndNotOfPaths) {
  auto digest = [](std::string name, std::string path, std::string text) {
    auto set = ParserSet::load({{name, path, text}});
    return set ? (*set)->digest() : set.error().message;
  };
  auto one = digest("a.yaml", "/x/a.yaml", kDoor);
  EXPECT_EQ(one.size(), 64u);
  EXPECT_EQ(one, digest("a.yaml", "/y/a.yaml", kDoor));
  EXPECT_NE(one, digest("b.yaml", "/x/b.yaml", kDoor));
  EXPECT_NE(one, digest("a.yaml", "/x/a.yaml", std::string(kDoor) + "\n"));
}

TEST(ParserSet, OfTwoFilesWithOneNameTheLaterWins) {
  auto set = ParserSet::load({{"a.yaml", "/ours/a.yaml", "nonsense: true"}, {"a.yaml", "/theirs/a.yaml", kDoor}});
  ASSERT_TRUE(set.has_value()) << set.error().message;
  ASSERT_EQ((*set)->files().size(), 1u);
  EXPECT_EQ((*set)->files()[0].path, "/theirs/a.yaml");
}

TEST(ParserSet, EverythingThatIsWrongIsNamedWithItsPlace) {
  auto problems = check_parser_files({{"bad.yaml", "bad.yaml", R"(name: bad
match: {app: [x]}
colour: red
patterns:
  - name: one
    grok: 'a %{WORD:no.such.field}'
  - name: two
    grok: '(a) %{NOSUCH}'
  - name: three
    grok: 'a(?=b)'
  - name: one
    grok: 'x'
tests:
  - {line: 'zzz', expect: {user.name: x}, colour: red}
)"}});
  auto has = [&](const std::string& place, const std::string& words) {
    for (auto& problem : problems)
      if (problem.starts_with(place) && problem.find(words) != std::string::npos) return true;
    return false;
  };
  EXPECT_TRUE(has("bad.yaml:3:1: ", "colour"));
  EXPECT_TRUE(has("bad.yaml:6:11: ", "no.such.field"));
  EXPECT_TRUE(has("bad.yaml:8:11: ", "bare group"));
  EXPECT_TRUE(has("bad.yaml:10:11: ", "RE2"));
  EXPECT_TRUE(has("bad.yaml:11:5: ", "named 'one'"));
  EXPECT_TRUE(has("bad.yaml:14:", "colour"));
  for (auto& problem : problems) SCOPED_TRACE(problem);
  EXPECT_EQ(problems.size(), 6u);
}

TEST(ParserSet, OnlyWhoTellsTheSameInOtherWordsGivesAnothersFields) {
  const std::string file = R"(match: {app: [beat]}
dataset: door
types: {door.number: integer}
patterns:
  - {name: opened, grok: 'n=%{INT:door.number} %{WORD:beat.word}'}
tests:
  - {line: 'n=5 up', expect: {door.number: 5, beat.word: up, event.dataset: door}}
  - {line: 'x', expect: none}
)";
  EXPECT_EQ(check_parser_files(
                {{"door.yaml", "door.yaml", kDoor}, {"beat.yaml", "beat.yaml", "name: beat\nof: door\n" + file}}),
            std::vector<std::string>{});
  const auto problems =
      check_parser_files({{"door.yaml", "door.yaml", kDoor}, {"beat.yaml", "beat.yaml", "name: beat\n" + file}});
  ASSERT_FALSE(problems.empty());
  EXPECT_NE(problems[0].find("own ones begin with 'beat.'"), std::string::npos) << problems[0];
}

TEST(ParserSet, APatternThatNoTestReachesIsAMistake) {
  auto problems = check_parser_files({{"p.yaml", "p.yaml", R"(name: p
match: {app: [p]}
patterns:
  - {name: all, grok: '%{GREEDYDATA:p.text}'}
  - {name: dead, grok: 'never'}
tests:
  - {line: 'never', expect: {p.text: never}}
)"}});
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].find("p.yaml:5:5: "), 0u) << problems[0];
}

// The package's own were run when it was made; a site's file is told at each load what is untested.
TEST(ParserSet, TestsAreReadOfThoseThatAreAskedForAndWhatStandsBehindThemInAnyCase) {
  const std::string parser = "name: p\nmatch: {app: [p]}\npatterns:\n  - {name: all, grok: '%{WORD:p.text}'}\n",
                    untested =
                        parser + "  - {name: dead, grok: 'never'}\ntests:\n- {line: 'a', expect: {p.text: a}}\n# end\n",
                    site = "/etc/p.yaml", ours = share_directory("parsers") + "/p.yaml";
  const auto loads = [](const std::string& path, const std::string& text, ReadTests tests) {
    return ParserSet::load({{"p.yaml", path, text}}, tests).has_value();
  };
  EXPECT_FALSE(loads(site, untested, ReadTests::of_site));
  EXPECT_FALSE(loads(ours, untested, ReadTests::all));
  EXPECT_TRUE(loads(ours, untested, ReadTests::of_site));
  EXPECT_TRUE(loads(site, untested, ReadTests::none));
  EXPECT_TRUE(loads(site, parser, ReadTests::none));
  EXPECT_FALSE(loads(site, untested + "fields: 5\n", ReadTests::none));
  EXPECT_FALSE(loads(ours, "tests:\n- {line: 'a', expect: none}\n" + parser + "colour: red\n", ReadTests::none));
}

TEST(ParserSet, BrokenYamlIsAProblemWithAPlaceAndNoCrash) {
  for (auto* text :
       {"", "[", "name: [x", "- a\n- b", "name: a\nname: b", "a: &x [*x]", "{", "\xff\xfe", "name: x\n\tmatch: 1"}) {
    auto problems = check_parser_files({{"p.yaml", "p.yaml", text}});
    ASSERT_FALSE(problems.empty()) << text;
    EXPECT_EQ(problems[0].find("p.yaml:"), 0u);
  }
}

// A message without a header, its record as the header reader leaves it.
class TimeOfMessage : public ParserSetTest {
 protected:
  std::string time_of(const std::string& message) {
    origin_.received_ns = 1'795'852'800 * kSecond;  // 2026-11-28T08:00:00Z
    raw_ = message;
    captures_.clear();
    record_ = Record();
    record_.raw = raw_;
    record_.origin = &origin_;
    record_.event_ns = origin_.received_ns;
    record_.time_inferred = kAllInferred;
    record_.message_length = static_cast<uint32_t>(message.size());
    worker_->parse(record_, *Zone::utc(), arena_, captures_);
    record_.captures = captures_;
    char out[32];
    return std::string(out, format_utc(record_.event_ns, out)) + " " + value("yushi.time.inferred");
  }
};

TEST_F(TimeOfMessage, parts_move_it_together_and_are_no_fields) {
  load({R"(
name: fw
match: {prefix: ['date=']}
keys: {date: '@timestamp.date', time: '@timestamp.time', tz: '@timestamp.zone', at: '@timestamp'}
patterns:
  - {name: pairs, extract: key-value}
tests: [{line: 'date=2026-11-27 a=b', expect: {fw.a: b}}]
)"});
  EXPECT_EQ(time_of("date=2026-11-27 time=10:20:30 tz=\"+0800\" a=b"), "2026-11-27T02:20:30.000Z ");
  EXPECT_EQ(value("@timestamp.date"), "");
  EXPECT_EQ(value("fw.a"), "b");
  EXPECT_EQ(time_of("date=2026-11-27 time=10:20:30 a=b"), "2026-11-27T10:20:30.000Z zone");
  EXPECT_EQ(time_of("date=2026-11-27 a=b"), "2026-11-27T00:00:00.000Z zone,clock");
  EXPECT_EQ(time_of("date= at=\"2026-11-27 10:20:30\" tz=CET a=b"), "2026-11-27T09:20:30.000Z ");
  EXPECT_EQ(time_of("date=none time=of a=b"), "2026-11-28T08:00:00.000Z all");
  EXPECT_EQ(time_of("date=2026-11-27 at=10:20:30 a=b"), "2026-11-27T10:20:30.000Z zone");  // `at` may be a clock
  EXPECT_EQ(time_of("date=2026-11-26 at=\"2026-11-27 10:20:30\" a=b"), "2026-11-27T10:20:30.000Z zone");
}

TEST_F(TimeOfMessage, is_the_one_with_which_the_line_begins_where_no_parser_tells_another) {
  load({R"(
name: app
match: {prefix: ['[2026']}
patterns:
  - {name: level, grok: '\[%{DATA}\] level %{WORD:log.level}'}
  - {name: own, grok: '\[%{DATA:app.first}\] own %{GREEDYDATA:app.rest}'}
tests: [{line: '[2026] level info', expect: {log.level: info}}, {line: '[2026] own x', expect: {app.rest: x}}]
)"});
  EXPECT_EQ(time_of("[2026-11-27 10:20:30.5] level info"), "2026-11-27T10:20:30.500Z zone");
  EXPECT_EQ(kind(), "app/level");
  ASSERT_EQ(captures_.size(), 2u);
  EXPECT_EQ(captures_[0].field, ecs::timestamp);
  EXPECT_EQ(record_.text(captures_[0]), "2026-11-27 10:20:30.5");
  // its text is another capture's
  EXPECT_EQ(time_of("[2026-11-27 10:20:30.5] own words"), "2026-11-27T10:20:30.500Z zone");
  EXPECT_EQ(captures_.size(), 2u);
  EXPECT_EQ(time_of("\"2026-11-27 10:20:30\" nobody's"), "2026-11-27T10:20:30.000Z zone");
  EXPECT_EQ(kind(), "none");
  EXPECT_EQ(time_of("\xff\xff nobody's"), "2026-11-28T08:00:00.000Z all");
  EXPECT_EQ(time_of("2026-11-27 10:20:30 \xc4\xe3\xba\xc3"), "2026-11-27T10:20:30.000Z zone");
}

}  // namespace
}  // namespace yushi::parsers
