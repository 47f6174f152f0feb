// The engine as a whole: the same commits give the same alerts, however they are cut, saved, loaded or reloaded.
#include "detect/engine.h"

#include <random>
#include <set>

#include <gtest/gtest.h>

#include "core/base/bytes.h"
#include "core/ledger/sha256.h"
#include "detect/behaviours/accounts.h"
#include "events.h"

namespace yushi::detect {
namespace {

constexpr const char* kRules = R"(
title: Root login
id: root
logsource: {product: yushi}
detection:
  s: {user.name: root, event.outcome: success}
  condition: s
yushi: {fold: 2h}
---
title: Bob on a host
id: habit
level: high
logsource: {product: yushi}
detection:
  s: {user.name: bob, event.outcome: success}
  condition: s
yushi: {habit: [actor, host.name]}
---
title: Failure
name: failure
id: failure
logsource: {product: yushi}
detection:
  s: {event.outcome: failure}
  condition: s
---
title: Success
name: success
id: success
logsource: {product: yushi}
detection:
  s: {event.outcome: success}
  condition: s
---
title: Many failures
id: many
correlation: {type: event_count, rules: [failure], group-by: [source.ip], timespan: 30m, condition: {gte: 4}}
---
title: Failure and success
id: then
correlation: {type: temporal_ordered, rules: [failure, success], group-by: [user.name], timespan: 30m}
---
title: Many accounts
id: accounts
correlation: {type: value_count, rules: [failure], group-by: [source.ip], timespan: 1d, condition: {gte: 3, field: user.name}}
)";

// Forty days of few accounts, with everything that detectors look for, a little out of order.
std::vector<Line> history(uint32_t seed) {
  std::mt19937 random(seed);
  auto one_of = [&](std::initializer_list<const char*> list) {
    return std::string(list.begin()[random() % list.size()]);
  };
  std::vector<Line> events;
  int64_t now = at("2026-09-01T00:00:00Z");
  for (int i = 0; i < 1500; ++i) {
    now += static_cast<int64_t>(random() % 4800) * kSecond;
    int64_t when = now - static_cast<int64_t>(random() % 20) * kSecond;
    std::string user = one_of({"root", "alice", "bob"});
    std::string source =
        random() % 10 ? one_of({"10.0.0.5", "10.0.0.7"}) : "203.0.113." + std::to_string(random() % 250);
    auto event = login(when, user, source, one_of({"web-01", "web-02", "db-01"}));
    if (random() % 20 == 0)
      for (unsigned n = random() % 8; n > 0; --n) events.push_back(failed_login(when - n * kSecond, user, source));
    event.log = random() % 3 ? "default" : "finance";
    event.late_ns = static_cast<int64_t>(random() % 60) * kSecond;
    events.push_back(event);
    if (i < 900) events.push_back(login(when, "alice", "10.0.0.5", "app-09"));  // then nothing more
    if (i == 10 || i == 1499) events.push_back(login(i == 10 ? now - 70 * kDay : now, "carol", "10.0.0.5"));
    if (i == 1200) events.push_back(login(when, "mallory", "198.51.100.7"));
    if (i == 1210) events.push_back(login(when, "alice", "203.0.113.9", "app-08"));
    if (i == 1300)
      for (int n = 0; n < 40; ++n)
        events.push_back(failed_login(when + n * kSecond, "alice", "198.51." + std::to_string(n % 20) + ".9"));
    if (i == 1310)
      for (int n = 0; n < 15; ++n)
        events.push_back(failed_login(when + n * kSecond, "u" + std::to_string(n), "198.51.7.7"));
  }
  return events;
}

std::string told(const std::vector<Alert>& alerts) {
  std::string out;
  for (const auto& alert : alerts) {
    out += alert.id + " " + alert.rule_id + " " + alert.key + " " + alert.reason + " " + alert.baseline +
           (alert.learning ? " learning" : "");
    for (const auto& record : alert.records) out += " " + record.log + "/" + std::to_string(record.index);
    out += "\n";
  }
  return out;
}

TEST(Engine, the_cut_into_batches_changes_nothing) {
  auto rules = rules_of(kRules);
  auto events = history(1);
  std::string whole = told(alerts_of(events, {}, rules, events.size()));
  EXPECT_GT(std::count(whole.begin(), whole.end(), '\n'), 100);
  for (size_t cut : {1, 2, 7, 64, 999}) EXPECT_EQ(told(alerts_of(events, {}, rules, cut)), whole) << cut;
}

TEST(Engine, ids_differ_and_are_the_same_on_a_replay) {
  auto rules = rules_of(kRules);
  auto alerts = alerts_of(history(2), {}, rules);
  std::set<std::string> ids;
  for (const auto& alert : alerts) ids.insert(alert.id);
  EXPECT_EQ(ids.size(), alerts.size());
  EXPECT_EQ(told(alerts), told(alerts_of(history(2), {}, rules)));
}

TEST(Engine, every_detector_speaks_in_the_history_that_these_tests_stand_on) {
  auto alerts = alerts_of(history(1), {}, rules_of(kRules));
  for (const char* rule : {"root", "many", "then", "accounts", "baseline.first-source-address", "baseline.first-host",
                           "bruteforce.success", "habit", "baseline.new-account", "baseline.dormant-account",
                           "guessing.address", "guessing.account", "silence.host"})
    EXPECT_FALSE(of_rule(alerts, rule).empty()) << rule;
}

TEST(Engine, a_state_saved_anywhere_and_loaded_goes_on_as_if_nothing_had_happened) {
  auto rules = rules_of(kRules);
  auto events = history(3);
  std::string whole = told(alerts_of(events, {}, rules));
  for (size_t stop = 0; stop < events.size(); stop += 97) {
    auto middle = events.begin() + static_cast<ptrdiff_t>(stop);
    Committer committer;
    Engine before(rules, {});
    auto alerts = observe(before, rules, committer, std::vector<Line>(events.begin(), middle));
    std::string state = before.save();
    Engine after(rules, {});
    auto loaded = after.load(state);
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(after.save(), state);
    auto rest = observe(after, rules, committer, std::vector<Line>(middle, events.end()));
    alerts.insert(alerts.end(), rest.begin(), rest.end());
    ASSERT_EQ(told(alerts), whole) << "saved after " << stop;
  }
}

TEST(Engine, a_damaged_state_is_refused_and_changes_nothing) {
  auto rules = rules_of(kRules);
  Engine engine(rules, {});
  Committer committer;
  observe(engine, rules, committer, history(4));
  std::string state = engine.save();
  for (size_t i = 0; i < state.size(); i += 1 + state.size() / 200) {
    std::string damaged = state;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x20);
    auto loaded = engine.load(damaged);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, Code::corrupt);
    EXPECT_FALSE(engine.load(std::string_view(state).substr(0, i)));
  }
  EXPECT_EQ(engine.save(), state);
}

TEST(Engine, a_reload_keeps_baselines_and_the_windows_of_unchanged_rules) {
  auto events = history(5);
  auto middle = events.begin() + 700;
  auto rules = rules_of(kRules), again = rules_of(kRules);
  std::string whole = told(alerts_of(events, {}, rules));
  Engine engine(rules, {});
  Committer committer;
  auto alerts = observe(engine, rules, committer, std::vector<Line>(events.begin(), middle));
  engine.reload(again);
  // The batch on its way was matched with the rules before.
  auto late = observe(engine, rules, committer, std::vector<Line>(middle, middle + 100));
  auto rest = observe(engine, again, committer, std::vector<Line>(middle + 100, events.end()));
  alerts.insert(alerts.end(), late.begin(), late.end());
  alerts.insert(alerts.end(), rest.begin(), rest.end());
  EXPECT_EQ(told(alerts), whole);
}

TEST(Engine, memory_and_state_stay_bounded_when_every_name_is_new) {
  auto rules = rules_of(kRules);
  Engine engine(rules, {});
  Committer committer;
  size_t bytes = 0;
  for (int round = 0; round < 3; ++round) {
    std::vector<Line> events;
    for (int i = 0; i < 20'000; ++i) {
      std::string n = std::to_string(round * 20'000 + i);
      events.push_back(
          failed_login(at("2026-11-01T08:00:00Z") + i * kSecond, "user" + n,
                       "10." + std::to_string(round) + "." + std::to_string(i / 250) + "." + std::to_string(i % 250)));
      events.push_back(login(events.back().at_ns, "u" + n, "2001:db8::" + std::to_string(i % 9999)));
    }
    observe(engine, rules, committer, events);
    size_t now = engine.save().size();
    EXPECT_LT(now, 4u << 20);
    if (round == 2) {
      EXPECT_LT(now, bytes + bytes / 10);
    }
    bytes = now;
  }
}

TEST(Engine, records_that_say_nothing_raise_nothing) {
  Line event;
  event.at_ns = at("2026-11-01T08:00:00Z");
  Line unknown = event;
  unknown.dataset = "";
  EXPECT_TRUE(alerts_of({event, unknown}, {}, rules_of(kRules)).empty());
}

}  // namespace
}  // namespace yushi::detect
