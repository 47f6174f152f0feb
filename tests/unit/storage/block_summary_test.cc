// What is known of a block without opening it: its words, its times, the head of its day.
#include "block_records.h"

#include "core/base/bytes.h"
#include "storage/block/day_head.h"

namespace yushi::storage {
namespace {

TEST(Block, WordsAreFoundWhereverTheyStand) {
  Records records;
  // A value inside a word, at its begin and end, two values side by side, empty ones, CJK on both sides.
  for (std::string_view raw : {"prefixVALUEsuffix", "用户root登录", "ab", "x1y2z3", "a-1b=c2", "éàü", "日本語 log"})
    for (size_t begin = 0; begin <= raw.size(); ++begin)
      for (size_t end = begin; end <= raw.size(); ++end)
        records.add(raw, {Records::cut(begin, end - begin, ecs::user_name), Records::cut(end, 0, ecs::host_name),
                          Records::cut(end, (raw.size() - end) / 2, ecs::process_pid)});
  expect_round_trip(records.pointers());
}

TEST(Block, EscapedValuesAreFoundByWhatTheyMean) {
  Records records;
  std::string raw = R"({"a":"caf\u00e9 b\nc"} [x y="q\"r"] 2F62696E2F6C73)";
  auto cut = [&](std::string_view text, std::string_view name, Escape escape) {
    return Records::cut(raw.find(text), text.size(), records.dynamic(name), escape);
  };
  const std::string more = R"(TCP x\=wall a""b l&#105; end)";
  auto cut_more = [&](std::string_view text, std::string_view name, Escape escape) {
    return Records::cut(more.find(text), text.size(), records.dynamic(name), escape);
  };
  records.add(raw, {cut(R"(caf\u00e9 b\nc)", "a", Escape::json), cut(R"(q\"r)", "y", Escape::structured_data),
                    cut("2F62696E2F6C73", "cmd", Escape::hex)});
  // Twice each, so that they are slots of a shape too.
  for (int i = 0; i < 3; ++i)
    records.add(more, {cut_more("TCP", "l", Escape::lower), cut_more(R"(x\=wall)", "b", Escape::backslash),
                       cut_more(R"(a""b)", "q", Escape::quotes), cut_more("l&#105;", "x", Escape::xml)});
  auto sealed = expect_round_trip(records.pointers());
  TokenFilter filter(sealed.summary.token_filter);
  EXPECT_TRUE(filter.may_contain(token_hash("café")));
  EXPECT_TRUE(filter.may_contain(token_hash("bin")));
  EXPECT_TRUE(filter.may_contain(token_hash("li")));
}

TEST(Block, TheSummarySurvivesItsBytes) {
  Records records;
  for (size_t i = 0; i < 100; ++i) records.add_line("x", i);
  for (size_t i = 0; i < 100; ++i)
    records.records()[i].event_ns = i < 10   ? 0
                                    : i < 20 ? INT64_MAX - static_cast<int64_t>(i)
                                             : INT64_MIN + static_cast<int64_t>(i);
  auto sealed = expect_round_trip(records.pointers());
  EXPECT_LE(sealed.summary.event_times.size(), 8u);
  auto read = BlockSummary::decode(sealed.summary.encode());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->token_filter, "");
  ASSERT_TRUE(read->decode_words(sealed.summary.encode_words()));
  EXPECT_EQ(read->records, 100u);
  EXPECT_EQ(read->sources, sealed.summary.sources);
  EXPECT_EQ(read->token_filter, sealed.summary.token_filter);
  EXPECT_EQ(read->received_to_ns, sealed.summary.received_to_ns);
  ASSERT_EQ(read->event_times.size(), sealed.summary.event_times.size());
  for (size_t i = 0; i < read->event_times.size(); ++i) {
    EXPECT_EQ(read->event_times[i].from_ns, sealed.summary.event_times[i].from_ns);
    EXPECT_EQ(read->event_times[i].to_ns, sealed.summary.event_times[i].to_ns);
  }
  DayHead day;
  day.add(sealed.summary);
  EXPECT_EQ(DayHead::decode(day.encode()).value(), day);
  const auto flipped = [](std::string bytes, size_t i) {
    bytes[i] = static_cast<char>(bytes[i] ^ 1);
    return bytes;
  };
  for (size_t i = 0; i < sealed.summary.encode().size(); ++i)
    EXPECT_FALSE(BlockSummary::decode(flipped(sealed.summary.encode(), i))) << i;
  for (size_t i = 0; i < sealed.summary.encode_words().size(); ++i)
    EXPECT_FALSE(token_filter_of(flipped(sealed.summary.encode_words(), i))) << i;
  for (size_t i = 0; i < day.encode().size(); ++i) EXPECT_FALSE(DayHead::decode(flipped(day.encode(), i))) << i;
}

TEST(Block, TheHeadOfADayHoldsTheTimesOfItsBlocks) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 50; ++round) {
    DayHead day;
    std::vector<BlockSummary> blocks;
    for (uint64_t i = 0; i < 40; ++i) {
      BlockSummary block;
      block.first_index = i * 10;
      block.records = 10;
      auto at = static_cast<int64_t>(random() % 1'000'000);
      for (auto ranges = 1 + random() % 8; ranges > 0; --ranges) {
        auto to = at + static_cast<int64_t>(random() % 1000);
        block.event_times.push_back({at, to});
        at = to + 1 + static_cast<int64_t>(random() % 100'000);
      }
      day.add(block);
      blocks.push_back(block);
      ASSERT_LE(day.event_times.size(), 8u);
      for (size_t k = 1; k < day.event_times.size(); ++k)
        ASSERT_LT(day.event_times[k - 1].to_ns, day.event_times[k].from_ns);
      for (auto& one : blocks)
        for (auto& range : one.event_times)
          ASSERT_TRUE(std::any_of(day.event_times.begin(), day.event_times.end(), [&](auto& held) {
            return held.from_ns <= range.from_ns && range.to_ns <= held.to_ns;
          }));
    }
    EXPECT_EQ(day.blocks, 40u);
    EXPECT_EQ(day.records, 400u);
    EXPECT_EQ(day.end, 400u);
    BlockSummary unknown;  // of no known time
    day.add(unknown);
    EXPECT_TRUE(overlaps(day.event_times, 5'000'000, 5'000'000));
  }
}

}  // namespace
}  // namespace yushi::storage
