// What an account does for the first time, and its peers are wont to do, weighs less; what they never did is said.
#include "detect/lists/peers.h"

#include <gtest/gtest.h>

#include "events.h"

namespace yushi::detect {
namespace {

const int64_t kStart = at("2026-10-02T09:00:00Z");

DetectOptions with_groups(
    const std::string& yaml = "peer_groups: [lin dba, chen dba, wei dba, {account: 'web-*', group: web}]") {
  Walk walk("yushi.yaml");
  ListSettings settings;
  read_list_settings(walk, YAML::Load(yaml), settings);
  EXPECT_EQ(walk.problems(), "");
  DetectOptions options;
  options.lists = Lists::load(settings);
  return options;
}

// Twenty days on which these people come from the office, each to his own host, and the first `helpers` of the others
// to lin's new one and from his new network too.
std::vector<Line> office(const std::vector<std::string>& people, size_t helpers) {
  std::vector<Line> out;
  for (int day = 0; day < 20; ++day) {
    const int64_t when = kStart + day * kDay;
    size_t helping = 0;
    for (const auto& who : people) {
      out.push_back(login(when, who, "10.0.0.5", "own-" + who));
      if (who != people[0] && helping++ < helpers && day % 5 == 0)
        out.push_back(login(when + kHour, who, "10.9.0." + std::to_string(helping), "db-01"));
    }
  }
  return out;
}
std::vector<Alert> after_it(std::vector<Line> lines, const Line& last, DetectOptions options) {
  lines.push_back(last);
  const auto index = lines.size() - 1;
  auto alerts = alerts_of(lines, std::move(options));
  std::erase_if(alerts, [&](const Alert& alert) { return alert.records.empty() || alert.records[0].index != index; });
  return alerts;
}
Line last(const std::string& who, const std::string& source, const std::string& host) {
  return login(kStart + 20 * kDay, who, source, host);
}

TEST(Peers, a_host_to_which_its_peers_go_is_no_news) {
  const auto host = last("lin", "10.0.0.5", "db-01");
  EXPECT_TRUE(of_rule(after_it(office({"lin", "chen", "wei"}, 2), host, with_groups()), "baseline.first-host").empty());
  EXPECT_EQ(of_rule(after_it(office({"lin", "chen", "wei"}, 2), host, {}), "baseline.first-host").size(), 1u);
}

TEST(Peers, one_helper_makes_no_habit_of_a_group) {
  const auto alerts = after_it(office({"lin", "chen", "wei"}, 1), last("lin", "10.0.0.5", "db-01"), with_groups());
  const auto found = of_rule(alerts, "baseline.first-host");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0]->reason.find("; 1 of group dba is wont to"), std::string::npos) << found[0]->reason;
  EXPECT_NE(found[0]->reason_zh.find("；同组（dba）有 1 人惯常如此"), std::string::npos) << found[0]->reason_zh;
}

TEST(Peers, a_network_from_which_they_come_weighs_less) {
  const auto line = last("lin", "10.9.0.77", "own-lin");
  const auto eased = after_it(office({"lin", "chen", "wei"}, 2), line, with_groups());
  const auto plain = after_it(office({"lin", "chen", "wei"}, 2), line, {});
  const auto found = of_rule(eased, "baseline.first-source-address"),
             before = of_rule(plain, "baseline.first-source-address");
  ASSERT_EQ(found.size(), 1u);
  ASSERT_EQ(before.size(), 1u);
  EXPECT_EQ(found[0]->severity, Severity::low);
  EXPECT_EQ(before[0]->severity, Severity::medium);
  EXPECT_NE(found[0]->reason.find("; 2 of group dba are wont to"), std::string::npos) << found[0]->reason;
  EXPECT_NE(found[0]->baseline.find("peers_wont=2 peers_did=2 list=peer_groups entry=\"lin group=dba\""),
            std::string::npos)
      << found[0]->baseline;
}

TEST(Peers, what_none_of_them_did_is_told_as_before_and_says_so) {
  const auto alerts = after_it(office({"lin", "chen", "wei"}, 2), last("lin", "203.0.113.9", "own-lin"), with_groups());
  const auto found = of_rule(alerts, "baseline.first-source-address");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]->severity, Severity::medium);
  EXPECT_NE(found[0]->reason.find("; nobody of group dba did either"), std::string::npos) << found[0]->reason;
  EXPECT_NE(found[0]->reason_zh.find("；同组（dba）也无人如此"), std::string::npos) << found[0]->reason_zh;
}

TEST(Peers, those_of_another_group_or_of_none_are_no_peers) {
  for (const auto* groups : {"peer_groups: [lin dba, chen web, wei web]", "peer_groups: [chen dba, wei dba]"}) {
    const auto alerts =
        after_it(office({"lin", "chen", "wei"}, 2), last("lin", "10.0.0.5", "db-01"), with_groups(groups));
    EXPECT_EQ(of_rule(alerts, "baseline.first-host").size(), 1u) << groups;
  }
}

TEST(Peers, a_group_may_be_named_by_a_pattern) {
  const auto host = last("web-1", "10.0.0.5", "db-01");
  const auto lines = office({"web-1", "web-2", "web-3"}, 2);
  EXPECT_TRUE(of_rule(after_it(lines, host, with_groups()), "baseline.first-host").empty());
  EXPECT_EQ(of_rule(after_it(lines, host, {}), "baseline.first-host").size(), 1u);
}

TEST(Peers, an_entry_without_a_group_is_a_problem) {
  Walk walk("yushi.yaml");
  ListSettings settings;
  read_list_settings(walk, YAML::Load("peer_groups: [lin]"), settings);
  EXPECT_NE(walk.problems().find("peer_groups: group: is missing"), std::string::npos) << walk.problems();
}

// ------------------------------------------------------------------------------------------------- rules with a habit

std::shared_ptr<const RuleSet> sudoers(const std::string& level, const std::string& habit = "[actor, host.name]") {
  return rules_of("title: Sudoers\nid: sudoers\nlevel: " + level +
                  "\nlogsource: {product: yushi}\ndetection: {s: {event.action: sudoers}, condition: s}\n"
                  "yushi: {key: [actor, host.name], habit: " +
                  habit + ", reason: '%{actor} on %{host.name}'}\n");
}
std::vector<Alert> of_lin(int nights_of_peers, const std::string& level, DetectOptions options,
                          const std::string& habit = "[actor, host.name]") {
  std::vector<Line> lines;
  const auto act = [&](int day, const char* who, const char* action) {
    Line line;
    line.at_ns = kStart + day * kDay;
    line.dataset = "sudo";
    line.pattern = action;
    line.constants = {{"event.action", action}};
    line.values = {{"host.name", "web-01"}, {"user.name", who}};
    lines.push_back(line);
  };
  act(0, "lin", "other");
  for (int day = 0; day < nights_of_peers; ++day)
    for (const auto* who : {"chen", "wei"}) act(day, who, "sudoers");
  act(10, "lin", "sudoers");
  auto alerts = alerts_of(lines, std::move(options), sudoers(level, habit));
  std::erase_if(alerts, [](const Alert& alert) { return !alert.reason.starts_with("lin "); });
  return alerts;
}

TEST(Peers, a_rule_weighs_less_what_they_do_day_after_day) {
  auto alerts = of_lin(9, "high", with_groups());
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].severity, Severity::medium);
  EXPECT_EQ(alerts[0].reason,
            "lin on web-01 (never before in the 10 days that are remembered; 2 of group dba are wont to)");
  EXPECT_TRUE(of_lin(9, "low", with_groups()).empty());
  EXPECT_EQ(of_lin(9, "low", {}).size(), 1u);
  EXPECT_EQ(of_lin(9, "critical", with_groups()).at(0).severity, Severity::critical);
}

TEST(Peers, a_rule_says_when_none_of_them_did) {
  auto alerts = of_lin(0, "high", with_groups());
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].severity, Severity::high);
  EXPECT_EQ(alerts[0].reason,
            "lin on web-01 (never before in the 10 days that are remembered; nobody of group dba did either)");
}

// A habit of the host alone is nobody's.
TEST(Peers, a_rule_whose_habit_names_no_account_asks_nobody) {
  auto alerts = of_lin(1, "high", with_groups(), "[host.name]");
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].reason.find("group"), std::string::npos) << alerts[0].reason;
}

}  // namespace
}  // namespace yushi::detect
