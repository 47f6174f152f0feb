// Password guessing without a success: fast, slow, over accounts, over addresses; and what people mistype is none.
#include "detect/behaviours/guessing.h"

#include <gtest/gtest.h>

#include "events.h"

namespace yushi::detect {
namespace {

const int64_t kStart = at("2026-11-02T08:00:00Z");

std::vector<const Alert*> found(const std::vector<Alert>& alerts) {
  std::vector<const Alert*> out;
  for (const auto& alert : alerts)
    if (alert.rule_id.starts_with("guessing.")) out.push_back(&alert);
  return out;
}
std::vector<Line> tries(int count, int64_t apart_ns, const std::string& user = "root",
                        const std::string& source = "203.0.113.9", const std::string& way = "failed") {
  std::vector<Line> out;
  for (int i = 0; i < count; ++i) out.push_back(failed_login(kStart + i * apart_ns, user, source, way));
  return out;
}

TEST(Guessing, many_tries_within_minutes_are_one_alert) {
  auto alerts = alerts_of(tries(1000, 5 * kSecond));
  auto mine = found(alerts);
  ASSERT_EQ(mine.size(), 1u);
  EXPECT_EQ(mine[0]->reason,
            "203.0.113.9 failed to log in 12 times within 55 s, the last time on web-01, as root (12)");
  EXPECT_EQ(mine[0]->severity, Severity::medium);
  EXPECT_EQ(mine[0]->records.size(), Guessing::kFastMin);
}

TEST(Guessing, on_accounts_that_nobody_has_it_is_the_weather) {
  auto alerts = alerts_of(tries(100, 5 * kSecond, "oracle"));
  auto mine = found(alerts);
  ASSERT_EQ(mine.size(), 1u);
  EXPECT_EQ(mine[0]->severity, Severity::low);
}

// An old log that comes in between says nothing of now, nor now of then.
TEST(Guessing, late_records_count_at_their_own_time) {
  std::vector<Line> lines;
  for (int i = 0; i < 8; ++i) {
    lines.push_back(failed_login(kStart + i * 20 * kSecond, "alice", "203.0.113.9"));
    Line late = failed_login(kStart - 3 * kDay + i * 20 * kSecond, "alice", "203.0.113.9");
    late.late_ns = 3 * kDay;
    lines.push_back(late);
  }
  EXPECT_TRUE(found(alerts_of(lines)).empty()) << found(alerts_of(lines))[0]->reason;

  lines.clear();
  for (int i = 0; i < 11; ++i)
    lines.push_back(failed_login(kStart + i * 2 * kHour, "user" + std::to_string(i), "203.0.113.9"));
  lines.push_back(failed_login(kStart, "user11", "203.0.113.9"));
  lines.back().late_ns = kDay;
  EXPECT_TRUE(found(alerts_of(lines)).empty()) << found(alerts_of(lines))[0]->reason;
}

TEST(Guessing, a_few_tries_told_in_three_lines_each_are_a_few) {
  std::vector<Line> lines;
  for (const char* way : {"invalid-user", "pam-failure", "failed"})
    for (auto& line : tries(8, 20 * kSecond, "alice", "10.0.0.5", way)) lines.push_back(line);
  EXPECT_TRUE(found(alerts_of(lines)).empty());
}

TEST(Guessing, one_try_on_each_of_many_accounts_is_told) {
  std::vector<Line> lines;
  for (int i = 0; i < 30; ++i)
    lines.push_back(failed_login(kStart + i * 2 * kMinute, "user" + std::to_string(i), "203.0.113.9"));
  auto alerts = alerts_of(lines);
  auto mine = found(alerts);
  ASSERT_EQ(mine.size(), 1u);
  EXPECT_NE(mine[0]->reason.find("as 12 accounts within an hour"), std::string::npos) << mine[0]->reason;
}

TEST(Guessing, a_try_every_ten_minutes_is_told_once_a_day) {
  auto alerts = alerts_of(tries(3 * 144, 10 * kMinute));
  auto mine = found(alerts);
  ASSERT_GE(mine.size(), 2u);
  EXPECT_LE(mine.size(), 3u);
  EXPECT_NE(mine[0]->reason.find("48 times within a day"), std::string::npos) << mine[0]->reason;
}

TEST(Guessing, from_inside_fewer_are_enough_but_of_many_peoples_slips) {
  const auto inside = alerts_of(tries(40, 7 * kMinute, "root", "10.20.1.66"));
  ASSERT_EQ(found(inside).size(), 1u);
  EXPECT_NE(found(inside)[0]->reason.find("24 times within a day"), std::string::npos) << found(inside)[0]->reason;
  EXPECT_TRUE(found(alerts_of(tries(40, 7 * kMinute, "root", "203.0.113.9"))).empty());
  std::vector<Line> slips;
  for (int i = 0; i < 40; ++i)
    slips.push_back(failed_login(kStart + i * 20 * kMinute, "user" + std::to_string(i % 5), "10.0.0.10"));
  EXPECT_TRUE(found(alerts_of(slips)).empty());
}

// By sshd, PAM, the audit system, and sshd again when the connection closes.
TEST(Guessing, tries_that_four_lines_tell_of_each_are_counted_on) {
  std::vector<Line> lines;
  for (int i = 0; i < 150; ++i)
    for (const char* way : {"pam-failure", "failed", "user-auth", "closed"})
      lines.push_back(failed_login(kStart + i * 20 * kMinute, "lin", "203.0.113.9", way));
  EXPECT_FALSE(found(alerts_of(lines)).empty());
}

TEST(Guessing, many_addresses_on_one_account_are_told_by_the_account) {
  std::vector<Line> lines;
  for (int i = 0; i < 100; ++i)
    lines.push_back(failed_login(kStart + i * 20 * kSecond, "chen", "198.51." + std::to_string(i) + ".33"));
  auto alerts = alerts_of(lines);
  auto mine = found(alerts);
  ASSERT_EQ(mine.size(), 1u);
  EXPECT_EQ(mine[0]->key, "chen");
}

TEST(Guessing, addresses_of_one_network_become_one_story) {
  std::vector<Line> lines;
  for (int i = 0; i < 20; ++i)
    for (auto& line : tries(20, 5 * kSecond, "root", "203.0.113." + std::to_string(i + 1))) lines.push_back(line);
  auto alerts = alerts_of(lines);
  std::set<std::string> keys;
  for (auto* alert : found(alerts))
    if (alert->rule_id == "guessing.address") keys.insert(alert->key);
  EXPECT_EQ(keys, (std::set<std::string>{"203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.0/24"}));
}

TEST(Guessing, an_office_behind_one_address_may_mistype) {
  std::vector<Line> lines;
  for (int i = 0; i < 9; ++i)
    lines.push_back(failed_login(kStart + i * 5 * kMinute, "user" + std::to_string(i), "10.0.0.1"));
  EXPECT_TRUE(found(alerts_of(lines)).empty());
}

}  // namespace
}  // namespace yushi::detect
