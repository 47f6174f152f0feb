// Accounts that are made, used and deleted.
#include "detect/behaviours/short_lived.h"

#include <gtest/gtest.h>

#include "events.h"

namespace yushi::detect {
namespace {

const int64_t kStart = at("2026-11-02T08:00:00Z");
constexpr std::string_view kRule = "account.short-lived";

Line told(int64_t when, const std::string& what, const std::string& account) {
  Line line;
  line.at_ns = when;
  line.dataset = "accounts";
  line.pattern = what;
  line.constants = {{"yushi.event", what}};
  line.values = {{"host.name", "web-01"}, {"user.name", account}};
  return line;
}
Line typed(int64_t when, std::string command) {
  Line line;
  line.at_ns = when;
  line.dataset = "auditd";
  line.pattern = "executed";
  line.constants = {{"yushi.event", "process-started"}};
  line.values = {{"host.name", "web-01"},
                 {"auditd.auid", "1001"},
                 {"auditd.auid_name", "lin"},
                 {"process.command_line", std::move(command)}};
  return line;
}
std::vector<std::string> reasons(const std::vector<Line>& lines) {
  std::vector<std::string> out;
  const auto all = alerts_of(lines);
  for (const auto* alert : of_rule(all, kRule)) out.push_back(alert->reason);
  return out;
}
using Reasons = std::vector<std::string>;

TEST(ShortLived, made_used_and_deleted_is_told_once) {
  EXPECT_EQ(reasons({told(kStart, "account-created", "tmpx"), login(kStart + kMinute, "tmpx", "10.0.0.5"),
                     told(kStart + 40 * kMinute, "account-deleted", "tmpx"),
                     told(kStart + 40 * kMinute + kSecond, "account-deleted", "tmpx")}),
            (Reasons{"account tmpx was deleted on web-01 40 min after it was made, and was used meanwhile"}));
}

TEST(ShortLived, in_a_root_shell_too) {
  EXPECT_EQ(reasons({typed(kStart, "/usr/sbin/useradd -m tmpx"), login(kStart + kMinute, "tmpx", "10.0.0.5"),
                     typed(kStart + kHour, "userdel -r tmpx")})
                .size(),
            1u);
}

TEST(ShortLived, on_a_device_in_windows_and_in_a_database_too) {
  auto stated = [](int64_t when, const std::string& what, const std::string& statement) {
    Line line = told(when, what, "dba");
    line.dataset = "mariadb.audit";
    line.constants.insert(line.constants.begin(), {"event.category", "database"});
    line.values.push_back({"message", statement});
    return line;
  };
  for (const auto& [made, gone] : std::vector<std::pair<std::string, std::string>>{
           {"local-user tmpx password irreversible-cipher ***", "undo local-user tmpx"},
           {"username tmpx privilege 15 secret *", "no username tmpx"},
           {"set system login user tmpx class super-user", "delete system login user tmpx"},
           {"net user tmpx secret /add", "C:\\Windows\\System32\\net.exe user tmpx /delete"}})
    EXPECT_EQ(
        reasons({typed(kStart, made), login(kStart + kMinute, "tmpx", "10.0.0.5"), typed(kStart + kHour, gone)}).size(),
        1u)
        << made;
  EXPECT_EQ(reasons({stated(kStart, "account-created", "CREATE USER IF NOT EXISTS \\'tmpx\\'@\\'%\\'"),
                     login(kStart + kMinute, "tmpx", "10.0.0.5"),
                     stated(kStart + kHour, "account-deleted", "drop user `tmpx`")})
                .size(),
            1u);
}

TEST(ShortLived, a_mistake_another_account_and_one_that_was_there_for_long_are_not) {
  EXPECT_EQ(reasons({told(kStart, "account-created", "tmpx"), login(kStart + kMinute, "wang", "10.0.0.5"),
                     told(kStart + kHour, "account-deleted", "tmpx")}),
            Reasons());
  EXPECT_EQ(reasons({told(kStart, "account-created", "wang"), login(kStart + kMinute, "wang", "10.0.0.5"),
                     told(kStart + 9 * kDay, "account-deleted", "wang")}),
            Reasons());
  EXPECT_EQ(reasons({typed(kStart, "adduser wang sudo"), login(kStart + kMinute, "sudo", "10.0.0.5"),
                     typed(kStart + kHour, "userdel sudo")}),
            Reasons());
}

TEST(ShortLived, who_makes_accounts_in_a_database_is_none_of_them) {
  auto made = told(kStart, "account-created", "gao"), gone = told(kStart + kHour, "account-deleted", "gao");
  for (auto* line : {&made, &gone}) {
    line->dataset = "mysql.audit_log";
    line->constants.push_back({"event.category", "database"});
  }
  const auto lines = std::vector<Line>{made, login(kStart + kMinute, "gao", "10.0.0.5"), gone,
                                       login(kStart + 2 * kHour, "gao", "10.0.0.5")};
  EXPECT_TRUE(alerts_of(lines).empty());  // nor is he disabled
}

TEST(ShortLived, what_is_known_outlives_a_restart) {
  auto rules = no_rules();
  Engine first(rules, {}), second(rules, {});
  Committer committer;
  observe(first, rules, committer,
          {told(kStart, "account-created", "tmpx"), login(kStart + kMinute, "tmpx", "10.0.0.5")});
  ASSERT_TRUE(second.load(first.save()).has_value());
  const auto alerts = observe(second, rules, committer, {told(kStart + kHour, "account-deleted", "tmpx")});
  EXPECT_EQ(of_rule(alerts, kRule).size(), 1u);
}

}  // namespace
}  // namespace yushi::detect
