// A block that is not as it was made.
#include "block_records.h"

#include "core/base/bytes.h"
#include "storage/block/sections.h"
#include "storage/block/shape.h"

namespace yushi::storage {
namespace {

TEST(Block, AFlippedByteIsSeen) {
  Records records;
  for (size_t i = 0; i < 50; ++i) records.add_line("user=u" + std::to_string(i) + " ip=10.0.0.1", i);
  auto sealed = expect_round_trip(records.pointers());
  for (size_t i = 0; i < sealed.bytes.size(); ++i) {
    auto bytes = sealed.bytes;
    bytes[i] = static_cast<char>(bytes[i] ^ (1 << i % 8));
    EXPECT_FALSE(read_block(bytes)) << i;
  }
  for (size_t i = 0; i < sealed.bytes.size(); ++i) {
    EXPECT_FALSE(read_block(std::string_view(sealed.bytes).substr(0, i)));
    EXPECT_FALSE(BlockReader::open(sealed.bytes.substr(0, i)));
  }
}

// A column that is not there is damage before any room is made for what is known of it.
TEST(Block, AShapeThatNamesAColumnBeyondAllIsDamageInAPartToo) {
  Records records;
  auto* field = records.dynamic("taken");
  for (int i = 0; i < 50; ++i) records.add("a" + std::to_string(i), {Records::cut(1, i < 10 ? 1 : 2, field)});
  BlockHead context = kContext;
  context.parsed.contexts[0].charset = "utf-8";
  const auto sealed = build_block(context, records.pointers());
  ASSERT_TRUE((*BlockReader::open(sealed.bytes))->read_rows({"taken"}, true));
  for (uint64_t column : {uint64_t{UINT32_MAX}, uint64_t{UINT32_MAX} - 1, uint64_t{1} << 20}) {
    // Its only shape: `a`, then a capture of its only field.
    std::string numbers(5, '\0');
    for (uint64_t number : {0, 0, 0, 0, 0, 1}) put_varint(numbers, number);
    numbers += static_cast<char>(static_cast<int>(SlotKind::capture) << 2);
    for (uint64_t number : {uint64_t{1}, uint64_t{0}, column, uint64_t{0}}) put_varint(numbers, number);
    auto sections = SectionReader::open(sealed.bytes);
    ASSERT_TRUE(sections);
    SectionWriter writer(1);
    writer.add(StreamKind::structure, numbers);
    for (sections->skip(1); sections->streams_left() > 0;) writer.add(StreamKind::structure, sections->next());
    const auto bytes = writer.finish(sections->counts());
    EXPECT_FALSE(read_block(bytes)) << column;
    auto reader = BlockReader::open(bytes);
    EXPECT_FALSE(reader && (*reader)->read_rows({"taken"}, true)) << column;
  }
}

TEST(Block, AnUnknownVersionIsRefusedByName) {
  auto sealed = build_block(kContext, {});
  sealed.bytes[11] = 1;
  auto read = read_block(sealed.bytes);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::refused);
}

}  // namespace
}  // namespace yushi::storage
