// The versions of the parsers that gave the fields of one block.
#include "block_records.h"

#include "core/base/bytes.h"
#include "storage/block/sections.h"

namespace yushi::storage {
namespace {

// Two versions of the parsers, changing sides a few times; also in the midst of what one read gave.
BlockHead two_contexts() {
  BlockHead context = kContext;
  auto first = context.parsed.contexts[0];
  auto second = ParseContext{std::string(64, 'b'), "UTC", "utf-8", 8};
  context.parsed = {};
  context.parsed.add(0, first);
  context.parsed.add(10, first);
  context.parsed.add(12, second);
  context.parsed.add(13, first);
  context.parsed.add(40, second);
  return context;
}

TEST(Block, RecordsOfTwoVersionsOfTheParsersComeBackEachWithItsOwn) {
  auto context = two_contexts();
  ASSERT_EQ(context.parsed.changes, (std::vector<ContextChange>{{12, 1}, {13, 0}, {40, 1}}));
  Records records;
  for (size_t i = 0; i < 100; ++i) records.add_line("user=u" + std::to_string(i) + " ip=10.0.0.1 \xd5\xe2", i);
  auto charset = [](size_t i) { return i == 12 || i >= 40 ? Charset::utf8 : Charset::gb18030; };
  for (size_t i = 0; i < 100; ++i) records.records()[i].charset = charset(i);
  MessageKind same = *records.kind(), other = *records.kind();
  other.constants.pop_back();
  for (size_t i = 40; i < 100; ++i) records.records()[i].kind = i % 2 ? &same : &other;
  auto sealed = expect_round_trip(records.pointers(), context);
  auto read = read_block(sealed.bytes);
  ASSERT_TRUE(read);
  for (size_t i = 0; i < 100; ++i) EXPECT_EQ(read->batch->records[i].charset, charset(i)) << i;
}

TEST(Block, AVersionThatChangesNothingCostsAboutItsName) {
  Records records;
  for (size_t i = 0; i < 1000; ++i) records.add_line("user=u" + std::to_string(i) + " ip=10.0.0.1", i);
  auto one = build_block(kContext, records.pointers());
  MessageKind same = *records.kind();
  for (size_t i = 40; i < 1000; ++i)
    if (records.records()[i].kind) records.records()[i].kind = &same;
  auto two = expect_round_trip(records.pointers(), two_contexts());
  EXPECT_LT(two.bytes.size(), one.bytes.size() + 100);
  EXPECT_EQ(two.summary.encode(), one.summary.encode());
}

// The block with another text in place of the part of its structure that says how its messages were understood.
std::string with_contexts(const SealedBlock& sealed, const std::string& before, const std::string& after) {
  auto sections = SectionReader::open(sealed.bytes);
  EXPECT_TRUE(sections);
  SectionWriter writer(1);
  while (sections->streams_left() > 0) {
    std::string stream(sections->next());
    if (sections->streams_left() == 0) {
      auto at = stream.find(before);
      EXPECT_NE(at, stream.npos);
      stream.replace(at, before.size(), after);
    }
    writer.add(StreamKind::structure, stream);
  }
  return writer.finish(sections->counts());
}

TEST(Block, VersionsThatCannotBeAreDamage) {
  struct Said {
    std::vector<uint64_t> engines;
    std::vector<std::pair<uint64_t, uint64_t>> changes;
    uint64_t contexts = 0;  // how many there are said to be; 0: as many as there are engines
    uint64_t changes_more = 0;
    bool none = false;
  };
  auto bytes = [](const Said& said) {
    std::string out;
    put_text(out, kContext.log);
    put_text(out, kContext.node);
    put_varint(out, said.none ? 0 : said.contexts ? said.contexts : said.engines.size());
    for (auto engine : said.engines) {
      put_text(out, kContext.parsed.contexts[0].parser_digest);
      put_text(out, kContext.parsed.contexts[0].timezone);
      put_text(out, kContext.parsed.contexts[0].charset);
      put_varint(out, engine);
    }
    put_varint(out, said.changes.size() + said.changes_more);
    for (auto& [distance, context] : said.changes) {
      put_varint(out, distance);
      put_varint(out, context);
    }
    return out;
  };
  Records records;
  for (size_t i = 0; i < 50; ++i) records.add_line("user=u" + std::to_string(i) + " ip=10.0.0.1", i);
  auto sealed = build_block(kContext, records.pointers());
  auto read = [&](const Said& said) { return read_block(with_contexts(sealed, bytes({{7}, {}}), bytes(said))); };

  auto good = read({{7, 8}, {{49, 1}}});
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ(good->context.parsed.changes, (std::vector<ContextChange>{{49, 1}}));
  std::vector<uint64_t> most(kParseContextsMax, 7);
  EXPECT_TRUE(read({most, {}}));

  EXPECT_FALSE(read({{}, {}, 0, 0, true})) << "no context";
  EXPECT_FALSE(read({{7}, {}, kParseContextsMax + 1})) << "more contexts than a block may have";
  EXPECT_FALSE(read({{7}, {}, UINT64_MAX}));
  most.push_back(7);
  EXPECT_FALSE(read({most, {}}));
  EXPECT_FALSE(read({{uint64_t{1} << 32}, {}})) << "an engine of more than 32 bits";
  EXPECT_FALSE(read({{7, 8}, {{0, 1}}})) << "a change at the first record";
  EXPECT_FALSE(read({{7, 8}, {{10, 1}, {0, 0}}})) << "two changes at one record";
  EXPECT_FALSE(read({{7, 8}, {{10, 0}}})) << "a change to what it is";
  EXPECT_FALSE(read({{7, 8}, {{10, 2}}})) << "a change to a context that is not there";
  EXPECT_FALSE(read({{7, 8}, {{50, 1}}})) << "a change behind the last record";
  EXPECT_FALSE(read({{7, 8}, {{10, 1}, {40, 0}}}));
  EXPECT_FALSE(read({{7, 8}, {{UINT64_MAX, 1}}}));
  EXPECT_FALSE(read({{7, 8}, {{10, 1}, {UINT64_MAX - 5, 0}}}));
  EXPECT_FALSE(read({{7, 8}, {{10, 1}}, 0, 60})) << "more changes than records";
  EXPECT_FALSE(read({{7, 8}, {{10, 1}}, 0, UINT64_MAX - 1}));
}

}  // namespace
}  // namespace yushi::storage
