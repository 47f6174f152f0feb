// A rule that asks what is usual: a hit that its account makes day after day is no news, another one is.
#include "detect/memory/habits.h"

#include <gtest/gtest.h>

#include "detect/behaviours/actors.h"
#include "events.h"

namespace yushi::detect {
namespace {

const int64_t kStart = at("2026-11-02T02:10:00Z");

std::shared_ptr<const RuleSet> rules(const std::string& level = "medium") {
  return rules_of("title: Sudoers\nid: sudoers\nlevel: " + level +
                  "\nlogsource: {product: yushi}\ndetection: {s: {event.action: sudoers}, condition: s}\n"
                  "yushi: {key: [actor, host.name], habit: [actor, host.name], reason: '%{actor} on %{host.name}'}\n");
}
Line act(int64_t when, std::string user, std::string host = "web-01", std::string action = "sudoers") {
  Line line;
  line.at_ns = when;
  line.dataset = "sudo";
  line.pattern = action;
  line.constants = {{"event.action", action}};
  line.values = {{"host.name", std::move(host)}, {"user.name", std::move(user)}};
  return line;
}
std::vector<Line> nights(int count, const std::string& user, int64_t first = kStart) {
  std::vector<Line> out;
  for (int day = 0; day < count; ++day) out.push_back(act(first + day * kDay, user));
  return out;
}
std::vector<std::string> reasons(const std::vector<Line>& lines, const std::string& level = "medium") {
  std::vector<std::string> out;
  for (const auto& alert : alerts_of(lines, {}, rules(level))) out.push_back(alert.reason);
  return out;
}
using Reasons = std::vector<std::string>;

TEST(Habits, what_begins_with_the_log_and_goes_on_is_no_news) { EXPECT_EQ(reasons(nights(20, "ansible")), Reasons()); }

TEST(Habits, the_same_act_of_another_account_is) {
  auto lines = nights(10, "ansible");
  lines.push_back(act(lines.back().at_ns + kHour, "mallory"));
  EXPECT_EQ(reasons(lines), Reasons{"mallory on web-01 (never before in the 9 days that are remembered)"});
}

TEST(Habits, of_who_does_it_on_many_hosts_a_further_one_is_no_news) {
  std::vector<Line> lines;
  for (int day = 0; day < 6; ++day)
    for (const char* host : {"web-01", "web-02", "app-01"}) lines.push_back(act(kStart + day * kDay, "ansible", host));
  lines.push_back(act(lines.back().at_ns + kHour, "ansible", "db-01"));
  lines.push_back(act(lines.back().at_ns + kMinute, "mallory", "db-01"));
  lines.push_back(act(lines.back().at_ns + 9 * kHour, "ansible", "db-02"));
  EXPECT_EQ(reasons(lines), (Reasons{"mallory on db-01 (never before in the 5 days that are remembered)",
                                     "ansible on db-02 (never before in the 5 days that are remembered)"}));
}

TEST(Habits, hosts_of_one_day_are_no_office) {
  auto lines = nights(6, "lin");
  for (const char* host : {"web-02", "web-03", "web-04", "web-05"})
    lines.push_back(act(lines.back().at_ns + kMinute, "lin", host));
  EXPECT_EQ(reasons(lines).size(), 4u);
}

TEST(Habits, what_came_to_many_hosts_at_once_may_come_to_others_another_day_but_where_it_weighs_much) {
  std::vector<Line> lines{act(kStart - 10 * kDay, "root", "web-01", "other")};
  for (const char* host : {"web-01", "web-02", "web-03", "app-01", "app-02"})
    lines.push_back(act(kStart, "ansible", host));
  lines.push_back(act(kStart + 7 * kDay, "ansible", "db-01"));
  EXPECT_EQ(reasons(lines).size(), 5u);
  EXPECT_EQ(reasons(lines, "high").size(), 6u);
}

TEST(Habits, on_another_host_too) {
  auto lines = nights(10, "ansible");
  lines.push_back(act(lines.back().at_ns + kHour, "ansible", "db-01"));
  EXPECT_EQ(reasons(lines), Reasons{"ansible on db-01 (never before in the 9 days that are remembered)"});
}

TEST(Habits, at_another_hour_too) {
  auto lines = nights(10, "ansible");
  lines.push_back(act(lines.back().at_ns + 9 * kHour, "ansible"));
  EXPECT_EQ(reasons(lines),
            Reasons{"ansible on web-01 (on 9 other days of the last 64, but never between 08:00 and 15:00)"});
}

TEST(Habits, a_new_habit_is_told_once_and_on_two_days_where_it_weighs_much) {
  std::vector<Line> lines{act(kStart - 10 * kDay, "root", "web-01", "other")};
  for (auto& line : nights(10, "backup")) lines.push_back(line);
  const std::string first = "backup on web-01 (never before in the 10 days that are remembered)",
                    second = "backup on web-01 (on 1 other day of the last 64)";
  EXPECT_EQ(reasons(lines), Reasons{first});
  EXPECT_EQ(reasons(lines, "high"), (Reasons{first, second}));
}

TEST(Habits, another_act_of_the_same_rule_is_told_beside_it) {
  const auto done = [](int64_t when, std::string command) {
    Line line = act(when, "lin");
    line.values.emplace_back("process.command_line", std::move(command));
    return line;
  };
  const auto by_command = rules_of(
      "title: Sudoers\nid: sudoers\nlevel: medium\nlogsource: {product: yushi}\n"
      "detection: {s: {event.action: sudoers}, condition: s}\n"
      "yushi: {habit: [actor, host.name], reason: '%{actor}: %{process.command_line}'}\n");
  const std::vector<Line> lines{act(kStart - 10 * kDay, "root", "web-01", "other"),
                                done(kStart, "tee /etc/cron.d/job-1"), done(kStart + kDay, "tee /etc/cron.d/job-2"),
                                act(kStart + 63 * kDay, "root", "web-01", "other"),
                                done(kStart + 64 * kDay, "vim /etc/pam.d/sshd")};
  std::vector<std::string> told;
  for (const auto& alert : alerts_of(lines, {}, by_command)) told.push_back(alert.reason);
  EXPECT_EQ(told, (Reasons{"lin: tee /etc/cron.d/job-1 (never before in the 10 days that are remembered)",
                           "lin: vim /etc/pam.d/sshd (on 1 other day of the last 64)"}));
}

TEST(Habits, what_weighs_little_is_of_the_account_on_whatever_host) {
  std::vector<Line> lines{act(kStart - 10 * kDay, "root", "web-01", "other"), act(kStart, "xu", "dns-01"),
                          act(kStart + 7 * kDay, "xu", "web-05")};
  EXPECT_EQ(reasons(lines, "low").size(), 1u);
  EXPECT_EQ(reasons(lines, "medium").size(), 2u);
}

TEST(Habits, what_is_grave_is_told_from_the_first_day_and_marked) {
  auto alerts = alerts_of(nights(1, "ansible"), {}, rules("high"));
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_TRUE(alerts[0].learning);
  EXPECT_NE(alerts[0].reason.find("nothing is known to be usual yet"), std::string::npos) << alerts[0].reason;
}

TEST(Habits, are_forgotten_after_sixty_four_days) {
  auto lines = nights(10, "ansible");
  lines.push_back(act(lines.back().at_ns + 70 * kDay, "ansible"));
  EXPECT_EQ(reasons(lines).size(), 1u);
}

TEST(Habits, a_baseline_says_the_numbers) {
  auto lines = nights(10, "ansible");
  lines.push_back(act(lines.back().at_ns + 9 * kHour, "ansible"));
  auto alerts = alerts_of(lines, {}, rules());
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].baseline, "days=9 of=9 hour=11 hours=2");
}

TEST(Habits, days_are_those_of_the_tenants_zone) {
  // 23:30 and 00:30 in Shanghai are two days there, and one in UTC.
  DetectOptions options;
  options.zone_of = [](auto) { return *Zone::find("Asia/Shanghai"); };
  std::vector<Line> lines{act(kStart - 10 * kDay, "root", "web-01", "other")};
  for (const char* when : {"2026-11-02T15:30:00Z", "2026-11-02T16:30:00Z"}) lines.push_back(act(at(when), "x"));
  EXPECT_EQ(alerts_of(lines, options, rules()).size(), 1u);  // the second is a repetition within a day …
  lines.push_back(act(at("2026-11-03T16:31:00Z"), "x"));
  EXPECT_EQ(alerts_of(lines, options, rules()).size(), 1u);  // … and on the third day there were two others
}

// ------------------------------------------------------------------------------------------------------------- actors

Line of_audit(int64_t when, std::string number, std::vector<std::pair<std::string, std::string>> more,
              std::vector<std::pair<std::string, std::string>> constants) {
  Line line = act(when, "root");
  line.dataset = "auditd";
  line.pattern = constants.back().second;
  line.constants = std::move(constants);
  line.values = {{"host.name", "web-01"}, {"auditd.auid", std::move(number)}};
  for (auto& one : more) line.values.push_back(std::move(one));
  return line;
}

TEST(Actors, who_logged_in_stands_behind_root) {
  auto opened = of_audit(kStart, "1001", {{"user.name", "lin"}, {"process.executable", "/usr/sbin/sshd"}},
                         {{"event.outcome", "success"}, {"yushi.event", "session-opened"}});
  auto wrote = of_audit(kStart + kMinute, "1001", {{"user.name", "root"}}, {{"event.action", "sudoers"}});
  auto unknown = of_audit(kStart + 2 * kMinute, "1002", {{"user.name", "root"}}, {{"event.action", "sudoers"}});
  auto daemon = of_audit(kStart + 3 * kMinute, "4294967295", {{"user.name", "root"}}, {{"event.action", "sudoers"}});
  auto alerts = alerts_of({opened, wrote, unknown, daemon}, {}, rules("high"));
  ASSERT_EQ(alerts.size(), 3u);
  EXPECT_TRUE(alerts[0].reason.starts_with("lin on web-01")) << alerts[0].reason;
  EXPECT_TRUE(alerts[1].reason.starts_with("uid 1002 on web-01")) << alerts[1].reason;
  EXPECT_TRUE(alerts[2].reason.starts_with("somebody on web-01")) << alerts[2].reason;
}

TEST(Actors, a_session_that_sudo_opened_names_nobody_behind_the_number) {
  auto opened = of_audit(kStart, "1001", {{"user.name", "root"}, {"process.executable", "/usr/bin/sudo"}},
                         {{"event.outcome", "success"}, {"yushi.event", "session-opened"}});
  auto wrote = of_audit(kStart + kMinute, "1001", {{"user.name", "root"}}, {{"event.action", "sudoers"}});
  auto alerts = alerts_of({opened, wrote}, {}, rules("high"));
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_TRUE(alerts[0].reason.starts_with("uid 1001 on web-01")) << alerts[0].reason;
}

Line opened_by(int64_t when, std::string dataset, std::string user, std::pair<std::string, std::string> number,
               std::string program = "sshd") {
  Line line = act(when, std::move(user));
  line.dataset = std::move(dataset);
  line.pattern = "session-opened";
  line.constants = {{"yushi.event", "session-opened"}};
  line.values = {{"host.name", "web-01"}, {"process.name", std::move(program)}, line.values[1], std::move(number)};
  return line;
}

Line written(int64_t when, std::string number, std::string session) {
  return of_audit(when, std::move(number), {{"user.name", "root"}, {"auditd.ses", std::move(session)}},
                  {{"event.action", "sudoers"}});
}
Line by_logind(int64_t when, std::string user, std::string session) {
  return opened_by(when, "systemd-logind", std::move(user), {"systemd-logind.session", std::move(session)},
                   "systemd-logind");
}
std::vector<std::string> who_wrote(const std::vector<Line>& lines) {
  our_parser_set();
  std::vector<std::string> out;
  for (const auto& alert : alerts_of(lines, {}, rules("high")))
    out.push_back(alert.reason.substr(0, alert.reason.find(" on ")));
  return out;
}
using Names = std::vector<std::string>;

TEST(Actors, a_session_that_pam_or_logind_tells_of_names_who_stands_behind_the_number) {
  EXPECT_EQ(who_wrote({opened_by(kStart, "pam", "lin", {"user.id", "1001"}), written(kStart + kMinute, "1001", "5"),
                       // sudo opens no login
                       opened_by(kStart + 4 * kMinute, "pam", "root", {"user.id", "1003"}, "sudo"),
                       written(kStart + 5 * kMinute, "1003", "6"),
                       // Of older systems the session alone tells.
                       by_logind(kStart + 6 * kMinute, "chen", "77"), written(kStart + 7 * kMinute, "1004", "77")}),
            (Names{"lin", "uid 1003", "chen"}));
}

TEST(Actors, where_lines_of_syslog_claim_two_names_the_number_stands_for_nobody_and_the_alert_says_so) {
  our_parser_set();
  for (const bool by_session : {false, true}) {
    const auto claim = [&](int64_t when, std::string user) {
      return by_session ? by_logind(when, std::move(user), "7")
                        : opened_by(when, "pam", std::move(user), {"user.id", "1001"});
    };
    const auto alerts =
        alerts_of({claim(kStart, "lin"), claim(kStart + kMinute, "wu"), written(kStart + 2 * kMinute, "1001", "7")}, {},
                  rules("high"));
    ASSERT_EQ(alerts.size(), 1u);
    EXPECT_TRUE(alerts[0].reason.starts_with("uid 1001 on ")) << alerts[0].reason;
    EXPECT_NE(alerts[0].reason.find("two names are claimed for the account's number: lin, wu"), std::string::npos)
        << alerts[0].reason;
    EXPECT_NE(alerts[0].reason_zh.find("lin, wu"), std::string::npos) << alerts[0].reason_zh;
    // Of a number that was another's long ago the new name holds.
    EXPECT_EQ(who_wrote({claim(kStart, "lin"), claim(kStart + 40 * kDay, "wu"),
                         written(kStart + 40 * kDay + kMinute, "1001", "7")}),
              Names{"wu"});
  }
}

TEST(Actors, the_audit_systems_records_may_be_written_by_others_too) {
  const auto started = [](int64_t when, std::string user) {
    return of_audit(when, "1001", {{"user.name", std::move(user)}, {"process.executable", "/usr/sbin/sshd"}},
                    {{"event.outcome", "success"}, {"yushi.event", "session-opened"}});
  };
  const auto write = written(kStart + kHour, "1001", "5");
  EXPECT_EQ(who_wrote({started(kStart, "lin"), started(kStart + kMinute, "wu"), write}), Names{"uid 1001"});
  // A number that was given anew.
  auto made = of_audit(kStart + kMinute, "1002", {{"user.target.name", "wu"}, {"user.target.id", "1001"}},
                       {{"event.outcome", "success"}, {"yushi.event", "account-created"}});
  EXPECT_EQ(who_wrote({started(kStart, "lin"), made, write}), Names{"wu"});
  // By whom it was made is another's number.
  made.values = {{"host.name", "web-01"}, {"auditd.auid", "1001"}, {"user.name", "wu"}, {"user.id", "0"}};
  EXPECT_EQ(who_wrote({made, written(kStart + kHour, "0", "5")}), Names{"uid 0"});
}

TEST(Actors, one_name_that_is_written_in_two_ways_is_one) {
  EXPECT_EQ(who_wrote({opened_by(kStart, "pam", "lin", {"user.id", "1001"}),
                       opened_by(kStart + kMinute, "pam", "LIN", {"user.id", "1001"}),
                       opened_by(kStart + kMinute, "pam", "lin@example.com", {"user.id", "1001"}),
                       written(kStart + 2 * kMinute, "1001", "5")}),
            Names{"lin"});
}

TEST(Actors, what_the_audit_system_says_holds_whatever_lines_of_syslog_claim) {
  const auto by_audit = of_audit(kStart, "1001", {{"user.name", "lin"}, {"process.executable", "/usr/sbin/sshd"}},
                                 {{"event.outcome", "success"}, {"yushi.event", "session-opened"}});
  Line made = opened_by(kStart + kMinute, "useradd", "wu", {"user.id", "1001"}, "useradd");
  made.constants = {{"yushi.event", "account-created"}};
  EXPECT_EQ(who_wrote({by_audit, made, opened_by(kStart + 2 * kMinute, "pam", "wu", {"user.id", "1001"}),
                       by_logind(kStart + 3 * kMinute, "wu", "7"), written(kStart + 4 * kMinute, "1001", "7")}),
            Names{"lin"});
}

TEST(Actors, a_flood_of_claims_drives_out_none_that_stands) {
  std::vector<Line> lines{opened_by(kStart, "pam", "lin", {"user.id", "1001"})};
  for (size_t i = 0; i <= Actors::kNamesMax; ++i)
    lines.push_back(opened_by(kStart + kMinute, "pam", "wu", {"user.id", std::to_string(100'000 + i)}));
  lines.push_back(written(kStart + 2 * kMinute, "1001", "7"));
  EXPECT_EQ(who_wrote(lines), Names{"lin"});
}

TEST(Actors, a_session_is_another_ones_once_the_audit_system_has_begun_anew) {
  const auto began = of_audit(kStart + kHour, "4294967295", {}, {{"yushi.event", "audit-started"}});
  EXPECT_EQ(who_wrote({by_logind(kStart, "lin", "7"), began, by_logind(kStart + 2 * kHour, "wu", "7"),
                       written(kStart + 3 * kHour, "1001", "7")}),
            Names{"wu"});
}

TEST(Actors, who_is_known_to_write_another_programs_line_is_not_heard) {
  Line forged = by_logind(kStart, "wu", "7");
  forged.constants.emplace_back("yushi.program.unconfirmed", "true");
  EXPECT_EQ(who_wrote({forged, written(kStart + kMinute, "1001", "7")}), Names{"uid 1001"});
}

TEST(Actors, the_tag_of_a_shells_history_says_who_logged_in) {
  const auto typed = [](int64_t when, std::string tag) {
    Line line = act(when, "root", "web-01", "sudoers");
    line.constants.push_back({"yushi.hearsay", "true"});
    line.values.push_back({"process.name", std::move(tag)});
    return line;
  };
  auto alerts =
      alerts_of({login(kStart, "lin", "10.0.0.5"), typed(kStart + kMinute, "lin"), typed(kStart + 2 * kMinute, "bash")},
                {}, rules("high"));
  ASSERT_EQ(alerts.size(), 2u);
  EXPECT_TRUE(alerts[0].reason.starts_with("lin on web-01")) << alerts[0].reason;
  EXPECT_TRUE(alerts[1].reason.starts_with("root on web-01")) << alerts[1].reason;
}

}  // namespace
}  // namespace yushi::detect
