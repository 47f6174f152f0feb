// Many files: judged by what the account is wont to read, fetch and delete.
#include "detect/behaviours/volumes.h"

#include <gtest/gtest.h>

#include "events.h"

namespace yushi::detect {
namespace {

const int64_t kStart = at("2026-11-02T08:00:00Z");

Line file(int64_t at_ns, const std::string& path, std::string kind = "file-read", std::string who = "lin") {
  Line line;
  line.at_ns = at_ns;
  line.dataset = "jumpserver";
  line.pattern = kind;
  line.constants = {{"yushi.event", kind}};
  line.values = {{"host.name", "web-01"}, {"file.path", path}};
  if (!who.empty()) line.values.emplace_back("user.name", std::move(who));
  return line;
}
// Each day `count` files within the hour.
std::vector<Line> days(int count, int of_days = 14) {
  std::vector<Line> out;
  for (int day = 0; day < of_days; ++day)
    for (int i = 0; i < count; ++i)
      out.push_back(file(kStart + day * kDay + i * kSecond, "/srv/" + std::to_string(day * 1000 + i)));
  return out;
}
std::vector<Alert> with(std::vector<Line> lines, int count, int64_t when, const std::string& kind = "file-read",
                        const std::string& who = "lin") {
  for (int i = 0; i < count; ++i) lines.push_back(file(when + i * kSecond, "/data/" + std::to_string(i), kind, who));
  return alerts_of(lines);
}
const int64_t kLater = kStart + 14 * kDay;

TEST(Volumes, many_more_files_than_ever_are_told_once) {
  auto alerts = with(days(5), 300, kLater);
  auto told = of_rule(alerts, "volume.read");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(
      told[0]->reason,
      "lin read or fetched 30 different files within an hour, the last on web-01 /data/29; in the fullest hour of "
      "the last 14 days it was 5");
  EXPECT_EQ(told[0]->records.size(), 2u);
  EXPECT_EQ(of_rule(with(days(5), 300, kLater, "transfer"), "volume.read").size(), 1u);
  EXPECT_EQ(of_rule(with(days(5), 300, kLater, "file-deleted"), "volume.deleted").size(), 1u);
  EXPECT_EQ(of_rule(with(days(5), 12, kLater, "resource-deleted"), "volume.resources-deleted").size(), 1u);
}

TEST(Volumes, what_is_usual_for_the_account_is_not) {
  EXPECT_TRUE(with(days(100), 390, kLater).empty());
  EXPECT_TRUE(with(days(5), 20, kLater).empty());
}

TEST(Volumes, one_file_read_again_and_again_is_one) {
  auto lines = days(5);
  for (int i = 0; i < 300; ++i) lines.push_back(file(kLater + i * kSecond, "/var/log/app.log"));
  EXPECT_TRUE(alerts_of(lines).empty());
}

TEST(Volumes, in_the_first_days_of_a_log_it_takes_more) {
  EXPECT_TRUE(with({}, 100, kLater).empty());
  EXPECT_EQ(with({}, 150, kLater).size(), 1u);
}

TEST(Volumes, lines_without_an_account_are_those_of_who_opened_the_session) {
  auto lines = days(5);
  Line opened = file(kLater, "", "session-opened", "lin");
  opened.values = {{"host.name", "web-01"}, {"user.name", "lin"}, {"process.pid", "811"}};
  lines.push_back(opened);
  for (int i = 0; i < 60; ++i) {
    Line read = file(kLater + i * kSecond, "/data/" + std::to_string(i), "file-read", "");
    read.values.emplace_back("process.pid", "811");
    lines.push_back(read);
  }
  auto alerts = alerts_of(lines);
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].key, "lin");
  EXPECT_EQ(alerts[0].field("user.name"), "lin");
  EXPECT_EQ(alerts[0].story_subject, "lin") << "not the host's";
}

TEST(Volumes, a_session_that_is_closed_says_of_nobody_else_who_reads) {
  auto lines = days(5);
  for (std::string kind : {"session-opened", "session-closed"}) {
    Line session = file(kLater, "", kind, "lin");
    session.values = {{"host.name", "web-01"}, {"user.name", "lin"}, {"process.pid", "811"}};
    lines.push_back(session);
  }
  for (int i = 0; i < 60; ++i) {
    Line read = file(kLater + i * kSecond, "/data/" + std::to_string(i), "file-read", "");
    read.values.emplace_back("process.pid", "811");
    lines.push_back(read);
  }
  EXPECT_TRUE(alerts_of(lines).empty());
}

TEST(Volumes, what_is_usual_outlives_a_restart) {
  auto rules = no_rules();
  Engine first(rules, {}), second(rules, {});
  Committer committer;
  observe(first, rules, committer, days(200));
  ASSERT_TRUE(second.load(first.save()).has_value());
  std::vector<Line> lines;
  for (int i = 0; i < 300; ++i) lines.push_back(file(kLater + i * kSecond, "/data/" + std::to_string(i)));
  EXPECT_TRUE(observe(second, rules, committer, lines).empty());
}

}  // namespace
}  // namespace yushi::detect
