// Root at an hour at which its account never is.
#include "detect/behaviours/root_hours.h"

#include <gtest/gtest.h>

#include "events.h"

namespace yushi::detect {
namespace {

const int64_t kStart = at("2026-11-02T08:10:00Z");
constexpr std::string_view kRule = "baseline.root-at-unusual-hour";

Line sudo(int64_t when, std::string who = "lin", std::string command = "/usr/bin/systemctl status nginx") {
  Line line;
  line.at_ns = when;
  line.dataset = "sudo";
  line.pattern = "command";
  line.constants = {{"yushi.event", "command"}};
  line.values = {{"host.name", "web-01"},
                 {"user.name", std::move(who)},
                 {"user.effective.name", "root"},
                 {"process.command_line", std::move(command)}};
  return line;
}
// What the audit system says of a root shell.
Line started(int64_t when, std::string terminal = "pts0", std::string name = "lin") {
  Line line;
  line.at_ns = when;
  line.dataset = "auditd";
  line.pattern = "executed";
  line.constants = {{"yushi.event", "process-started"}};
  line.values = {{"host.name", "web-01"},  {"user.id", "0"},
                 {"auditd.auid", "1001"},  {"auditd.auid_name", std::move(name)},
                 {"auditd.tty", terminal}, {"process.command_line", "ls /root"}};
  return line;
}
std::vector<Line> weeks(int days = 20) {
  std::vector<Line> out;
  for (int day = 0; day < days; ++day)
    for (int hour : {0, 3, 6}) out.push_back(sudo(kStart + day * kDay + hour * kHour));
  return out;
}
size_t told_after(std::vector<Line> lines, std::vector<Line> more) {
  lines.insert(lines.end(), more.begin(), more.end());
  const auto all = alerts_of(lines);
  return of_rule(all, kRule).size();
}

TEST(RootHours, who_works_by_day_and_is_root_at_night_is_told_once_a_night) {
  auto lines = weeks();
  const int64_t night = kStart + 19 * kDay + 19 * kHour;  // 03:10
  lines.push_back(started(night));
  lines.push_back(started(night + kMinute));
  lines.push_back(started(night + kHour));
  const auto all = alerts_of(lines);
  const auto found = of_rule(all, kRule);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(
      found[0]->reason,
      "lin acted as root on web-01 at 03:00 UTC (ls /root); in 20 days with such acts since 2026-11-02 it never did "
      "between 01:00 and 06:00");
  EXPECT_FALSE(found[0]->learning);
}

TEST(RootHours, an_hour_near_the_usual_ones_a_job_and_a_short_history_are_no_news) {
  const int64_t last = kStart + 19 * kDay;
  EXPECT_EQ(told_after(weeks(), {sudo(last + 8 * kHour)}), 0u);
  EXPECT_EQ(told_after(weeks(), {started(last + 19 * kHour, "(none)")}), 0u);
  EXPECT_EQ(told_after(weeks(4), {sudo(kStart + 3 * kDay + 19 * kHour)}), 0u);
  EXPECT_EQ(told_after(weeks(), {started(last + 19 * kHour, "pts0", "chen")}), 0u);
}

TEST(RootHours, where_a_login_of_that_hour_was_judged_it_says_nothing) {
  const int64_t night = kStart + 19 * kDay + 19 * kHour;
  EXPECT_EQ(told_after(weeks(), {login(night, "lin", "10.0.0.5"), sudo(night + kMinute)}), 0u);
  // A key's hour is not judged.
  Line act = login(night, "lin", "10.0.0.5");
  act.pattern = act.dataset = "api";
  act.constants = {{"event.category", "api"}, {"event.outcome", "success"}};
  EXPECT_EQ(told_after(weeks(), {act, sudo(night + kMinute)}), 1u);
}

TEST(RootHours, who_configures_devices_by_day_and_at_night_is_told) {
  auto changed = [](int64_t when, const std::string& who = "pan") {
    Line line = sudo(when, who);
    line.dataset = "router";
    line.pattern = "changed";
    line.constants = {{"yushi.event", "config-changed"}};
    line.values = {{"host.name", "rtr-1"}, {"user.name", who}};
    return line;
  };
  std::vector<Line> lines;
  for (const std::string who : {"pan", "system:kube-scheduler"}) {  // that one is no person
    for (int day = 0; day < 20; ++day) lines.push_back(changed(kStart + day * kDay, who));
    lines.push_back(changed(kStart + 19 * kDay + 9 * kHour, who));
  }
  const auto all = alerts_of(lines);
  const auto found = of_rule(all, "baseline.change-at-unusual-hour");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0]->reason.starts_with("pan changed the configuration on rtr-1 at 17:00 UTC")) << found[0]->reason;
  EXPECT_TRUE(of_rule(all, kRule).empty());
}

TEST(RootHours, an_hour_at_which_half_of_the_site_works_is_no_odd_one) {
  const int64_t afternoon = kStart + 19 * kDay + 11 * kHour;
  auto lines = weeks();
  for (const char* user : {"chen", "wu", "zhao", "li"})
    for (int day = 0; day < 19; ++day)
      for (int hour : {1, 4, 9, 11}) lines.push_back(login(kStart + day * kDay + hour * kHour, user, "10.0.0.5"));
  std::stable_sort(lines.begin(), lines.end(), [](auto& a, auto& b) { return a.at_ns < b.at_ns; });
  EXPECT_EQ(told_after(lines, {sudo(afternoon)}), 0u);
  EXPECT_EQ(told_after(lines, {sudo(afternoon + 8 * kHour)}), 1u);
}

TEST(RootHours, what_comes_late_is_judged_too) {
  const int64_t morning = kStart + 20 * kDay;
  EXPECT_EQ(told_after(weeks(), {sudo(morning), started(morning - 5 * kHour)}), 1u);
}

TEST(RootHours, what_is_known_outlives_a_restart) {
  auto rules = no_rules();
  Engine first(rules, {}), second(rules, {});
  Committer committer;
  observe(first, rules, committer, weeks());
  ASSERT_TRUE(second.load(first.save()).has_value());
  const auto alerts = observe(second, rules, committer, {started(kStart + 19 * kDay + 19 * kHour)});
  EXPECT_EQ(of_rule(alerts, kRule).size(), 1u);
}

}  // namespace
}  // namespace yushi::detect
