// Lines become events by their parsers' rules, in bounds, and the same ones however the records come in.
#include "parsers/joiner.h"

#include <gtest/gtest.h>

#include <optional>

#include "core/record/ecs_json.h"
#include "parsers/understand.h"

namespace yushi::parsers {
namespace {

constexpr const char* kShop = R"(name: shop
match: {app: [shop, pay]}
types: {shop.step: integer, shop.steps: [keyword], shop.words: [keyword]}
join: {follows: '^\s|^Caused by: ', end: '^  end$'}
event: message
patterns:
  - {name: line, grok: '%{INT:shop.step} %{LOGLEVEL:log.level} %{GREEDYDATA:message}'}
  - {name: cause, grok: 'Caused by: %{NOTSPACE:error.type}', event: error}
  - {name: whole, whole: true, grok: '%{INT:shop.step} INFO sum\n  of %{INT:shop.of}\n  is %{INT:shop.sum}', event: query}
tests:
  - {line: '1 INFO x', expect: {shop.step: 1}}
  - {line: 'Caused by: a.B', expect: {error.type: a.B}}
  - {lines: ['1 INFO sum', '  of 5', '  is 7'], expect: {shop.of: 5, shop.sum: 7, yushi.event: query}}
  - {line: 'x', expect: none}
)";
constexpr const char* kAudit = R"(name: trail
match: {app: [trail]}
types: {trail.words: [keyword], trail.kinds: [keyword]}
event: message
join:
  by: [trail.serial]
  end: ' kind=(?:LAST|EOE)'
  order: [{trail.kind: [CALL]}, {trail.role: [MADE]}]
  collect: {trail.kind: trail.kinds, file.path: trail.words}
  words: {process.args: process.command_line}
  tables: [{by: trail.kind, rows: {CALL: {event: process-started, event.action: called}}}]
keys: {serial: trail.serial, kind: trail.kind, role: trail.role, path: file.path, 'a*': {field: process.args, hex: true}, exe: process.executable}
patterns:
  - {name: record, grok: 'r %{KEYVALUES}'}
tests:
  - {line: 'r serial=1 kind=CALL', expect: {trail.serial: '1'}}
  - {line: 'x', expect: none}
)";

constexpr const char* kCarrier = R"(name: carrier
match: {keys: [who, said]}
event: message
keys: {who: process.name, said: message}
patterns:
  - {name: line, extract: json, message_of: [process.name]}
  - {name: entry, extract: json}
tests:
  - {line: '{"who":"cron","said":"x"}', expect: {process.name: cron}}
  - {line: 'x', expect: none}
)";

// All lines but those that begin so go on with the one before.
constexpr const char* kStatements = R"(name: statements
match: {app: [statements]}
join: {first: '^#[0-9]+ '}
event: message
patterns: [{name: line, grok: '#%{INT} %{GREEDYDATA:message}'}]
tests: [{line: '#1 x', expect: {message: x}}, {line: 'x', expect: none}]
)";

constexpr const char* kObject = R"(name: object
generic: true
event: message
patterns: [{name: object, extract: json}]
tests: [{line: '{"a":1}', expect: {object.a: 1}}, {line: 'x', expect: none}]
)";
constexpr const char* kPairs = R"(name: pairs
generic: true
event: message
patterns: [{name: pairs, extract: key-value}]
tests: [{line: 'a=1 b=2', expect: {pairs.a: '1'}}, {line: 'x', expect: none}]
)";

std::shared_ptr<const ParserSet> parsers() {
  static const auto set = ParserSet::load({{"shop.yaml", "shop.yaml", kShop},
                                           {"statements.yaml", "statements.yaml", kStatements},
                                           {"object.yaml", "object.yaml", kObject},
                                           {"pairs.yaml", "pairs.yaml", kPairs},
                                           {"trail.yaml", "trail.yaml", kAudit},
                                           {"carrier.yaml", "carrier.yaml", kCarrier}});
  EXPECT_TRUE(set) << set.error().message;
  return *set;
}

struct Line {
  std::string text;
  int64_t second = 0;
  std::string source = "192.0.2.1";
  std::string clock = "Nov 28 01:00:00", host = "web";  // without a clock: no header
};

// Lines as records of one log, from index `first` on, in batches of `step`.
class Feed {
 public:
  explicit Feed(const std::vector<Line>& lines, size_t step = 100) : understander_(parsers()) {
    for (size_t at = 0; at < lines.size(); at += step) {
      auto& batch = batches_.emplace_back(std::make_unique<Batch>());
      for (size_t i = at; i < std::min(lines.size(), at + step); ++i) {
        Origin origin;
        origin.received_ns = lines[i].second * 1'000'000'000;
        origin.source = origin.address = batch->arena.copy(lines[i].source);
        origin.log = "default";
        Record record;
        const auto header = lines[i].clock.empty() ? "" : "<13>" + lines[i].clock + " " + lines[i].host + " ";
        record.raw = batch->arena.copy(header + lines[i].text);
        record.origin = batch->arena.make(origin);
        record.index = i;
        batch->records.push_back(record);
      }
      understander_.understand(*batch);
    }
  }
  const std::vector<std::unique_ptr<Batch>>& batches() const { return batches_; }

 private:
  Understander understander_;
  std::vector<std::unique_ptr<Batch>> batches_;
};

std::string text_of(const Record& record) {
  EcsJsonWriter writer;
  std::string out;
  writer.write(record, {false, false}, out);
  return out;
}

// Each event as `first-last` or as JSON, in the order in which they close; lines that are no events' stand alone.
struct Joining {
  explicit Joining(JoinerOptions options = {}) : joiner(parsers(), options) {}
  void feed(const Batch& batch, uint64_t from = 0, uint64_t to = UINT64_MAX) {
    joiner.begin();
    for (auto& record : batch.records) {
      if (record.index < from || record.index >= to) continue;
      const bool is_line = joiner.add(record, Zone::utc());
      take();
      if (!is_line) lines.push_back(std::to_string(record.index));
    }
  }
  void take() {
    for (auto& event : joiner.closed()) {
      std::string name;
      for (auto line : event.record.lines) name += (name.empty() ? "" : "+") + std::to_string(line);
      lines.push_back(name);
      jsons.push_back(text_of(event.record));
    }
    joiner.closed().clear();
  }
  std::vector<std::string> all(const std::vector<Line>& given, size_t step = 100) {
    Feed feed_of(given, step);
    for (auto& batch : feed_of.batches()) feed(*batch);
    joiner.close_all();
    take();
    return lines;
  }
  Joiner joiner;
  std::vector<std::string> lines, jsons;
};

using Names = std::vector<std::string>;

const std::vector<Line> kMixed = {{"shop[1]: 1 ERROR failed"},
                                  {"trail: r serial=7 kind=CALL exe=/bin/a"},
                                  {"shop[1]:   at x"},
                                  {"pay[2]: 2 INFO other"},
                                  {"trail: r serial=8 kind=CALL"},
                                  {"shop[1]: Caused by: a.B"},
                                  {"trail: r serial=7 path=/tmp/p role=PARENT"},
                                  {"trail: r serial=7 path=/tmp/f role=MADE"},
                                  {"pay[2]:   more of it"},
                                  {"trail: r serial=7 kind=LAST"},
                                  {"cron: x"},
                                  {"trail: r serial=7 kind=EOE"},
                                  {"shop[1]: 3 INFO next"},
                                  {"trail: r serial=8 kind=LAST"},
                                  {"trail: r serial=9 kind=CALL"}};

TEST(Joiner, LinesOfOneProgramAndOfOneSerialBelongTogetherWhateverStandsBetween) {
  Joining run;
  EXPECT_EQ(run.all(kMixed), (Names{"10", "0+2+5", "1+6+7+9+11", "4+13", "3+8", "12", "14"}));
}

TEST(Joiner, HowTheRecordsAreBatchedChangesNothing) {
  Joining whole;
  const auto expected = whole.all(kMixed);
  for (size_t step : {1, 2, 3, 5}) {
    Joining run;
    EXPECT_EQ(run.all(kMixed, step), expected) << step;
    EXPECT_EQ(run.jsons, whole.jsons) << step;
  }
}

TEST(Joiner, FieldsComeFromTheLineThatLeadsAndValuesCollect) {
  Joining run;
  run.all(kMixed);
  const std::string& json = run.jsons[1];  // serial 7
  EXPECT_NE(json.find("\"action\":\"called\""), std::string::npos) << json;
  EXPECT_NE(json.find("\"path\":\"/tmp/f\""), std::string::npos) << json;
  EXPECT_NE(json.find("\"kinds\":[\"CALL\",\"LAST\",\"EOE\"]"), std::string::npos) << json;
  EXPECT_NE(json.find("\"words\":[\"/tmp/p\",\"/tmp/f\"]"), std::string::npos) << json;
  EXPECT_NE(json.find("\"lines\":[1,6,7,9,11]"), std::string::npos) << json;
  EXPECT_NE(json.find("\"event\":\"process-started\""), std::string::npos) << json;
  const std::string& failed = run.jsons[0];
  EXPECT_NE(failed.find("\"message\":\"failed\\n  at x\\nCaused by: a.B\""), std::string::npos) << failed;
  EXPECT_NE(failed.find("\"type\":\"a.B\""), std::string::npos) << failed;
  EXPECT_NE(failed.find("\"level\":\"ERROR\""), std::string::npos) << failed;
}

TEST(Joiner, WordsInPiecesAreWhole) {
  Joining run;
  run.all({{"trail: r serial=1 kind=CALL"}, {"trail: r serial=1 a0=\"sh\" a1[0]=6162 a1[1]=6364 a2=\"x y\""}});
  ASSERT_EQ(run.jsons.size(), 1u);
  EXPECT_NE(run.jsons[0].find("\"args\":[\"sh\",\"abcd\",\"x y\"]"), std::string::npos) << run.jsons[0];
  EXPECT_NE(run.jsons[0].find("\"command_line\":\"sh abcd x y\""), std::string::npos) << run.jsons[0];
  EXPECT_NE(run.jsons[0].find("a1[0]=6162 a1[1]=6364 a2=\\\"x y\\\"\""), std::string::npos)
      << "event.original is of the lines alone";
}

TEST(Joiner, LinesInAnotherProgramsMessageAreJoinedByTheirOwnRule) {
  Joining run;
  EXPECT_EQ(run.all({{R"(journal: {"who":"trail","said":"r serial=1 kind=CALL a0=\"sh\" a1=\"x y\""})"},
                     {R"(journal: {"who":"cron","said":"x"})"},
                     {R"(journal: {"who":"trail","said":"r serial=1 path=/tmp/f role=MADE"})"}}),
            (Names{"1", "0+2"}));
  ASSERT_EQ(run.jsons.size(), 1u);
  EXPECT_NE(run.jsons[0].find("\"command_line\":\"sh x y\""), std::string::npos) << run.jsons[0];
  EXPECT_NE(run.jsons[0].find("\"path\":\"/tmp/f\""), std::string::npos) << run.jsons[0];
  EXPECT_NE(run.jsons[0].find("\"event\":\"process-started\""), std::string::npos) << run.jsons[0];
}

TEST(Joiner, APatternForTheWholeGivesTheFields) {
  Joining run;
  EXPECT_EQ(run.all({{"shop[1]: 1 INFO sum"}, {"shop[1]:   of 5"}, {"shop[1]:   is 7"}, {"shop[1]: 2 INFO x"}}),
            (Names{"0+1+2", "3"}));
  EXPECT_NE(run.jsons[0].find("\"sum\":\"7\""), std::string::npos) << run.jsons[0];
  EXPECT_NE(run.jsons[0].find("\"event\":\"query\""), std::string::npos) << run.jsons[0];
}

TEST(Joiner, AWordWithoutALetterKeepsItsPlace) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"(a0="sh" a1="" a2="x")", R"(["sh","","x"])"},
      {R"(a0="sh" a1="x" a2="")", R"(["sh","x",""])"},
      {R"(a0="sh" a1="" a2="" a3=78)", R"(["sh","","","x"])"},
      {R"(a0="" a1="x")", R"(["","x"])"},
      {R"(a0="sh" a1[0]=61 a1[1]=62 a2="")", R"(["sh","ab",""])"},
  };
  for (auto& [arguments, words] : cases) {
    Joining run;
    run.all({{"trail: r serial=1 kind=CALL"},
             {"trail: r serial=1 " + arguments},
             {"trail: r serial=1 path=\"\" kind=LAST"}});
    ASSERT_EQ(run.jsons.size(), 1u);
    EXPECT_NE(run.jsons[0].find("\"args\":" + words), std::string::npos) << run.jsons[0];
  }
  Joining run;
  run.all({{"trail: r serial=1 kind=CALL"}, {R"(trail: r serial=1 a0="usermod" a1="-p" a2="" a3="root")"}});
  EXPECT_NE(run.jsons[0].find(R"("command_line":"usermod -p  root")"), std::string::npos) << run.jsons[0];
}

TEST(Joiner, AnEndMarkClosesAtOnce) {
  Joining run;
  EXPECT_EQ(run.all({{"shop[1]: 1 INFO a"}, {"shop[1]:   end"}, {"shop[1]:   at y"}, {"shop[1]: 2 INFO b"}}),
            (Names{"0+1", "2", "3"}));
}

TEST(Joiner, TwoSecondsOfReceiptEndAnEventAndTicksOnlyShowItSooner) {
  const std::vector<Line> lines = {{"shop[1]: 1 INFO a", 10},
                                   {"shop[1]:   b", 12},
                                   {"shop[1]:   c", 13},
                                   {"cron: x", 20},
                                   {"shop[1]: 2 INFO d", 20}};
  Joining run;
  EXPECT_EQ(run.all(lines), (Names{"0+1", "2", "3", "4"}));  // the third line came too late, and is known by nobody
  Feed feed(lines, 1);
  Joining ticked;
  for (auto& batch : feed.batches()) {
    ticked.feed(*batch);
    ticked.joiner.advance(batch->records[0].origin->received_ns + 500'000'000);
    ticked.take();
  }
  ticked.joiner.close_all();
  ticked.take();
  EXPECT_EQ(ticked.lines, (Names{"0+1", "2", "3", "4"}));
}

TEST(Joiner, BoundsCutAndCount) {
  std::vector<Line> lines = {{"shop[1]: 1 INFO a"}};
  for (int i = 0; i < 70; ++i) lines.push_back({"shop[1]:   at " + std::to_string(i)});
  Joining run;
  auto names = run.all(lines);
  ASSERT_EQ(names.size(), 2u);
  EXPECT_TRUE(names[0].ends_with("+63"));
  EXPECT_TRUE(names[1].starts_with("64+"));
  EXPECT_EQ(run.joiner.cut(), 1u);

  JoinerOptions few;
  few.open_max = 3;
  Joining small(few);
  lines.clear();
  for (int i = 0; i < 5; ++i) lines.push_back({"shop[" + std::to_string(i) + "]: 1 INFO a"});
  EXPECT_EQ(small.all(lines), (Names{"0", "1", "2", "3", "4"}));
  EXPECT_EQ(small.joiner.cut(), 2u);
  EXPECT_EQ(small.joiner.open(), 0u);
}

TEST(Joiner, SendersAndHostsAreKeptApart) {
  Joining run;
  EXPECT_EQ(run.all({{"shop: 1 INFO a", 0, "192.0.2.1"},
                     {"shop: 1 INFO b", 0, "192.0.2.2"},
                     {"shop:   of b", 0, "192.0.2.2"},
                     {"shop:   of a", 0, "192.0.2.1"}}),
            (Names{"0+3", "1+2"}));
}

TEST(Joiner, WhatARelayHandsOnWithoutAHeaderIsOfAnotherWhereItsParserKnowsIt) {
  Joining run;
  EXPECT_EQ(run.all({{"statements[1]: #1 select"},
                     {R"({"who":"cron","said":"x"})", 0, "192.0.2.1", ""},
                     {"from t", 0, "192.0.2.1", ""},
                     {R"({"who":"cron","said":"y"})", 0, "192.0.2.1", ""},
                     {R"({"anybody":"s"})", 0, "192.0.2.1", ""},
                     {"where a=1 and b=2", 0, "192.0.2.1", ""},
                     {"statements[1]: #2 select"}}),
            (Names{"1", "3", "4", "0+2+5", "6"}));
}

// An old log that comes faster than its time went by.
const std::vector<Line> kReplayed = {
    {"trail: r serial=1 kind=CALL", 0, "192.0.2.1", "Nov 28 01:00:00"},
    {"trail: r serial=2 kind=CALL", 0, "192.0.2.1", "Nov 28 01:00:01"},
    {"trail: r serial=1 path=/a", 0, "192.0.2.1", "Nov 28 01:00:00"},
    {"trail: r serial=3 kind=CALL", 0, "192.0.2.1", "Nov 28 01:00:02", "db"},
    {"cron: x", 0, "192.0.2.1", "Nov 29 01:00:00"},                            // whose word is none of the trail's
    {"trail: r serial=4 kind=CALL", 0, "192.0.2.1", "Nov 29 01:00:00", "db"},  // another machine
    {"trail: r serial=5 kind=CALL", 0, "192.0.2.1", "Nov 28 01:00:03"},
    {"trail: r serial=2 path=/b", 0, "192.0.2.1", "Nov 28 01:00:01"},
    {"shop[1]: 1 ERROR failed", 0, "192.0.2.1", "Nov 28 02:00:00"},
    {"shop[1]:   at x", 0, "192.0.2.1", "Nov 28 02:00:05"},  // which lines follow, says the rule
    {"shop[2]: 2 INFO next", 0, "192.0.2.1", "Nov 28 02:00:08"}};

TEST(Joiner, WhatHappenedTwoSecondsLaterOnTheSameMachineEndsAnEvent) {
  Joining run;
  Feed feed(kReplayed);
  for (auto& batch : feed.batches()) run.feed(*batch);
  EXPECT_EQ(run.lines, (Names{"4", "3", "0+2", "8+9"}));
  run.joiner.close_all();
  run.take();
  EXPECT_EQ(run.lines, (Names{"4", "3", "0+2", "8+9", "1+7", "5", "6", "10"}));
  for (size_t cut = 0; cut <= kReplayed.size(); ++cut) {
    Joining before, after;
    for (auto& batch : feed.batches()) before.feed(*batch, 0, cut);
    std::string state;
    before.joiner.save(state);
    Reader in(state);
    ASSERT_TRUE(after.joiner.load(in));
    after.joiner.begin();
    for (auto& batch : feed.batches())
      for (auto& record : batch->records)
        if (record.index < cut) after.joiner.restore(record, Zone::utc());
    after.joiner.restored();
    for (auto& batch : feed.batches()) after.feed(*batch, cut);
    after.joiner.close_all();
    after.take();
    auto all = before.lines;
    all.insert(all.end(), after.lines.begin(), after.lines.end());
    EXPECT_EQ(all, run.lines) << cut;
  }
}

TEST(Joiner, WhatWasOpenIsTakenUpAfterARestart) {
  for (size_t cut = 0; cut <= kMixed.size(); ++cut) {
    Feed feed(kMixed, 4);
    Joining whole, before, after;
    for (auto& batch : feed.batches()) whole.feed(*batch);
    for (auto& batch : feed.batches()) before.feed(*batch, 0, cut);
    std::string state;
    before.joiner.save(state);
    Reader in(state);
    ASSERT_TRUE(after.joiner.load(in) && in.left() == 0);
    after.joiner.begin();
    for (auto& batch : feed.batches())
      for (auto& record : batch->records)
        if (record.index < cut && record.index >= after.joiner.wanted_from("default"))
          after.joiner.restore(record, Zone::utc());
    after.joiner.restored();
    EXPECT_EQ(after.joiner.open(), before.joiner.open()) << cut;
    for (auto& batch : feed.batches()) after.feed(*batch, cut);
    for (Joining* run : {&whole, &after}) {
      run->joiner.close_all();
      run->take();
    }
    auto all = before.lines;
    all.insert(all.end(), after.lines.begin(), after.lines.end());
    EXPECT_EQ(all, whole.lines) << cut;
  }
  Joining run;
  for (std::string_view damaged : {std::string_view("\xff"), std::string_view("\x02\x01x", 3)}) {
    Reader in(damaged);
    EXPECT_FALSE(run.joiner.load(in));
  }
}

}  // namespace
}  // namespace yushi::parsers
