// What raises no alert of its own is counted, and told: alerts that are no summary and all counts together are the
// hits.
#include "detect/alerts/folds.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "events.h"

namespace yushi::detect {
namespace {

constexpr const char* kRules = R"(
title: Root login
id: root
logsource: {product: yushi}
detection:
  s: {user.name: root}
  condition: s
)";
const int64_t kStart = at("2026-11-01T08:00:00Z");

// The n-th of a flood: a new address each, 100,000 a second.
Line hit(int64_t n, const std::string& host, const std::string& sender = "192.0.2.1") {
  Line event;
  event.at_ns = kStart + n * (kSecond / 100'000);
  event.values = {{"host.name", host},
                  {"user.name", "root"},
                  {"source.ip", "10." + std::to_string(n >> 16 & 255) + "." + std::to_string(n >> 8 & 255) + "." +
                                    std::to_string(n & 255)}};
  event.sender = sender;
  return event;
}
std::vector<Line> flood(int64_t count, const std::string& sender = "192.0.2.1", bool new_hosts = true) {
  std::vector<Line> events;
  for (int64_t n = 0; n < count; ++n) events.push_back(hit(n, new_hosts ? "h" + std::to_string(n) : "web-01", sender));
  return events;
}

struct Sum {
  uint64_t raised = 0, summaries = 0, folded = 0;
  uint64_t hits() const { return raised + folded; }
};
Sum sum_of(const std::vector<Alert>& alerts) {
  Sum sum;
  std::set<std::string> ids;
  for (const auto& alert : alerts) {
    ++(alert.summary ? sum.summaries : sum.raised);
    sum.folded += alert.folded;
    EXPECT_TRUE(ids.insert(alert.id).second) << alert.reason;
  }
  return sum;
}

TEST(Folds, a_flood_of_one_sender_costs_few_alerts_and_each_hit_is_counted) {
  auto rules = rules_of(kRules);
  Engine engine(rules, {});
  Committer committer;
  auto alerts = observe(engine, rules, committer, flood(20'000));
  EXPECT_EQ(sum_of(alerts).raised, static_cast<uint64_t>(Folds::kRuleBurst + Folds::kSenderBurst));
  engine.tick(1, kStart + kMinute, alerts);
  auto sum = sum_of(alerts);
  EXPECT_EQ(sum.hits(), 20'000u);
  ASSERT_EQ(sum.summaries, 1u);
  const Alert& told = alerts.back();
  EXPECT_EQ(told.rule_id, "root");
  EXPECT_EQ(told.tenant, "default");
  EXPECT_EQ(told.raised_ns, kStart + kMinute);
  EXPECT_EQ(told.reason,
            "Root login: 14990 more from 192.0.2.1 were only counted, of 2026-11-01 08:00:00 UTC "
            "(records default/5010 to default/19999)");
  ASSERT_EQ(told.records.size(), 2u);
  EXPECT_EQ(told.records[0].index, 5010u);
  EXPECT_EQ(told.records[1].index, 19'999u);
  // Once.
  engine.tick(2, kStart + 2 * kMinute, alerts);
  EXPECT_EQ(sum_of(alerts).hits(), 20'000u);
}

TEST(Folds, a_flood_of_one_sender_hides_no_other_senders_alert) {
  auto rules = rules_of(kRules);
  Engine engine(rules, {});
  Committer committer;
  observe(engine, rules, committer, flood(10'000));
  auto alerts =
      observe(engine, rules, committer, {hit(10'001, "db-01", "192.0.2.2"), hit(10'002, "db-02", "192.0.2.3")});
  EXPECT_EQ(sum_of(alerts).raised, 2u);
  // Nor of another rule or tenant.
  Line elsewhere = hit(10'003, "h1");
  elsewhere.log = "finance";
  EXPECT_EQ(observe(engine, rules, committer, {elsewhere}).size(), 1u);
}

TEST(Folds, a_host_that_floods_behind_a_relay_hides_no_other_host) {
  auto rules = rules_of(kRules);
  Engine engine(rules, {});
  Committer committer;
  auto alerts = observe(engine, rules, committer, flood(500, "192.0.2.1", false));
  EXPECT_EQ(sum_of(alerts).raised, static_cast<uint64_t>(Folds::kHostBurst));
  EXPECT_EQ(observe(engine, rules, committer, {hit(501, "db-01")}).size(), 1u);
  engine.tick(1, kStart + kMinute, alerts);
  EXPECT_EQ(sum_of(alerts).hits(), 500u);
  EXPECT_TRUE(alerts.back().reason.starts_with("Root login: 490 more from 192.0.2.1 on web-01 were only counted"))
      << alerts.back().reason;
}

TEST(Folds, the_same_log_replayed_hours_later_raises_the_same) {
  auto rules = rules_of(kRules);
  std::vector<Line> events;
  for (int n = 0; n < 300; ++n) {
    events.push_back(hit(n, "web-01"));
    events.back().at_ns = kStart + n * 20 * kSecond;
  }
  auto told = [&](int64_t replayed_ns) {
    auto copy = events;
    if (replayed_ns > 0)
      for (auto& event : copy) event.late_ns = replayed_ns - event.at_ns;
    std::string ids;
    for (const auto& alert : alerts_of(copy, {}, rules)) ids += alert.id + " ";
    return ids;
  };
  EXPECT_FALSE(told(0).empty());
  EXPECT_EQ(told(0), told(kStart + 9 * kHour));
}

TEST(Folds, counts_are_exact_whatever_is_saved_and_loaded_when) {
  auto rules = rules_of(kRules);
  auto events = flood(6000, "192.0.2.1", false);
  auto more = flood(6000, "192.0.2.2");
  events.insert(events.end(), more.begin(), more.end());
  Committer committer;
  auto engine = std::make_unique<Engine>(rules, DetectOptions{});
  std::vector<Alert> alerts;
  for (size_t from = 0; from < events.size(); from += 1500) {
    auto first = events.begin() + static_cast<ptrdiff_t>(from);
    auto got = observe(*engine, rules, committer, std::vector<Line>(first, first + 1500), 200);
    alerts.insert(alerts.end(), got.begin(), got.end());
    auto state = engine->save();
    engine = std::make_unique<Engine>(rules, DetectOptions{});
    ASSERT_TRUE(engine->load(state));
    EXPECT_EQ(engine->save(), state);
    if (from == 4500) engine->tick(1, kStart + kMinute, alerts);
  }
  EXPECT_LT(sum_of(alerts).hits(), 12'000u);
  engine->tick(2, kStart + 2 * kMinute, alerts);
  EXPECT_EQ(sum_of(alerts).hits(), 12'000u);
  EXPECT_LT(alerts.size(), 6000u);
}

TEST(Folds, forged_senders_cost_a_bounded_number_of_alerts_and_memory) {
  auto rules = rules_of(kRules);
  Engine engine(rules, {});
  Committer committer;
  std::vector<Alert> alerts;
  const int64_t kSenders = 30'000;
  for (int64_t round = 0; round < 2; ++round) {
    std::vector<Line> events;
    for (int64_t n = 0; n < kSenders; ++n)
      events.push_back(
          hit(round * kSenders + n, "h", "10." + std::to_string(n >> 8 & 255) + ".1." + std::to_string(n & 255)));
    auto got = observe(engine, rules, committer, events);
    alerts.insert(alerts.end(), got.begin(), got.end());
  }
  EXPECT_LE(sum_of(alerts).raised,
            static_cast<uint64_t>(Folds::kRuleBurst + 2 * Folds::kSendersMax + Folds::kSenderBurst));
  EXPECT_LT(engine.save().size(), 4u << 20);
  engine.tick(1, kStart + kMinute, alerts);
  EXPECT_EQ(sum_of(alerts).hits(), static_cast<uint64_t>(2 * kSenders));
  EXPECT_TRUE(std::any_of(alerts.begin(), alerts.end(), [](auto& a) { return a.key == "more from other senders"; }));
}

TEST(Folds, a_share_comes_back_with_time_and_a_clock_set_back_takes_none_away) {
  auto rules = rules_of(kRules);
  Engine engine(rules, {});
  Committer committer;
  auto raised = [&](int64_t later_ns, int64_t n) {
    auto events = flood(n, "192.0.2.1", false);
    static int64_t calls = 0;
    ++calls;
    for (auto& event : events) {
      event.at_ns += later_ns;
      event.values[2].second = std::to_string(calls) + event.values[2].second.substr(2);  // a key of its own
    }
    return sum_of(observe(engine, rules, committer, events)).raised;
  };
  EXPECT_EQ(raised(0, 50), 10u);
  EXPECT_EQ(raised(3 * kMinute, 50), 3u);
  EXPECT_EQ(raised(kDay, 50), 10u);
  EXPECT_EQ(raised(-300 * kDay, 50), 10u);
}

TEST(Folds, repetitions_that_no_next_alert_tells_are_told_when_their_time_is_over) {
  auto rules = rules_of(kRules);
  Engine engine(rules, {});
  Committer committer;
  std::vector<Line> events(8, hit(0, "web-01"));
  auto alerts = observe(engine, rules, committer, events);
  EXPECT_EQ(alerts.size(), 1u);
  engine.tick(1, kStart + kHour, alerts);
  EXPECT_EQ(alerts.size(), 1u) << "the next one may still come";
  engine.tick(2, kStart + 2 * kHour, alerts);
  ASSERT_EQ(alerts.size(), 2u);
  EXPECT_EQ(alerts[1].reason,
            "Root login (user.name=root source.ip=10.0.0.0 host.name=web-01): 7 repetitions of the alert of "
            "2026-11-01 08:00:00 UTC were folded into it, the last one of 2026-11-01 08:00:00 UTC");
  EXPECT_EQ(sum_of(alerts).hits(), 8u);
  // The next one has nothing left to tell.
  Line next = hit(0, "web-01");
  next.at_ns += 3 * kHour;
  auto later = observe(engine, rules, committer, {next});
  ASSERT_EQ(later.size(), 1u);
  EXPECT_EQ(later[0].folded, 0u);
}

TEST(Folds, a_key_that_goes_to_make_room_is_told) {
  auto rules = rules_of(kRules);
  Engine engine(rules, {});
  Committer committer;
  std::vector<Line> events(3, hit(0, "first"));
  // Slowly enough that none is beyond its share.
  for (size_t n = 1; n <= Folds::kFoldsMax; ++n) {
    events.push_back(hit(static_cast<int64_t>(n), "h" + std::to_string(n)));
    events.back().at_ns = kStart + static_cast<int64_t>(n) * 10 * kSecond;
  }
  auto alerts = observe(engine, rules, committer, events);
  auto sum = sum_of(alerts);
  EXPECT_EQ(sum.summaries, 1u);
  EXPECT_EQ(sum.hits(), events.size());
}

}  // namespace
}  // namespace yushi::detect
