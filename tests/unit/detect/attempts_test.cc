// Brute force that ends in a success: it is told, and the ordinary ways to mistype a password are not.
#include "detect/behaviours/attempts.h"

#include <gtest/gtest.h>

#include "detect/memory/places.h"
#include "events.h"

namespace yushi::detect {
namespace {

constexpr std::string_view kRule = "bruteforce.success";
const int64_t kStart = at("2026-11-01T08:00:00Z");

std::vector<Line> failures(int count, const std::string& user = "root", const std::string& source = "203.0.113.9") {
  std::vector<Line> events;
  for (int i = 0; i < count; ++i) events.push_back(failed_login(kStart + i * 5 * kSecond, user, source));
  return events;
}
size_t count(const std::vector<Line>& events) {
  auto all = alerts_of(events);
  return of_rule(all, kRule).size();
}

TEST(Attempts, five_failures_and_a_success_are_told_with_all_their_records) {
  auto events = failures(5);
  events.push_back(login(kStart + kMinute, "root", "203.0.113.9"));
  auto all = alerts_of(events);
  auto found = of_rule(all, kRule);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]->reason,
            "root logged in from 203.0.113.9 on web-01 after 5 failed attempts on this account from that address since "
            "2026-11-01 08:00:00 UTC");
  EXPECT_EQ(found[0]->severity, Severity::critical);  // of root
  ASSERT_EQ(found[0]->records.size(), 6u);
  EXPECT_EQ(found[0]->records.front().index, 0u);
  EXPECT_EQ(found[0]->records.back().index, 5u);
}

TEST(Attempts, messages_without_a_time_of_their_own_are_told_as_received) {
  auto events = failures(5);
  events.push_back(login(kStart + kMinute, "root", "203.0.113.9"));
  for (auto& event : events) event.inferred = kAllInferred;
  auto all = alerts_of(events);
  auto found = of_rule(all, kRule);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0]->reason.ends_with("from that address received since 2026-11-01 08:00:00 UTC"))
      << found[0]->reason;
}

TEST(Attempts, an_address_is_one_however_it_is_written) {
  std::vector<Line> events;
  for (int i = 0; i < 5; ++i)
    events.push_back(
        failed_login(at("2026-11-01T08:00:00Z") + i * kSecond, "root", i % 2 ? "2001:DB8:0:0::9" : "2001:db8::9"));
  events.push_back(login(at("2026-11-01T08:00:10Z"), "root", "2001:db8:0:0:0::9"));
  auto all = alerts_of(events);
  auto found = of_rule(all, "bruteforce.success");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0]->reason.find("from 2001:db8::9 "), std::string::npos) << found[0]->reason;
}

// Who has a network of 2^64 addresses chooses those that a weak hash takes for one.
TEST(Attempts, addresses_that_somebody_chose_are_as_many_as_they_are) {
  std::vector<std::string> chosen;
  for (int i = 1; chosen.size() < 13; ++i) {
    char text[40];
    std::snprintf(text, sizeof text, "2001:db8::%x:%x", i >> 16 | 0x1000, i & 0xffff);
    if (chosen.empty() || (hash_of(text) & UINT16_MAX) == (hash_of(chosen[0]) & UINT16_MAX)) chosen.push_back(text);
  }
  std::vector<Line> events;
  for (int i = 0; i < 12; ++i) events.push_back(failed_login(kStart + i * 5 * kSecond, "alice", chosen[i]));
  events.push_back(login(kStart + 2 * kMinute, "alice", chosen[12]));
  EXPECT_EQ(count(events), 1u);
}

TEST(Attempts, four_failures_are_typing_errors) {
  auto events = failures(4);
  events.push_back(login(kStart + kMinute, "root", "203.0.113.9"));
  EXPECT_EQ(count(events), 0u);
}

TEST(Attempts, failures_without_a_success_are_not_this_finding) { EXPECT_EQ(count(failures(50)), 0u); }

TEST(Attempts, two_typing_errors_told_in_three_lines_each_are_two) {
  std::vector<Line> events;
  for (int i = 0; i < 2; ++i)
    for (const char* pattern : {"invalid-user", "pam-failure", "failed"})
      events.push_back(failed_login(kStart + i * 5 * kSecond, "alice", "10.0.0.5", pattern));
  events.push_back(login(kStart + kMinute, "alice", "10.0.0.5"));
  EXPECT_EQ(count(events), 0u);
}

TEST(Attempts, failures_before_the_window_do_not_count) {
  auto events = failures(9);
  events.push_back(login(kStart + 30 * kMinute, "root", "203.0.113.9"));
  EXPECT_EQ(count(events), 0u);
}

TEST(Attempts, failures_before_an_earlier_success_do_not_count) {
  auto events = failures(3);
  events.push_back(login(kStart + kMinute, "root", "203.0.113.9"));
  for (int i = 0; i < 3; ++i) events.push_back(failed_login(kStart + 2 * kMinute + i * kSecond, "root", "203.0.113.9"));
  events.push_back(login(kStart + 3 * kMinute, "root", "203.0.113.9"));
  EXPECT_EQ(count(events), 0u);
}

TEST(Attempts, many_accounts_from_one_address_and_one_works) {
  std::vector<Line> events;
  for (int i = 0; i < 12; ++i)
    events.push_back(failed_login(kStart + i * kSecond, "user" + std::to_string(i), "203.0.113.9"));
  events.push_back(login(kStart + kMinute, "oracle", "203.0.113.9"));
  auto all = alerts_of(events);
  auto found = of_rule(all, kRule);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0]->reason.find("after 12 failed attempts on 12 accounts from that address (0 on this one)"),
            std::string::npos)
      << found[0]->reason;
}

TEST(Attempts, a_bastion_whose_users_mistype_now_and_then_is_not_told) {
  std::vector<Line> events;
  for (int i = 0; i < 6; ++i)
    events.push_back(failed_login(kStart + i * kMinute, "user" + std::to_string(i), "10.0.0.1"));
  events.push_back(login(kStart + 7 * kMinute, "user7", "10.0.0.1"));
  EXPECT_EQ(count(events), 0u);
}

// The Internet tries root all day; its administrator logs in from where he always does.
TEST(Attempts, the_usual_administrator_is_not_told_while_others_try_his_account) {
  std::vector<Line> events = {login(kStart - kDay, "root", "10.0.0.5")};
  for (int i = 0; i < 40; ++i)
    events.push_back(failed_login(kStart + i * kSecond, "root", "203.0.113." + std::to_string(i % 8)));
  events.push_back(login(kStart + kMinute, "root", "10.0.0.5"));
  EXPECT_EQ(count(events), 0u);
}

TEST(Attempts, a_distributed_attack_that_gets_in_from_a_new_address_is_told) {
  std::vector<Line> events = {login(kStart - kDay, "root", "10.0.0.5")};
  for (int i = 0; i < 12; ++i)
    events.push_back(failed_login(kStart + i * kSecond, "root", "203.0.113." + std::to_string(i % 4)));
  events.push_back(login(kStart + kMinute, "root", "203.0.113.200"));
  EXPECT_EQ(count(events), 1u);
}

TEST(Attempts, a_distributed_attack_on_an_account_never_seen_before_is_told) {
  for (bool others_known : {false, true}) {
    std::vector<Line> events;
    if (others_known) events.push_back(login(kStart - kDay, "root", "10.0.0.5"));
    for (int i = 0; i < 12; ++i)
      events.push_back(failed_login(kStart + i * kSecond, "carol", "198.51.100." + std::to_string(20 + i)));
    events.push_back(login(kStart + kMinute, "carol", "203.0.113.1"));
    auto all = alerts_of(events);
    auto found = of_rule(all, kRule);
    ASSERT_EQ(found.size(), 1u) << others_known;
    EXPECT_NE(found[0]->reason.find("12 failed attempts on this account from 12 other addresses"), std::string::npos)
        << found[0]->reason;
  }
}

TEST(Attempts, an_account_never_seen_before_whose_name_few_tried_is_not_told) {
  std::vector<Line> events;
  for (int i = 0; i < 9; ++i)
    events.push_back(failed_login(kStart + i * kSecond, "carol", "198.51.100." + std::to_string(20 + i)));
  events.push_back(login(kStart + kMinute, "carol", "203.0.113.1"));
  EXPECT_EQ(count(events), 0u);
}

TEST(Attempts, lines_that_come_late_and_out_of_order_count_by_their_own_time) {
  auto events = failures(5);
  std::reverse(events.begin(), events.end());
  events.push_back(login(kStart + kMinute, "root", "203.0.113.9"));
  EXPECT_EQ(count(events), 1u);
}

TEST(Attempts, failures_after_the_success_do_not_count) {
  auto events = failures(5);
  events.push_back(login(kStart - kMinute, "root", "203.0.113.9"));
  EXPECT_EQ(count(events), 0u);
}

TEST(Attempts, a_repeated_success_folds_into_one_alert) {
  std::vector<Line> events;
  for (int round = 0; round < 3; ++round) {
    for (const auto& event : failures(6)) {
      events.push_back(event);
      events.back().at_ns += round * 10 * kMinute;
    }
    events.push_back(login(kStart + round * 10 * kMinute + kMinute, "root", "203.0.113.9"));
  }
  EXPECT_EQ(count(events), 1u);
}

TEST(Attempts, on_a_second_host_it_is_told_again) {
  std::vector<Line> events;
  for (const char* host : {"web-01", "web-02"}) {
    for (auto event : failures(6)) {
      event.values[0].second = host;
      events.push_back(event);
    }
    events.push_back(login(kStart + kMinute, "root", "203.0.113.9", host));
  }
  EXPECT_EQ(count(events), 2u);
}

Line repeated(const std::string& times, const std::string& user = "root", const std::string& source = "203.0.113.9") {
  if (!declare_field("sshd.repeated", FieldType::integer)) std::abort();  // as the parser does
  auto event = failed_login(kStart, user, source, "repeated");
  event.values.emplace_back("sshd.repeated", times);
  return event;
}

TEST(Attempts, a_line_that_stands_for_five_failures_counts_as_five) {
  const std::vector<std::pair<std::string, size_t>> cases = {{"5", 1},
                                                             {"4", 0},
                                                             {"1", 0},
                                                             {"0", 0},
                                                             {"-5", 0},
                                                             {"", 0},
                                                             {"many", 0},
                                                             {"99999999999999999999999", 0},
                                                             {"9223372036854775807", 1}};
  for (const auto& [times, alerts] : cases) {
    auto all = alerts_of({repeated(times), login(kStart + kMinute, "root", "203.0.113.9")});
    auto found = of_rule(all, kRule);
    ASSERT_EQ(found.size(), alerts) << times;
    for (auto* alert : found) EXPECT_EQ(alert->records.size(), 2u) << "each line once";
  }
}

TEST(Attempts, a_line_that_stands_for_a_million_failures_leaves_room_for_no_more_than_are_kept) {
  std::vector<Line> events = {repeated("1000000"), repeated("1000000"), repeated("40"),
                              login(kStart + kMinute, "root", "203.0.113.9")};
  auto all = alerts_of(events);
  auto found = of_rule(all, kRule);
  ASSERT_EQ(found.size(), 1u);
  const std::string words = "after " + std::to_string(Attempts::kTriesMax) + " failed attempts";
  EXPECT_NE(found[0]->reason.find(words), std::string::npos) << found[0]->reason;
}

TEST(Attempts, one_address_that_failed_often_is_not_many_addresses) {
  EXPECT_EQ(count({repeated("60"), login(kStart + kMinute, "root", "198.51.100.7")}), 0u);
}

TEST(Attempts, who_has_got_an_account_but_not_root_is_high) {
  std::vector<Line> events;
  for (int i = 0; i < 5; ++i) events.push_back(failed_login(kStart + i * kSecond, "alice", "203.0.113.9"));
  events.push_back(login(kStart + kMinute, "alice", "203.0.113.9"));
  auto all = alerts_of(events);
  auto found = of_rule(all, kRule);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]->severity, Severity::high);
  EXPECT_EQ(found[0]->reason_zh,
            "账号 alice 从 203.0.113.9 登录成功（主机 web-01），此前自 2026-11-01 08:00:00 UTC "
            "起该地址对本账号登录失败 5 次");
}

}  // namespace
}  // namespace yushi::detect
