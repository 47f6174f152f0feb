// Programs that nobody of the site has run.
#include "detect/behaviours/new_commands.h"

#include <gtest/gtest.h>

#include "events.h"

namespace yushi::detect {
namespace {

const int64_t kStart = at("2026-11-02T08:00:00Z"), kLater = kStart + 14 * kDay;

Line command(int64_t at_ns, std::string text, std::string who = "lin") {
  Line line;
  line.at_ns = at_ns;
  line.dataset = "sudo";
  line.pattern = "command";
  line.constants = {{"yushi.event", "command"}};
  line.values = {{"host.name", "web-01"}, {"user.name", std::move(who)}, {"process.command_line", std::move(text)}};
  return line;
}
std::vector<Line> weeks() {
  std::vector<Line> out;
  for (int day = 0; day < 14; ++day)
    for (int i = 0; i < 3; ++i) {
      const int64_t when = kStart + day * kDay + i * kMinute;
      out.push_back(command(when, i == 0 ? "/usr/bin/df -h" : i == 1 ? "/usr/bin/ss -lntp" : "/usr/bin/ls /srv"));
      out.push_back(command(when, i == 0 ? "/usr/bin/tcpdump -i eth0" : "/usr/bin/strace -p 1", "wu"));
    }
  return out;
}
std::vector<std::string> told(std::vector<Line> lines, const std::vector<std::string>& texts, int64_t step = kMinute) {
  for (size_t i = 0; i < texts.size(); ++i) lines.push_back(command(kLater + static_cast<int64_t>(i) * step, texts[i]));
  std::vector<std::string> out;
  for (auto& alert : alerts_of(lines)) out.push_back(alert.reason);
  return out;
}

TEST(NewCommands, three_within_an_hour_are_told) {
  auto reasons = told(weeks(), {"/usr/bin/gdb -p 1", "gcore 1", "/opt/x/dumper --all"});
  ASSERT_EQ(reasons.size(), 1u);
  EXPECT_EQ(reasons[0],
            "lin ran 3 programs within an hour that no account of this log has run since 2026-11-02: gdb gcore dumper");
}

TEST(NewCommands, what_a_peer_runs_one_new_program_and_a_slow_change_of_work_are_not) {
  EXPECT_TRUE(told(weeks(), {"/usr/bin/tcpdump -i eth1", "/usr/bin/strace -p 7", "/usr/bin/df"}).empty());
  EXPECT_TRUE(told(weeks(), {"/usr/bin/gdb -p 1", "/usr/bin/gdb -p 2", "/usr/bin/gdb -p 3"}).empty());
  EXPECT_TRUE(told(weeks(), {"gdb -p 1", "gcore 1", "dumper"}, 2 * kHour).empty());
}

TEST(NewCommands, in_its_first_days_all_is_new) {
  EXPECT_TRUE(
      alerts_of({command(kStart, "a"), command(kStart, "b"), command(kStart, "c"), command(kStart, "d")}).empty());
}

TEST(NewCommands, what_is_known_outlives_a_restart) {
  auto rules = no_rules();
  Engine first(rules, {}), second(rules, {});
  Committer committer;
  observe(first, rules, committer, weeks());
  ASSERT_TRUE(second.load(first.save()).has_value());
  EXPECT_EQ(
      observe(second, rules, committer,
              {command(kLater, "gdb"), command(kLater, "gcore"), command(kLater, "df"), command(kLater, "dumper")})
          .size(),
      1u);
}

}  // namespace
}  // namespace yushi::detect
