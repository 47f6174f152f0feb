// Baselines of accounts: what is odd is told against what is usual, and what is usual is not told.
#include "detect/accounts.h"

#include <gtest/gtest.h>

#include "events.h"

namespace yushi {
namespace {

constexpr std::string_view kSource = "baseline.first-source-address";
constexpr std::string_view kHost = "baseline.first-host";
constexpr std::string_view kHour = "baseline.unusual-hour";

// One login a day at 09:00 UTC.
std::vector<Event> days(int count, const std::string& user = "root", const std::string& source = "10.0.0.5",
                        int64_t from = at("2026-10-02T09:00:00Z")) {
  std::vector<Event> events;
  for (int day = 0; day < count; ++day) events.push_back(login(from + day * kDayNs, user, source));
  return events;
}

TEST(Accounts, a_first_address_is_told_against_the_usual_ones) {
  auto events = days(39);
  events.push_back(login(events.back().at_ns + kHourNs, "root", "10.0.0.7"));
  events.push_back(login(events.back().at_ns + kHourNs, "root", "10.0.0.7"));
  events.push_back(login(events.back().at_ns + kHourNs, "root", "203.0.113.9"));
  auto alerts = of_rule(alerts_of(events), kSource);
  std::vector<Alert> all = alerts_of(events);
  auto found = of_rule(all, kSource);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[1]->reason,
            "root logged in from 203.0.113.9 for the first time; in 41 logins since 2026-10-02 it came from "
            "10.0.0.5 (39) and 10.0.0.7 (2)");
  EXPECT_FALSE(found[1]->learning);
  EXPECT_EQ(found[1]->severity, Severity::medium);
  ASSERT_EQ(found[1]->records.size(), 1u);
  EXPECT_EQ(found[1]->records[0].log, "default");
  EXPECT_EQ(found[1]->records[0].index, 41u);
  EXPECT_NE(found[1]->baseline.find("logins=41"), std::string::npos);
  EXPECT_NE(found[1]->baseline.find("10.0.0.5=39"), std::string::npos);
  EXPECT_EQ(found[1]->tenant, "default");
  EXPECT_EQ(found[1]->id.size(), 16u);
}

TEST(Accounts, an_address_of_a_known_network_is_told_as_less) {
  auto events = days(20);
  events.push_back(login(events.back().at_ns + kHourNs, "root", "10.0.0.77"));
  auto all = alerts_of(events);
  auto found = of_rule(all, kSource);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]->severity, Severity::low);
  EXPECT_NE(found[0]->reason.find("same network"), std::string::npos);
}

TEST(Accounts, the_first_login_of_an_account_is_learned_and_not_told) {
  EXPECT_TRUE(alerts_of({login(at("2026-10-02T09:00:00Z"), "root", "203.0.113.9")}).empty());
}

TEST(Accounts, what_is_usual_is_never_told) { EXPECT_TRUE(alerts_of(days(100)).empty()); }

TEST(Accounts, findings_of_the_first_fourteen_days_are_marked_as_learning) {
  int64_t start = at("2026-10-02T09:00:00Z");
  auto all = alerts_of({login(start, "root", "10.0.0.5"), login(start + 13 * kDayNs, "root", "203.0.113.9"),
                        login(start + 15 * kDayNs, "root", "198.51.100.4")});
  auto found = of_rule(all, kSource);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_TRUE(found[0]->learning);
  EXPECT_FALSE(found[1]->learning);
}

TEST(Accounts, a_first_host_is_told_against_the_usual_ones) {
  auto events = days(18, "alice");
  events.push_back(login(events.back().at_ns + kHourNs, "alice", "10.0.0.5", "db-03"));
  auto all = alerts_of(events);
  auto found = of_rule(all, kHost);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]->reason,
            "alice logged in on db-03 for the first time, from 10.0.0.5; in 18 logins since 2026-10-02 it was on web-01 "
            "(18)");
  EXPECT_TRUE(of_rule(all, kSource).empty());
}

TEST(Accounts, an_unusual_hour_is_told_against_the_usual_ones) {
  auto events = days(30);
  for (int day = 0; day < 10; ++day) events.push_back(login(events.back().at_ns + kDayNs + kMinuteNs, "root", "10.0.0.5"));
  int64_t night = events.back().at_ns / kDayNs * kDayNs + kDayNs + 3 * kHourNs + 12 * kMinuteNs;
  events.push_back(login(night, "root", "10.0.0.5"));
  auto all = alerts_of(events);
  auto found = of_rule(all, kHour);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]->reason,
            "root logged in at 03:12 UTC from 10.0.0.5; of 40 logins since 2026-10-02 on 40 days, none was between 02:00 "
            "and 05:00; most were in the hours from 09:00 (40)");
  EXPECT_EQ(all.size(), 1u);
}

TEST(Accounts, an_hour_is_not_judged_before_twenty_logins_on_five_days) {
  auto few = days(19);
  few.push_back(login(few.back().at_ns + 18 * kHourNs, "root", "10.0.0.5"));
  EXPECT_TRUE(alerts_of(few).empty());
  std::vector<Event> one_day;
  for (int i = 0; i < 40; ++i) one_day.push_back(login(at("2026-10-02T09:00:00Z") + i * kMinuteNs, "root", "10.0.0.5"));
  one_day.push_back(login(at("2026-10-02T23:00:00Z"), "root", "10.0.0.5"));
  EXPECT_TRUE(alerts_of(one_day).empty());
}

TEST(Accounts, a_robot_that_logs_in_around_the_clock_has_no_unusual_hour) {
  std::vector<Event> events;
  for (int i = 0; i < 24 * 30; ++i)
    events.push_back(login(at("2026-10-02T00:10:00Z") + i * kHourNs, "backup", "10.0.0.5"));
  EXPECT_TRUE(alerts_of(events).empty());
}

TEST(Accounts, the_neighbouring_hour_is_not_unusual) {
  auto events = days(30);
  events.push_back(login(at("2026-11-02T10:40:00Z"), "root", "10.0.0.5"));
  EXPECT_TRUE(alerts_of(events).empty());
}

TEST(Accounts, hours_count_in_the_zone_of_the_tenant) {
  auto zone = Zone::find("Asia/Shanghai");
  ASSERT_TRUE(zone);
  DetectOptions options;
  options.zones = {{"default", *zone}};
  auto events = days(30, "root", "10.0.0.5", at("2026-10-02T15:30:00Z"));  // 23:30 there
  events.push_back(login(at("2026-11-02T04:00:00Z"), "root", "10.0.0.5"));
  auto all = alerts_of(events, options);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_NE(all[0].reason.find("at 12:00 Asia/Shanghai"), std::string::npos) << all[0].reason;
  EXPECT_NE(all[0].reason.find("23:00 (30)"), std::string::npos) << all[0].reason;
}

TEST(Accounts, tenants_do_not_learn_from_each_other) {
  auto events = days(10);
  auto elsewhere = login(events.back().at_ns + kHourNs, "root", "203.0.113.9");
  elsewhere.log = "finance";
  events.push_back(elsewhere);
  EXPECT_TRUE(alerts_of(events).empty());
}

TEST(Accounts, two_lines_about_one_login_count_once) {
  std::vector<Event> events;
  for (const auto& event : days(3)) {
    events.push_back(event);
    events.push_back(event);
    events.back().pattern = "user-login";
    events.back().dataset = "auditd";
  }
  events.push_back(login(events.back().at_ns + kHourNs, "root", "203.0.113.9"));
  auto all = alerts_of(events);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_NE(all[0].reason.find("in 3 logins"), std::string::npos) << all[0].reason;
}

TEST(Accounts, sessions_without_an_address_and_sudo_are_no_logins) {
  auto events = days(3);
  auto session = login(events.back().at_ns + kHourNs, "root", "");
  session.values.pop_back();
  session.values[0].second = "db-03";
  session.dataset = "cron";
  events.push_back(session);
  session.dataset = "sshd";
  session.pattern = "session-opened";
  events.push_back(session);
  auto sudo = login(events.back().at_ns + kHourNs, "root", "203.0.113.9");
  sudo.dataset = "sudo";
  events.push_back(sudo);
  EXPECT_TRUE(alerts_of(events).empty());
}

TEST(Accounts, a_clock_far_ahead_is_not_believed) {
  auto events = days(30);
  auto ahead = login(at("2026-11-02T09:00:00Z"), "root", "10.0.0.5");
  ahead.late_ns = 0;
  events.push_back(ahead);
  events.back().at_ns = at("2090-01-01T03:00:00Z");
  events.back().late_ns = at("2026-11-02T09:00:00Z") - events.back().at_ns;
  EXPECT_TRUE(alerts_of(events).empty());
}

TEST(Accounts, values_from_a_sender_come_out_printable) {
  auto events = days(3, std::string("ro\0ot\x1b[2J\xff", 10));
  events.push_back(login(events.back().at_ns + kHourNs, events.back().values[1].second, "203.0.113.9"));
  auto all = alerts_of(events);
  ASSERT_EQ(all.size(), 1u);
  for (char c : all[0].reason) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
}

}  // namespace
}  // namespace yushi
