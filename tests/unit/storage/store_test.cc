#include "storage/store.h"

#include <rocksdb/db.h>

#include <map>

#include "core/ledger/entry.h"
#include "tests/unit/storage/test_store.h"

namespace yushi::test {
namespace {

std::vector<std::string> all_raws(const std::string& data_dir, const std::string& log) {
  auto view = StoreView::open_read_only(data_dir, understand_again);
  EXPECT_TRUE(view) << view.error().message;
  std::vector<std::string> out;
  auto segments = (*view)->segments(log);
  EXPECT_TRUE(segments) << segments.error().message;
  for (auto& segment : *segments) {
    auto batch = (*view)->read(segment);
    EXPECT_TRUE(batch) << batch.error().message;
    for (auto& record : (*batch)->records) {
      EXPECT_EQ(record.index, out.size());
      out.emplace_back(record.raw);
    }
  }
  return out;
}

TEST(Store, GivesBackWhatWasCommittedByteForByteFromTheTailAndFromBlocks) {
  Folder folder;
  std::vector<std::string> sent;
  {
    auto store = open_store(folder.path());
    std::vector<Sent> first, second;
    for (int i = 0; i < 500; ++i) first.push_back({line(i)});
    first.push_back({std::string("\0\xff\xfe GB18030 \xd6\xd0\xce\xc4 \r\n nul\0", 24)});
    first.push_back({""});
    commit(*store, first);
    for (int i = 500; i < 600; ++i) second.push_back({line(i), "10.0.0.2"});
    commit(*store, second);
    for (auto& s : first) sent.push_back(s.raw);
    for (auto& s : second) sent.push_back(s.raw);
    EXPECT_EQ(all_raws(folder.path(), "default"), sent);
    auto closed = store->close(kReceived);
    ASSERT_TRUE(closed) << closed.error().message;
  }
  EXPECT_EQ(all_raws(folder.path(), "default"), sent);
  EXPECT_EQ(contradictions(folder.path()), "");
}

TEST(Store, GoesOnAfterACrashWithoutGapOrDouble) {
  Folder folder;
  std::vector<std::string> sent;
  for (int round = 0; round < 5; ++round) {
    auto store = open_store(folder.path());
    ASSERT_TRUE(store);
    std::vector<Sent> messages;
    for (int i = 0; i < 300; ++i) messages.push_back({line(round * 300 + i), i % 3 ? "10.0.0.1" : "10.0.0.2"});
    commit(*store, messages);
    for (auto& m : messages) sent.push_back(m.raw);
    if (round == 2) {
      ASSERT_TRUE(store->seal_due(kReceived, true));
      ASSERT_TRUE(store->wait_sealed());
    }
    ASSERT_TRUE(store->sign_checkpoints(kReceived + round, 0));
    // No close(): the destructor leaves what a crash leaves, since every commit is synced.
  }
  EXPECT_EQ(all_raws(folder.path(), "default"), sent);
  EXPECT_EQ(contradictions(folder.path()), "");
}

TEST(Store, CountsEachSourceOfEachLogFromZeroWithoutAGap) {
  Folder folder;
  {
    auto store = open_store(folder.path());
    for (int round = 0; round < 4; ++round) {
      std::vector<Sent> messages;
      for (int i = 0; i < 40; ++i) {
        messages.push_back({line(i), "10.0.0." + std::to_string(i % 3), static_cast<TenantId>(i % 2 ? 0 : 2)});
      }
      commit(*store, messages);
    }
    ASSERT_TRUE(store->close(kReceived));
  }
  auto view = StoreView::open_read_only(folder.path(), understand_again);
  ASSERT_TRUE(view);
  for (std::string log : {"default", "finance"}) {
    std::map<std::string, uint64_t> next;
    auto segments = (*view)->segments(log);
    ASSERT_TRUE(segments);
    for (auto& segment : *segments) {
      auto batch = (*view)->read(segment);
      ASSERT_TRUE(batch);
      for (auto& record : (*batch)->records) EXPECT_EQ(record.source_seq, next[std::string(record.origin->source)]++);
    }
    EXPECT_EQ(next.size(), 3u);
    auto counted = (*view)->sources(log);
    ASSERT_TRUE(counted);
    for (auto& [source, state] : *counted) EXPECT_EQ(state.next_seq, next[source]);
  }
}

TEST(Store, RefusesARetentionUnderTheLegalFloor) {
  Folder folder;
  auto options = options_for(folder.path());
  options.retention_days = kRetentionFloorDays - 1;
  auto store = Store::open(options);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::refused);
}

TEST(Store, KeepsATenantsBlocksAsLongAsItsOwnRetentionSays) {
  Folder folder;
  auto options = options_for(folder.path());
  options.log_retention_days = {0, 0, 400};
  auto store = Store::open(options);
  ASSERT_TRUE(store) << store.error().message;
  commit(**store, {{line(1)}, {line(2), "10.0.0.1", 2}});
  ASSERT_TRUE((*store)->close(kReceived));
  std::vector<std::string> days;
  for (auto* family : (*store)->database()->blocks_families()) days.push_back(family->GetName().substr(family->GetName().rfind('.') + 1));
  EXPECT_EQ(days, (std::vector<std::string>{"184", "400"}));
  options.log_retention_days = {0, 0, 30};
  store->reset();
  auto refused = Store::open(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::refused);
}

TEST(Store, RefusesAnotherNodeName) {
  Folder folder;
  { auto store = open_store(folder.path()); }
  auto options = options_for(folder.path());
  options.node = "log-02";
  auto store = Store::open(options);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::invalid);
}

TEST(Store, ProvesEveryRecordAgainstTheSignedRoot) {
  Folder folder;
  {
    auto store = open_store(folder.path());
    std::vector<Sent> messages;
    for (int i = 0; i < 700; ++i) messages.push_back({line(i)});
    commit(*store, messages);
    ASSERT_TRUE(store->close(kReceived));
  }
  auto view = StoreView::open_read_only(folder.path(), understand_again);
  ASSERT_TRUE(view);
  auto note = (*view)->newest_checkpoint("default");
  ASSERT_TRUE(note && *note);
  auto checkpoint = Checkpoint::parse_body(**note);
  ASSERT_TRUE(checkpoint);
  ASSERT_EQ(checkpoint->size, 700u);
  auto subtree = [&](int level, uint64_t index) { return (*view)->subtree("default", level, index); };
  auto batch = (*view)->read(**(*view)->segment_at("default", 0));
  ASSERT_TRUE(batch);
  for (uint64_t index : {0, 1, 255, 256, 511, 698, 699}) {
    auto proof = prove_inclusion(index, 700, subtree);
    ASSERT_TRUE(proof) << proof.error().message;
    EXPECT_TRUE(verify_inclusion(index, 700, leaf_of((*batch)->records[index]), *proof, checkpoint->root));
    EXPECT_FALSE(verify_inclusion(index, 700, leaf_of((*batch)->records[(index + 1) % 700]), *proof, checkpoint->root));
  }
}

TEST(Store, KeepsTheOldestStoreDayUntilTheNodeHasRunADay) {
  Folder folder;
  auto store = open_store(folder.path());
  constexpr int64_t kYear = int64_t{365} * 86400 * kSecond;
  // The wall clock jumps a year ahead: the store day does not.
  ASSERT_TRUE(store->tick(1000 * kSecond, kReceived));
  ASSERT_TRUE(store->tick(1060 * kSecond, kReceived + kYear));
  commit(*store, {{line(1)}}, kReceived + kYear);
  ASSERT_TRUE(store->seal_due(kReceived + kYear, true));
  ASSERT_TRUE(store->wait_sealed());
  auto families = store->database()->blocks_families();
  EXPECT_EQ(families.size(), 1u);
}

}  // namespace
}  // namespace yushi::test
