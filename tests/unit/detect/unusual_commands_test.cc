// Somebody else at an account's keyboard is told by his commands, from whatever log tells of them, and named.
#include "detect/behaviours/unusual_commands.h"

#include <gtest/gtest.h>

#include "events.h"

namespace yushi::detect {
namespace {

constexpr std::string_view kRule = "baseline.unusual-commands";

const std::vector<std::string> kDatabase = {"psql", "ls", "pg_dump", "cat", "psql", "vi", "tail"};
const std::vector<std::string> kWeb = {"nginx", "curl", "ls", "systemctl", "tail", "cat", "openssl", "vi"};
const std::vector<std::string> kTools = {"nmap", "ls", "tcpdump", "nc", "base64", "curl", "find", "tar"};

Line sudo(int64_t at_ns, const std::string& user, const std::string& command) {
  Line line;
  line.at_ns = at_ns;
  line.dataset = "sudo";
  line.constants = {{"yushi.event", "command"}, {"event.category", "process"}};
  line.values = {
      {"host.name", "db-01"}, {"user.name", user}, {"process.command_line", "/usr/bin/" + command + " -x y"}};
  return line;
}
Line audited(int64_t at_ns, const std::string& auid, const std::string& command) {
  Line line;
  line.at_ns = at_ns;
  line.dataset = "auditd";
  line.constants = {{"yushi.event", "process-started"}, {"event.category", "process"}};
  line.values = {{"auditd.auid", auid}, {"user.name", "root"}, {"process.executable", "/usr/bin/" + command}};
  return line;
}

// One a minute, over and over.
template <class MakeLine>
void work(std::vector<Line>& out, int64_t from, const std::string& who, const std::vector<std::string>& commands,
          size_t count, MakeLine&& make_line) {
  for (size_t i = 0; i < count; ++i)
    out.push_back(make_line(from + static_cast<int64_t>(i) * kMinute, who, commands[i % commands.size()]));
}

const int64_t kStart = at("2026-10-01T08:00:00Z");

// Twenty days of a hundred commands a day of both.
template <class MakeLine>
std::vector<Line> weeks(MakeLine&& make_line, const std::string& dba = "ann", const std::string& web = "bob") {
  std::vector<Line> out;
  for (int day = 0; day < 20; ++day) {
    work(out, kStart + day * kDay, dba, kDatabase, 100, make_line);
    work(out, kStart + day * kDay, web, kWeb, 100, make_line);
  }
  return out;
}

TEST(UnusualCommands, who_does_his_own_work_is_not_told) {
  EXPECT_TRUE(of_rule(alerts_of(weeks(sudo)), kRule).empty());
}

TEST(UnusualCommands, somebody_else_at_the_keyboard_is_told_with_the_commands_that_he_gave) {
  auto lines = weeks(sudo);
  const size_t before = lines.size();
  work(lines, kStart + 20 * kDay, "ann", kTools, 100, sudo);
  const auto all = alerts_of(lines);
  const auto found = of_rule(all, kRule);
  ASSERT_EQ(found.size(), 1u);
  const Alert& alert = *found[0];
  EXPECT_EQ(alert.key, "ann by sudo");
  EXPECT_EQ(alert.severity, Severity::medium);
  EXPECT_FALSE(alert.learning);
  for (const auto name : {"nmap (13)", "tcpdump (13)", "nc (13)", "base64 (12)"})
    EXPECT_NE(alert.reason.find(name), std::string::npos) << alert.reason;
  EXPECT_EQ(alert.reason.find("ls ("), std::string::npos) << alert.reason;
  EXPECT_NE(alert.reason.find("20 stretches of up to 100 commands since 2026-10-01"), std::string::npos);
  EXPECT_NE(alert.baseline.find("nmap=13/0/"), std::string::npos) << alert.baseline;
  // The first of each that is named (ls is his too), and the last.
  ASSERT_EQ(alert.records.size(), kTools.size());
  EXPECT_EQ(alert.records.front().index, before);
  EXPECT_EQ(alert.records.back().index, lines.size() - 1);
}

TEST(UnusualCommands, what_is_odd_is_not_learned_until_it_has_become_the_work) {
  auto lines = weeks(sudo);
  const auto shift = static_cast<int>(UnusualCommands::kOddInARowMax);
  for (int day = 0; day < shift + 10; ++day) work(lines, kStart + (20 + day) * kDay, "ann", kTools, 100, sudo);
  const auto all = alerts_of(lines);
  const size_t told = of_rule(all, kRule).size();
  EXPECT_GE(told, UnusualCommands::kOddInARowMax);
  EXPECT_LE(told, UnusualCommands::kOddInARowMax + 5);
}

TEST(UnusualCommands, a_login_session_is_judged_whatever_account_it_acts_as) {
  auto lines = weeks(audited, "1000", "1001");
  work(lines, kStart + 20 * kDay, "1000", kTools, 100, audited);
  work(lines, kStart + 20 * kDay, "4294967295", kTools, 2000, audited);  // services: nobody's session
  const auto all = alerts_of(lines);
  const auto found = of_rule(all, kRule);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]->key, "uid 1000 by auditd");
}

TEST(UnusualCommands, what_two_logs_tell_of_one_command_are_two_streams) {
  std::vector<Line> lines;
  for (int day = 0; day < 20; ++day) {
    work(lines, kStart + day * kDay, "ann", kDatabase, 100, sudo);
    work(lines, kStart + day * kDay, "ann", kWeb, 100, [](int64_t at_ns, const auto& who, const auto& command) {
      Line line = sudo(at_ns, who, command);
      line.dataset = "bastion";
      return line;
    });
  }
  EXPECT_TRUE(of_rule(alerts_of(lines), kRule).empty());
}

TEST(UnusualCommands, an_account_without_enough_habit_is_only_learned_and_one_of_few_days_is_marked) {
  std::vector<Line> lines;
  work(lines, kStart, "ann", kDatabase, 900, sudo);
  work(lines, kStart + kDay, "ann", kTools, 100, sudo);
  EXPECT_TRUE(of_rule(alerts_of(lines), kRule).empty());
  lines.clear();
  work(lines, kStart, "ann", kDatabase, 1100, sudo);
  work(lines, kStart + kDay, "ann", kTools, 100, sudo);
  const auto all = alerts_of(lines);
  const auto found = of_rule(all, kRule);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0]->learning);
}

TEST(UnusualCommands, a_session_that_ends_early_is_judged_when_it_has_been_still) {
  Engine engine(no_rules(), {});
  Committer committer;
  auto lines = weeks(sudo);
  work(lines, kStart + 20 * kDay, "ann", kTools, 60, sudo);
  std::vector<Alert> alerts = observe(engine, no_rules(), committer, lines);
  const int64_t end = lines.back().at_ns;
  engine.tick(1, end + kMinute, alerts);
  EXPECT_TRUE(of_rule(alerts, kRule).empty());
  engine.tick(2, end + 40 * kMinute, alerts);
  ASSERT_EQ(of_rule(alerts, kRule).size(), 1u);
  EXPECT_NE(of_rule(alerts, kRule)[0]->reason.find("60 commands of ann"), std::string::npos);
  engine.tick(3, end + 90 * kMinute, alerts);
  EXPECT_EQ(of_rule(alerts, kRule).size(), 1u);
}

TEST(UnusualCommands, a_restart_in_the_middle_of_a_block_changes_nothing) {
  auto lines = weeks(sudo);
  work(lines, kStart + 20 * kDay, "ann", kTools, 100, sudo);
  const auto cut = lines.end() - 43;
  const auto whole = alerts_of(lines);
  Committer committer;
  Engine first(no_rules(), {});
  auto alerts = observe(first, no_rules(), committer, {lines.begin(), cut});
  Engine second(no_rules(), {});
  ASSERT_TRUE(second.load(first.save()).has_value());
  for (auto& alert : observe(second, no_rules(), committer, {cut, lines.end()})) alerts.push_back(std::move(alert));
  ASSERT_EQ(of_rule(alerts, kRule).size(), 1u);
  EXPECT_EQ(of_rule(alerts, kRule)[0]->id, of_rule(whole, kRule)[0]->id);
  EXPECT_EQ(of_rule(alerts, kRule)[0]->baseline, of_rule(whole, kRule)[0]->baseline);
  EXPECT_EQ(of_rule(alerts, kRule)[0]->records.size(), of_rule(whole, kRule)[0]->records.size());
}

}  // namespace
}  // namespace yushi::detect
