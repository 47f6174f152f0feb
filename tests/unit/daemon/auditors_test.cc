// The auditors' own use: what is odd about who asks.
#include "daemon/auditors.h"

#include <gtest/gtest.h>

#include "core/event/attack.h"

namespace yushi::daemon {
namespace {

constexpr int64_t kHour = int64_t{3600} * kSecond, kDay = 24 * kHour;
constexpr int64_t kStart = 20'000 * kDay + 9 * kHour;

QuestionAsked search(std::string query, std::string tenant = "finance", uint64_t lines = 10) {
  QuestionAsked asked;
  asked.user = "root";
  asked.login_user = "wang";
  asked.question = "search";
  asked.tenant = tenant;
  asked.parameters = {{"query", std::move(query)}, {"tenant", std::move(tenant)}};
  asked.lines = lines;
  return asked;
}

// Ten days, three questions at nine each.
Auditors after_ten_days() {
  Auditors auditors;
  std::vector<detect::Finding> findings;
  for (int day = 0; day < 10; ++day)
    for (int i = 0; i < 3; ++i) auditors.observe(search("user.name: lin"), kStart + day * kDay + i * kSecond, findings);
  EXPECT_TRUE(findings.empty());
  return auditors;
}
std::vector<std::string> told(Auditors auditors, const QuestionAsked& asked, int64_t at_ns) {
  std::vector<detect::Finding> findings;
  auditors.observe(asked, at_ns, findings);
  std::vector<std::string> out;
  for (auto& finding : findings) {
    out.push_back(std::string(finding.kind->id) + ": " + finding.reason);
    EXPECT_FALSE(finding.reason_zh.empty() || finding.kind->title_zh.empty()) << out.back();
    EXPECT_TRUE(tactic_of_tag(finding.kind->tactic)) << out.back();
  }
  return out;
}

TEST(Auditors, who_asks_about_himself_is_told) {
  auto found = told({}, search("user.name: wang and event.outcome: failure"), kStart);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0],
            "auditor.asks-about-himself: wang asked what is kept about himself: user.name: wang and event.outcome: "
            "failure");
  EXPECT_TRUE(told({}, search("user.name: wangwei"), kStart).empty());
  EXPECT_TRUE(told({}, search("*", "wang"), kStart).empty());
}

TEST(Auditors, many_more_records_than_on_any_day_before_are_told) {
  auto found = told(after_ten_days(), search("*", "finance", 50'000), kStart + 10 * kDay);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0],
            "auditor.takes-much: wang took 50000 records today, the last by search; on the fullest of the last 14 days "
            "it was 30");
  EXPECT_TRUE(told(after_ten_days(), search("*", "finance", 5'000), kStart + 10 * kDay).empty());
}

TEST(Auditors, an_hour_at_which_he_never_asks_and_all_tenants_at_once_are_told) {
  auto found = told(after_ten_days(), search("*"), kStart + 10 * kDay + 12 * kHour);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].starts_with("auditor.unusual-hour: wang asked at ")) << found[0];
  found = told(after_ten_days(), search("*", ""), kStart + 10 * kDay);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0],
            "auditor.all-tenants: wang asked about all tenants at once, and in 30 questions never has before");
}

TEST(Auditors, looks_at_the_daemon_and_questions_that_failed_are_no_use) {
  QuestionAsked status = search("wang");
  status.question = "status";
  EXPECT_TRUE(told({}, status, kStart).empty());
  QuestionAsked failed = search("wang");
  failed.error = "no such field";
  EXPECT_TRUE(told({}, failed, kStart).empty());
}

TEST(Auditors, what_is_usual_outlives_a_restart) {
  std::string state;
  after_ten_days().save(state);
  Auditors again;
  Reader in(state);
  ASSERT_TRUE(again.load(in));
  EXPECT_EQ(told(std::move(again), search("*", ""), kStart + 10 * kDay).size(), 1u);
  Reader damaged(std::string_view(state).substr(0, state.size() / 2));
  EXPECT_FALSE(again.load(damaged));
}

}  // namespace
}  // namespace yushi::daemon
