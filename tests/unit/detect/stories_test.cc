// One story an incident: an attacker is followed over accounts and hosts, and nobody is drawn into it who only came
// near.
#include "detect/alerts/stories.h"

#include <set>

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "detect/lists/lists.h"
#include "events.h"

namespace yushi::detect {
namespace {

constexpr const char* kRules = R"(
title: Command
id: command
level: medium
tags: [attack.privilege-escalation]
logsource: {product: yushi}
detection:
  s: {yushi.event: command}
  condition: s
yushi: {key: [actor, host.name], title_zh: 命令, reason_zh: '%{actor} 在 %{host.name} 上执行了命令'}
---
title: Log cleared
id: cleared
level: high
tags: [attack.defense-evasion]
logsource: {product: yushi}
detection:
  s: {event.action: cleared}
  condition: s
yushi: {key: [host.name]}
---
title: Account
id: account
level: low
tags: [attack.persistence]
logsource: {product: yushi}
detection:
  s: {yushi.event: account-created}
  condition: s
---
title: Probe
id: probe
level: medium
tags: [attack.initial-access]
logsource: {product: yushi}
detection:
  s: {event.category: web}
  condition: s
yushi: {fold: 1s}
)";

const int64_t kStart = at("2026-11-02T02:00:00Z");

Line act(int64_t at_ns, const std::string& kind, std::vector<std::pair<std::string, std::string>> values) {
  Line out;
  out.at_ns = at_ns;
  out.dataset = "toy";
  out.pattern = kind;
  out.constants = {{"yushi.event", kind}};
  out.values = std::move(values);
  return out;
}
Line command(int64_t at_ns, const std::string& user, const std::string& host, const std::string& as = "root") {
  return act(at_ns, "command", {{"host.name", host}, {"user.name", user}, {"user.effective.name", as}});
}
Line cleared(int64_t at_ns, const std::string& host) {
  Line out = act(at_ns, "message", {{"host.name", host}});
  out.constants.push_back({"event.action", "cleared"});
  return out;
}
Line probe(int64_t at_ns, const std::string& address) {
  Line out = act(at_ns, "message", {{"host.name", "www-01"}, {"source.ip", address}, {"url.original", "/"}});
  out.constants.push_back({"event.category", "web"});
  return out;
}
void guess(std::vector<Line>& to, int64_t at_ns, const std::string& address, const std::string& user = "alice") {
  for (int i = 0; i < 12; ++i) to.push_back(failed_login(at_ns + i * kSecond, user, address));
}

// Over three hosts, within an hour: guessed, let in, became root, made an account, went on, left no trace.
std::vector<Line> attack() {
  std::vector<Line> out;
  guess(out, kStart, "203.0.113.9");
  out.push_back(login(kStart + kMinute, "alice", "203.0.113.9", "web-01"));
  out.push_back(command(kStart + 2 * kMinute, "alice", "web-01"));
  out.push_back(act(kStart + 3 * kMinute, "account-created", {{"host.name", "web-01"}, {"user.name", "backup2"}}));
  out.push_back(login(kStart + 10 * kMinute, "backup2", "10.0.0.11", "db-01"));
  out.push_back(command(kStart + 11 * kMinute, "backup2", "db-01"));
  out.push_back(login(kStart + 20 * kMinute, "backup2", "10.0.0.12", "app-01"));
  out.push_back(cleared(kStart + 25 * kMinute, "app-01"));
  return out;
}

std::set<std::string> stories_of(const std::vector<Alert>& alerts) {
  std::set<std::string> out;
  for (const auto& alert : alerts) out.insert(alert.story);
  return out;
}
std::vector<Alert> told(const std::vector<Line>& lines) { return alerts_of(lines, {}, rules_of(kRules)); }
const Alert& of(const std::vector<Alert>& alerts, std::string_view rule, std::string_view user = {}) {
  for (const auto& alert : alerts)
    if (alert.rule_id == rule && (user.empty() || alert.field("user.name") == user)) return alert;
  ADD_FAILURE() << "no alert of " << rule;
  std::abort();
}

TEST(Stories, an_attacker_over_three_hosts_is_one_story) {
  const auto alerts = told(attack());
  ASSERT_EQ(alerts.size(), 6u);
  EXPECT_EQ(stories_of(alerts), std::set<std::string>{alerts[0].id});
  EXPECT_EQ(alerts[0].rule_id, "guessing.address");
  EXPECT_EQ(alerts.back().rule_id, "cleared");
  for (const auto& alert : alerts) EXPECT_EQ(alert.story_subject, "203.0.113.9");
}

TEST(Stories, steps_of_several_tactics_raise_its_severity) {
  const auto alerts = told(attack());
  EXPECT_EQ(alerts[0].story_severity, alerts[0].severity);
  EXPECT_EQ(of(alerts, "bruteforce.success").severity, Severity::high);
  EXPECT_EQ(of(alerts, "bruteforce.success").story_severity, Severity::high);
  EXPECT_EQ(of(alerts, "command").story_severity, Severity::critical);  // guessed, let in, became root
}

TEST(Stories, the_alert_says_it_as_json_and_back) {
  auto alerts = told(attack());
  alerts[1].story_joins = {"0123456789abcdef", "fedcba9876543210"};
  for (const auto& alert : alerts) {
    const auto json = alert_to_json(alert);
    const auto read = yushi::alert_of(json);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->story, alert.story);
    EXPECT_EQ(read->story_severity, alert.story_severity);
    EXPECT_EQ(read->story_subject, alert.story_subject);
    EXPECT_EQ(read->story_joins, alert.story_joins);
    EXPECT_EQ(read->reason_zh, alert.reason_zh);
    EXPECT_EQ(alert_to_json(*read), json);
  }
}

TEST(Stories, others_have_stories_of_their_own) {
  auto lines = attack();
  lines.push_back(command(kStart + 30 * kMinute, "bob", "web-02"));
  lines.push_back(probe(kStart + 31 * kMinute, "198.51.100.7"));
  const auto alerts = told(lines);
  EXPECT_EQ(stories_of(alerts).size(), 3u);
  EXPECT_EQ(of(alerts, "command", "bob").story_subject, "bob");
  EXPECT_EQ(of(alerts, "probe").story_subject, "198.51.100.7");
}

// Who guesses from a bastion host must not draw in all that come from there each day.
TEST(Stories, an_account_that_is_wont_to_come_from_the_address_is_not_the_attackers) {
  std::vector<Line> lines;
  lines.push_back(login(kStart - kDay, "carol", "10.0.0.10"));
  guess(lines, kStart, "10.0.0.10");
  lines.push_back(login(kStart + 25 * kMinute, "carol", "10.0.0.10", "db-01"));
  lines.push_back(login(kStart + 26 * kMinute, "mallory", "10.0.0.10", "app-01"));
  lines.push_back(command(kStart + 27 * kMinute, "carol", "db-01"));
  lines.push_back(command(kStart + 28 * kMinute, "mallory", "app-01"));
  const auto alerts = told(lines);
  EXPECT_EQ(of(alerts, "command", "carol").story_subject, "carol");
  EXPECT_EQ(of(alerts, "command", "mallory").story_subject, "10.0.0.10");
}

constexpr const char* kTried = R"(
title: Tried
id: tried
level: medium
tags: [attack.credential-access]
logsource: {product: yushi}
detection:
  s: {event.outcome: failure}
  condition: s
yushi: {key: [user.name], fold: 1s}
)";

// A bastion's address is nobody's: who fails over it is known by his account.
TEST(Stories, who_fails_over_a_bastion_or_where_he_is_wont_to_come_from_is_no_attackers) {
  const std::vector<Line> lines{login(kStart - kHour, "carol", "10.0.0.10"), failed_login(kStart, "carol", "10.0.0.10"),
                                failed_login(kStart + kMinute, "dave", "10.0.0.10"),
                                failed_login(kStart + 2 * kMinute, "erin", "10.0.0.10")};
  const auto rules = rules_of(kTried);
  auto alerts = alerts_of(lines, {}, rules);
  EXPECT_EQ(of(alerts, "tried", "carol").story_subject, "carol");
  EXPECT_EQ(of(alerts, "tried", "dave").story_subject, "10.0.0.10");
  EXPECT_EQ(of(alerts, "tried", "erin").story_subject, "10.0.0.10");

  DetectOptions options;
  const std::string text = "bastions: [10.0.0.10]";
  Walk walk("yushi.yaml");
  ListSettings settings;
  read_list_settings(walk, YAML::Load(text), settings);
  options.lists = Lists::load(settings);
  alerts = alerts_of(lines, options, rules);
  for (auto who : {"carol", "dave", "erin"}) EXPECT_EQ(of(alerts, "tried", who).story_subject, who);
}

TEST(Stories, root_of_a_database_is_not_root_of_its_host) {
  auto in_database = [](int64_t at_ns, const char* user, const char* host) {
    Line line = act(at_ns, "account-created", {{"host.name", host}, {"user.name", user}});
    line.dataset = "mysql";
    line.constants.push_back({"event.category", "database"});
    return line;
  };
  const std::vector<Line> lines{command(kStart, "root", "db-01"), cleared(kStart + kMinute, "db-01"),
                                in_database(kStart + 2 * kHour, "root", "db-01"),
                                in_database(kStart + 3 * kHour, "bob", "db-02"),
                                cleared(kStart + 3 * kHour + kMinute, "db-02")};
  const auto alerts = told(lines);
  EXPECT_EQ(of(alerts, "cleared").story, alerts[0].story);
  EXPECT_EQ(stories_of(alerts).size(), 4u) << "nor is who is in a database on its host";
  EXPECT_EQ(alerts.back().story_subject, "db-02");
}

TEST(Stories, a_day_without_a_step_ends_it) {
  std::vector<Line> lines{probe(kStart, "198.51.100.7"), probe(kStart + 23 * kHour, "198.51.100.7"),
                          probe(kStart + 48 * kHour, "198.51.100.7")};
  const auto alerts = told(lines);
  ASSERT_EQ(alerts.size(), 3u);
  EXPECT_EQ(alerts[0].story, alerts[1].story);
  EXPECT_EQ(alerts[2].story, alerts[2].id);
}

TEST(Stories, a_host_where_nobody_of_a_story_was_is_a_story_itself) {
  auto lines = attack();
  lines.push_back(cleared(kStart + 26 * kMinute, "mail-01"));
  lines.push_back(cleared(kStart + 3 * kHour, "web-01"));  // somebody was there, but long ago
  const auto alerts = told(lines);
  EXPECT_EQ(alerts[alerts.size() - 2].story_subject, "mail-01");
  EXPECT_EQ(alerts.back().story_subject, "web-01");
}

TEST(Stories, what_is_told_late_is_of_who_was_there_then) {
  for (const bool is_late : {true, false}) {
    auto line = cleared(kStart + (is_late ? 30 : 120) * kSecond, "web-01");
    line.late_ns = 10 * kMinute;
    const auto alerts = told({command(kStart, "eve", "web-01"), command(kStart + kMinute, "bob", "web-01"), line});
    ASSERT_EQ(alerts.size(), 3u);
    EXPECT_EQ(alerts[2].story_subject, is_late ? "eve" : "bob");
    EXPECT_EQ(alerts[2].story, alerts[is_late ? 0 : 1].story);
  }
}

TEST(Stories, addresses_that_come_together_become_one) {
  std::vector<Line> lines;
  for (int i = 1; i <= 5; ++i) guess(lines, kStart + i * kMinute, "203.0.113." + std::to_string(i), "root");
  const auto alerts = told(lines);
  ASSERT_EQ(alerts.size(), 4u);
  EXPECT_EQ(stories_of({alerts.begin(), alerts.begin() + 3}).size(), 3u);
  EXPECT_EQ(alerts[3].story, alerts[0].story);
  EXPECT_EQ((std::set<std::string>(alerts[3].story_joins.begin(), alerts[3].story_joins.end())),
            (std::set<std::string>{alerts[1].id, alerts[2].id}));
}

TEST(Stories, root_of_one_host_is_not_root_of_another) {
  std::vector<Line> lines{command(kStart, "root", "web-01"), command(kStart + kMinute, "root", "web-02")};
  EXPECT_EQ(stories_of(told(lines)).size(), 2u);
}

TEST(Stories, the_root_that_an_account_became_is_its_own_for_an_hour) {
  std::vector<Line> lines{command(kStart, "bob", "web-01"), command(kStart + kMinute, "root", "web-01", "root"),
                          command(kStart + 5 * kHour, "root", "web-01", "root")};
  const auto alerts = told(lines);
  ASSERT_EQ(alerts.size(), 3u);
  EXPECT_EQ(alerts[1].story, alerts[0].story);
}

TEST(Stories, what_was_folded_is_told_in_its_story) {
  std::vector<Line> lines;
  for (int i = 0; i < 5; ++i) lines.push_back(command(kStart + i * kMinute, "bob", "web-01"));
  const auto rules = rules_of(kRules);
  Engine engine(rules, {});
  Committer committer;
  auto alerts = observe(engine, rules, committer, lines);
  engine.tick(1, kStart + 3 * kHour, alerts);
  ASSERT_EQ(alerts.size(), 2u);
  EXPECT_TRUE(alerts[1].summary);
  EXPECT_EQ(alerts[1].story, alerts[0].id);
}

TEST(Stories, a_state_that_was_saved_goes_on_with_them) {
  const auto lines = attack();
  const auto rules = rules_of(kRules);
  const auto whole = told(lines);
  for (size_t cut = 1; cut < lines.size(); ++cut) {
    Committer committer;
    Engine before(rules, {}), after(rules, {});
    const auto middle = lines.begin() + static_cast<ptrdiff_t>(cut);
    auto alerts = observe(before, rules, committer, {lines.begin(), middle});
    const auto left_out = after.load(before.save());
    ASSERT_TRUE(left_out) << left_out.error().message;
    EXPECT_TRUE(left_out->empty());
    for (auto& alert : observe(after, rules, committer, {middle, lines.end()})) alerts.push_back(std::move(alert));
    ASSERT_EQ(alerts.size(), whole.size());
    for (size_t i = 0; i < whole.size(); ++i) EXPECT_EQ(alert_to_json(alerts[i]), alert_to_json(whole[i]));
  }
}

}  // namespace
}  // namespace yushi::detect
