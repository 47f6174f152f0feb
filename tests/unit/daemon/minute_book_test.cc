// The daemon's books: for each source of each minute, messages read = records committed, to the byte.
#include "daemon/minute_book.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/unit/storage/test_store.h"

namespace yushi::daemon {
using namespace storage::test;
namespace {

using Json = nlohmann::json;

// What an ingest thread hands on: the records, and the notes that an input makes for them.
storage::PreparedBatch batch_of(const std::vector<Sent>& messages) {
  auto out = prepared(messages);
  for (auto& m : messages) {
    auto source = out.batch->arena.copy(m.source);
    out.batch->notes.push_back({Note::Kind::bytes, m.log_id, source, "tcp 127.0.0.1:514", m.raw.size() + 1});
    out.batch->notes.push_back({Note::Kind::messages, m.log_id, source, "tcp 127.0.0.1:514", 1});
  }
  return out;
}

storage::PreparedBatch notes_of(std::vector<Note> notes) {
  storage::PreparedBatch out;
  out.batch = std::make_shared<Batch>();
  out.batch->notes = std::move(notes);
  return out;
}

const storage::KnownLogs kLogs = {std::make_shared<storage::KnownLog>("default"),
                                  std::make_shared<storage::KnownLog>("_audit"),
                                  std::make_shared<storage::KnownLog>("finance")};

std::vector<Json> close(MinuteBook& book, int64_t from_ns, int64_t to_ns, uint64_t commit = 1) {
  std::vector<Json> out;
  for (auto& record : book.close_minute(from_ns, to_ns, commit, kLogs)) out.push_back(Json::parse(to_json(record)));
  return out;
}

const Json& node_record(const std::vector<Json>& records) {
  EXPECT_EQ(records.at(0).at("event").at("action"), "ledger-node");
  return records[0].at("yushi").at("ledger");
}

using Source = std::pair<std::string, std::string>;  // tenant, source
std::map<Source, Json> rows(const std::vector<Json>& records) {
  std::map<Source, Json> out;
  for (size_t i = 1; i < records.size(); ++i) {
    EXPECT_EQ(records[i].at("event").at("action"), "ledger-sources");
    auto& tenant = records[i].at("yushi").at("tenant").get_ref<const std::string&>();
    for (auto& row : records[i].at("yushi").at("ledger").at("sources")) {
      EXPECT_TRUE(out.emplace(Source(tenant, row.at("source")), row).second) << "stands twice: " << row;
    }
  }
  return out;
}

TEST(MinuteBook, MessagesReadAreRecordsCommittedForEachSourceOfEachTenant) {
  MinuteBook book;
  std::map<Source, std::pair<uint64_t, uint64_t>> sent;  // messages, bytes without trailers
  const std::string names[] = {"default", "_audit", "finance"};
  for (int batch = 0; batch < 20; ++batch) {
    std::vector<Sent> messages;
    for (int i = 0; i < 50 + batch; ++i) {
      // One address may speak for two tenants in one minute (the config changed between): two rows.
      Sent m{line(i * batch), "10.0.0." + std::to_string(i % 7), static_cast<LogId>(i % 3 ? 0 : 2)};
      sent[{names[m.log_id], m.source}].first += 1;
      sent[{names[m.log_id], m.source}].second += m.raw.size();
      messages.push_back(m);
    }
    book.count(batch_of(messages));
  }
  auto records = close(book, kReceived, kReceived + kMinute);
  auto found = rows(records);
  ASSERT_EQ(found.size(), sent.size());
  uint64_t total = 0;
  for (auto& [source, expected] : sent) {
    auto& row = found[source];
    EXPECT_EQ(row["committed"], expected.first) << source.second;
    EXPECT_EQ(row["messages"], row["committed"]) << source.second;
    EXPECT_EQ(row["committed_bytes"], expected.second) << source.second;
    EXPECT_EQ(row["bytes"], expected.second + expected.first) << source.second;  // each had one LF
    total += expected.first;
  }
  EXPECT_EQ(node_record(records)["committed"], total);
}

TEST(MinuteBook, EachMinuteCountsOnlyItself) {
  MinuteBook book;
  book.count(batch_of({{"a"}, {"b"}}));
  EXPECT_EQ(node_record(close(book, kReceived, kReceived + kMinute, 7))["commit"], 7u);
  book.count(batch_of({{"c"}}));
  auto second = close(book, kReceived + kMinute, kReceived + 2 * kMinute, 8);
  EXPECT_EQ(node_record(second)["committed"], 1u);
  EXPECT_EQ((rows(second)[{"default", "10.0.0.1"}]["messages"]), 1u);
  // A quiet minute: the node speaks still, no source does.
  auto third = close(book, kReceived + 2 * kMinute, kReceived + 3 * kMinute, 9);
  ASSERT_EQ(third.size(), 1u);
  EXPECT_EQ(node_record(third)["committed"], 0u);
}

TEST(MinuteBook, ASourceThatOnlyCameAndWentIsNamedWithNothingCommitted) {
  MinuteBook book;
  book.count(notes_of({{Note::Kind::connection_opened, 2, "10.0.0.9", "tcp", 2},
                       {Note::Kind::connection_closed, 2, "10.0.0.9", "tcp", 1},
                       {Note::Kind::connection_refused, 2, "10.0.0.9", "tcp", 5},
                       {Note::Kind::empty_line, 2, "10.0.0.9", "tcp", 3}}));
  EXPECT_EQ(book.connections_open(), 1);
  auto records = close(book, kReceived, kReceived + kMinute);
  auto row = rows(records)[{"finance", "10.0.0.9"}];
  EXPECT_EQ(row["committed"], 0u);
  EXPECT_FALSE(row.contains("messages"));
  EXPECT_EQ(row["connections_opened"], 2u);
  EXPECT_EQ(row["connections_closed"], 1u);
  EXPECT_EQ(row["connections_refused"], 5u);
  EXPECT_EQ(row["empty_lines"], 3u);
  EXPECT_EQ(node_record(records)["connections_open"], 1);
  // Open connections are a state, not a count of the minute.
  EXPECT_EQ(node_record(close(book, kReceived + kMinute, kReceived + 2 * kMinute))["connections_open"], 1);
}

TEST(MinuteBook, ALossInTheKernelIsWrittenDownWithItsInputAndTheTotalStays) {
  MinuteBook book;
  book.count(notes_of(
      {{Note::Kind::input_up, 0, "", "udp 0.0.0.0:514", 1}, {Note::Kind::input_up, 0, "", "tcp 0.0.0.0:601", 1}}));
  book.count(notes_of({{Note::Kind::kernel_drop, 0, "", "udp 0.0.0.0:514", 40},
                       {Note::Kind::kernel_drop, 0, "", "udp 0.0.0.0:514", 2}}));
  auto first = node_record(close(book, kReceived, kReceived + kMinute));
  EXPECT_EQ(first["inputs"]["udp 0.0.0.0:514"]["kernel_drops"], 42u);
  EXPECT_EQ(first["inputs_up"], (std::set<std::string>{"udp 0.0.0.0:514", "tcp 0.0.0.0:601"}));
  book.count(notes_of({{Note::Kind::input_down, 0, "", "tcp 0.0.0.0:601", 1}}));
  auto second = node_record(close(book, kReceived + kMinute, kReceived + 2 * kMinute));
  EXPECT_EQ(second["inputs_up"], (std::set<std::string>{"udp 0.0.0.0:514"}));
  EXPECT_EQ(second["inputs"]["tcp 0.0.0.0:601"]["input_down"], 1u);
  EXPECT_FALSE(second["inputs"].contains("udp 0.0.0.0:514"));
  EXPECT_EQ(book.kernel_drops(), 42u);
  book.count(notes_of({{Note::Kind::source_drop, 2, "10.0.0.9", "udp 0.0.0.0:514", 7}}));
  EXPECT_EQ(book.kernel_drops(), 42u);
  EXPECT_EQ(book.source_drops(), 7u);
}

TEST(MinuteBook, AMinuteThatLastedTooLongNamesItsGap) {
  MinuteBook book;
  EXPECT_FALSE(node_record(close(book, kReceived, kReceived + kMinute + 5 * kSecond)).contains("gap_seconds"));
  EXPECT_EQ(node_record(close(book, kReceived, kReceived + 10 * kMinute))["gap_seconds"], 540);
  EXPECT_FALSE(node_record(close(book, 0, kReceived)).contains("gap_seconds")) << "the first minute has none before it";
}

TEST(MinuteBook, TheFirstMinuteAfterARestartNamesTheGapAndWhatACrashLeftUnbooked) {
  MinuteBook book;
  book.resume({{{2, "10.0.0.9"}, {14, 140}}});
  book.count(batch_of({{"a", "10.0.0.9", 2}}));
  auto records = close(book, kReceived, kReceived + 5 * 3600 * kSecond);
  auto& node = node_record(records);
  EXPECT_EQ(node["gap_seconds"], 5 * 3600);
  EXPECT_EQ(node["committed"], 15u);
  EXPECT_EQ(node["committed_before_crash"], 14u);
  ASSERT_EQ(records.size(), 3u);
  auto& before = records[1].at("yushi");
  EXPECT_EQ(before.at("tenant"), "finance");
  EXPECT_EQ(before.at("ledger").at("before_crash"), true);
  EXPECT_EQ(before.at("ledger").at("sources"),
            Json::parse(R"([{"source":"10.0.0.9","committed":14,"committed_bytes":140}])"));
  EXPECT_FALSE(records[2].at("yushi").at("ledger").contains("before_crash"));
  EXPECT_EQ(records[2].at("yushi").at("ledger").at("sources")[0].at("committed"), 1u);

  auto second = close(book, kReceived, kReceived + kMinute);
  ASSERT_EQ(second.size(), 1u) << "said twice";
  EXPECT_FALSE(node_record(second).contains("gap_seconds"));
  EXPECT_FALSE(node_record(second).contains("committed_before_crash"));
}

TEST(MinuteBook, AShortRestartIsAGapToo) {
  MinuteBook book;
  book.resume({});
  auto node = node_record(close(book, kReceived, kReceived + 20 * kSecond));
  EXPECT_EQ(node["gap_seconds"], 20);
  EXPECT_FALSE(node.contains("committed_before_crash"));
}

TEST(MinuteBook, ManySourcesAreSplitOverRecordsThatFitAndNoneIsLostOrSaidTwice) {
  MinuteBook book;
  std::vector<Sent> messages;
  for (int i = 0; i < 3000; ++i)
    messages.push_back({"m", "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250)});
  book.count(batch_of(messages));
  auto said = book.close_minute(kReceived, kReceived + kMinute, 1, kLogs);
  EXPECT_GT(said.size(), 3u);
  std::vector<Json> records;
  for (auto& each : said) {
    const auto text = to_json(each);
    EXPECT_LE(text.size(), 34u << 10);  // 32 KiB of rows, one row more, and the head
    records.push_back(Json::parse(text));
  }
  EXPECT_EQ(rows(records).size(), 3000u);
}

TEST(MinuteBook, ASourceOfAnyBytesGivesARecordThatCanBeRead) {
  MinuteBook book;
  book.count(notes_of({{Note::Kind::messages, 0, std::string_view("unix:\xff\xfe\"\n\0x", 11), "unix /a\xff", 1},
                       {Note::Kind::input_up, 0, "", "unix /a\xff", 1}}));
  EXPECT_EQ(close(book, kReceived, kReceived + kMinute).size(), 2u);  // parse() inside throws when one is no JSON
}

}  // namespace
}  // namespace yushi::daemon
