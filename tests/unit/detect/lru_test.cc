// The map that forgets what was used longest ago, and what it says of its size.
#include "detect/memory/lru.h"

#include "detect/memory/state.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace yushi::detect {
namespace {

struct Places {
  std::vector<std::string> names;
  auto parts() { return std::tie(names); }
};

TEST(LruMap, the_one_used_longest_ago_goes_and_is_counted) {
  LruMap<int> map(2);
  map.use("a") = 1;
  map.use("b") = 2;
  EXPECT_NE(map.find("a"), nullptr);
  map.use("c") = 3;
  EXPECT_EQ(map.peek("b"), nullptr);
  EXPECT_NE(map.peek("a"), nullptr);
  EXPECT_EQ(map.take_forgotten(), 1);
  EXPECT_EQ(map.take_forgotten(), 0);
}

// By whatever way it came to hold something: used, changed while all are visited, erased, forgotten or loaded.
TEST(LruMap, bytes_are_those_of_what_it_holds_whatever_happened_before) {
  std::mt19937_64 random(7);
  LruMap<Places> map(50);
  for (int step = 0; step < 2000; ++step) {
    const std::string key = "a rather long name of an account " + std::to_string(random() % 80);
    switch (random() % 6) {
      case 0:
        map.erase(key);
        break;
      case 1:
        map.change_each([&](std::string_view, Places& places) {
          if (random() % 10 > 0) return false;
          places.names.clear();
          return true;
        });
        break;
      case 2:
        if (map.size() > 0) map.forget_oldest();
        break;
      default:
        map.use(key).names.push_back(std::string(random() % 60, 'x'));
    }
    if (random() % 3 > 0) continue;
    std::string state;
    save_entries(map, state, [&](const Places& places) {
      put_varint(state, places.names.size());
      for (const auto& name : places.names) put_text(state, name);
    });
    LruMap<Places> again(50);
    Reader in(state);
    ASSERT_TRUE(load_entries(again, in, [&](Places& places) {
      for (uint64_t left = in.varint(); left > 0; --left) places.names.emplace_back(in.text());
    }));
    ASSERT_EQ(map.bytes(), again.bytes()) << step;
  }
  map.clear();
  EXPECT_EQ(map.bytes(), 0);
}

TEST(LruMap, room_that_is_needed_no_more_is_given_back) {
  LruMap<Places> map(1);
  auto& names = map.use("a").names;
  names.resize(1000);
  EXPECT_GT(map.bytes(), 1000 * sizeof(std::string));
  map.use("a").names.clear();
  EXPECT_LT(map.bytes(), 300);
  EXPECT_EQ(names.capacity(), 0);
}

}  // namespace
}  // namespace yushi::detect
