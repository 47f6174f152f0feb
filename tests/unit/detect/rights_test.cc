// Rights one after the other, and passwords of others.
#include "detect/behaviours/rights.h"

#include <gtest/gtest.h>

#include "events.h"

namespace yushi::detect {
namespace {

const int64_t kStart = at("2026-11-02T08:00:00Z");

Line of_kind(int day, std::string kind, std::vector<std::pair<std::string, std::string>> values,
             std::string dataset = "accounts") {
  Line line;
  line.at_ns = kStart + day * kDay;
  line.dataset = std::move(dataset);
  line.pattern = kind;
  line.constants = {{"yushi.event", std::move(kind)}};
  line.values = std::move(values);
  line.values.emplace_back("host.name", "web-01");
  return line;
}
Line command(int day, std::string text) {
  return of_kind(day, "command", {{"user.name", "zhou"}, {"process.command_line", std::move(text)}}, "sudo");
}
Line member(int day, std::string who, std::string group) {
  return of_kind(day, "privilege-granted", {{"user.name", std::move(who)}, {"group.name", std::move(group)}});
}
std::vector<std::string> grown(const std::vector<Line>& lines) {
  std::vector<std::string> out;
  for (auto& alert : alerts_of(lines))
    if (alert.rule_id == "rights.slow-growth") out.push_back(alert.reason);
  return out;
}

TEST(Rights, one_more_every_few_days_is_told_with_all_of_them) {
  auto told = grown({member(0, "sun", "docker"), command(4, "/usr/sbin/usermod -aG adm sun"),
                     command(8, "/bin/sh -c echo 'sun ALL=(ALL) NOPASSWD: /usr/bin/systemctl' >> /etc/sudoers")});
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0],
            "sun got 3 rights on 3 days since 2026-11-02, one after the other: group docker (2026-11-02), group adm "
            "(2026-11-06), sudoers ALL=(ALL) NOPASSWD: /usr/bin/systemctl (2026-11-10)");
}

TEST(Rights, those_of_databases_and_files_of_sudoers_count_too) {
  const auto grant = [](int day, std::string what) {
    return of_kind(day, "privilege-granted",
                   {{"user.name", "wu"}, {"message", "shop,'" + what + " TO \\'sun\\'@\\'%\\''"}}, "mariadb.audit");
  };
  EXPECT_EQ(grown({grant(0, "GRANT SELECT ON shop.orders"), grant(3, "GRANT UPDATE ON shop.orders"),
                   command(6, "/usr/bin/tee /etc/sudoers.d/sun")})
                .size(),
            1u);
}

TEST(Rights, all_at_once_the_same_again_and_those_of_many_accounts_are_not) {
  EXPECT_TRUE(grown({member(0, "sun", "docker"), member(0, "sun", "adm"), member(0, "sun", "web")}).empty());
  std::vector<Line> same, many;
  for (int day = 0; day < 20; ++day) {
    same.push_back(command(day, "/usr/bin/tee /etc/sudoers.d/ops"));
    same.push_back(member(day, "sun", "docker"));
    many.push_back(member(day, "u" + std::to_string(day), "web"));
  }
  EXPECT_TRUE(grown(same).empty());
  EXPECT_TRUE(grown(many).empty());
}

TEST(Rights, what_reads_sudoers_gives_nothing) {
  EXPECT_TRUE(grown({command(0, "/usr/bin/cat /etc/sudoers.d/sun"), command(4, "/usr/bin/ls /etc/sudoers.d/sun2"),
                     command(8, "/usr/bin/id sun")})
                  .empty());
}

Line password(int day, std::string owner, std::string by) {
  return of_kind(day, "password-changed",
                 {{"user.name", std::move(owner)}, {"auditd.auid", "1001"}, {"auditd.auid_name", std::move(by)}},
                 "auditd");
}

TEST(Rights, who_helps_users_is_not_wont_to_set_the_password_of_root) {
  std::vector<Line> office;
  for (int day = 0; day < 20; ++day) office.push_back(password(day, "u" + std::to_string(day), "zhou"));
  const auto before = alerts_of(office).size();
  office.push_back(password(20, "root", "zhou"));
  const auto alerts = alerts_of(office);
  ASSERT_EQ(alerts.size(), before + 1);
  EXPECT_EQ(alerts.back().reason, "zhou set the password of root on web-01; it did so on 0 other days of the last 64");
}

TEST(Rights, the_password_of_another_is_told_but_for_those_whose_office_it_is) {
  our_parser_set();
  auto alerts = alerts_of({password(0, "chen", "lin"), password(1, "lin", "lin")});
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].reason, "lin set the password of chen on web-01; it did so on 0 other days of the last 64");
  std::vector<Line> office;
  for (int day = 0; day < 20; ++day) office.push_back(password(day, "u" + std::to_string(day), "zhou"));
  EXPECT_EQ(alerts_of(office).size(), 1u);
}

}  // namespace
}  // namespace yushi::detect
