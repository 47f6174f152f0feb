// A block gives back what went in: bytes, captures, values, in part as in whole.
#include "block_records.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "storage/block/sections.h"
#include "tests/unit/data_sets.h"

namespace yushi::storage {
namespace {

TEST(Block, AnEmptyBlockComesBack) { expect_round_trip({}); }

TEST(Block, OneRecordComesBack) {
  Records records;
  records.add("");
  expect_round_trip(records.pointers());
  records.add_line("session opened for user=root ip=10.0.0.1", 1);
  expect_round_trip(records.pointers());
}

TEST(Block, ALineWithCapturesInItsHeaderAndMessageComesBack) {
  Records records;
  for (size_t i = 0; i < 3000; ++i)
    records.add_line("login user=u" + std::to_string(i % 17) + " ip=10.1." + std::to_string(i % 7) + "." +
                         std::to_string(i % 255) + " took " + std::to_string(i * i) + " ms, id " +
                         std::to_string(i * 0x9e3779b97f4a7c15ull) + (i % 11 ? "" : "\r"),
                     i);
  auto sealed = expect_round_trip(records.pointers());
  EXPECT_LT(sealed.bytes.size(), sealed.summary.raw_bytes / 6);
}

TEST(Block, EveryTypeOfValueComesBackWithItsOddNeighbours) {
  Records records;
  std::vector<std::string> values = {"",
                                     "0",
                                     "00",
                                     "007",
                                     "7",
                                     "4294967296",
                                     "18446744073709551615",
                                     "18446744073709551616",
                                     "9999999999999999999",
                                     "10.0.0.1",
                                     "010.0.0.1",
                                     "256.1.1.1",
                                     "1.2.3",
                                     "1.2.3.4.5",
                                     "0.0.0.0",
                                     "255.255.255.255",
                                     "fe80::1",
                                     "deadbeef",
                                     "deadbee",
                                     "DEADBEEF",
                                     "12345678",
                                     "00000000000000000000",
                                     "0123456789abcdef0123456789abcdef",
                                     "123e4567-e89b-12d3-a456-426614174000",
                                     "123E4567-e89b-12d3-a456-426614174000",
                                     "123e4567-e89b-12d3-a456-42661417400",
                                     "-1",
                                     "+1",
                                     "1e9",
                                     "0x1f",
                                     "a",
                                     "\n",
                                     "x\ny",
                                     std::string("\0", 1),
                                     std::string("a\0b", 3),
                                     "\xff\xfe",
                                     "用户",
                                     "-",
                                     " ",
                                     "="};
  for (size_t n = 0; n < 3; ++n) {
    // Each alone many times over, then all of them mixed.
    for (auto& value : values) {
      for (size_t k = 0; k < (n == 1 ? 100 : 1); ++k) {
        auto raw = "v <" + value + "> end";
        records.add(raw, {Records::cut(3, value.size(), records.dynamic(n == 1 ? "same-" + value : "mixed"))});
      }
    }
  }
  std::mt19937_64 random(1);
  for (size_t k = 0; k < 5000; ++k) {
    auto& value = values[random() % values.size()];
    records.add("w " + value, {Records::cut(2, value.size(), ecs::source_ip)});
    auto number = std::to_string(random() >> random() % 64);
    records.add("n " + number, {Records::cut(2, number.size(), ecs::process_pid)});
  }
  expect_round_trip(records.pointers());
}

TEST(Block, AnyBytesWithAnyCapturesComeBack) {
  std::mt19937_64 random(2);
  const Field* fields[] = {ecs::source_ip, ecs::host_name, ecs::timestamp, ecs::syslog_priority, ecs::process_name};
  for (int round = 0; round < 30; ++round) {
    Records records;
    size_t alphabet = 1 + random() % 256;
    for (int i = 0; i < 300; ++i) {
      std::string raw(random() % 60, ' ');
      for (auto& c : raw) c = static_cast<char>(random() % alphabet + (alphabet < 200 ? '-' : 0));
      std::vector<Capture> captures;
      for (size_t at = 0; at <= raw.size();) {
        at += random() % 12;
        if (at > raw.size()) break;
        auto length = random() % (raw.size() - at + 1);
        if (random() % 2) length = std::min<size_t>(length, 3);
        auto field = random() % 4 ? fields[random() % 5] : records.dynamic("f" + std::to_string(random() % 3));
        captures.push_back(Records::cut(at, length, field, static_cast<Escape>(random() % 4)));
        at += length;
        if (captures.size() > 20) break;
      }
      auto& record = records.add(raw, captures);
      record.event_ns = static_cast<int64_t>(random()) >> (random() % 64);
      record.event_digits = static_cast<uint8_t>(random() % 10);
      record.time_inferred = static_cast<uint8_t>(random() % 8);
      record.marks = static_cast<uint8_t>(random() % 8);
      record.priority = random() % 2 ? Record::kNoPriority : static_cast<uint16_t>(random() % 192);
      record.message_begin = static_cast<uint32_t>(random() % (raw.size() + 1));
      record.message_length = static_cast<uint32_t>(random() % (raw.size() - record.message_begin + 1));
      if (random() % 9 == 0) record.part = 2, record.part_of = 3;
      if (random() % 9 == 0) record.source_seq = random();
      if (random() % 3 == 0) record.kind = records.kind();
    }
    expect_round_trip(records.pointers());
    if (HasFailure()) return;
  }
}

TEST(Block, MessagesThatShareNothingDoNotBlowIt) {
  Records records;
  std::mt19937_64 random(3);
  for (int i = 0; i < 20000; ++i) {
    std::string raw;
    for (int w = 0; w < 12; ++w) {
      for (int c = 0; c < 5; ++c) raw.push_back(static_cast<char>('a' + random() % 26));
      raw.push_back(' ');
    }
    // Half of them with captures in places of their own.
    std::vector<Capture> captures;
    if (i % 2)
      for (int c = 0; c < 4; ++c)
        captures.push_back(Records::cut(c * 15 + random() % 8, random() % 7, records.dynamic(raw.substr(c, 3))));
    records.add(raw, captures);
  }
  auto sealed = expect_round_trip(records.pointers());
  EXPECT_LT(sealed.bytes.size(), sealed.summary.raw_bytes * 1.3);
}

TEST(Block, TheSameRecordsGiveTheSameBytes) {
  Records records;
  for (size_t i = 0; i < 1000; ++i) records.add_line("user=u" + std::to_string(i % 50), i);
  auto a = build_block(kContext, records.pointers()), b = build_block(kContext, records.pointers());
  EXPECT_EQ(a.bytes, b.bytes);
  EXPECT_EQ(a.summary.encode(), b.summary.encode());
}

// `count` lines, from the first one again where there are fewer.
void expect_lines_back(const std::vector<std::string>& lines, size_t count) {
  auto files = parsers::read_parser_directories({YUSHI_SOURCE_DIR "/parsers/library"});
  ASSERT_TRUE(files);
  auto set = parsers::ParserSet::load(*files, parsers::ReadTests::of_site);
  ASSERT_TRUE(set) << set.error().message;
  ASSERT_FALSE(lines.empty());
  parsers::Understander understander(*set);
  for (size_t done = 0; done < count && !testing::Test::HasFailure();) {
    Records records;
    std::vector<size_t> understood;
    size_t bytes = 0;
    while (done < count && records.records().size() < kBlockRecordsMax && bytes < 16 << 20) {
      auto& line = lines[done++ % lines.size()];
      // In turn behind a header of ours with our cut, behind it and understood, and as the data set has it.
      auto how = done / lines.size() % 3;
      if (how == 2)
        records.add(line);
      else
        records.add_line(line, done);
      if (how > 0) understood.push_back(records.records().size() - 1);
      bytes += line.size() + 60;
    }
    records.understand(understander, understood);
    auto sealed = expect_round_trip(records.pointers());
    std::printf("%zu records, raw %zu, block %zu, filter %zu\n", records.records().size(),
                static_cast<size_t>(sealed.summary.raw_bytes), sealed.bytes.size(), sealed.summary.token_filter.size());
  }
}

TEST(Block, LinesOfOurSampleComeBackAsParsersUnderstandThem) {
  const auto lines = test::own_lines();
  expect_lines_back(lines, 6 * lines.size());
}

TEST(Block, AHundredThousandLinesOfThePublishedDataSetsComeBackAsParsersUnderstandThem) {
  YUSHI_SKIP_WITHOUT_PUBLISHED_DATA();
  std::vector<std::filesystem::path> paths;
  for (auto& entry : std::filesystem::recursive_directory_iterator(test::published_data())) {
    auto extension = entry.path().extension();
    if (entry.is_regular_file() &&
        (extension == ".log" || extension == ".18" || extension.string().starts_with(".2015")))
      paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> lines;
  for (auto& path : paths) {
    std::ifstream in(path, std::ios::binary);
    for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
  }
  expect_lines_back(lines, 100'000 / test::kOneOf);
}

}  // namespace
}  // namespace yushi::storage
