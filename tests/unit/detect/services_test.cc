// Services that were stopped: a restart, a job's end and a host that goes down are no finding.
#include "detect/behaviours/services.h"

#include <gtest/gtest.h>

#include "events.h"

namespace yushi::detect {
namespace {

const int64_t kStart = at("2026-11-02T08:00:00Z");

Line of_kind(int64_t at_ns, std::string kind, std::string host = "web-01") {
  Line line;
  line.at_ns = at_ns;
  line.dataset = "systemd";
  line.pattern = kind;
  line.constants = {{"yushi.event", std::move(kind)}};
  line.values = {{"host.name", std::move(host)}};
  return line;
}
Line about(int64_t at_ns, std::string kind, std::string service, std::string host = "web-01") {
  Line line = of_kind(at_ns, std::move(kind), std::move(host));
  line.values.emplace_back("service.name", std::move(service));
  return line;
}
Line command(int64_t at_ns, std::string text, std::string who = "lin") {
  Line line = of_kind(at_ns, "command");
  line.dataset = "sudo";
  line.values.emplace_back("user.name", std::move(who));
  line.values.emplace_back("process.command_line", std::move(text));
  return line;
}

// All hosts say something each five minutes, but for those of `dumb` from `from` on.
std::vector<Line> going_on(std::vector<Line> lines, int64_t until, const std::string& dumb = "",
                           int64_t from = INT64_MAX) {
  for (int64_t when = kStart; when < until; when += 5 * kMinute)
    for (std::string host : {"web-01", "web-02", "db-01", "log-01"})
      if (host != dumb || when < from) lines.push_back(of_kind(when, "message", host));
  std::stable_sort(lines.begin(), lines.end(), [](auto& a, auto& b) { return a.at_ns < b.at_ns; });
  return lines;
}

// With a tick after each record, as if all came as they happened.
std::vector<Alert> told(const std::vector<Line>& lines, bool over_a_restart = false) {
  auto rules = no_rules();
  auto engine = std::make_unique<Engine>(rules, DetectOptions{});
  Committer committer;
  std::vector<Alert> out;
  for (auto& line : lines) {
    for (auto& alert : observe(*engine, rules, committer, {line})) out.push_back(alert);
    engine->tick(1, line.at_ns + line.late_ns, out);
    if (over_a_restart) {
      const auto state = engine->save();
      engine = std::make_unique<Engine>(rules, DetectOptions{});
      EXPECT_TRUE(engine->load(state).has_value());
    }
  }
  std::erase_if(out, [](auto& alert) { return !alert.rule_id.starts_with("service."); });
  for (const auto& alert : out) expect_complete(alert, *rules);
  return out;
}

const int64_t kActed = kStart + 4 * kDay, kEnd = kActed + kHour;

TEST(Services, one_that_is_stopped_and_left_is_told_with_who_did_it) {
  auto alerts = told(going_on({command(kActed, "/usr/bin/systemctl stop nginx"),
                               about(kActed + kSecond, "service-stopped", "A high performance web server")},
                              kEnd));
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].rule_id, "service.left-stopped");
  EXPECT_EQ(alerts[0].severity, Severity::medium);
  EXPECT_EQ(alerts[0].event_ns, kActed) << "when it happened, not when it was found";
  EXPECT_EQ(alerts[0].field("user.name"), "lin");
  EXPECT_EQ(alerts[0].reason,
            "nginx (a high performance web server) on web-01 was stopped at 2026-11-06 08:00:00 UTC by lin and not "
            "started again within 15 min");
}

TEST(Services, a_restart_and_a_start_after_a_while_are_not) {
  EXPECT_TRUE(told(going_on({about(kActed, "service-stopped", "nginx.service"),
                             about(kActed + 2 * kSecond, "service-started", "nginx.service")},
                            kEnd))
                  .empty());
  EXPECT_TRUE(told(going_on({command(kActed, "systemctl stop nginx"), about(kActed, "service-stopped", "nginx.service"),
                             command(kActed + 2 * kMinute, "systemctl start nginx.service")},
                            kEnd))
                  .empty());
  EXPECT_TRUE(told(going_on({command(kActed, "service nginx stop"),
                             about(kActed + 9 * kMinute, "service-started", "The nginx HTTP and reverse proxy server")},
                            kEnd))
                  .empty());
}

TEST(Services, a_start_of_the_next_morning_does_not_hide_that_it_was_left_in_a_log_that_is_read_in_later) {
  const auto alerts = alerts_of(
      going_on({command(kActed, "systemctl stop nginx"), command(kActed + 12 * kHour, "systemctl start nginx")},
               kActed + 13 * kHour));
  EXPECT_EQ(of_rule(alerts, "service.left-stopped").size(), 1u);
}

TEST(Services, a_command_of_the_stop_that_is_told_after_the_start_changes_nothing) {
  EXPECT_TRUE(
      told(going_on({about(kActed, "service-stopped", "nginx"), about(kActed + kSecond, "service-started", "nginx"),
                     command(kActed, "systemctl stop nginx")},
                    kEnd))
          .empty());
}

TEST(Services, other_ways_to_stop_one_are_commands_too) {
  for (auto text :
       {"/usr/sbin/service nginx stop", "/etc/init.d/nginx stop", "sh -c 'cd /; systemctl --now disable nginx'",
        "systemctl mask --now nginx.service", "supervisorctl stop nginx", "systemctl kill nginx",
        "systemctl kill -s KILL nginx", "sh -c 'systemctl kill nginx; kill -s HUP 1'"})
    EXPECT_EQ(told(going_on({command(kActed, text)}, kEnd)).size(), 1u) << text;
  for (auto text : {"systemctl status nginx", "systemctl disable nginx", "service nginx status",
                    "systemctl reload nginx", "systemctl kill -s HUP nginx",
                    "sh -c 'systemctl kill nginx -s HUP; true'", "systemctl kill --signal=SIGUSR1 nginx.service",
                    "systemctl daemon-reload", "grep stop /etc/init.d/nginx", "systemctl stop logrotate.timer"})
    EXPECT_TRUE(told(going_on({command(kActed, text)}, kEnd)).empty()) << text;
}

TEST(Services, what_stops_when_its_host_goes_down_is_not_told) {
  EXPECT_TRUE(told(going_on({of_kind(kActed, "host-stopped"), about(kActed + kSecond, "service-stopped", "nginx"),
                             about(kActed + kSecond, "service-stopped", "rsyslog")},
                            kEnd))
                  .empty());
  EXPECT_TRUE(
      told(going_on({about(kActed, "service-stopped", "nginx"), of_kind(kActed + kMinute, "host-started")}, kEnd))
          .empty());
}

TEST(Services, a_job_that_ends_after_its_start_is_not_told) {
  EXPECT_TRUE(
      told(going_on({about(kActed, "service-started", "logrotate"), about(kActed, "service-stopped", "logrotate")},
                    kEnd))
          .empty());
}

TEST(Services, what_is_left_stopped_day_after_day_is_usual) {
  std::vector<Line> lines;
  for (int day = 0; day < 8; ++day) lines.push_back(about(kStart + day * kDay + kHour, "service-stopped", "batch"));
  EXPECT_TRUE(told(going_on(lines, kStart + 8 * kDay)).empty());
}

TEST(Services, logging_that_is_left_stopped_is_high_and_soon_told_also_when_the_host_went_dumb_by_it) {
  for (auto service : {"rsyslog.service", "System Logging Service", "auditd", "Security Auditing Service"}) {
    auto alerts =
        told(going_on({about(kActed + kMinute, "service-stopped", service)}, kActed + 20 * kMinute, "web-01", kActed));
    ASSERT_EQ(alerts.size(), 1u) << service;
    EXPECT_EQ(alerts[0].rule_id, "service.logging-left-stopped");
    EXPECT_EQ(alerts[0].severity, Severity::high);
  }
  auto restart = going_on(
      {about(kActed, "service-stopped", "rsyslog"), about(kActed + kSecond, "audit-started", "rsyslogd")}, kEnd);
  EXPECT_TRUE(told(restart).empty());
}

TEST(Services, a_log_service_of_a_host_that_is_new_is_told_at_once) {
  auto alerts = alerts_of({about(kActed, "service-stopped", "System Logging Service")});
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].rule_id, "service.log-service-stopped");
  EXPECT_EQ(alerts[0].severity, Severity::medium);
  EXPECT_TRUE(alerts_of({about(kActed, "service-stopped", "nginx")}).empty());
}

TEST(Services, of_a_log_of_one_host_the_time_of_receipt_says_that_logging_is_left) {
  auto rules = no_rules();
  Engine engine(rules, {});
  Committer committer;
  auto alerts =
      observe(engine, rules, committer, {of_kind(kActed - kDay, "message"), about(kActed, "audit-stopped", "auditd")});
  engine.tick(1, kActed + kMinute, alerts);
  EXPECT_TRUE(alerts.empty());
  engine.tick(2, kActed + 3 * kMinute, alerts);
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].rule_id, "service.logging-left-stopped");
}

TEST(Services, what_is_waited_for_outlives_a_restart) {
  EXPECT_EQ(told(going_on({command(kActed, "systemctl stop nginx")}, kEnd), true).size(), 1u);
}

}  // namespace
}  // namespace yushi::detect
