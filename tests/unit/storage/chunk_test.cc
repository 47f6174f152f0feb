// A tail chunk by itself: what is put in comes out, and of damaged bytes nothing worse than an error.
#include "storage/tail/chunk.h"

#include "tests/unit/storage/test_store.h"

namespace yushi::storage::test {
namespace {

std::string chunk_of(const std::vector<Sent>& messages) {
  auto batch = prepared(messages);
  EXPECT_EQ(batch.groups.size(), 1u);
  return finish_chunk(1, batch.groups[0]);
}

std::vector<Sent> some_messages() {
  std::vector<Sent> out;
  for (int i = 0; i < 40; ++i)
    out.push_back({"<38>1 2026-11-01T08:00:00Z web1 sshd 77 - - line " + std::to_string(i * i) + std::string(i, 'x')});
  return out;
}

Result<std::unique_ptr<Batch>> read(std::string_view bytes) {
  auto head = YUSHI_TRY(ChunkHead::decode(0, bytes));
  return read_chunk(head, "default", "log-01");
}

TEST(Chunk, GivesBackWhatWasPutIn) {
  const auto messages = some_messages();
  const auto batch = read(chunk_of(messages));
  ASSERT_TRUE(batch) << batch.error().message;
  ASSERT_EQ((*batch)->records.size(), messages.size());
  for (size_t i = 0; i < messages.size(); ++i) EXPECT_EQ((*batch)->records[i].raw, messages[i].raw);
}

TEST(Chunk, CutOrLongerItIsNotRead) {
  const auto chunk = chunk_of(some_messages());
  for (size_t size = 0; size < chunk.size(); ++size) EXPECT_FALSE(read(chunk.substr(0, size))) << size;
  EXPECT_FALSE(read(chunk + "x"));
}

TEST(Chunk, OfFlippedBitsItsRawsAreNeverLongerThanItSays) {
  const auto chunk = chunk_of(some_messages());
  for (size_t at = 0; at < chunk.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      auto damaged = chunk;
      damaged[at] = static_cast<char>(damaged[at] ^ 1 << bit);
      const auto batch = read(damaged);
      if (!batch) continue;
      size_t bytes = 0;
      for (auto& record : (*batch)->records) bytes += record.raw.size();
      EXPECT_LE(bytes, (*batch)->bytes) << at;
    }
  }
}

}  // namespace
}  // namespace yushi::storage::test
