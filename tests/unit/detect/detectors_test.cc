// The table of detectors: one more in it is shown its events and ticks, and each has a state of its own.
#include "detect/behaviours/detectors.h"

#include <map>

#include <gtest/gtest.h>

#include "core/ledger/sha256.h"
#include "events.h"

namespace yushi::detect {
namespace {

// Says when a log was cleared for the third time, and once a log's second clearing is older than an hour.
class ClearedOften final : public Detector {
 public:
  bool wants(const EventKind& kind) const override { return kind.name == "log-cleared"; }
  void observe(const Event& event, std::vector<Finding>& findings) override {
    auto& seen = by_log_[std::string(event.log)];
    seen.last_ns = event.counted.at_ns;
    seen.last = event.record.index;
    if (++seen.count < 3) return;
    findings.push_back(finding("cleared " + std::to_string(seen.count) + " times", event.record.index));
  }
  void tick(const Tick& tick, std::vector<Finding>& findings) override {
    for (auto& [log, seen] : by_log_) {
      if (seen.count != 2 || tick.received_ns - seen.last_ns < kHour) continue;
      findings.push_back(finding("quiet after two", seen.last));
      findings.back().log = log;
      seen.count = 0;
    }
  }
  void save(std::string& out) const override {
    put_varint(out, by_log_.size());
    for (auto& [log, seen] : by_log_) {
      put_text(out, log);
      put_varint(out, seen.count);
      put_varint(out, seen.last);
      put_signed(out, seen.last_ns);
    }
  }
  bool load(Reader& in) override {
    for (auto left = in.varint(); left > 0 && in.ok(); --left) {
      auto& seen = by_log_[std::string(in.text())];
      seen.count = in.varint();
      seen.last = in.varint();
      seen.last_ns = in.signed_varint();
    }
    return in.ok();
  }

 private:
  static Finding finding(std::string reason, uint64_t record) {
    static constexpr FindingKind kKind{"toy.cleared-often", "Logs were cleared often", 1,
                                       "attack.t1070",      "日志频繁被清除",          "attack.defense-evasion"};
    Finding out;
    out.kind = &kKind;
    out.reason_zh = "日志频繁被清除：" + reason;
    out.key = out.reason = std::move(reason);
    out.records = {record};
    return out;
  }
  struct Seen {
    uint64_t count = 0, last = 0;
    int64_t last_ns = 0;
  };
  std::map<std::string, Seen> by_log_;
};

const AddDetector kToy{{"toy", "Logs that are cleared often", 7, [](const Surroundings&) -> std::unique_ptr<Detector> {
                          return std::make_unique<ClearedOften>();
                        }}};

Line cleared(int64_t at_ns) {
  Line line;
  line.at_ns = at_ns;
  line.constants = {{"event.category", "configuration"}, {"yushi.event", "log-cleared"}};
  line.values = {{"host.name", "web-01"}};
  return line;
}

const int64_t kStart = at("2026-11-01T08:00:00Z");

TEST(Detectors, one_more_in_the_table_is_shown_its_kind_and_raises_alerts) {
  std::vector<Line> lines{cleared(kStart), cleared(kStart + kSecond), cleared(kStart + 2 * kSecond)};
  lines.push_back(login(kStart, "root", "10.0.0.5"));
  auto alerts = alerts_of(lines);
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].rule_id, "toy.cleared-often");
  EXPECT_EQ(alerts[0].reason, "cleared 3 times");
  ASSERT_EQ(alerts[0].records.size(), 1u);
  EXPECT_EQ(alerts[0].records[0], (RecordId{"default", 2}));
}

TEST(Detectors, what_a_tick_finds_names_its_log_and_records) {
  auto rules = no_rules();
  Engine engine(rules, {});
  Committer committer;
  auto alerts = observe(engine, rules, committer, {cleared(kStart), cleared(kStart + kSecond)});
  engine.tick(4, kStart + kMinute, alerts);
  EXPECT_TRUE(alerts.empty());
  engine.tick(5, kStart + 2 * kHour, alerts);
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].tenant, "default");
  EXPECT_EQ(alerts[0].raised_ns, kStart + 2 * kHour);
  ASSERT_EQ(alerts[0].records.size(), 1u);
  EXPECT_EQ(alerts[0].records[0], (RecordId{"default", 1}));
  engine.tick(6, kStart + 3 * kHour, alerts);
  EXPECT_EQ(alerts.size(), 1u);
}

// What save() wrote, part by part.
struct Part {
  std::string id;
  uint64_t version = 0;
  std::string bytes;
};
constexpr size_t kHead = sizeof "yushi-detect-5\n" - 1, kCode = 8;

std::vector<Part> parts_of(const std::string& state) {
  Reader in(std::string_view(state).substr(kHead, state.size() - kHead - kCode));
  std::vector<Part> out;
  for (auto left = in.varint(); left > 0; --left) {
    Part part;
    part.id = in.text();
    part.version = in.varint();
    part.bytes = in.text();
    out.push_back(part);
  }
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.left(), 0u);
  return out;
}
std::string with_code(std::string body) {
  body.append(as_bytes(sha256(body)).substr(0, kCode));
  return body;
}
std::string state_of(const std::vector<Part>& parts) {
  std::string out = "yushi-detect-5\n";
  put_varint(out, parts.size());
  for (auto& part : parts) {
    put_text(out, part.id);
    put_varint(out, part.version);
    put_text(out, part.bytes);
  }
  return with_code(out);
}

// An account with a history, four failed attempts of it, and two cleared logs.
std::string history(const std::shared_ptr<const RuleSet>& rules, Committer& committer) {
  std::vector<Line> lines;
  for (int day = 0; day < 10; ++day) lines.push_back(login(kStart - (20 - day) * kDay, "root", "10.0.0.5"));
  for (int i = 0; i < 4; ++i) lines.push_back(failed_login(kStart + i * kSecond, "root", "10.0.0.5"));
  lines.push_back(cleared(kStart));
  lines.push_back(cleared(kStart));
  Engine engine(rules, {});
  EXPECT_TRUE(observe(engine, rules, committer, lines).empty());
  return engine.save();
}
// One alert of each detector that remembers the history.
std::vector<Line> what_each_notices() {
  return {failed_login(kStart + kMinute, "root", "10.0.0.5"), login(kStart + kMinute, "root", "10.0.0.5"),
          login(kStart + 2 * kMinute, "root", "203.0.113.9"), cleared(kStart + 2 * kMinute)};
}

TEST(Detectors, a_part_of_a_version_from_the_future_is_left_out_and_named_and_the_others_go_on) {
  auto rules = no_rules();
  struct Case {
    const char *part, *silent;
  };
  for (const Case& one : {Case{"accounts", "baseline.first-source-address"}, Case{"attempts", "bruteforce.success"},
                          Case{"toy", "toy.cleared-often"}, Case{nullptr, nullptr}}) {
    Committer committer;
    auto parts = parts_of(history(rules, committer));
    for (auto& part : parts)
      if (one.part && part.id == one.part) part.version = 1'000'000, part.bytes = "what nobody knows yet";
    Engine engine(rules, {});
    auto left_out = engine.load(state_of(parts));
    ASSERT_TRUE(left_out) << left_out.error().message;
    ASSERT_EQ(left_out->size(), one.part ? 1u : 0u);
    if (one.part) {
      EXPECT_NE(left_out->front().find(std::string(one.part) + " is of version 1000000"), std::string::npos)
          << left_out->front();
    }
    auto alerts = observe(engine, rules, committer, what_each_notices());
    for (const char* id : {"baseline.first-source-address", "bruteforce.success", "toy.cleared-often"})
      EXPECT_EQ(of_rule(alerts, id).size(), one.silent && std::string_view(one.silent) == id ? 0u : 1u)
          << id << " without " << (one.part ? one.part : "nothing");
  }
}

TEST(Detectors, a_part_of_a_detector_that_is_gone_is_left_out_and_named) {
  auto rules = no_rules();
  Committer committer;
  auto parts = parts_of(history(rules, committer));
  parts.push_back({"removed", 3, "bytes"});
  Engine engine(rules, {});
  auto left_out = engine.load(state_of(parts));
  ASSERT_TRUE(left_out) << left_out.error().message;
  ASSERT_EQ(left_out->size(), 1u);
  EXPECT_NE(left_out->front().find("removed"), std::string::npos);
}

// As a store of before detectors had parts has it.
TEST(Detectors, a_state_of_another_version_is_refused_by_its_version) {
  Engine engine(no_rules(), {});
  auto left_out = engine.load(with_code("yushi-detect-4\nwhatever it was"));
  ASSERT_FALSE(left_out);
  EXPECT_EQ(left_out.error().code, Code::corrupt);
  EXPECT_NE(left_out.error().message.find("is of version 4, ours is 5"), std::string::npos) << left_out.error().message;
}

}  // namespace
}  // namespace yushi::detect
