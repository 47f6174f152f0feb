// An account's habit of commands: what it is wont to do is not odd, what somebody else does is, and why can be said.
#include "detect/behaviours/command_habit.h"

#include <algorithm>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace yushi::detect {
namespace {

// One after the other, from the first again until the block is full.
CommandBlock block_of(const std::string& names, size_t size = CommandBlock::kCommandsMax) {
  std::vector<std::string> all;
  std::istringstream in(names);
  for (std::string name; in >> name;) all.push_back(name);
  CommandBlock out;
  for (size_t i = 0; i < size; ++i) out.add(all[i % all.size()]);
  return out;
}

// A database administrator beside others who look after the web servers; all of them have days of it.
struct Site {
  CommandBlock database = block_of("psql ls pg_dump cat psql vi tail");
  CommandBlock web = block_of("nginx curl ls systemctl tail cat openssl vi");
  SiteCommands all;
  CommandHabit dba;

  Site() {
    for (int day = 0; day < 30; ++day) {
      dba.learn(database);
      all.learn(database);
      for (int other = 0; other < 4; ++other) all.learn(web);
    }
  }
};

TEST(CommandHabit, who_does_what_he_always_does_is_himself_and_who_does_what_others_do_is_not) {
  Site site;
  EXPECT_LT(site.dba.judge(site.database, site.all).score, 0);
  EXPECT_GE(site.dba.judge(site.web, site.all).score, CommandHabit::kOddScore);
}

TEST(CommandHabit, the_commands_that_made_a_block_odd_are_named_the_loudest_first) {
  Site site;
  const auto judged = site.dba.judge(site.web, site.all);
  std::vector<std::string> names;
  for (const auto& odd : judged.odd) names.emplace_back(odd.name);
  EXPECT_EQ(names.size(), 4u);  // nginx, curl, systemctl, openssl: ls, tail, cat and vi are his too
  for (const std::string name : {"nginx", "curl", "systemctl", "openssl"})
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
  for (size_t i = 1; i < judged.odd.size(); ++i) EXPECT_GE(judged.odd[i - 1].score, judged.odd[i].score);
  EXPECT_EQ(judged.odd[0].blocks, 0u);
  EXPECT_GE(judged.odd[0].times, 12u);
  EXPECT_GT(judged.new_pairs, 0u);
  EXPECT_LE(judged.new_pairs, judged.pairs);
}

TEST(CommandHabit, the_same_commands_in_another_order_are_odder_than_in_the_usual_one) {
  Site site;
  const auto usual = site.dba.judge(site.database, site.all);
  const auto turned = site.dba.judge(block_of("tail cat ls vi psql pg_dump psql"), site.all);
  EXPECT_GT(turned.score, usual.score);
  EXPECT_EQ(usual.new_pairs, 0u);
  EXPECT_GT(turned.new_pairs, 0u);
}

TEST(CommandHabit, one_command_said_ninety_times_is_hardly_odder_than_said_twice) {
  Site site;
  auto part_of_nginx = [&site](int times) {
    CommandBlock block = block_of("psql ls pg_dump cat vi tail", 10);
    for (int i = 0; i < times; ++i) block.add("nginx");
    return site.dba.judge(block, site.all).odd.at(0).score;
  };
  EXPECT_GT(part_of_nginx(90), part_of_nginx(2));
  EXPECT_LT(part_of_nginx(90), 3 * part_of_nginx(2));
}

TEST(CommandHabit, a_new_program_that_nobody_else_uses_speaks_less_than_one_that_all_others_do) {
  Site site;
  const auto own = site.dba.judge(block_of("psql ls pg_dump cat myscript vi tail"), site.all);
  const auto of_others = site.dba.judge(block_of("psql ls pg_dump cat nginx vi tail"), site.all);
  EXPECT_LT(own.score, of_others.score);
}

TEST(CommandHabit, what_was_learned_last_counts_more_than_what_was_learned_long_ago) {
  Site site;
  CommandHabit then_web = site.dba;
  for (int i = 0; i < 3; ++i) then_web.learn(site.web);
  CommandHabit early;
  for (int i = 0; i < 3; ++i) early.learn(site.web);
  for (int i = 0; i < 30; ++i) early.learn(site.database);
  EXPECT_LT(then_web.judge(site.web, site.all).score, early.judge(site.web, site.all).score);
}

TEST(CommandHabit, where_nobody_else_works_only_what_was_never_done_is_odd) {
  SiteCommands alone;
  CommandHabit habit;
  const auto usual = block_of("psql ls cat vi tail");
  for (int i = 0; i < 30; ++i) {
    habit.learn(usual);
    alone.learn(usual);
  }
  EXPECT_LT(habit.judge(usual, alone).score, CommandHabit::kOddScore / 2);
  EXPECT_GT(habit.judge(block_of("nmap tcpdump nc base64 curl"), alone).score, CommandHabit::kOddScore);
}

TEST(CommandHabit, nothing_learned_and_an_empty_block_are_judged_too) {
  EXPECT_EQ(CommandHabit().judge(CommandBlock(), SiteCommands()).score, 0);
  EXPECT_GT(CommandHabit().judge(block_of("ls"), SiteCommands()).score, 0);
}

TEST(CommandHabit, a_score_of_before_is_the_score_of_today) {
  Site site;  // computed again from stored records, an alert must have the same number
  EXPECT_EQ(site.dba.judge(site.database, site.all).score, -1378);
  EXPECT_EQ(site.dba.judge(site.web, site.all).score, 1670);
}

TEST(CommandHabit, however_many_commands_come_memory_is_bounded_and_the_usual_ones_stay) {
  Site site;
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    CommandBlock noise;
    while (!noise.full()) noise.add("job-" + std::to_string(random()));
    site.dba.learn(noise);
    site.dba.learn(site.database);
  }
  EXPECT_LE(sizeof(CommandHabit), 1100u);
  std::string state;
  site.dba.save(state);
  EXPECT_LT(state.size(), 4096u);
  for (const auto& odd : site.dba.judge(site.database, site.all).odd) EXPECT_GT(odd.blocks, 0u) << odd.name;
}

TEST(CommandHabit, long_names_are_told_from_one_another_though_only_their_beginning_is_kept) {
  const std::string long_name(200, 'a');
  CommandBlock block;
  for (int i = 0; i < 50; ++i) block.add(long_name + std::to_string(i));
  EXPECT_EQ(block.commands().size(), 50u);
  EXPECT_EQ(block.commands()[0].name.size(), CommandBlock::kNameBytesMax);
  EXPECT_TRUE(block.commands()[49].name.empty());  // no room: it counts without a name
  EXPECT_GT(CommandHabit().judge(block, SiteCommands()).odd.size(), 0u);
}

TEST(CommandHabit, what_is_saved_and_loaded_judges_and_learns_alike) {
  Site site;
  CommandBlock open = block_of("nginx psql curl", 37);
  std::string state;
  site.dba.save(state);
  site.all.save(state);
  open.save(state);
  CommandHabit habit;
  SiteCommands all;
  CommandBlock block;
  Reader in(state);
  ASSERT_TRUE(habit.load(in) && all.load(in) && block.load(in));
  EXPECT_EQ(in.left(), 0u);
  while (!open.full()) {
    open.add("vi");
    block.add("vi");
  }
  habit.learn(site.web);
  site.dba.learn(site.web);
  EXPECT_EQ(habit.judge(block, all).score, site.dba.judge(open, site.all).score);
  EXPECT_EQ(habit.blocks(), 31u);
  std::string again, before;
  habit.save(again);
  all.save(again);
  block.save(again);
  site.dba.save(before);
  site.all.save(before);
  open.save(before);
  EXPECT_EQ(again, before);
}

TEST(CommandHabit, damaged_bytes_are_refused_or_load_something_that_can_be_judged) {
  Site site;
  CommandBlock open = block_of("nginx psql curl", 37);
  std::string state;
  open.save(state);
  site.dba.save(state);
  site.all.save(state);
  std::mt19937 random(2);
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = state;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    if (i % 3 == 0) damaged.resize(random() % damaged.size());
    Reader in(damaged);
    CommandBlock block;
    CommandHabit habit;
    SiteCommands all;
    if (!block.load(in) || !habit.load(in) || !all.load(in)) continue;
    while (!block.full()) block.add("ls");
    habit.judge(block, all);
    habit.learn(block);
    all.learn(block);
  }
}

}  // namespace
}  // namespace yushi::detect
