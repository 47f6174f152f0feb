// When an open block is sealed, what open blocks hold, and what is left on the disk when all is sealed.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/storage/test_store.h"

namespace yushi::storage::test {
namespace {

// Some 60 KiB for each 500 lines.
std::vector<Sent> lines(int count, LogId log = 0) {
  std::vector<Sent> out;
  for (int i = 0; i < count; ++i) out.push_back({line(i), "10.0.0.1", log});
  return out;
}

uint64_t sealed_at(Store& store, int64_t now_ns) {
  EXPECT_TRUE(store.seal_due(now_ns));
  EXPECT_TRUE(store.wait_sealed());
  return store.counters().blocks_sealed;
}

TEST(Sealing, ALogThatGotNothingForAWhileIsSealedAndOneOfAFewRecordsWaitsForADay) {
  Folder folder;
  auto store = open_store(folder.path());
  commit(*store, lines(1000));
  commit(*store, lines(3, kFinance));
  EXPECT_EQ(sealed_at(*store, kReceived + 9 * kMinute), 0u);
  commit(*store, lines(1), kReceived + 5 * kMinute);
  EXPECT_EQ(sealed_at(*store, kReceived + 14 * kMinute), 0u);
  EXPECT_EQ(sealed_at(*store, kReceived + 15 * kMinute), 1u);
  EXPECT_EQ(sealed_at(*store, kReceived + 23 * kHour), 1u);
  EXPECT_EQ(sealed_at(*store, kReceived + 24 * kHour), 2u);
}

TEST(Sealing, ALogThatIsQuietAgainAndAgainMakesASmallBlockAnHourAtMost) {
  Folder folder;
  auto store = open_store(folder.path());
  uint64_t blocks = 0;
  for (int64_t minute = 0; minute < 12 * 60; minute += 11) {
    commit(*store, lines(600), kReceived + minute * kMinute);
    blocks = sealed_at(*store, kReceived + (minute + 10) * kMinute);
  }
  EXPECT_GE(blocks, 10u);
  EXPECT_LE(blocks, 12u);
}

TEST(Sealing, TheQuietTimeCanBeSet) {
  Folder folder;
  auto options = options_for(folder.path());
  options.quiet_ns = kSecond;
  auto store = open_with_finance(options);
  ASSERT_TRUE(store) << store.error().message;
  commit(**store, lines(1000));
  EXPECT_EQ(sealed_at(**store, kReceived + kSecond / 2), 0u);
  EXPECT_EQ(sealed_at(**store, kReceived + kSecond), 1u);
}

TEST(Sealing, OpenBlocksAreCountedByWhatTheyHoldAndStayWithinTheirMemory) {
  Folder folder;
  auto options = options_for(folder.path());
  options.open_bytes_max = 4 << 20;
  auto store = open_with_finance(options);
  ASSERT_TRUE(store) << store.error().message;
  auto batch = prepared(lines(1000));
  const auto memory = memory_of(*batch.batch);
  EXPECT_GT(memory, batch.raw_bytes + 1000 * sizeof(Record));
  for (int i = 0; i < 100; ++i) {
    commit(**store, lines(1000, i % 3 == 0 ? kFinance : 0));
    const auto sealed_before = (*store)->counters().blocks_sealed.load();
    const auto sealed = sealed_at(**store, kReceived);
    EXPECT_LE((*store)->open_bytes(), options.open_bytes_max);
    EXPECT_LE(sealed, sealed_before + 1);  // the fullest alone
  }
  EXPECT_GT((*store)->counters().blocks_sealed, 100 * memory / options.open_bytes_max / 2);
  ASSERT_TRUE((*store)->close(kReceived));
  EXPECT_EQ((*store)->open_bytes(), 0u);
  EXPECT_EQ(contradictions(folder.path()), "");
}

TEST(Sealing, ALogWithASmallPartOfABatchDoesNotHoldTheRestOfIt) {
  Folder folder;
  auto store = open_store(folder.path());
  std::vector<std::string> small;
  std::vector<std::weak_ptr<Batch>> batches;
  for (int i = 0; i < 20; ++i) {
    auto messages = lines(1000);
    // With parts that lie in the batch: structured data, and a message whose charset is another one.
    small.push_back("<38>1 2026-11-01T08:00:10Z host sshd 7 - [a@1 key=\"" + std::to_string(i) + "\"] hello \xd6\xd0");
    messages.push_back({small.back(), "10.0.0.9", kFinance});
    auto one = prepared(messages);
    batches.push_back(one.batch);
    auto commit = store->begin();
    commit.append(std::move(one));
    ASSERT_TRUE(commit.finish());
  }
  EXPECT_EQ(sealed_at(*store, kReceived + 10 * kMinute), 1u);  // of the other log
  for (auto& batch : batches) EXPECT_TRUE(batch.expired());
  EXPECT_LT(store->open_bytes(), 20u * 4096);
  ASSERT_TRUE(store->close(kReceived + 10 * kMinute));
  auto view = open_view(folder.path(), understand_again);
  ASSERT_TRUE(view) << view.error().message;
  std::vector<std::string> kept, keys;
  Scratch scratch;
  const auto segments = (*view)->segments("finance");
  ASSERT_TRUE(segments);
  for (auto& segment : *segments) {
    auto batch = (*view)->read(segment);
    ASSERT_TRUE(batch) << batch.error().message;
    for (auto& record : (*batch)->records) {
      kept.emplace_back(record.raw);
      for_each_field(record, scratch, [&](const Field& field, const Value& value) {
        if (field.name.ends_with("a@1.key")) keys.emplace_back(value.text);
      });
    }
  }
  EXPECT_EQ(kept, small);
  ASSERT_EQ(keys.size(), 20u);
  EXPECT_EQ(keys.back(), "19");
  EXPECT_EQ(contradictions(folder.path()), "");
}

uint64_t bytes_under(const std::string& folder) {
  uint64_t out = 0;
  for (auto& file : std::filesystem::recursive_directory_iterator(folder))
    if (file.is_regular_file()) out += file.file_size();
  return out;
}

TEST(Sealing, WhatIsSealedLeavesTheTailAndTheWalWhenLittleComes) {
  Folder folder;
  auto store = open_store(folder.path());
  std::mt19937_64 random(7);
  // Nothing compresses it: the disk has it once for each place where it is kept.
  constexpr uint64_t kBytes = 40 << 20;
  for (uint64_t sent = 0; sent < kBytes; sent += 256 << 10) {
    std::string raw(256 << 10, '\0');
    for (auto& c : raw) c = static_cast<char>(random());
    commit(*store, {{std::move(raw)}});
    ASSERT_TRUE(store->seal_due(kReceived));
  }
  EXPECT_GT(bytes_under(folder.path()), 2 * kBytes);
  for (int minute = 10; minute < 13; ++minute) sealed_at(*store, kReceived + minute * kMinute);
  EXPECT_LT(bytes_under(folder.path()), kBytes * 5 / 4);
  EXPECT_GE(bytes_under(folder.path()), kBytes);
  EXPECT_EQ(contradictions(folder.path()), "");
}

}  // namespace
}  // namespace yushi::storage::test
