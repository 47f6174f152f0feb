#include "query/budget.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>

namespace yushi::query {
namespace {

constexpr size_t kMiB = 1 << 20;

TEST(Budget, EachHasItsShareAndTheRestIsLentToWhoAsksFirst) {
  QueryPool pool(80 * kMiB, 1);
  EXPECT_EQ(pool.share(), 10 * kMiB);
  std::optional<Budget> first(std::in_place, pool);
  EXPECT_EQ(first->lease(0), 10 * kMiB);
  Budget second(pool), third(pool);
  EXPECT_EQ(second.lease(35 * kMiB), 35 * kMiB);
  EXPECT_EQ(third.lease(40 * kMiB), 25 * kMiB);  // its share and what is left
  Budget fourth(pool);
  EXPECT_EQ(fourth.lease(40 * kMiB), 10 * kMiB);
}

TEST(Budget, WhatWasLentComesBack) {
  QueryPool pool(80 * kMiB, 1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Budget(pool).lease(50 * kMiB), 50 * kMiB);
}

TEST(Budget, TheFirstReasonToEndStays) {
  QueryPool pool(kMiB, 1);
  Budget budget(pool);
  EXPECT_FALSE(budget.over());
  EXPECT_EQ(budget.why(), "");
  budget.end("time");
  budget.end("memory");
  EXPECT_TRUE(budget.over());
  EXPECT_EQ(budget.why(), "time");
}

TEST(Budget, PlacesToReadGoRoundInOrderAndAreGivenUpByWhoMustEnd) {
  QueryPool pool(kMiB, 1);
  auto goes_on = [] { return false; };
  std::optional<ReadTurn> turn(std::in_place, &pool, goes_on);
  std::atomic<bool> over{false}, read{false};
  std::thread ends([&] { ReadTurn none(&pool, [&] { return over.load(); }); });
  std::thread reads([&] {
    ReadTurn mine(&pool, goes_on);
    read = true;
  });
  over = true;
  ends.join();
  EXPECT_FALSE(read);
  turn.reset();
  reads.join();
  EXPECT_TRUE(read);
  ReadTurn without(nullptr, goes_on);
}

}  // namespace
}  // namespace yushi::query
