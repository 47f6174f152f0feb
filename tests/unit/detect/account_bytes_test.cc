// What all detectors together hold of one account, of which everything there is to remember happened: 4 KiB, as
// docs/detection.md says.
#include <gtest/gtest.h>

#include "detect/behaviours/accounts.h"
#include "detect/behaviours/detectors.h"
#include "detect/behaviours/silence.h"
#include "detect/behaviours/unusual_commands.h"
#include "detect/lists/lists.h"
#include "detect/memory/habits.h"
#include "detect/memory/places.h"
#include "events.h"

namespace yushi::detect {
namespace {

const int64_t kStart = at("2026-10-02T09:00:00Z");

class OneAccount : public testing::Test {
 protected:
  OneAccount() {
    Walk walk("yushi.yaml");
    ListSettings settings;
    read_list_settings(walk, YAML::Load("networks: ['2001:db8::/32 somewhere 39.9 116.4']"), settings);
    options_.lists = Lists::load(settings);
  }

  std::vector<Finding> show(const std::vector<Line>& lines) {
    batches_.push_back(committer_.batch(lines));
    std::vector<Finding> findings;
    Scratch scratch;
    for (const auto& record : batches_.back()->records) {
      const auto kind = event_kind_of(*record.kind);
      Scratch of_host;
      Event event{record, kind, record.origin->log, counted_time(record), host_of(record, of_host)};
      std::optional<LoginEvent> login;
      if (kind.login != EventKind::Login::none) login = login_of(event, scratch);
      if (login) event.login = &*login;
      detectors_.observe(event, detectors_.wanted_by(kind), findings);
    }
    return findings;
  }
  Line of_kind(std::string kind, std::vector<std::pair<std::string, std::string>> values,
               std::string dataset = "bastion") {
    Line line;
    line.at_ns = now_ += kMinute;
    line.dataset = std::move(dataset);
    line.pattern = kind;
    line.constants = {{"yushi.event", std::move(kind)}};
    line.values = std::move(values);
    return line;
  }

  uint64_t held(const std::string& account) {
    uint64_t out = 0;
    Holdings all;
    profiles_.hold(all);
    detectors_.hold(all);
    habits_.hold(all);
    for (const auto& one : all) one.map->bytes();  // as a tick does
    for (const auto& one : all) out += one.map->bytes_of(ShortName(account));
    return out;
  }

  const std::shared_ptr<const Zone> utc_ = Zone::utc();
  int64_t now_ = kStart;
  DetectOptions options_;
  Silence silence_;
  Profiles profiles_;
  Detectors detectors_{options_, silence_, profiles_};
  Habits habits_{profiles_};
  Committer committer_;
  std::vector<std::unique_ptr<Batch>> batches_;
};

std::string address(int i) {
  char text[64];
  std::snprintf(text, sizeof text, "2001:db8:aaaa:%x:bbbb:cccc:dddd:%x", 0x1000 + i, 0xe000 + i);
  return text;
}
std::string long_name(const std::string& of, int i) { return of + std::to_string(i) + std::string(60, 'x'); }

TEST_F(OneAccount, that_did_everything_is_held_within_what_the_documents_say) {
  const std::string who = "somebody-with-quite-a-long-name-" + std::string(60, 'y') + "@example.com";
  std::vector<Line> lines;
  for (int i = 0; i < 200; ++i) {
    lines.push_back(login(now_ += kHour, who, address(i), long_name("host", i)));
    for (const auto* way : {"failed", "pam", "invalid"})
      lines.push_back(failed_login(now_ += kSecond, who, address(i), way));
  }
  for (int i = 0; i < 100; ++i)
    for (const auto* way : {"failed", "pam", "invalid"})
      lines.push_back(failed_login(now_ += kSecond, who, address(i), way));
  for (int i = 0; i < 100; ++i) {
    for (const auto* kind : {"file-read", "file-deleted", "resource-deleted"})
      lines.push_back(of_kind(kind, {{"user.name", who}, {"file.path", long_name("/srv/", i)}}));
    lines.push_back(of_kind("privilege-granted", {{"user.target.name", who}, {"group.name", long_name("group", i)}}));
    lines.push_back(of_kind("password-changed", {{"user.name", who}, {"user.target.name", long_name("other", i)}}));
    lines.push_back(of_kind("job-run", {{"user.name", who}}));
  }
  for (const auto* kind : {"account-created", "account-locked"})
    lines.push_back(of_kind(kind, {{"user.target.name", who}, {"host.name", long_name("host", 1)}}));
  for (int i = 0; i < 2'099; ++i)
    for (const std::string teller : {"sudo", "auditd", "bastion", "switch"})
      lines.push_back(of_kind("command",
                              {{"user.name", who},
                               {"user.effective.name", "root"},
                               {"process.command_line", long_name("program", i % 300)}},
                              teller));
  show(lines);
  for (int i = 0; i < 1000; ++i) habits_.add("default", who, long_name("rule", i), now_, *utc_, long_name("h", i));
  EXPECT_LE(held(who), 4u << 10);
  EXPECT_GE(held(who), 3u << 10) << "not everything was done";
  // It is still known for what it does.
  const auto* accounts = detectors_.find<Accounts>();
  EXPECT_FALSE(accounts->is_new_source("default", who, address(199)));
  EXPECT_TRUE(accounts->is_new_source("default", who, address(0)));
  EXPECT_TRUE(detectors_.find<UnusualCommands>()->knows("default", who));
  EXPECT_GT(habits_.known("default", who, long_name("rule", 999), now_ + kDay, *utc_).days, 0u);
}

// However long it goes on, and whenever it is counted.
TEST_F(OneAccount, is_held_within_its_bound_at_each_tick) {
  const std::string who = "root";
  for (int i = 0; i < 300; ++i) {
    std::vector<Line> lines{login(now_ += kHour, who, address(i), long_name("host", i)),
                            failed_login(now_ += kSecond, who, address(i), "pam")};
    for (int n = 0; n < 7; ++n)
      for (const auto* teller : {"sudo", "auditd", "bastion"})
        lines.push_back(
            of_kind("command", {{"user.name", who}, {"process.command_line", long_name("p", i * n % 100)}}, teller));
    show(lines);
    habits_.add("default", who, std::to_string(i), now_, *utc_);
    ASSERT_LE(held(who), 4u << 10) << i;
  }
}

// Of whom two kinds of logs tell all day, while somebody guesses his password.
TEST_F(OneAccount, that_is_guessed_keeps_what_it_is_known_by_and_is_told_of) {
  const std::string who = "lin";
  const std::vector<std::string> hosts{"web-01", "web-02", "web-03", "web-04"};
  for (int day = 0; day < 30; ++day) {
    std::vector<Line> lines;
    now_ = kStart + day * kDay;
    for (const auto& host : hosts) lines.push_back(login(now_ += kMinute, who, "10.0.0.1", host));
    for (int i = 0; i < 100; ++i)
      for (const auto* teller : {"sudo", "auditd"})
        lines.push_back(of_kind("command",
                                {{"user.name", who},
                                 {"user.effective.name", "root"},
                                 {"process.command_line", "program" + std::to_string(i * (day + 1) % 29)}},
                                teller));
    show(lines);
    for (int i = 0; i < 12; ++i) habits_.add("default", who, "rule" + std::to_string(i), now_, *utc_);
    held(who);
  }
  const uint64_t before = held(who);
  EXPECT_GE(before, 2'800u);
  EXPECT_LE(before, 3'000u);
  for (int i = 0; i < 5'000; ++i) {
    std::vector<Line> lines;
    now_ += kSecond;
    for (const auto* way : {"failed", "pam", "invalid"}) lines.push_back(failed_login(now_, who, address(i), way));
    show(lines);
    ASSERT_LE(held(who), 4u << 10);
  }
  const auto told = show({login(now_ += kSecond, who, address(5'000))});
  EXPECT_TRUE(std::any_of(told.begin(), told.end(), [](auto& one) { return one.kind->id == "bruteforce.success"; }));
  EXPECT_FALSE(detectors_.find<Accounts>()->is_new_source("default", who, "10.0.0.1"));
  for (int i = 0; i < 12; ++i)
    EXPECT_EQ(habits_.known("default", who, "rule" + std::to_string(i), now_ + kDay, *utc_).days, 30u) << i;
}

// Commands that name accounts, thousands of them: who gives them drives out nobody.
TEST_F(OneAccount, that_is_known_stays_so_when_somebody_names_many) {
  show({login(now_ += kMinute, "lin", "10.0.0.1")});
  std::vector<Line> lines;
  for (int i = 0; i < 5'000; ++i)
    for (const char* command : {"useradd x", "usermod -L y", "gpasswd -a z"})
      lines.push_back(
          of_kind("command", {{"user.name", "eve"}, {"process.command_line", command + std::to_string(i) + " group"}}));
  show(lines);
  EXPECT_FALSE(detectors_.find<Accounts>()->is_new_source("default", "lin", "10.0.0.1"));
}

TEST_F(OneAccount, of_an_administrator_is_held_within_what_the_documents_say) {
  std::vector<Line> lines;
  const char* const programs[] = {"ls", "cat", "vim", "systemctl", "journalctl", "ssh", "grep", "less", "tail", "df"};
  for (int day = 0; day < 60; ++day) {
    now_ = kStart + day * kDay;
    lines.push_back(login(now_, "lin", "10.0.0." + std::to_string(day % 3), "web-0" + std::to_string(day % 4)));
    if (day % 5 == 0) lines.push_back(failed_login(now_ - kMinute, "lin", "10.0.0.1"));
    for (int i = 0; i < 30; ++i)
      lines.push_back(of_kind(
          "command",
          {{"user.name", "lin"}, {"process.command_line", programs[(day * 7 + i * i) % 10]}, {"host.name", "web-01"}}));
  }
  show(lines);
  EXPECT_LE(held("lin"), 2u << 10);
  EXPECT_GE(held("lin"), 3u << 9);
}

TEST_F(OneAccount, that_only_logs_in_takes_little) {
  std::vector<Line> lines;
  for (int day = 0; day < 60; ++day)
    lines.push_back(login(kStart + day * kDay, "lin", "10.0.0." + std::to_string(day % 3), "web-01"));
  show(lines);
  EXPECT_LE(held("lin"), 1u << 10);
}

// Names that differ only behind what is kept are two all the same.
TEST_F(OneAccount, of_long_names_none_is_taken_for_another) {
  const std::string one = long_name("arn:aws:sts::123456789012:assumed-role/", 1),
                    other = one.substr(0, one.size() - 1) + "2";
  EXPECT_NE(std::string_view(ShortName(one)), std::string_view(ShortName(other)));
  EXPECT_EQ(std::string_view(ShortName(one)).size(), ShortName::kBytesMax);
  EXPECT_EQ(std::string_view(ShortName("lin")), "lin");
}

}  // namespace
}  // namespace yushi::detect
