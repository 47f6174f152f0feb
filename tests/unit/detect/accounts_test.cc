// Baselines of accounts: what is odd is told against what is usual, and what is usual is not told.
#include "detect/behaviours/accounts.h"

#include <random>

#include <gtest/gtest.h>

#include "events.h"

namespace yushi::detect {
namespace {

constexpr std::string_view kSource = "baseline.first-source-address";
constexpr std::string_view kHost = "baseline.first-host";
constexpr std::string_view kUnusualHour = "baseline.unusual-hour";

// One login a day at 09:00 UTC.
std::vector<Line> days(int count, const std::string& user = "root", const std::string& source = "10.0.0.5",
                       int64_t from = at("2026-10-02T09:00:00Z")) {
  std::vector<Line> events;
  for (int day = 0; day < count; ++day) events.push_back(login(from + day * kDay, user, source));
  return events;
}

// As days(), of a person: at another hour of the day each day.
std::vector<Line> office(int count) {
  auto events = days(count);
  for (size_t i = 0; i < events.size(); ++i) events[i].at_ns += static_cast<int64_t>(i % 6) * kHour;
  return events;
}

TEST(Accounts, a_first_address_is_told_against_the_usual_ones) {
  auto events = days(39);
  events.push_back(login(events.back().at_ns + kHour, "root", "10.0.0.7"));
  events.push_back(login(events.back().at_ns + kHour, "root", "10.0.0.7"));
  events.push_back(login(events.back().at_ns + kHour, "root", "203.0.113.9"));
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

TEST(Accounts, another_address_of_a_known_network_is_no_news) {
  auto events = office(20);
  events.push_back(login(events.back().at_ns + kHour, "root", "10.0.0.77"));
  EXPECT_TRUE(alerts_of(events).empty());
}

TEST(Accounts, of_an_account_that_comes_as_a_job_does_it_is) {
  auto events = days(20);
  events.push_back(login(events.back().at_ns + kHour, "root", "10.0.0.77"));
  auto all = alerts_of(events);
  auto found = of_rule(all, kSource);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]->severity, Severity::low);
  EXPECT_NE(found[0]->reason.find("as a job does"), std::string::npos) << found[0]->reason;
}

TEST(Accounts, the_address_of_somebody_else_in_a_known_network_is_told_as_less) {
  auto events = office(20);
  events.push_back(login(events.back().at_ns + kMinute, "wang", "10.0.0.77"));
  events.push_back(login(events.back().at_ns + kHour, "root", "10.0.0.77"));
  auto all = alerts_of(events);
  auto found = of_rule(all, kSource);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]->severity, Severity::low);
  EXPECT_TRUE(found[0]->reason.ends_with("it has come from the same network before, and this is where wang comes from"))
      << found[0]->reason;
}

TEST(Accounts, one_that_comes_from_the_desks_of_three_others_within_a_day_is_shared) {
  std::vector<Line> lines;
  const int64_t from = at("2026-11-02T08:00:00Z");
  const std::vector<std::pair<std::string, std::string>> desks{
      {"chen", "10.0.1.1"}, {"wu", "10.0.1.2"}, {"zhao", "10.0.1.3"}};
  for (int day = 0; day < 14; ++day)
    for (size_t i = 0; i < desks.size() && day % 7 < 5; ++i)
      lines.push_back(login(from + day * kDay + static_cast<int64_t>(i) * kMinute, desks[i].first, desks[i].second));
  const int64_t today = from + 14 * kDay;
  for (size_t i = 0; i < desks.size(); ++i)
    lines.push_back(login(today + static_cast<int64_t>(i) * kHour, "appl", desks[i].second));
  const auto all = alerts_of(lines);
  const auto shared = of_rule(all, "account.shared");
  ASSERT_EQ(shared.size(), 1u);
  EXPECT_EQ(
      shared[0]->reason,
      "appl logged in on web-01 from 10.0.1.3; within a day it came from where chen, wu and zhao are wont to come "
      "from: several people share it");
  // From two of them, from one thrice, from the third a week later.
  lines.back() = login(today + 3 * kHour, "appl", "10.0.1.1");
  lines.push_back(login(today + 8 * kDay, "appl", "10.0.1.3"));
  EXPECT_TRUE(of_rule(alerts_of(lines), "account.shared").empty());
}

TEST(Accounts, three_addresses_of_a_known_network_within_two_hours_are_told) {
  auto events = office(20);
  for (const char* address : {"10.0.0.77", "10.0.0.78", "10.0.0.79"})
    events.push_back(login(events.back().at_ns + 40 * kMinute, "root", address));
  auto all = alerts_of(events);
  auto found = of_rule(all, kSource);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0]->reason.find("from three addresses of it"), std::string::npos) << found[0]->reason;
}

// A key shown with each act, as to a cloud: twenty acts in each of three hours a day.
std::vector<Line> acts_with_a_key(int count, const std::string& category, const std::string& outcome = "success") {
  std::vector<Line> events;
  for (const auto& day : office(count))
    for (int i = 0; i < 60; ++i) {
      auto event = login(day.at_ns + i * 3 * kMinute, "li.wei", "10.0.0.5");
      event.pattern = event.dataset = category;
      event.constants = {{"event.category", category}, {"event.outcome", outcome}};
      events.push_back(std::move(event));
    }
  return events;
}

TEST(Accounts, who_shows_a_key_with_each_act_logs_in_with_the_first_of_an_hour) {
  for (const std::string category : {"api", "database"}) {
    auto events = acts_with_a_key(14, category);
    const size_t before = events.size();
    for (int i = 0; i < 5; ++i) {
      events.push_back(events.back());
      events.back().at_ns += kMinute;
      events.back().values = {{"host.name", "api-02"}, {"user.name", "li.wei"}, {"source.ip", "203.0.113.9"}};
    }
    auto all = alerts_of(events);
    auto found = of_rule(all, kSource);
    ASSERT_EQ(found.size(), 1u) << category;
    EXPECT_EQ(found[0]->reason,
              "li.wei acted from 203.0.113.9 for the first time; in 42 hours with acts since 2026-10-02 "
              "it came from 10.0.0.5 (42)");
    EXPECT_EQ(found[0]->records[0].index, before);
    EXPECT_EQ(of_rule(all, kHost).size(), category == "api" ? 0u : 1u);  // a cluster has many that answer for it
  }
}

TEST(Accounts, a_key_that_comes_from_many_addresses_in_turn_logs_in_once_an_hour_from_each) {
  std::vector<Line> events;
  int turn = 0;
  for (auto& event : acts_with_a_key(14, "api")) {
    event.values[2].second = "10.0.0." + std::to_string(5 + turn++ % 10);
    events.push_back(std::move(event));
  }
  events.push_back(events.back());
  events.back().values[2].second = "203.0.113.9";
  auto all = alerts_of(events);
  auto found = of_rule(all, kSource);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0]->reason.find("in 280 hours with acts"), std::string::npos) << found[0]->reason;
}

TEST(Accounts, an_act_that_was_refused_is_no_login) {
  auto events = acts_with_a_key(14, "api");
  auto refused = acts_with_a_key(1, "api", "failure").front();
  refused.at_ns = events.back().at_ns + kMinute;
  refused.values[2].second = "203.0.113.9";
  events.push_back(refused);
  EXPECT_TRUE(alerts_of(events).empty());
}

TEST(Accounts, who_only_knocks_is_no_login) {
  auto events = acts_with_a_key(14, "database");
  auto knock = acts_with_a_key(1, "database").front();
  knock.at_ns = events.back().at_ns + kMinute;
  knock.constants = {{"event.category", "database"}, {"yushi.event", "message"}};  // "too many clients already"
  knock.values[2].second = "203.0.113.9";
  events.push_back(knock);
  EXPECT_TRUE(alerts_of(events).empty());
  events.back().constants[1].second = "query";  // of which a refusal would say so
  EXPECT_EQ(of_rule(alerts_of(events), kSource).size(), 1u);
}

TEST(Accounts, hours_of_a_key_are_no_hours_of_a_person) {
  std::vector<Line> events;
  for (const auto& day : office(20)) {
    events.push_back(day);
    auto act = day;
    act.pattern = act.dataset = "api";
    act.constants = {{"event.category", "api"}, {"event.outcome", "success"}};
    for (int i = 1; i < 15; ++i) {
      act.at_ns = day.at_ns + i * kHour;
      events.push_back(act);
    }
  }
  events.push_back(login(at("2026-10-22T03:00:00Z"), "root", "10.0.0.5"));
  EXPECT_EQ(of_rule(alerts_of(events), kUnusualHour).size(), 1u);
}

TEST(Accounts, a_key_that_was_not_used_for_months_wakes) {
  auto events = acts_with_a_key(14, "api");
  auto late = events.back();
  late.at_ns += 70 * kDay;
  events.push_back(late);
  auto all = alerts_of(events);
  ASSERT_EQ(of_rule(all, "baseline.dormant-account").size(), 1u);
}

TEST(Accounts, the_first_login_of_an_account_is_learned_and_not_told) {
  EXPECT_TRUE(alerts_of({login(at("2026-10-02T09:00:00Z"), "root", "203.0.113.9")}).empty());
}

TEST(Accounts, what_is_usual_is_never_told) { EXPECT_TRUE(alerts_of(days(100)).empty()); }

TEST(Accounts, findings_of_the_first_fourteen_days_are_marked_as_learning) {
  auto events = days(13);
  events.push_back(login(events.back().at_ns + kDay, "root", "203.0.113.9"));
  events.push_back(login(events.back().at_ns + 2 * kDay, "root", "198.51.100.4"));
  auto all = alerts_of(events);
  auto found = of_rule(all, kSource);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_TRUE(found[0]->learning);
  EXPECT_FALSE(found[1]->learning);
}

TEST(Accounts, a_place_is_odd_only_after_five_logins) {
  auto few = days(4);
  few.push_back(login(few.back().at_ns + kHour, "root", "203.0.113.9", "db-03"));
  EXPECT_TRUE(alerts_of(few).empty());
  auto enough = days(5);
  enough.push_back(login(enough.back().at_ns + kHour, "root", "203.0.113.9", "db-03"));
  EXPECT_EQ(of_rule(alerts_of(enough), kSource).size(), 1u);
  DetectOptions at_once;
  at_once.learning_ns = 0;
  EXPECT_EQ(of_rule(alerts_of(enough, at_once), kHost).size(), 1u);
}

TEST(Accounts, what_weighs_little_is_told_after_two_working_weeks) {
  for (int count : {12, 13}) {
    auto events = days(count, "alice");
    events.push_back(login(events.back().at_ns + kHour, "alice", "10.0.0.5", "db-03"));
    EXPECT_EQ(of_rule(alerts_of(events), kHost).size(), count == 12 ? 0u : 1u) << count;
  }
}

TEST(Accounts, while_an_account_is_learned_a_network_of_the_site_itself_is_no_news) {
  for (const char* source : {"10.9.0.20", "172.20.5.11", "192.168.7.7", "fd00:7::1"}) {
    auto events = days(6);
    events.push_back(login(events.back().at_ns + kHour, "root", source));
    EXPECT_TRUE(alerts_of(events).empty()) << source;
  }
  for (const char* source : {"172.32.5.11", "11.9.0.20", "2001:db8::1", "203.0.113.9"}) {
    auto events = days(6);
    events.push_back(login(events.back().at_ns + kHour, "root", source));
    EXPECT_EQ(alerts_of(events).size(), 1u) << source;
  }
  auto known = days(13);
  known.push_back(login(known.back().at_ns + kHour, "root", "10.9.0.20"));
  EXPECT_EQ(alerts_of(known).size(), 1u);
}

// Each of these people on each of these hosts, one a day in turn, at hours of their own.
std::vector<Line> people(const std::vector<std::pair<std::string, std::vector<std::string>>>& wont, int count) {
  std::vector<Line> events;
  for (int day = 0; day < count; ++day)
    for (size_t i = 0; i < wont.size(); ++i) {
      const auto& [who, hosts] = wont[i];
      const int64_t when = at("2026-10-02T08:00:00Z") + day * kDay + (day % 7) * kHour;
      events.push_back(login(when + static_cast<int64_t>(i) * kMinute, who, "10.0.0.10",
                             hosts[static_cast<size_t>(day) % hosts.size()]));
    }
  return events;
}

size_t told_hosts(std::vector<Line> events, const std::string& who, const std::vector<std::string>& hosts) {
  for (const auto& host : hosts) events.push_back(login(events.back().at_ns + kHour, who, "10.0.0.10", host));
  return of_rule(alerts_of(events), kHost).size();
}

TEST(Accounts, a_host_that_much_of_the_site_comes_to_is_news_of_who_goes_to_few_alone) {
  const std::vector<std::string> four{"web-01", "web-02", "web-03", "web-04"};
  std::vector<std::pair<std::string, std::vector<std::string>>> wont{{"wang", four}, {"audit", {"log-01"}}};
  for (const char* who : {"a", "b", "c", "d"}) wont.push_back({who, {"idm-01", "web-01"}});
  auto events = people(wont, 32);
  EXPECT_EQ(told_hosts(events, "wang", {"idm-01"}), 0u);
  EXPECT_EQ(told_hosts(events, "wang", {"db-09"}), 1u);
  EXPECT_EQ(told_hosts(events, "audit", {"idm-01"}), 1u);
  wont.resize(5);  // three come there
  EXPECT_EQ(told_hosts(people(wont, 32), "wang", {"idm-01"}), 1u);
}

TEST(Accounts, a_further_host_is_no_news_of_who_goes_to_many_and_the_third_at_once_is) {
  const std::vector<std::string> many{"web-01", "web-02", "web-03", "app-01", "app-02", "app-03", "cm-01"};
  std::vector<std::pair<std::string, std::vector<std::string>>> wont{{"lin", many}};
  for (const char* who : {"a", "b", "c"}) wont.push_back({who, {"log-01", "log-02", "log-03"}});
  auto events = people(wont, 42);
  EXPECT_EQ(told_hosts(events, "lin", {"log-01"}), 0u);
  EXPECT_EQ(told_hosts(events, "lin", {"db-01"}), 1u);  // nobody else goes there
  EXPECT_EQ(told_hosts(events, "lin", {"log-01", "log-02", "log-03"}), 1u);
}

TEST(Accounts, a_host_that_is_new_itself_is_no_news_of_who_comes_from_where_they_always_do) {
  const auto told = [](int64_t heard, const std::string& source) {
    auto events = people({{"wang", {"web-01", "web-02"}}, {"lin", {"web-01", "web-02"}}}, 32);
    const int64_t now = events.back().at_ns + kHour;
    Line line;  // the new machine's own
    line.at_ns = now - heard;
    line.values = {{"host.name", "web-09"}};
    events.insert(
        std::upper_bound(events.begin(), events.end(), line, [](auto& a, auto& b) { return a.at_ns < b.at_ns; }), line);
    events.push_back(login(now, "wang", source, "web-09"));
    events.push_back(login(now + kHour, "lin", source, "web-09"));
    return of_rule(alerts_of(events), kHost).size();
  };
  EXPECT_EQ(told(5 * kHour, "10.0.0.10"), 0u);
  EXPECT_EQ(told(0, "10.0.0.10"), 1u);  // of lin's it is an hour old
  EXPECT_EQ(told(5 * kHour, "10.0.0.77"), 2u);
  EXPECT_EQ(told(100 * kHour, "10.0.0.10"), 2u);
}

TEST(Accounts, which_machine_carries_the_log_of_a_cloud_is_no_matter) {
  auto events = office(20);
  events.push_back(login(events.back().at_ns + kHour, "root", "10.0.0.5", "relay-01"));
  EXPECT_EQ(of_rule(alerts_of(events), kHost).size(), 1u);
  events.back().constants.push_back({"cloud.provider", "aliyun"});
  EXPECT_EQ(of_rule(alerts_of(events), kHost).size(), 0u);
}

TEST(Accounts, a_host_that_a_bastion_let_somebody_into_is_one_and_its_daemon_tells_of_no_other_login) {
  const auto session = [](int64_t when, std::string host) {
    Line line;
    line.at_ns = when;
    line.dataset = "jumpserver";
    line.pattern = "session";
    line.constants = {{"yushi.event", "session-opened"}, {"observer.type", "bastion"}};
    line.values = {{"host.name", "bastion-01"}, {"user.name", "alice"}, {"destination.domain", std::move(host)}};
    return line;
  };
  auto events = days(18, "alice");
  for (auto& line : days(18, "alice")) {
    events.push_back(session(line.at_ns + kSecond, "web-01(10.0.1.11)"));
  }
  std::stable_sort(events.begin(), events.end(), [](auto& a, auto& b) { return a.at_ns < b.at_ns; });
  EXPECT_TRUE(alerts_of(events).empty());
  events.push_back(session(events.back().at_ns + kHour, "db-03(10.0.3.11)"));
  const auto alerts = alerts_of(events);
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].reason,
            "alice logged in on db-03 for the first time; in 18 logins since 2026-10-02 it was on web-01 (18)");
}

TEST(Accounts, an_hour_at_which_most_others_work_is_no_odd_one) {
  auto events = days(30, "kong");
  for (const char* who : {"a", "b", "c", "d"})
    for (auto& line : days(30, who, "10.0.0.5", at("2026-10-02T09:00:00Z")))
      for (int later : {0, 3, 5, 8}) {
        events.push_back(line);
        events.back().at_ns += later * kHour;
      }
  std::stable_sort(events.begin(), events.end(), [](auto& a, auto& b) { return a.at_ns < b.at_ns; });
  const auto told = [&](int hour) {
    auto all = events;
    all.push_back(login(at("2026-11-02T00:30:00Z") + hour * kHour, "kong", "10.0.0.5"));
    return of_rule(alerts_of(all), kUnusualHour).size();
  };
  EXPECT_EQ(told(17), 0u);
  EXPECT_EQ(told(23), 1u);
}

TEST(Accounts, who_always_comes_from_ever_new_addresses_and_hosts_is_not_told) {
  std::vector<Line> events;
  for (int i = 0; i < 500; ++i)
    events.push_back(login(at("2026-10-02T09:00:00Z") + i * kHour / 4, "deploy",
                           "10." + std::to_string(i % 7) + ".1." + std::to_string(i * 37 % 251),
                           "web-" + std::to_string(i % 190)));
  auto all = alerts_of(events);
  EXPECT_TRUE(of_rule(all, kSource).empty());
  EXPECT_TRUE(of_rule(all, kHost).empty());
}

// An administrator's day: one desk, a notebook, forty machines that he comes to know one after another.
TEST(Accounts, an_administrator_who_comes_to_know_his_machines_is_told_seldom_and_a_foreign_login_all_the_same) {
  std::mt19937 random(3);
  std::vector<Line> events;
  for (int day = 0; day < 30; ++day)
    for (int i = 0; i < 12; ++i)
      events.push_back(login(at("2026-10-01T08:00:00Z") + day * kDay + i * 40 * kMinute, "alice",
                             i % 6 ? "10.0.0.5" : "10.0.0.6",
                             "web-" + std::to_string(random() % static_cast<unsigned>(std::min(40, 4 + day * 3)))));
  auto usual = alerts_of(events);
  EXPECT_LE(of_rule(usual, kSource).size(), 1u);  // the notebook
  EXPECT_LE(of_rule(usual, kHost).size(), 20u);   // under one a day while the machines are new …
  size_t late = 0;
  for (const auto* alert : of_rule(usual, kHost)) late += alert->event_ns > at("2026-10-23T00:00:00Z");
  EXPECT_EQ(late, 0u);  // … and none when he knows them
  events.push_back(login(at("2026-10-31T08:00:00Z"), "alice", "203.0.113.9", "db-03"));
  auto all = alerts_of(events);
  EXPECT_EQ(of_rule(all, kSource).size(), of_rule(usual, kSource).size() + 1);
  EXPECT_EQ(of_rule(all, kHost).size(), of_rule(usual, kHost).size() + 1);
}

TEST(Accounts, who_changes_addresses_in_one_network_is_still_odd_in_another) {
  std::vector<Line> events;
  for (int i = 0; i < 100; ++i)
    events.push_back(login(at("2026-10-02T09:00:00Z") + i * kHour, "alice", "10.0.0." + std::to_string(i + 1)));
  EXPECT_TRUE(alerts_of(events).empty());
  events.push_back(login(events.back().at_ns + kHour, "alice", "203.0.113.9"));
  auto all = alerts_of(events);
  auto found = of_rule(all, kSource);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]->severity, Severity::medium);
  EXPECT_NE(found[0]->reason.find("alice logged in from 203.0.113.9 for the first time"), std::string::npos);
}

TEST(Accounts, one_account_raises_one_of_a_kind_a_day_and_the_rest_is_counted) {
  auto events = days(60);
  int64_t day = events.back().at_ns + kDay;
  for (int i = 0; i < 8; ++i) events.push_back(login(day + i * kMinute, "root", "10.0.0.5", "db-" + std::to_string(i)));
  // Another kind is told all the same.
  events.push_back(login(day + 9 * kMinute, "root", "203.0.113.9"));
  for (int i = 0; i < 40; ++i) events.push_back(login(day + kHour + i * kMinute, "root", "10.0.0.5"));
  events.push_back(login(day + kDay, "root", "10.0.0.5", "db-99"));
  auto all = alerts_of(events);
  EXPECT_EQ(of_rule(all, kSource).size(), 1u);
  auto found = of_rule(all, kHost);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_NE(found[0]->reason.find("logged in on db-0 for the first time"), std::string::npos);
  EXPECT_NE(found[1]->reason.find("logged in on db-99 for the first time"), std::string::npos);
  EXPECT_NE(found[1]->reason.find("; 7 further ones since the last such alert of this account were only counted"),
            std::string::npos)
      << found[1]->reason;
}

TEST(Accounts, a_foreign_login_is_told_on_a_day_that_had_a_new_network_already) {
  auto events = days(60);
  int64_t day = events.back().at_ns + kDay;
  events.push_back(login(day, "root", "10.251.0.9"));
  for (int i = 0; i < 8; ++i) events.push_back(login(day + kHour + i * kMinute, "root", "10.0.0.5"));
  events.push_back(login(day + 2 * kHour, "root", "203.0.113.9"));
  auto all = alerts_of(events);
  auto found = of_rule(all, kSource);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_NE(found[1]->reason.find("root logged in from 203.0.113.9 for the first time"), std::string::npos);
}

TEST(Accounts, a_first_host_is_told_against_the_usual_ones) {
  auto events = days(18, "alice");
  events.push_back(login(events.back().at_ns + kHour, "alice", "10.0.0.5", "db-03"));
  auto all = alerts_of(events);
  auto found = of_rule(all, kHost);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(
      found[0]->reason,
      "alice logged in on db-03 for the first time, from 10.0.0.5; in 18 logins since 2026-10-02 it was on web-01 "
      "(18)");
  EXPECT_TRUE(of_rule(all, kSource).empty());
}

TEST(Accounts, an_unusual_hour_is_told_against_the_usual_ones) {
  auto events = days(30);
  for (int day = 0; day < 10; ++day) events.push_back(login(events.back().at_ns + kDay + kMinute, "root", "10.0.0.5"));
  int64_t night = events.back().at_ns / kDay * kDay + kDay + 3 * kHour + 12 * kMinute;
  events.push_back(login(night, "root", "10.0.0.5"));
  auto all = alerts_of(events);
  auto found = of_rule(all, kUnusualHour);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(
      found[0]->reason,
      "root logged in at 03:12 UTC from 10.0.0.5; of 40 logins since 2026-10-02 on 40 days, none was between 01:00 "
      "and 06:00; most were in the hours from 09:00 (40)");
  EXPECT_EQ(all.size(), 1u);
}

TEST(Accounts, an_hour_is_not_judged_before_twenty_logins_on_five_days) {
  auto few = days(19);
  few.push_back(login(few.back().at_ns + 18 * kHour, "root", "10.0.0.5"));
  EXPECT_TRUE(alerts_of(few).empty());
  std::vector<Line> one_day;
  for (int i = 0; i < 40; ++i) one_day.push_back(login(at("2026-10-02T09:00:00Z") + i * kMinute, "root", "10.0.0.5"));
  one_day.push_back(login(at("2026-10-02T23:00:00Z"), "root", "10.0.0.5"));
  EXPECT_TRUE(alerts_of(one_day).empty());
}

TEST(Accounts, a_robot_that_logs_in_around_the_clock_has_no_unusual_hour) {
  std::vector<Line> events;
  for (int i = 0; i < 24 * 30; ++i)
    events.push_back(login(at("2026-10-02T00:10:00Z") + i * kHour, "backup", "10.0.0.5"));
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
  options.zone_of = [&](std::string_view log) { return log == "default" ? *zone : Zone::utc(); };
  auto events = days(30, "root", "10.0.0.5", at("2026-10-02T15:30:00Z"));  // 23:30 there
  events.push_back(login(at("2026-11-02T04:00:00Z"), "root", "10.0.0.5"));
  auto all = alerts_of(events, options);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_NE(all[0].reason.find("at 12:00 Asia/Shanghai"), std::string::npos) << all[0].reason;
  EXPECT_NE(all[0].reason.find("23:00 (30)"), std::string::npos) << all[0].reason;
}

TEST(Accounts, tenants_do_not_learn_from_each_other) {
  auto events = days(10);
  auto elsewhere = login(events.back().at_ns + kHour, "root", "203.0.113.9");
  elsewhere.log = "finance";
  events.push_back(elsewhere);
  EXPECT_TRUE(alerts_of(events).empty());
}

TEST(Accounts, two_lines_about_one_login_count_once) {
  std::vector<Line> events;
  for (const auto& event : days(6)) {
    events.push_back(event);
    events.push_back(event);
    events.back().pattern = "user-login";
    events.back().dataset = "auditd";
  }
  events.push_back(login(events.back().at_ns + kHour, "root", "203.0.113.9"));
  auto all = alerts_of(events);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_NE(all[0].reason.find("in 6 logins"), std::string::npos) << all[0].reason;
}

TEST(Accounts, logins_on_two_hosts_at_once_and_another_spelling_of_the_address_count_once_each) {
  std::vector<Line> events;
  for (const auto& event : days(6)) {
    // One session on each of two hosts; sshd tells both, then auditd both, the second time by name.
    for (const char* teller : {"sshd", "auditd"})
      for (const char* host : {"web-01", "web-02"}) {
        auto told = event;
        told.dataset = teller;
        told.values[0].second = host;
        if (std::string_view(teller) == "auditd") told.values[2].second = "desk-5.example";
        events.push_back(told);
      }
  }
  EXPECT_TRUE(alerts_of(events).empty());
  events.push_back(login(events.back().at_ns + kHour, "root", "203.0.113.9"));
  auto all = alerts_of(events);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_NE(all[0].reason.find("in 12 logins"), std::string::npos) << all[0].reason;
}

TEST(Accounts, two_addresses_told_by_one_daemon_at_once_are_two_logins) {
  auto events = days(10);
  auto stranger = login(events.back().at_ns + kSecond, "root", "203.0.113.9");
  events.push_back(stranger);
  auto all = alerts_of(events);
  EXPECT_EQ(of_rule(all, kSource).size(), 1u);
}

// auditd tells of one login in USER_AUTH, USER_ACCT, CRED_ACQ, USER_LOGIN, and of services in the same records.
TEST(Accounts, what_auditd_says_of_services_and_of_the_steps_of_a_login_is_no_login) {
  auto audit = [](int64_t at_ns, const char* kind, const char* action, const char* program, const char* source) {
    auto event = login(at_ns, "root", source);
    event.dataset = "auditd";
    event.pattern = "authentication";
    event.constants.emplace_back("yushi.event", kind);
    event.constants.emplace_back("event.action", action);
    event.values.emplace_back("process.executable", program);
    return event;
  };
  auto events = days(10);
  int64_t later = events.back().at_ns + kHour;
  events.push_back(audit(later, "credential-used", "authenticated", "/usr/sbin/sshd", "203.0.113.9"));
  events.push_back(audit(later, "credential-used", "was-authorized", "/usr/sbin/crond", "203.0.113.9"));
  EXPECT_TRUE(alerts_of(events).empty());
  events.push_back(audit(later + kMinute, "credential-used", "was-authorized", "/usr/sbin/sshd", "203.0.113.9"));
  events.push_back(audit(later + kMinute, "login", "logged-in", "/usr/sbin/sshd", "203.0.113.9"));
  auto all = alerts_of(events);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_NE(all[0].reason.find("in 10 logins"), std::string::npos) << all[0].reason;
}

TEST(Accounts, sessions_without_an_address_and_sudo_are_no_logins) {
  auto events = days(10);
  auto session = login(events.back().at_ns + kHour, "root", "");
  session.values.pop_back();
  session.values[0].second = "db-03";
  session.dataset = "cron";
  events.push_back(session);
  session.dataset = "sshd";
  session.pattern = "session-opened";
  events.push_back(session);
  auto sudo = login(events.back().at_ns + kHour, "root", "203.0.113.9");
  sudo.dataset = "sudo";
  for (const char* kind : {"command-refused", "privilege-used", "logout"}) {
    sudo.constants.resize(2);
    sudo.constants.emplace_back("yushi.event", kind);
    events.push_back(sudo);
  }
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
  auto events = days(5, std::string("ro\0ot\x1b[2J\xff", 10));
  events.push_back(login(events.back().at_ns + kHour, events.back().values[1].second, "203.0.113.9"));
  auto all = alerts_of(events);
  ASSERT_EQ(all.size(), 1u);
  for (char c : all[0].reason) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
}

}  // namespace
}  // namespace yushi::detect
