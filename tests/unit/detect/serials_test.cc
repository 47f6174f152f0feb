// Gaps in the numbers of the audit system.
#include "detect/behaviours/serials.h"

#include <gtest/gtest.h>

#include "events.h"

namespace yushi::detect {
namespace {

const int64_t kStart = at("2026-11-02T08:00:00Z");

Line numbered(uint64_t number, int64_t seconds) {
  Line line;
  line.at_ns = kStart + seconds * kSecond;
  line.dataset = "auditd";
  line.pattern = "record";
  line.constants = {{"yushi.event", "message"}};
  line.values = {{"host.name", "web-01"}, {"auditd.sequence", std::to_string(number)}};
  return line;
}
std::vector<Alert> told(const std::vector<uint64_t>& numbers) {
  our_parser_set();
  std::vector<Line> lines;
  for (size_t i = 0; i < numbers.size(); ++i) lines.push_back(numbered(numbers[i], static_cast<int64_t>(i) * 60));
  return alerts_of(lines);
}
std::vector<uint64_t> steps_of(uint64_t step, size_t count = 300) {
  std::vector<uint64_t> out;
  for (size_t i = 0; i < count; ++i) out.push_back(1000 + i * step);
  return out;
}

TEST(Serials, a_jump_is_told_with_how_many_are_missing) {
  auto numbers = steps_of(1);
  numbers.push_back(numbers.back() + 212);
  numbers.push_back(numbers.back() + 1);
  auto alerts = told(numbers);
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].rule_id, "sequence.events-missing");
  EXPECT_EQ(
      alerts[0].reason,
      "211 events of auditd on web-01 between number 1299 and 1511 never came; in the 14 days before no more than "
      "0 were missing at once");
}

TEST(Serials, a_short_history_is_enough_where_none_was_missing) {
  for (const auto& [step, is_told] : {std::pair<uint64_t, bool>{1, true}, {2, false}}) {
    auto numbers = steps_of(step, 80);
    numbers.push_back(numbers.back() + 212);
    EXPECT_EQ(!told(numbers).empty(), is_told) << step;
  }
}

TEST(Serials, each_log_of_windows_counts_by_itself) {
  our_parser_set();
  std::vector<Line> lines;
  const auto add = [&](uint64_t number, const std::string& channel) {
    Line line = numbered(0, static_cast<int64_t>(lines.size()) * 60);
    line.dataset = "windows_nxlog";
    line.values = {
        {"host.name", "dc-01"}, {"windows_nxlog.record", std::to_string(number)}, {"windows_nxlog.channel", channel}};
    lines.push_back(line);
  };
  for (uint64_t i = 0; i < 100; ++i) add(5000 + i, "Security"), add(90 + i, "System");
  EXPECT_TRUE(alerts_of(lines).empty());
  add(5400, "Security");
  const auto alerts = alerts_of(lines);
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_TRUE(alerts[0].reason.starts_with("300 events of windows_nxlog on dc-01")) << alerts[0].reason;
}

TEST(Serials, steps_that_are_usual_are_not) {
  auto numbers = steps_of(90);
  numbers.push_back(numbers.back() + 212);
  EXPECT_TRUE(told(numbers).empty());
}

TEST(Serials, a_boot_begins_anew_and_what_comes_late_is_no_gap) {
  auto numbers = steps_of(1);
  numbers.push_back(3);
  for (uint64_t i = 4; i < 20; ++i) numbers.push_back(i);
  EXPECT_TRUE(told(numbers).empty());
  numbers = steps_of(1);
  std::swap(numbers[250], numbers[253]);
  EXPECT_TRUE(told(numbers).empty());
}

TEST(Serials, an_event_of_before_a_boot_that_is_judged_behind_it_is_no_gap) {
  our_parser_set();
  std::vector<Line> lines;
  for (int i = 0; i < 300; ++i) lines.push_back(numbered(61000 + static_cast<uint64_t>(i), i * 60));
  for (int i = 0; i < 40; ++i) lines.push_back(numbered(1 + static_cast<uint64_t>(i), (400 + i) * 60));
  lines.push_back(numbered(61300, 301 * 60));
  lines.push_back(numbered(41, 441 * 60));
  EXPECT_TRUE(alerts_of(lines).empty());
}

TEST(Serials, a_clock_that_was_ahead_after_a_boot_makes_no_gap) {
  our_parser_set();
  std::vector<Line> lines;
  for (int i = 0; i < 300; ++i) lines.push_back(numbered(61000 + static_cast<uint64_t>(i), i * 60));
  for (int i = 0; i < 10; ++i) lines.push_back(numbered(1 + static_cast<uint64_t>(i), (1000 + i) * 60));
  for (int i = 0; i < 700; ++i) lines.push_back(numbered(11 + static_cast<uint64_t>(i), (400 + i) * 60));
  EXPECT_TRUE(alerts_of(lines).empty());
}

TEST(Serials, in_the_beginning_nothing_is_told) { EXPECT_TRUE(told({1000, 1001, 5000, 5001}).empty()); }

}  // namespace
}  // namespace yushi::detect
