// One bound for all that detectors remember.
#include "detect/memory/room.h"

#include <gtest/gtest.h>

#include "detect/behaviours/detectors.h"
#include "events.h"

namespace yushi::detect {
namespace {

class Rooms : public testing::Test {
 protected:
  struct Map {
    std::string log;
    Kept what;
    LruMap<std::string> names{100'000};
  };
  // Names of 100 bytes each, by keys of five.
  static std::string key(size_t i) { return std::to_string(10'000 + i); }
  void fill(Map& map, size_t entries) {
    for (size_t i = 0; i < entries; ++i) map.names.use(key(i)) = std::string(100, 'x');
  }
  Holdings all() {
    Holdings out;
    for (auto* map : {&a_, &b_, &c_}) out.push_back({map->log, map->what, &map->names});
    return out;
  }
  uint64_t bytes() { return a_.names.bytes() + b_.names.bytes() + c_.names.bytes(); }

  Map a_{"big", Kept::accounts}, b_{"big", Kept::passing}, c_{"small", Kept::accounts};
  Room room_;
};

TEST_F(Rooms, below_the_bound_nothing_goes) {
  fill(a_, 100);
  room_.tick(all(), bytes(), kDay);
  EXPECT_EQ(a_.names.size(), 100);
  EXPECT_EQ(room_.bytes(), bytes());
  EXPECT_TRUE(room_.take_told().empty());
}

TEST_F(Rooms, the_log_that_holds_most_gives_up_first_and_of_it_its_largest_map) {
  fill(a_, 10'000);
  fill(b_, 1'000);
  fill(c_, 1'000);
  const uint64_t of_one = c_.names.bytes() / 1'000;
  room_.tick(all(), 6'000 * of_one, kDay);
  EXPECT_EQ(b_.names.size(), 1'000);
  EXPECT_EQ(c_.names.size(), 1'000);
  EXPECT_NEAR(static_cast<double>(a_.names.size()), 4'000, 100);
  EXPECT_LE(bytes(), 6'000 * of_one);
  EXPECT_EQ(room_.bytes(), bytes());
  EXPECT_EQ(a_.names.peek(key(0)), nullptr);  // used longest ago
  EXPECT_NE(a_.names.peek(key(9'999)), nullptr);
}

TEST_F(Rooms, what_is_only_in_passing_goes_before_what_habits_rest_on_down_to_a_quarter) {
  fill(a_, 3'000);
  fill(b_, 3'000);
  fill(c_, 3'000);
  const uint64_t of_one = c_.names.bytes() / 3'000;
  room_.tick(all(), 8'000 * of_one, kDay);
  EXPECT_EQ(a_.names.size(), 3'000);
  EXPECT_EQ(c_.names.size(), 3'000);
  EXPECT_NEAR(static_cast<double>(b_.names.size()), 2'000, 100);
  EXPECT_TRUE(room_.take_told().empty());

  room_.tick(all(), 4'000 * of_one, kDay);
  EXPECT_NEAR(static_cast<double>(b_.names.size()), 1'000, 100);
  EXPECT_NEAR(static_cast<double>(a_.names.size()), 1'500, 100);
  EXPECT_NEAR(static_cast<double>(c_.names.size()), 1'500, 100);
  EXPECT_LE(bytes(), 4'000 * of_one);
}

TEST_F(Rooms, what_was_forgotten_is_told_once_a_day_in_both_languages) {
  fill(a_, 10'000);
  fill(c_, 10);
  const uint64_t most = bytes() / 2;
  room_.tick(all(), most, kDay);
  auto told = room_.take_told();
  ASSERT_EQ(told.size(), 1);
  EXPECT_EQ(told[0].log, "big");
  const auto gone = std::to_string(10'000 - a_.names.size());
  EXPECT_NE(told[0].en.find("forgot " + gone + " entries of accounts of log big"), std::string::npos) << told[0].en;
  EXPECT_NE(told[0].zh.find("日志 big 中最久未出现的 " + gone + " 项账号记录"), std::string::npos) << told[0].zh;

  fill(a_, 10'000);
  room_.tick(all(), most, kDay + kMinute);
  EXPECT_TRUE(room_.take_told().empty());
  std::string state;
  room_.save(state);
  Room again;
  Reader in(state);
  ASSERT_TRUE(again.load(in));
  EXPECT_EQ(again.forgotten(), room_.forgotten());
  again.tick(all(), most, 2 * kDay);
  told = again.take_told();
  ASSERT_EQ(told.size(), 1);
  EXPECT_NE(told[0].en.find("forgot " + std::to_string(again.forgotten() - std::stoull(gone)) + " entries"),
            std::string::npos)
      << told[0].en;
}

TEST_F(Rooms, what_is_only_in_passing_is_counted_and_not_told) {
  fill(b_, 1'000);
  room_.tick(all(), bytes() / 2, kDay);
  EXPECT_GT(room_.forgotten(), 400);
  EXPECT_TRUE(room_.take_told().empty());
}

// ------------------------------------------------------------------------------------------------- of the whole engine

std::vector<Line> logins_of_many(int accounts, const std::string& log, int64_t from_ns) {
  std::vector<Line> out;
  for (int i = 0; i < accounts; ++i) {
    out.push_back(
        login(from_ns + i * kSecond, log + "-user-" + std::to_string(i),
              "10." + std::to_string(i / 65536) + "." + std::to_string(i / 256 % 256) + "." + std::to_string(i % 256)));
    out.back().log = log;
  }
  return out;
}

TEST(Room, a_log_that_makes_up_accounts_does_not_make_another_forget_its_own) {
  const int64_t start = at("2026-11-01T08:00:00Z");
  DetectOptions options;
  options.memory_bytes = 1 << 20;
  Engine engine(no_rules(), options);
  Committer committer;
  std::vector<Alert> alerts;
  const auto show = [&](const std::vector<Line>& lines, int64_t now) {
    engine.observe(*committer.batch(lines), alerts);
    engine.tick(1, now, alerts);
  };
  std::vector<Line> usual;
  for (int day = 0; day < 10; ++day) {
    usual.push_back(login(start + day * kDay, "lin", "10.0.0.5"));
    usual.back().log = "quiet";
  }
  show(usual, start + 10 * kDay);
  for (int i = 0; i < 5; ++i) show(logins_of_many(4'000, "loud", start + (10 + i) * kDay), start + (11 + i) * kDay);
  EXPECT_LE(engine.room().bytes(), options.memory_bytes);
  EXPECT_GT(engine.room().forgotten(), 4'000);
  const auto told = engine.take_forgotten();
  ASSERT_FALSE(told.empty());
  for (const auto& one : told) EXPECT_EQ(one.log, "loud");
  alerts.clear();
  Line odd = login(start + 20 * kDay, "lin", "203.0.113.9");
  odd.log = "quiet";
  show({odd}, start + 20 * kDay);
  ASSERT_FALSE(alerts.empty());
  EXPECT_EQ(alerts[0].rule_id, "baseline.first-source-address");
}

// A replay takes the state up in the middle; it must forget what the run forgot.
TEST(Room, an_engine_that_was_loaded_forgets_the_same) {
  const int64_t start = at("2026-11-01T08:00:00Z");
  DetectOptions options;
  options.memory_bytes = 1 << 20;
  const auto run = [&](int load_after) {
    auto engine = std::make_unique<Engine>(no_rules(), options);
    Committer committer;
    std::vector<Alert> alerts;
    for (int i = 0; i < 12; ++i) {
      const int64_t now = start + i * kDay;
      for (const auto* log : {"a", "b"}) {
        auto lines = logins_of_many(300 + 40 * i, log, now);
        for (auto& line : lines)
          if (i % 3 == 1) line = failed_login(line.at_ns, line.values[1].second, line.values[2].second), line.log = log;
        engine->observe(*committer.batch(lines), alerts);
      }
      if (i == load_after) {
        auto loaded = std::make_unique<Engine>(no_rules(), options);
        EXPECT_TRUE(loaded->load(engine->save()));
        engine = std::move(loaded);
      }
      engine->tick(static_cast<uint64_t>(i), now + kDay / 2, alerts);
    }
    EXPECT_LE(engine->room().bytes(), options.memory_bytes);
    EXPECT_GT(engine->room().forgotten(), 100);
    return engine->save();
  };
  const std::string whole = run(-1);
  for (int after : {0, 3, 7, 10}) EXPECT_EQ(run(after), whole) << after;
}

// Who crashes there goes on from the saved state, whose maps have forgotten nothing yet.
TEST(Room, what_was_forgotten_between_a_tick_and_a_save_is_told_after_loading) {
  const int64_t start = at("2026-11-01T08:00:00Z");
  Engine engine(no_rules(), {});
  Committer committer;
  std::vector<Alert> alerts;
  constexpr int kTooMany = 50;
  engine.tick(1, start, alerts);
  const auto lines = logins_of_many(static_cast<int>(Profiles::kAccountsMax) + kTooMany, "many", start);
  engine.observe(*committer.batch(lines), alerts);
  const std::string state = engine.save();
  Engine again(no_rules(), {});
  ASSERT_TRUE(again.load(state));
  for (Engine* one : {&engine, &again}) {
    one->tick(2, start + kDay, alerts);
    EXPECT_GE(one->room().forgotten(), kTooMany);
    const auto told = one->take_forgotten();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].log, "many");
    EXPECT_NE(told[0].en.find("forgot " + std::to_string(kTooMany) + " entries of accounts"), std::string::npos)
        << told[0].en;
  }
}

}  // namespace
}  // namespace yushi::detect
