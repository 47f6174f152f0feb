// A block read in part: records that are alike in what is asked are one row.
#include "block_records.h"

namespace yushi::storage {
namespace {

// An empty capture where the message begins is of the header, which the kind's constants take the place of; behind any
// text it is the message's, which takes theirs.
TEST(Block, AnEmptyCaptureBeforeAllElseInTheMessageSaysTheSameInAPart) {
  Records records;
  auto* field = find_field("event.outcome");
  MessageKind kind = *records.kind();
  kind.constants = {{field, "success"}};
  for (size_t gap : {0, 1, 3}) {
    for (auto* value : {"", "failure"}) {
      for (int i = 0; i < 40; ++i) {
        const std::string raw = "head " + std::string(gap, '.') + value + ", no " + std::to_string(i);
        auto& record = records.add(raw, {Records::cut(5 + gap, std::string_view(value).size(), field)});
        record.message_begin = 5;
        record.message_length -= 5;
        record.kind = &kind;
      }
    }
    // The capture before it is empty too, and nothing stands around them.
    for (int i = 0; i < 40; ++i) {
      const std::string raw = "head " + std::string(i % 3, 'u') + " no " + std::to_string(i);
      const auto length = static_cast<size_t>(i % 3);
      auto& record = records.add(raw, {Records::cut(5, length, ecs::user_name), Records::cut(5 + length, 0, field)});
      record.message_begin = 5;
      record.message_length -= 5;
      record.kind = &kind;
    }
  }
  expect_round_trip(records.pointers());
}

TEST(Block, RecordsThatAreAlikeInWhatIsAskedAreOneRow) {
  Records records;
  for (size_t i = 0; i < 3000; ++i)
    records.add_line("login user=u" + std::to_string(i % 17) + " ip=10.1.0." + std::to_string(i % 5) + " id " +
                         std::to_string(i * 0x9e3779b97f4a7c15ull),
                     i);
  BlockHead context = kContext;
  context.parsed.contexts[0].charset = "utf-8";
  auto reader = BlockReader::open(build_block(context, records.pointers()).bytes);
  ASSERT_TRUE(reader);
  const auto rows = [&](const std::vector<std::string>& names) {
    return (*reader)->read_rows(names, false)->batch->records.size();
  };
  const auto shapes = rows({});
  EXPECT_LE(shapes, 20u);
  EXPECT_LE(rows({"user"}), 17 * shapes);
  EXPECT_EQ(rows({"event.id"}), 3000u);
}

std::vector<std::string> texts_of(const Record& record, const std::string& name) {
  std::vector<std::string> out;
  Scratch scratch;
  visit_field(
      record, find_field(name), name, scratch,
      [](void* to, const Value& value) { static_cast<std::vector<std::string>*>(to)->emplace_back(value.text); }, &out);
  return out;
}

// Where nearly all differ they are not numbered any further, and say the same.
TEST(Block, RecordsThatAllDifferInManyFieldsAreRowsOfTheirOwn) {
  Records records;
  std::vector<std::string> names;
  for (int k = 0; k < 20; ++k) names.push_back("k" + std::string(1, static_cast<char>('a' + k)));
  std::mt19937_64 random(5);
  for (size_t i = 0; i < 1000; ++i) {
    std::string line;
    for (auto& name : names) line += name + "=v" + std::to_string(random() % 20) + " ";
    records.add_line(line, i);
  }
  BlockHead context = kContext;
  context.parsed.contexts[0].charset = "utf-8";
  auto reader = BlockReader::open(build_block(context, records.pointers()).bytes);
  ASSERT_TRUE(reader);
  auto rows = (*reader)->read_rows(names, false);
  ASSERT_TRUE(rows);
  for (auto& name : names)
    for (size_t i = 0; i < 1000; ++i)
      ASSERT_EQ(texts_of(rows->batch->records[rows->row_of[i]], name), texts_of(records.records()[i], name)) << name;
}

// A search for so many words that looking for each in the forms of texts would take longer than looking at the records.
TEST(Block, WhoLooksForVeryManyLiteralsIsSentToTheRecords) {
  Records records;
  for (size_t i = 0; i < 2000; ++i) records.add_line("login of u" + std::to_string(i * 0x9e3779b97f4a7c15ull), i);
  BlockHead context = kContext;
  context.parsed.contexts[0].charset = "utf-8";
  auto reader = BlockReader::open(build_block(context, records.pointers()).bytes);
  ASSERT_TRUE(reader);
  const auto places = [&](size_t literals) {
    return (*reader)
        ->find_places([&](auto& form) {
          for (size_t i = 0; i < literals; ++i)
            if (form.has_literal("nobody" + std::to_string(i), true, false)) return true;
          return false;
        })
        ->size();
  };
  EXPECT_EQ(places(20), 0u);
  EXPECT_EQ(places(100'000), 2000u);
}

}  // namespace
}  // namespace yushi::storage
