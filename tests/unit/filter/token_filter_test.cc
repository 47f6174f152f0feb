#include "core/filter/token_filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace yushi {
namespace {

std::vector<uint64_t> random_hashes(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint64_t> out(count);
  for (auto& hash : out) hash = random();
  return out;
}

TEST(TokenFilter, NeverDeniesAHashItWasBuiltFromWhateverTheirNumber) {
  for (size_t count : {1, 2, 3, 4, 5, 7, 10, 33, 63, 64, 65, 100, 1000, 5000, 40'000, 300'000}) {
    auto hashes = random_hashes(count, count);
    auto kept = hashes;
    std::string bytes = build_token_filter(hashes);
    TokenFilter filter(bytes);
    for (uint64_t hash : kept) ASSERT_TRUE(filter.may_contain(hash)) << count;
  }
}

TEST(TokenFilter, TakesHashesThatDifferInFewBitsOnly) {
  std::vector<uint64_t> hashes;
  for (uint64_t i = 0; i < 20'000; ++i) hashes.push_back(i), hashes.push_back(i << 44);
  auto kept = hashes;
  std::string bytes = build_token_filter(hashes);
  TokenFilter filter(bytes);
  for (uint64_t hash : kept) ASSERT_TRUE(filter.may_contain(hash));
}

TEST(TokenFilter, IsWrongAtMostOnceIn250) {
  for (size_t count : {2'000, 50'000, 400'000}) {
    auto hashes = random_hashes(count, 1);
    std::string bytes = build_token_filter(hashes);
    TokenFilter filter(bytes);
    std::mt19937_64 random(2);
    size_t wrong = 0;
    constexpr size_t kAsked = 4'000'000;
    for (size_t i = 0; i < kAsked; ++i) wrong += filter.may_contain(random());
    EXPECT_LE(wrong, kAsked / 250) << count;
    RecordProperty("false_per_million_" + std::to_string(count), static_cast<int>(wrong * 1'000'000 / kAsked));
  }
}

TEST(TokenFilter, TakesAtMostTenBitsAHashInABlocksSize) {
  auto hashes = random_hashes(100'000, 3);
  EXPECT_LE(build_token_filter(hashes).size() * 8, 1'000'000u);
}

TEST(TokenFilter, DependsOnTheSetOfHashesAlone) {
  auto hashes = random_hashes(30'000, 4);
  auto other = hashes;
  other.insert(other.end(), hashes.begin(), hashes.begin() + 10'000);
  std::shuffle(other.begin(), other.end(), std::mt19937_64(5));
  EXPECT_EQ(build_token_filter(hashes), build_token_filter(other));
}

TEST(TokenFilter, OfNothingContainsNothing) {
  std::vector<uint64_t> none;
  std::string bytes = build_token_filter(none);
  EXPECT_FALSE(TokenFilter(bytes).may_contain(42));
}

TEST(TokenFilter, DamagedBytesHoldNothingBack) {
  auto hashes = random_hashes(1000, 6);
  std::string bytes = build_token_filter(hashes);
  for (std::string damaged : {std::string(), std::string("\x02"), bytes.substr(0, bytes.size() - 1), bytes + "x",
                              bytes.substr(0, 3), std::string(1, '\x01') + std::string(12, '\xff')})
    for (uint64_t hash : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) EXPECT_TRUE(TokenFilter(damaged).may_contain(hash));
}

TEST(TokenFilter, AGathererLosesNoHash) {
  auto hashes = random_hashes(20'000, 7);
  hashes.push_back(0);
  TokenGatherer gatherer;
  for (int round = 0; round < 3; ++round)
    for (uint64_t hash : hashes) gatherer.add(hash);
  std::string bytes = build_token_filter(gatherer.hashes());
  for (uint64_t hash : hashes) ASSERT_TRUE(TokenFilter(bytes).may_contain(hash));
}

}  // namespace
}  // namespace yushi
