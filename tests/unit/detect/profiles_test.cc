// One profile an account: one key, one order and one bound for all that detectors remember of it.
#include "detect/memory/profiles.h"

#include <gtest/gtest.h>

#include <string>

namespace yushi::detect {
namespace {

// Texts of 100 bytes; more than one of which it can do without.
struct Texts {
  std::vector<std::string> texts;
  auto parts() { return std::tie(texts); }
  bool give_up(bool) {
    if (texts.size() <= 1) return false;
    texts.erase(texts.begin());
    return true;
  }
};
// One that gives something up only where nobody gives less.
struct Large {
  std::string text;
  auto parts() { return std::tie(text); }
  bool give_up(bool much) {
    if (!much || text.empty()) return false;
    text.clear();
    return true;
  }
};

class ProfilesOfOneLog : public testing::Test {
 protected:
  void fill(Parts<Texts>& parts, int count) {
    for (int i = 0; i < count; ++i)
      parts.use("log", "lin").texts.push_back(std::to_string(1000 + i) + std::string(96, 'x'));
  }
  static uint64_t tick(Profiles& profiles) {
    uint64_t out = 0;
    Holdings all;
    profiles.hold(all);
    for (const auto& one : all) out += one.log == "log" ? one.map->bytes() : 0;
    return out;
  }
  uint64_t tick() { return tick(profiles_); }
  std::string names() {
    std::string out;
    few_.for_each("log", [&](std::string_view name, const Texts&) { out += name; });
    return out;
  }

  Profiles profiles_;
  Parts<Texts> few_{profiles_, Part::service}, many_{profiles_, Part::habits}, tried_{profiles_, Part::attempts};
  Parts<Large> large_{profiles_, Part::commands};
};

TEST_F(ProfilesOfOneLog, within_the_bound_nothing_goes) {
  fill(few_, 3);
  fill(many_, 5);
  EXPECT_LE(tick(), Profile::kBytesMax);
  EXPECT_EQ(few_.peek("log", "lin")->texts.size(), 3u);
  EXPECT_EQ(many_.peek("log", "lin")->texts.size(), 5u);
}

TEST_F(ProfilesOfOneLog, of_what_is_beyond_it_the_largest_part_gives_up_its_oldest) {
  fill(few_, 3);
  fill(many_, 100);
  EXPECT_LE(tick(), Profile::kBytesMax + 200);
  EXPECT_EQ(few_.peek("log", "lin")->texts.size(), 3u);
  const auto& left = many_.peek("log", "lin")->texts;
  EXPECT_GT(left.size(), 5u);
  EXPECT_TRUE(left.back().starts_with("1099"));
}

TEST_F(ProfilesOfOneLog, what_can_give_only_much_gives_when_nobody_gives_less) {
  fill(few_, 100);
  large_.use("log", "lin").text = std::string(Profile::kBytesMax - 400, 'x');
  tick();
  EXPECT_EQ(few_.peek("log", "lin")->texts.size(), 1u);
  EXPECT_GT(large_.peek("log", "lin")->text.size(), 0u);
  large_.use("log", "lin").text = std::string(Profile::kBytesMax, 'x');
  tick();
  EXPECT_EQ(large_.peek("log", "lin")->text.size(), 0u);
  EXPECT_EQ(few_.peek("log", "lin")->texts.size(), 1u);
}

TEST_F(ProfilesOfOneLog, a_part_that_cannot_give_goes_and_the_others_stay) {
  fill(few_, 1);
  Parts<std::string> fixed(profiles_, Part::travel);
  fixed.use("log", "lin") = std::string(5000, 'x');
  tick();
  EXPECT_EQ(fixed.peek("log", "lin"), nullptr);
  EXPECT_EQ(few_.peek("log", "lin")->texts.size(), 1u);
}

TEST_F(ProfilesOfOneLog, what_is_saved_and_loaded_is_in_the_same_order_and_as_large) {
  for (const char* name : {"a", "b", "c"}) few_.use("log", name).texts = {name};
  many_.use("log", "a").texts = {"x"};
  many_.use("other", "z");
  std::string order, few, many;
  const auto save = [](std::string& out) {
    return [&out](const Texts& texts) {
      put_varint(out, texts.texts.size());
      for (const auto& text : texts.texts) put_text(out, text);
    };
  };
  profiles_.save(order);
  few_.save(few, save(few));
  many_.save(many, save(many));

  Profiles again;
  Parts<Texts> few_again(again, Part::service), many_again(again, Part::habits);
  Reader in_order(order), in_few(few), in_many(many);
  const auto load = [](Reader& in) {
    return [&in](Texts& texts) {
      for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) texts.texts.emplace_back(in.text());
    };
  };
  ASSERT_TRUE(again.load(in_order));
  ASSERT_TRUE(few_again.load(in_few, load(in_few)));
  ASSERT_TRUE(many_again.load(in_many, load(in_many)));
  std::string names;
  few_again.for_each("log", [&](std::string_view name, const Texts& texts) {
    names += name;
    EXPECT_EQ(texts.texts.front(), name);
  });
  EXPECT_EQ(names, "bca");
  EXPECT_EQ(tick(again), tick());
}

TEST_F(ProfilesOfOneLog, what_is_tried_makes_no_profile_of_a_stranger_and_comes_into_the_one_that_is_there) {
  LruMap<Texts> strangers(10);
  many_.use("log", "lin", strangers).texts = {"tried"};
  EXPECT_EQ(strangers.size(), 1u);
  EXPECT_TRUE(many_.is_empty());
  ASSERT_NE(many_.find("log", "lin", strangers), nullptr);
  few_.use("log", "lin");  // logs in
  EXPECT_EQ(many_.use("log", "lin", strangers).texts, std::vector<std::string>{"tried"});
  EXPECT_EQ(strangers.size(), 0u);
  EXPECT_EQ(many_.find("log", "lin", strangers)->texts.size(), 1u);
}

// Else it would be smaller when it is saved and loaded: then all are counted anew.
TEST_F(ProfilesOfOneLog, what_is_changed_at_a_tick_is_held_within_the_bound_too) {
  fill(few_, 1);
  fill(many_, 20);
  const uint64_t before = tick();
  many_.change_each([](std::string_view, std::string_view, Texts& texts) {
    texts.texts.insert(texts.texts.end(), 100, std::string(100, 'y'));
    return true;
  });
  EXPECT_GT(tick(), before);
  EXPECT_LE(tick(), Profile::kBytesMax + 200);
}

// As it is none after loading, when nobody has such a part.
TEST_F(ProfilesOfOneLog, to_ask_for_what_is_not_there_is_no_use) {
  for (const char* name : {"a", "b"}) few_.use("log", name);
  many_.use("log", "b");
  EXPECT_EQ(many_.find("log", "a"), nullptr);
  EXPECT_EQ(names(), "ab");
  few_.find("log", "a");
  EXPECT_EQ(names(), "ba");
}

TEST_F(ProfilesOfOneLog, what_is_tried_goes_before_what_it_is_known_by) {
  fill(few_, 3);
  fill(many_, 20);
  ASSERT_LE(tick(), Profile::kBytesMax + 200);
  LruMap<Texts> strangers(10);
  for (int i = 0; i < 100; ++i) {
    tried_.use("log", "lin", strangers).texts.emplace_back(100, 'x');
    tick();
  }
  EXPECT_EQ(strangers.size(), 0u);
  EXPECT_EQ(few_.peek("log", "lin")->texts.size(), 3u);
  EXPECT_EQ(many_.peek("log", "lin")->texts.size(), 20u);
  EXPECT_GE(tried_.peek("log", "lin")->texts.size(), 1u);
}

TEST_F(ProfilesOfOneLog, names_that_are_only_named_drive_out_nobody_who_is_known) {
  few_.use("log", "lin").texts = {"known"};
  many_.use("log", "wang").texts = {"named"};
  for (size_t i = 0; i < Profiles::kAccountsMax - 1; ++i) many_.use("log", "x" + std::to_string(i));
  few_.use("log", "wang");  // known now
  for (size_t i = 0; i < 2 * Profiles::kAccountsMax; ++i) many_.use("log", "y" + std::to_string(i));
  ASSERT_NE(few_.peek("log", "lin"), nullptr);
  ASSERT_NE(many_.peek("log", "wang"), nullptr);
  EXPECT_EQ(many_.peek("log", "wang")->texts.front(), "named");
  EXPECT_EQ(many_.peek("log", "x1"), nullptr);
  EXPECT_EQ(names(), "linwang");
}

TEST_F(ProfilesOfOneLog, an_account_that_damaged_state_names_twice_is_no_larger) {
  std::string state;
  put_varint(state, 1);
  put_text(state, "log");
  put_varint(state, 2);
  for (int i = 0; i < 2; ++i) put_text(state, "lin");
  Reader in(state);
  ASSERT_TRUE(few_.load(in, [](Texts& texts) { texts.texts.emplace_back("x"); }));
  EXPECT_EQ(few_.peek("log", "lin")->texts.size(), 1u);
}

TEST_F(ProfilesOfOneLog, is_found_by_long_names_and_absent_for_others) {
  const std::string name(100, 'n');
  few_.use("log", name);
  EXPECT_NE(few_.find("log", name), nullptr);
  EXPECT_EQ(few_.find("log", name + "x"), nullptr);
  EXPECT_EQ(few_.find("elsewhere", name), nullptr);
  EXPECT_EQ(many_.find("log", name), nullptr);
  EXPECT_TRUE(many_.is_empty());
}

}  // namespace
}  // namespace yushi::detect
