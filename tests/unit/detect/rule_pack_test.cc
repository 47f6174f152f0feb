// Our own rules: every test inside the files holds, through the real parsers.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "core/base/time_text.h"
#include "core/event/attack.h"
#include "detect/rules/check.h"
#include "detect/rules/rules.h"
#include "events.h"
#include "parsers/joiner.h"
#include "parsers/understand.h"
#include "tests/unit/data_sets.h"

namespace yushi::detect {
namespace {

ParseBatch our_parsers() {
  auto understander = std::make_shared<parsers::Understander>(our_parser_set());
  return [understander](Batch& batch) {
    understander->understand(batch);
    parsers::join_lines(batch, understander->set());
  };
}

// Their fields are known once the parsers are loaded.
std::vector<RuleFile> our_rules() {
  our_parsers();
  auto files = read_rule_directories({YUSHI_SOURCE_DIR "/config/rules"});
  return files ? *files : std::vector<RuleFile>();
}

TEST(RulePack, every_file_is_right_and_nothing_in_it_is_unsupported) {
  auto files = our_rules();
  ASSERT_GE(files.size(), 6u);
  auto check = check_rule_files(files, our_log_sources());
  for (const auto& problem : check.problems) ADD_FAILURE() << problem.text();
}

TEST(RulePack, every_log_source_names_datasets_and_fields_that_parsers_have) {
  our_parsers();
  auto files = read_rule_directories({YUSHI_SOURCE_DIR "/config/sigma"});
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_GE(files->size(), 4u);
  auto sources = LogSources::load(*files);
  EXPECT_TRUE(sources) << sources.error().message;
  // A misspelt one is an error, once there are parsers.
  EXPECT_FALSE(LogSources::load({{"a.yaml", "a.yaml", "log_sources: [{product: a, fields: b, datasets: [sshdd]}]\n"}}));
  EXPECT_FALSE(LogSources::load({{"a.yaml", "a.yaml", "fields: {b: {c: user.nam}}\n"}}));
}

TEST(RulePack, every_rule_fires_on_its_positive_and_is_silent_on_its_negative) {
  auto report = run_rule_tests(our_rules(), our_log_sources(), our_parsers());
  ASSERT_TRUE(report) << report.error().message;
  for (const auto& failure : report->failures) ADD_FAILURE() << failure;
  for (const auto& lacking : report->lacking) ADD_FAILURE() << lacking;
  EXPECT_GT(report->passed, 40u);
}

bool is_chinese(std::string_view text) {  // a character of the block U+4E00 to U+9FFF
  for (size_t i = 0; i + 2 < text.size(); ++i)
    if (static_cast<unsigned char>(text[i]) >= 0xe4 && static_cast<unsigned char>(text[i]) <= 0xe9) return true;
  return false;
}
std::multiset<std::string> names_in(std::string_view words) {
  std::multiset<std::string> out;
  for (size_t at = words.find("%{"); at != words.npos; at = words.find("%{", at + 2))
    out.emplace(words.substr(at, words.find('}', at) - at));
  return out;
}

TEST(RulePack, every_rule_says_in_chinese_all_that_it_says_in_english_and_names_its_tactic) {
  our_parsers();
  size_t rules = 0;
  for (const auto& file : our_rules()) {
    for (const auto& document : parse_rule_file(file, our_log_sources(), {}).documents) {
      const RuleHead& head = document.head();
      const std::string place = head.path + ":" + std::to_string(head.line) + ": " + head.title;
      EXPECT_TRUE(is_chinese(head.title_zh)) << place << ": has no title_zh";
      EXPECT_EQ(is_chinese(head.reason_zh), !head.reason.empty()) << place << ": a reason, and none in Chinese";
      EXPECT_EQ(names_in(head.reason), names_in(head.reason_zh)) << place;
      EXPECT_TRUE(tactic_of(head.tags)) << place << ": has no tactic of ATT&CK, which puts it among steps of a story";
      ++rules;
    }
  }
  EXPECT_GT(rules, 90u);
}

TEST(RulePack, a_rule_that_cannot_fire_fails_its_positive) {
  RuleFile file{"x.yml", "x.yml",
                "title: X\nid: x\nlogsource: {product: yushi, service: sshd}\ndetection:\n  s: {user.name: nobody}\n"
                "  condition: s\nyushi:\n  tests:\n    - lines: ['<86>1 %T web-01 sshd 811 - - Accepted password for "
                "root from 203.0.113.9 port 4242 ssh2']\n      expect: alert\n"};
  auto report = run_rule_tests({file}, {}, our_parsers());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->failures.size(), 1u);
  EXPECT_EQ(report->lacking.size(), 1u);
}

// Somebody else at the keyboard, as three kinds of logs tell of commands; `%C` is the command.
TEST(RulePack, commands_that_are_not_the_accounts_are_told_of_sudo_auditd_and_a_bastion_host) {
  auto rules = RuleSet::load(our_rules(), our_log_sources());
  ASSERT_TRUE(rules) << rules.error().message;
  struct Teller {
    std::string who;
    std::vector<std::string> lines;
  };
  const Teller tellers[] = {
      {"ann by sudo",
       {"<85>1 %T db-01 sudo 811 - - ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/%C -x"}},
      {"uid 1000 by auditd",
       {"<86>1 %T db-01 audispd 811 - - type=SYSCALL msg=audit(1793491201.100:%N): arch=c000003e syscall=59 "
        "success=yes "
        "exit=0 items=2 ppid=4100 pid=4101 auid=1000 uid=0 gid=0 euid=0 tty=pts0 ses=3 comm=\"%C\" exe=\"/usr/bin/%C\" "
        "key=\"cmds\"",
        "<86>1 %T db-01 audispd 811 - - type=EXECVE msg=audit(1793491201.100:%N): argc=2 a0=\"%C\" a1=\"-x\"",
        "<86>1 %T db-01 audispd 811 - - type=EOE msg=audit(1793491201.100:%N): "}},
      {"ops by qzsec.ris",
       {"<134>1 %T gate-01 ris 811 - - "
        "TUILOG(INFORMATIONAL)(id=S0E5,service=tuilog,server=198.51.100.30(db),account=root,"
        "identity=ops(Li),from=192.0.2.15,action=allow,command=%C -x)"}},
  };
  const std::vector<std::string> own = {"psql", "ls", "pg_dump", "cat", "vi"}, other = {"nmap", "tcpdump", "nc"};
  for (const auto& teller : tellers) {
    std::vector<std::string> lines;
    for (int i = 0; i < 2100; ++i) {
      const std::string& command = i < 2000 ? own[static_cast<size_t>(i) % 5] : other[static_cast<size_t>(i) % 3];
      bool is_first = true;
      for (std::string line : teller.lines) {
        for (size_t at; (at = line.find("%C")) != line.npos;) line.replace(at, 2, command);
        for (size_t at; (at = line.find("%N")) != line.npos;) line.replace(at, 2, std::to_string(7000 + i));
        lines.push_back((is_first ? "+60s " : "") + line);
        is_first = false;
      }
    }
    auto alerts = alerts_of_lines(*rules, {}, "2026-11-01T08:00:00Z", lines, our_parsers());
    ASSERT_TRUE(alerts) << alerts.error().message;
    const auto found = of_rule(*alerts, "baseline.unusual-commands");
    ASSERT_EQ(found.size(), 1u) << teller.who;
    EXPECT_EQ(found[0]->key, teller.who);
    EXPECT_NE(found[0]->reason.find("never before: "), std::string::npos);
    for (const auto& command : other)
      EXPECT_NE(found[0]->reason.find(command + " (3"), std::string::npos) << found[0]->reason;
  }
}

// The whole way for the detectors that are code.
TEST(RulePack, brute_force_over_ssh_that_ends_in_a_success_is_told_once) {
  auto rules = RuleSet::load(our_rules(), our_log_sources());
  ASSERT_TRUE(rules) << rules.error().message;
  auto alerts =
      alerts_of_lines(*rules, {}, "2026-11-01T08:00:00Z",
                      {"8x5s <86>1 %T web-01 sshd 811 - - Failed password for root from 203.0.113.9 port 4242 ssh2",
                       "+5s <86>1 %T web-01 sshd 811 - - Accepted publickey for root from 203.0.113.9 port 4242 ssh2"},
                      our_parsers());
  ASSERT_TRUE(alerts);
  ASSERT_EQ(alerts->size(), 1u);
  EXPECT_EQ(alerts->front().rule_id, "bruteforce.success");
  EXPECT_EQ(alerts->front().records.size(), 9u);
}

// A line and the one that says how often it came again are told in one way: 1 + 4 are five attempts.
TEST(RulePack, failures_that_a_line_sums_up_are_counted_with_the_others) {
  auto rules = RuleSet::load({});
  ASSERT_TRUE(rules);
  struct Lines {
    std::string first, sum, enough;
  };
  const std::string ssh = "<86>1 %T web-01 sshd 811 - - ";
  const std::string pam = "logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.9  user=root";
  for (const Lines& lines :
       {Lines{ssh + "Failed password for root from 203.0.113.9 port 4242 ssh2",
              ssh + "message repeated 3 times: [ Failed password for root from 203.0.113.9 port 4242 ssh2]",
              ssh + "message repeated 4 times: [ Failed password for root from 203.0.113.9 port 4242 ssh2]"},
        Lines{ssh + "pam_unix(sshd:auth): authentication failure; " + pam,
              ssh + "PAM 3 more authentication failures; " + pam,
              ssh + "PAM 4 more authentication failures; " + pam}}) {
    for (const std::string& sum : {lines.sum, lines.enough}) {
      auto alerts = alerts_of_lines(
          *rules, {}, "2026-11-01T08:00:00Z",
          {lines.first, "+5s " + sum, "+5s " + ssh + "Accepted password for root from 203.0.113.9 port 4242 ssh2"},
          our_parsers());
      ASSERT_TRUE(alerts);
      EXPECT_EQ(alerts->size(), sum == lines.enough ? 1u : 0u) << sum;
    }
  }
}

TEST(RulePack, a_day_of_ordinary_work_raises_nothing) {
  auto rules = RuleSet::load(our_rules(), our_log_sources());
  ASSERT_TRUE(rules);
  auto alerts = alerts_of_lines(
      *rules, {}, "2026-11-01T08:00:00Z",
      {"<86>1 %T web-01 sshd 811 - - Invalid user alcie from 10.0.0.5 port 4242",
       "<86>1 %T web-01 sshd 811 - - pam_unix(sshd:auth): check pass; user unknown",
       "<86>1 %T web-01 sshd 811 - - pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= "
       "rhost=10.0.0.5",
       "<86>1 %T web-01 sshd 811 - - Failed password for invalid user alcie from 10.0.0.5 port 4242 ssh2",
       "2x4s <86>1 %T web-01 sshd 812 - - Failed password for alice from 10.0.0.5 port 4243 ssh2",
       "+4s <86>1 %T web-01 sshd 812 - - Accepted password for alice from 10.0.0.5 port 4243 ssh2",
       "<86>1 %T web-01 sshd 812 - - pam_unix(sshd:session): session opened for user alice(uid=1000) by (uid=0)",
       "<38>1 %T web-01 systemd-logind 600 - - New session 41 of user alice.",
       "+1m <85>1 %T web-01 sudo 900 - -    alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/apt "
       "upgrade",
       "<86>1 %T web-01 sudo 900 - - pam_unix(sudo:session): session opened for user root(uid=0) by alice(uid=1000)",
       "24x1h <78>1 %T web-01 CRON 950 - - (root) CMD (/usr/lib/sysstat/sa1 1 1)",
       "<30>1 %T web-01 systemd 1 - - Stopping The nginx HTTP and reverse proxy server...",
       "<190>1 %T web-01 nginx 7 - - 10.0.0.5 - - [01/Nov/2026:08:00:00 +0000] \"GET /a?b=c HTTP/1.1\" 404 12 \"-\" "
       "\"Mozilla/5.0\""},
      our_parsers());
  ASSERT_TRUE(alerts);
  for (const auto& alert : *alerts) ADD_FAILURE() << alert.rule_id << ": " << alert.reason;
}

void expect_loaded_or_named(const std::string& directory, std::optional<size_t> rules = {}) {
  auto files = read_rule_directories({directory});
  ASSERT_TRUE(files);
  std::erase_if(*files, [](const RuleFile& file) { return file.name.starts_with("regression_data"); });
  auto check = check_rule_files(*files, our_log_sources());
  size_t wrong = 0, unsupported = 0;
  std::map<std::string, size_t> reasons;
  for (const auto& problem : check.problems) {
    if (!problem.unsupported) {
      ++wrong;
      ADD_FAILURE() << problem.text();
    } else {
      ++unsupported;
      ++reasons[problem.message.substr(0, problem.message.find_first_of("('"))];
    }
    EXPECT_GT(problem.line, 0) << problem.text();
  }
  std::printf("%zu files: %zu rules usable, %zu unsupported, %zu wrong\n", files->size(), check.rules, unsupported,
              wrong);
  for (const auto& [reason, count] : reasons) std::printf("%6zu  %s\n", count, reason.c_str());
  if (rules) {
    EXPECT_EQ(check.rules, *rules);
  }
  EXPECT_EQ(check.rules + unsupported, files->size());
  if (const char* out = std::getenv("YUSHI_SIGMA_LIST"))
    if (FILE* list = std::fopen(out, "w")) {
      for (const auto& problem : check.problems) std::fprintf(list, "%s\n", problem.text().c_str());
      std::fclose(list);
    }
}

TEST(RulePack, sigma_rules_of_our_own_load_and_what_does_not_is_named_with_its_construct) {
  expect_loaded_or_named(test::kOwnData / "sigma", 6);
}

TEST(RulePack, published_sigma_rules_load_and_what_does_not_is_named_with_its_construct) {
  YUSHI_SKIP_WITHOUT_PUBLISHED_DATA();
  expect_loaded_or_named(test::published_data() / "sigma");
}

}  // namespace
}  // namespace yushi::detect
