// What is new to a whole site: accounts from new networks, hosts logged in to round the bastion, hosts that fall
// silent.
#include "detect/behaviours/site.h"

#include <gtest/gtest.h>

#include "detect/behaviours/silence.h"
#include "events.h"

namespace yushi::detect {
namespace {

const int64_t kStart = at("2026-11-02T08:00:00Z");

// Ten days: from desks to the bastion, from there to hosts.
std::vector<Line> weeks(int days = 10) {
  std::vector<Line> out;
  for (int day = 0; day < days; ++day)
    for (int i = 0; i < 3; ++i) {
      const std::string who = i == 0 ? "lin" : i == 1 ? "chen" : "wu", desk = "10.20.1." + std::to_string(11 + i);
      const int64_t when = kStart + day * kDay + i * kHour;
      out.push_back(login(when, who, desk, "bastion-01"));
      out.push_back(login(when + kMinute, who, "10.0.0.10", "web-01"));
    }
  return out;
}
std::vector<std::string> told_after(std::vector<Line> lines, Line last, std::string_view rule) {
  lines.push_back(std::move(last));
  auto alerts = alerts_of(lines);
  std::vector<std::string> out;
  for (auto* alert : of_rule(alerts, rule)) out.push_back(alert->reason);
  return out;
}
const int64_t kLater = kStart + 10 * kDay;

TEST(Site, an_account_that_is_new_and_comes_from_a_new_network_is_told) {
  auto told = told_after(weeks(), login(kLater, "svc9", "198.51.100.20", "web-01"), "baseline.new-account");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0],
            "svc9 logged in from 198.51.100.20 on web-01, and never has before; no account of this log has ever come "
            "from 198.51.100.0/24");
}

TEST(Site, a_new_colleague_at_a_desk_is_not) {
  EXPECT_TRUE(told_after(weeks(), login(kLater, "sun", "10.20.1.15", "bastion-01"), "baseline.new-account").empty());
}

TEST(Site, roots_first_login_is_told_wherever_it_comes_from) {
  EXPECT_EQ(told_after(weeks(), login(kLater, "root", "10.20.1.12", "web-01"), "baseline.new-account").size(), 1u);
}

TEST(Site, in_its_first_days_all_is_new) {
  EXPECT_TRUE(told_after(weeks(2), login(kStart + 2 * kDay, "svc9", "198.51.100.20"), "baseline.new-account").empty());
}

TEST(Site, a_host_logged_in_to_round_the_bastion_is_told) {
  auto told = told_after(weeks(), login(kLater, "lin", "10.20.1.11", "web-01"), "baseline.host-from-elsewhere");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0],
            "lin logged in on web-01 from 10.20.1.11, from whose network nobody has come to this host; they come from "
            "10.0.0.0/24 (30): was a bastion passed by?");
}

TEST(Site, a_host_that_people_come_to_from_everywhere_is_not) {
  auto lines = weeks();
  for (int i = 0; i < 20; ++i)
    lines.push_back(login(kLater + i * kMinute, "lin", "10.30." + std::to_string(i) + ".5", "web-02"));
  EXPECT_TRUE(
      told_after(lines, login(kLater + kHour, "lin", "10.20.1.11", "web-02"), "baseline.host-from-elsewhere").empty());
}

TEST(Site, an_account_that_has_hardly_come_from_a_network_that_nobody_came_from_is_told) {
  auto lines = weeks();
  lines.push_back(login(kLater, "ops", "10.20.1.20", "web-01"));
  lines.push_back(login(kLater, "ops", "10.20.1.20", "bastion-01"));
  EXPECT_EQ(told_after(lines, login(kLater + kMinute, "ops", "198.51.100.20", "web-01"), "baseline.host-from-elsewhere")
                .size(),
            2u);
  EXPECT_TRUE(
      told_after(weeks(), login(kLater, "lin", "198.51.100.20", "web-01"), "baseline.host-from-elsewhere").empty());
}

TEST(Site, in_its_first_week_no_host_has_a_usual) {
  EXPECT_TRUE(
      told_after(weeks(5), login(kStart + 5 * kDay, "lin", "10.20.1.11", "web-01"), "baseline.host-from-elsewhere")
          .empty());
}

TEST(Accounts, a_login_after_months_is_told) {
  auto lines = weeks();
  auto told =
      told_after(lines, login(kLater + 90 * kDay, "wu", "10.20.1.13", "bastion-01"), "baseline.dormant-account");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_NE(told[0].find("for the first time in 9"), std::string::npos) << told[0];
  EXPECT_TRUE(told_after(lines, login(kLater + 14 * kDay, "wu", "10.20.1.13", "bastion-01"), "baseline.dormant-account")
                  .empty());
}

TEST(Accounts, after_weeks_a_login_is_told_of_who_came_often) {
  const std::string_view rule = "baseline.dormant-account";
  EXPECT_EQ(told_after(weeks(), login(kLater + 25 * kDay, "wu", "10.20.1.13", "bastion-01"), rule).size(), 1u);
  auto monthly = weeks();
  for (int month : {1, 2, 3})
    monthly.push_back(login(kLater + month * 30 * kDay, "quarter", "10.20.1.13", "bastion-01"));
  EXPECT_TRUE(told_after(monthly, login(kLater + 125 * kDay, "quarter", "10.20.1.13", "bastion-01"), rule).empty());
}

// ------------------------------------------------------------------------------------------------------------ silence

Line word(int64_t when, std::string host) {
  Line line;
  line.at_ns = when;
  line.dataset = "cron";
  line.pattern = "line";
  line.values = {{"host.name", std::move(host)}};
  return line;
}
// Four hosts, a line each ten minutes, but of `stops` from that day on.
std::vector<Line> days(int count, const std::string& stops = "", int on_day = 0) {
  std::vector<Line> out;
  for (int step = 0; step < count * 144; ++step)
    for (int i = 0; i < 4; ++i) {
      const std::string host = "web-0" + std::to_string(i);
      if (host == stops && step >= on_day * 144) continue;
      out.push_back(word(kStart + step * 10 * kMinute + i * kSecond, host));
    }
  return out;
}

TEST(Silence, a_host_that_stops_while_others_go_on_is_told_once) {
  auto alerts = alerts_of(days(8, "web-02", 6));
  auto told = of_rule(alerts, "silence.host");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0]->key, "web-02");
  EXPECT_TRUE(told[0]->reason.starts_with("web-02 has sent nothing since 2026-11-08 07:50:02 UTC, for "))
      << told[0]->reason;
  // An hour, and the time until the others have been heard of.
  EXPECT_LT(told[0]->event_ns, at("2026-11-08T09:20:00Z"));
  ASSERT_EQ(told[0]->records.size(), 1u);
}

TEST(Silence, a_host_that_rests_at_night_may_rest_on_its_first_weekend) {
  for (int count : {7, 9}) {
    std::vector<Line> lines;
    for (auto& line : days(count)) {
      const int64_t hours = (line.at_ns - kStart) / kHour;
      if (line.values[0].second != "web-03" || (hours % 24 < 10 && hours < 4 * 24)) lines.push_back(line);
    }
    EXPECT_EQ(of_rule(alerts_of(lines), "silence.host").size(), count == 7 ? 0u : 1u) << count;
  }
}

TEST(Silence, hosts_that_came_on_one_day_alone_hold_nothing_back) {
  std::vector<Line> lines;
  for (auto& line : days(8, "web-02", 6)) {
    lines.push_back(line);
    if (lines.size() == 1000)
      for (int i = 0; i < 9; ++i) lines.push_back(word(line.at_ns, "guest-" + std::to_string(i)));
  }
  size_t told = 0;
  for (const auto& alert : alerts_of(lines)) told += alert.rule_id == "silence.host" && alert.key == "web-02";
  EXPECT_EQ(told, 1u);
}

TEST(Silence, when_all_stop_nobody_is_told_of) {
  auto lines = days(6);
  lines.push_back(word(kStart + 20 * kDay, "web-00"));
  EXPECT_TRUE(of_rule(alerts_of(lines), "silence.host").empty());
}

TEST(Silence, after_an_outage_of_all_only_who_does_not_come_back_is_told) {
  for (const bool one_stays_away : {false, true}) {
    std::vector<Line> lines;
    for (int hour = 0; hour < 10 * 24; ++hour) {
      if (hour / 24 == 6 || hour / 24 == 7) continue;
      for (int i = 0; i < 7; ++i)
        if (i != 6 || !one_stays_away || hour < 6 * 24)
          lines.push_back(word(kStart + hour * kHour + i * 5 * kMinute, "web-0" + std::to_string(i)));
    }
    const auto alerts = alerts_of(lines);
    const auto told = of_rule(alerts, "silence.host");
    ASSERT_EQ(told.size(), one_stays_away ? 1u : 0u);
    if (one_stays_away) {
      EXPECT_EQ(told[0]->field("host.name"), "web-06");
    }
  }
}

TEST(Silence, an_outage_of_all_is_no_pause_of_a_host_that_stops_soon_after) {
  std::vector<Line> lines;
  for (auto& line : days(8, "web-02", 6))
    if (line.at_ns < kStart + 5 * kDay || line.at_ns > kStart + 5 * kDay + 7 * kHour) lines.push_back(line);
  const auto alerts = alerts_of(lines);
  const auto told = of_rule(alerts, "silence.host");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0]->key, "web-02");
  // An hour, and the time until the others have been heard of; not three times seven.
  EXPECT_LT(told[0]->event_ns, kStart + 6 * kDay + 90 * kMinute);
  EXPECT_NE(told[0]->reason.find("its longest pause in 14 days was 10 min, but for 8 h in which all of them were away"),
            std::string::npos)
      << told[0]->reason;
}

TEST(Silence, a_site_that_rests_on_weekends_comes_back_without_alarms) {
  // Offices: on at eight, one after the other until ten, off at six.
  std::vector<Line> lines;
  for (int day = 0; day < 28; ++day)
    for (int step = 0; day % 7 < 5 && step < 60; ++step)
      for (int i = 0; i < 8; ++i)
        if (step >= i * 2)
          lines.push_back(word(kStart + day * kDay + step * 10 * kMinute + i * kSecond, "web-0" + std::to_string(i)));
  EXPECT_TRUE(of_rule(alerts_of(lines), "silence.host").empty());
}

TEST(Silence, a_clock_far_ahead_makes_no_other_host_silent) {
  auto lines = days(6);
  for (size_t i = 1; i < lines.size(); i += 4) lines[i].at_ns += 20 * kHour;
  EXPECT_TRUE(of_rule(alerts_of(lines), "silence.host").empty());
}

TEST(Silence, long_pauses_that_are_usual_are_none) {
  std::vector<Line> lines;
  for (auto& line : days(10))
    if (line.values[0].second != "web-03" || (line.at_ns - kStart) / kHour % 24 < 10) lines.push_back(line);
  EXPECT_TRUE(of_rule(alerts_of(lines), "silence.host").empty());
}

// Each host a record each three minutes for three weeks; `thin` says which are left out.
std::vector<Line> three_weeks(bool (*thin)(const std::string& host, int64_t hours)) {
  std::vector<Line> out;
  for (int64_t minutes = 0; minutes < 21 * 24 * 60; minutes += 2)
    for (std::string host : {"web-01", "web-02", "db-01", "log-01"}) {
      if (thin(host, minutes / 60) && minutes % 30 != 0) continue;
      Line line = login(kStart + minutes * kMinute, "lin", "10.20.1.11", host);
      line.constants.clear();
      line.pattern = "message";
      out.push_back(line);
    }
  return out;
}

TEST(Silence, a_host_far_below_its_own_rate_is_told_while_the_others_go_on) {
  auto alerts = alerts_of(three_weeks([](auto& host, int64_t hours) { return host == "db-01" && hours > 16 * 24; }));
  auto told = of_rule(alerts, "silence.far-below");
  ASSERT_GE(told.size(), 1u);
  EXPECT_EQ(told[0]->key, "db-01");
  EXPECT_EQ(told[0]->reason,
            "db-01 has sent 6 records in 3 h until 2026-11-18 12:00:00 UTC, where at least 90 came at these hours of "
            "the weeks before; the rest of this log sent 270 of 270");
}

TEST(Silence, in_the_second_week_a_busy_hour_of_the_first_is_no_rate) {
  const auto busy_once = [](auto& host, int64_t hours) { return host == "db-01" && (hours < 50 || hours > 60); };
  EXPECT_TRUE(of_rule(alerts_of(three_weeks(busy_once)), "silence.far-below").empty());
  const auto falls = [](auto& host, int64_t hours) { return host == "db-01" && hours > 10 * 24; };
  EXPECT_FALSE(of_rule(alerts_of(three_weeks(falls)), "silence.far-below").empty());
}

TEST(Silence, in_the_third_week_an_hour_that_was_busy_twice_is_no_rate) {
  // On the same day of two weeks, and on no other.
  const auto busy_twice = [](auto& host, int64_t hours) { return host == "db-01" && hours % 168 / 24 != 3; };
  EXPECT_TRUE(of_rule(alerts_of(three_weeks([](auto& host, int64_t hours) {
                        return host == "db-01" && (hours % 168 / 24 != 3 || hours > 14 * 24);
                      })),
                      "silence.far-below")
                  .empty());
  EXPECT_TRUE(of_rule(alerts_of(three_weeks(busy_twice)), "silence.far-below").empty());
}

TEST(Silence, a_quiet_day_of_all_and_hours_that_are_quiet_each_week_are_not) {
  EXPECT_TRUE(of_rule(alerts_of(three_weeks([](auto&, int64_t hours) { return hours > 16 * 24; })), "silence.far-below")
                  .empty());
  EXPECT_TRUE(
      of_rule(alerts_of(three_weeks([](auto& host, int64_t hours) { return host == "db-01" && hours % 24 > 12; })),
              "silence.far-below")
          .empty());
}

}  // namespace
}  // namespace yushi::detect
