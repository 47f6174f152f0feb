#include "query/scan/scan.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <thread>

#include "scan_units.h"

namespace yushi::query::test {
namespace {

Filter kql(const std::string& text) { return *Filter::parse_kql(text, QueryClock{}); }

void render_raw(const Record& record, Scratch&, std::string& out) { out = record.raw; }

struct Answer {
  std::vector<RecordKey> keys;
  std::vector<std::string> raws;
  ScanReport report;
};
Answer ask(const std::vector<UnitGroup>& groups, const std::string& query, const ScanOptions& options) {
  Answer answer;
  auto report = scan(
      groups, kql(query), options, render_raw,
      [&](ScanHit&& hit) {
        answer.keys.push_back(hit.key);
        answer.raws.push_back(hit.rendered);
        return true;
      },
      kGoOn);
  EXPECT_TRUE(report) << (report ? "" : report.error().message);
  if (report) answer.report = *report;
  return answer;
}

struct Store {
  std::vector<ScanUnit> units;
  std::vector<UnitGroup> groups;                       // the same, cut as days are that overlap
  std::vector<std::pair<RecordKey, std::string>> all;  // key and raw of every record
};

// Units whose times overlap as those of clocks that disagree; one sender lives in 1970.
Store random_store(uint64_t seed) {
  std::mt19937_64 random(seed);
  Store store;
  static constexpr const char* kWords[] = {"failed", "accepted", "root", "alice", "needle", "disk", "full"};
  for (const char* log : {"default", "finance"}) {
    uint64_t index = 0;
    for (int s = 0; s < 12; ++s) {
      std::vector<Said> records;
      size_t count = 1 + random() % 60;
      for (size_t i = 0; i < count; ++i) {
        Said said;
        said.event_ns = random() % 50 == 0 ? 5 : static_cast<int64_t>(s * 100 + random() % 150);
        for (size_t w = random() % 4; w-- > 0;) said.line += std::string(" ") + kWords[random() % (s % 3 == 0 ? 7 : 4)];
        said.fields = {{"user.name", kWords[2 + random() % 2]}, {"source.port", std::to_string(random() % 5)}};
        records.push_back(std::move(said));
      }
      store.units.push_back(unit_of(log, index, records, s < 10));
      auto batch = batch_of(log, index, records);
      for (const Record& record : batch->records)
        store.all.push_back({{record.event_ns, log, record.index}, std::string(record.raw)});
      index += count;
    }
  }
  std::shuffle(store.units.begin(), store.units.end(), random);
  for (size_t at = 0; at < store.units.size();) {
    const size_t end = std::min<size_t>(store.units.size(), at + 1 + random() % 9);
    store.groups.push_back(group_of(
        {store.units.begin() + static_cast<ptrdiff_t>(at), store.units.begin() + static_cast<ptrdiff_t>(end)}));
    if (random() % 4 == 0) store.groups.back().event_times.clear();
    at = end;
  }
  return store;
}

TEST(Scan, GivesWhatALookAtEveryRecordGivesInOrder) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Store store = random_store(seed);
    std::vector<std::pair<std::string, std::string>> queries = {{"*", ""},
                                                                {"needle", " needle"},
                                                                {"failed and not root", ""},
                                                                {"user.name: alice", ""},
                                                                {"disk or full", ""},
                                                                {"nowhere", ""}};
    for (const auto& [query, unused] : queries) {
      Filter filter = kql(query);
      // The naive scan: every record of every unit.
      std::vector<RecordKey> expected;
      Scratch scratch;
      for (const ScanUnit& unit : store.units) {
        auto batch = *unit.read();
        for (const Record& record : batch->records)
          if (filter.matches(record, scratch) && record.event_ns >= 5 && record.event_ns <= 1100)
            expected.push_back({record.event_ns, unit.log, record.index});
      }
      std::sort(expected.begin(), expected.end());
      for (bool newest_first : {false, true})
        for (size_t limit : {size_t{1}, size_t{7}, size_t{100}, ~size_t{0}})
          for (int threads : {1, 2, 4}) {
            ScanOptions options;
            options.from_ns = 5;
            options.to_ns = 1100;
            options.newest_first = newest_first;
            options.limit = limit;
            options.threads = threads;
            auto want = expected;
            if (newest_first) std::reverse(want.begin(), want.end());
            if (want.size() > limit) want.resize(limit);
            Answer answer = ask(store.groups, query, options);
            ASSERT_EQ(answer.keys, want) << query << " limit " << limit << " threads " << threads;
            EXPECT_EQ(answer.report.records_found, want.size());
            EXPECT_TRUE(answer.report.is_complete());
            EXPECT_EQ(answer.report.blocks, store.units.size());
            EXPECT_LE(answer.report.blocks_read, answer.report.blocks);
          }
    }
  }
}

std::vector<ScanUnit> hundred_units() {
  std::vector<ScanUnit> units;
  for (uint64_t s = 0; s < 100; ++s) {
    std::vector<Said> records;
    for (int i = 0; i < 10; ++i) records.push_back({static_cast<int64_t>(s * 10) + i, "word" + std::to_string(s), {}});
    units.push_back(unit_of("default", s * 10, records));
  }
  return units;
}

TEST(Scan, ReadsOnlyTheNewestUnitsForTheNewestRecords) {
  auto units = hundred_units();
  ScanOptions options;
  options.limit = 15;
  Answer answer = ask(one_group(units), "*", options);
  EXPECT_EQ(answer.keys.size(), 15u);
  EXPECT_EQ(answer.keys.front().event_ns, 999);
  EXPECT_LE(answer.report.blocks_read, 10u);
}

TEST(Scan, ReadsOnlyWhatTimesAndWordsLeave) {
  auto units = hundred_units();
  EXPECT_LE(ask(one_group(units), "word42", {}).report.blocks_read, 5u);
  EXPECT_EQ(ask(one_group(units), "word42", {}).keys.size(), 10u);
  ScanOptions options;
  options.from_ns = 200;
  options.to_ns = 219;
  EXPECT_EQ(ask(one_group(units), "*", options).report.blocks_read, 2u);
  EXPECT_EQ(ask(one_group(units), "*", options).keys.size(), 20u);
  options.to_ns = 100;
  EXPECT_EQ(ask(one_group(units), "*", options).report.blocks_read, 0u);
  EXPECT_EQ(ask(one_group(units), "@timestamp < 1970", {}).report.blocks_read, 0u);
}

// Ten groups of ten units each, as days, and how often each was opened.
struct Days {
  explicit Days(std::vector<ScanUnit> units = hundred_units()) {
    for (size_t day = 0; day < 10; ++day) {
      auto begin = units.begin() + static_cast<ptrdiff_t>(day * units.size() / 10);
      auto end = units.begin() + static_cast<ptrdiff_t>((day + 1) * units.size() / 10);
      groups.push_back(group_of({begin, end}, [this, day] { ++opened[day]; }));
    }
  }
  std::vector<UnitGroup> groups;
  std::array<std::atomic<int>, 10> opened{};
  std::vector<size_t> opened_ones() const {
    std::vector<size_t> out;
    for (size_t i = 0; i < opened.size(); ++i)
      if (opened[i]) out.push_back(i);
    return out;
  }
};

TEST(Scan, OpensTheDaysThatItComesTo) {
  using Ones = std::vector<size_t>;
  {
    Days days;
    ScanOptions options;
    options.limit = 15;
    auto answer = ask(days.groups, "*", options);
    EXPECT_EQ(answer.keys.size(), 15u);
    EXPECT_EQ(answer.report.blocks, 100u);
    EXPECT_EQ(days.opened_ones(), Ones{9});
  }
  {
    Days days;
    ScanOptions options;
    options.limit = 105;
    options.newest_first = false;
    EXPECT_EQ(ask(days.groups, "*", options).keys.back().event_ns, 104);
    EXPECT_EQ(days.opened_ones(), (Ones{0, 1}));
  }
  {
    Days days;
    ScanOptions options;
    options.from_ns = 350;
    options.to_ns = 450;
    auto answer = ask(days.groups, "*", options);
    EXPECT_EQ(answer.keys.size(), 101u);
    EXPECT_EQ(answer.report.blocks, 100u);
    EXPECT_EQ(days.opened_ones(), (Ones{3, 4}));
  }
  {
    Days days;
    EXPECT_EQ(ask(days.groups, "@timestamp < 1970", {}).report.blocks_read, 0u);
    EXPECT_EQ(days.opened_ones(), Ones{});
  }
}

TEST(Scan, AsksForTheWordsOfTheUnitsThatTimeLeavesAlone) {
  auto units = hundred_units();
  std::atomic<int> asked{0};
  for (auto& unit : units)
    unit.token_filter = [&asked, words = unit.token_filter] {
      ++asked;
      return words();
    };
  Days days(std::move(units));
  ScanOptions options;
  options.from_ns = 350;
  options.to_ns = 359;
  EXPECT_EQ(ask(days.groups, "word35", options).keys.size(), 10u);
  EXPECT_EQ(asked, 1);
  asked = 0;
  ask(days.groups, "*", {});  // which needs no word
  EXPECT_EQ(asked, 0);
}

TEST(Scan, NamesTheGroupThatItCouldNotOpen) {
  Days days;
  days.groups[4].open = []() -> Result<std::vector<ScanUnit>> { return fail(Code::corrupt, "its summaries differ"); };
  days.groups[4].name = "log default, store day 4";
  for (bool newest_first : {false, true}) {
    ScanOptions options;
    options.newest_first = newest_first;
    auto answer = ask(days.groups, "*", options);
    EXPECT_EQ(answer.keys.size(), 900u);
    EXPECT_EQ(answer.report.missing, std::vector<std::string>{"log default, store day 4: its summaries differ"});
    EXPECT_FALSE(answer.report.is_complete());
  }
}

TEST(Scan, NamesTheUnitsThatItCouldNotRead) {
  auto units = hundred_units();
  units[3].read = [] { return fail(Code::corrupt, "hash differs"); };
  units[7].read = []() -> Result<std::unique_ptr<Batch>> { throw std::bad_alloc(); };
  Answer answer = ask(one_group(units), "*", {});
  EXPECT_EQ(answer.keys.size(), 980u);
  EXPECT_FALSE(answer.report.is_complete());
  ASSERT_EQ(answer.report.missing.size(), 2u);
  EXPECT_EQ(answer.report.missing[0], "default/30: hash differs");
  EXPECT_EQ(answer.report.missing[1].substr(0, 11), "default/70:");
}

TEST(Scan, EndsWhenTheAskerHasEnough) {
  auto units = hundred_units();
  size_t taken = 0;
  auto report = scan(
      one_group(units), kql("*"), {}, render_raw, [&](ScanHit&&) { return ++taken < 5; }, kGoOn);
  ASSERT_TRUE(report);
  EXPECT_EQ(taken, 5u);
}

TEST(Scan, CancelledSaysThatItIsNotComplete) {
  auto units = hundred_units();
  std::atomic<bool> cancelled{false};
  auto report = scan(
      one_group(units), kql("*"), {}, render_raw,
      [&](ScanHit&&) {
        cancelled = true;
        return true;
      },
      cancelled);
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->cancelled);
  EXPECT_FALSE(report->is_complete());
  EXPECT_LT(report->records_found, 1000u);
}

// Units that overlap wholly: nothing can be given before all are read, and they do not fit.
std::vector<ScanUnit> overlapping_units() {
  std::vector<ScanUnit> units;
  for (const char* log : {"a", "b", "c", "d", "e"}) {
    std::vector<Said> records;
    for (int i = 0; i < 400; ++i) records.push_back({i / 50, std::to_string(i) + std::string(1000, 'x'), {}});
    units.push_back(unit_of(log, 0, records));
  }
  return units;
}

TEST(Scan, AnAnswerThatDoesNotFitIsGivenWholeAndInOrderAllTheSame) {
  auto units = overlapping_units();
  ScanOptions options;
  for (size_t bytes_max : {size_t{16} << 10, size_t{64} << 10, size_t{500} << 10})
    for (bool newest_first : {false, true})
      for (int threads : {1, 3}) {
        options.bytes_max = bytes_max;
        options.newest_first = newest_first;
        options.threads = threads;
        Answer answer = ask(one_group(units), "*", options);
        ASSERT_EQ(answer.keys.size(), 2000u);
        auto in_order = answer.keys;
        std::sort(in_order.begin(), in_order.end());
        in_order.erase(std::unique(in_order.begin(), in_order.end()), in_order.end());
        if (newest_first) std::reverse(in_order.begin(), in_order.end());
        EXPECT_EQ(answer.keys, in_order) << bytes_max << " bytes, " << threads << " threads";
        EXPECT_EQ(answer.report.blocks_read, 5u);
        EXPECT_TRUE(answer.report.is_complete());
        // Each thread hands over one piece at least.
        EXPECT_LE(answer.report.bytes_held_max, bytes_max + static_cast<size_t>(threads) * (bytes_max / 4 + 1200));
        // A pass opens its groups again.
        std::vector<UnitGroup> groups;
        for (auto& unit : units) groups.push_back(group_of({unit}));
        Answer grouped = ask(groups, "*", options);
        EXPECT_EQ(grouped.keys, in_order);
        EXPECT_EQ(grouped.report.blocks_read, 5u);
      }
  options.limit = 20;
  EXPECT_EQ(ask(one_group(units), "*", options).keys.size(), 20u);
}

// The first hits of very many units that overlap do not fit, whether they begin together or not.
void ask_many_units(int64_t step_ns) {
  std::mt19937_64 random(1);
  std::atomic<size_t> reads{0};
  std::vector<ScanUnit> units;
  for (int log = 100; log < 300; ++log) {
    std::vector<Said> records;
    for (int i = 0; i < 60; ++i) {
      std::string line;
      while (line.size() < 400) line += static_cast<char>(33 + random() % 90);
      records.push_back({log * step_ns + 1'000 * i, line, {}});
    }
    units.push_back(unit_of("log" + std::to_string(log), 0, records));
    units.back().read = [&reads, read = units.back().read] {
      ++reads;
      return read();
    };
  }
  ScanOptions options;
  options.bytes_max = 1 << 20;  // of some 5 MB
  Answer answer = ask(one_group(units), "*", options);
  EXPECT_EQ(answer.keys.size(), 200u * 60);
  EXPECT_TRUE(std::is_sorted(answer.keys.rbegin(), answer.keys.rend()));
  EXPECT_LE(reads, 20 * units.size());  // 7 passes
  EXPECT_LE(answer.report.bytes_held_max, options.bytes_max + (size_t{256} << 10));
}
TEST(Scan, WhatIsLetGoOfManyUnitsMakesRoom) {
  ask_many_units(0);
  ask_many_units(1);
}

// What waits packed is unpacked where the units overlap: there are too many of them for that.
TEST(Scan, WhatIsUnpackedOfManyUnitsHasNoMoreRoomThanTheRest) {
  std::vector<ScanUnit> units;
  for (int log = 100; log < 300; ++log) {
    std::vector<Said> records;
    for (int i = 0; i < 10; ++i) records.push_back({i, std::string(4000, 'x'), {}});
    units.push_back(unit_of("log" + std::to_string(log), 0, records));
  }
  ScanOptions options;
  options.bytes_max = 1 << 20;  // of some 8 MB, or 100 kB packed
  options.threads = 2;
  Answer answer = ask(one_group(units), "*", options);
  EXPECT_EQ(answer.keys.size(), 200u * 10);
  EXPECT_TRUE(std::is_sorted(answer.keys.rbegin(), answer.keys.rend()));
  EXPECT_LE(answer.report.bytes_held_max, options.bytes_max + (size_t{256} << 10));
}

TEST(Scan, BeginsAtTheKeyThatIsNamed) {
  auto units = overlapping_units();
  ScanOptions options;
  options.newest_first = false;
  options.limit = 300;
  options.begin = RecordKey{3, "c", 170};
  Answer answer = ask(one_group(units), "*", options);
  ASSERT_EQ(answer.keys.size(), 300u);
  EXPECT_EQ(answer.keys.front(), *options.begin);
  options.newest_first = true;
  answer = ask(one_group(units), "*", options);
  EXPECT_EQ(answer.keys.front(), *options.begin);
  EXPECT_LT(answer.keys.back(), *options.begin);
}

// A reader that stops for longer than a unit is kept for it misses nothing.
TEST(Scan, AReaderThatPausesGetsTheSameAnswer) {
  auto units = overlapping_units();
  ScanOptions options;
  options.bytes_max = 32 << 10;
  QueryPool pool(1 << 20, 2);
  options.pool = &pool;
  std::vector<RecordKey> keys;
  bool place_was_free = false;
  auto report = scan(
      one_group(units), kql("*"), options, render_raw,
      [&](ScanHit&& hit) {
        keys.push_back(hit.key);
        if (keys.size() == 100) {
          std::this_thread::sleep_for(std::chrono::milliseconds(1500));
          auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
          ReadTurn turn(&pool, [&] { return std::chrono::steady_clock::now() > until; });
          place_was_free = std::chrono::steady_clock::now() < until;
        }
        return true;
      },
      kGoOn);
  ASSERT_TRUE(report);
  EXPECT_TRUE(place_was_free);
  EXPECT_EQ(keys.size(), 2000u);
  EXPECT_TRUE(std::is_sorted(keys.rbegin(), keys.rend()));
}

// What is being given counts: while a reader is slow nothing is opened that its answer does not need.
TEST(Scan, ASlowReaderOpensNoMoreDays) {
  Days days;
  ScanOptions options;
  options.limit = 105;
  options.newest_first = false;
  size_t given = 0;
  auto report = scan(
      days.groups, kql("*"), options, render_raw,
      [&](ScanHit&&) {
        if (++given % 10 == 1) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        return true;
      },
      kGoOn);
  ASSERT_TRUE(report);
  EXPECT_EQ(given, 105u);
  EXPECT_EQ(days.opened_ones(), (std::vector<size_t>{0, 1}));
}

// Nor does one that is slow all the time, and it keeps nobody else out.
TEST(Scan, AReaderThatIsSlowKeepsNoPlaceToRead) {
  auto units = overlapping_units();
  units.resize(1);
  ScanOptions options;
  options.bytes_max = 32 << 10;
  options.threads = 1;
  QueryPool pool(1 << 20, 1);
  options.pool = &pool;
  std::atomic<bool> has_begun{false}, has_read{false};
  std::thread other([&] {
    while (!has_begun) std::this_thread::yield();
    ReadTurn turn(&pool, [] { return false; });
    has_read = true;
  });
  std::vector<RecordKey> keys;
  size_t before_other = 0;
  auto report = scan(
      one_group(units), kql("*"), options, render_raw,
      [&](ScanHit&& hit) {
        keys.push_back(hit.key);
        has_begun = true;
        if (!has_read) {
          ++before_other;
          std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        return true;
      },
      kGoOn);
  other.join();
  ASSERT_TRUE(report);
  // What fits into the room is some 30 hits; the unit was kept until nearly all its 400 were given.
  EXPECT_LT(before_other, 200u);
  EXPECT_EQ(keys.size(), 400u);
  EXPECT_TRUE(std::is_sorted(keys.rbegin(), keys.rend()));
}

// One record that is larger than all the room.
TEST(Scan, ARecordLargerThanTheRoomIsGiven) {
  std::vector<ScanUnit> units;
  for (const char* log : {"a", "b", "c"})
    units.push_back(
        unit_of(log, 0, {{1, std::string(50'000, 'x'), {}}, {2, "small", {}}, {3, std::string(50'000, 'x'), {}}}));
  ScanOptions options;
  options.bytes_max = 10'000;
  for (bool newest_first : {false, true}) {
    options.newest_first = newest_first;
    EXPECT_EQ(ask(one_group(units), "*", options).keys.size(), 9u);
  }
}

TEST(Scan, OfNoUnitsIsComplete) {
  Answer answer = ask({}, "*", {});
  EXPECT_TRUE(answer.keys.empty());
  EXPECT_TRUE(answer.report.is_complete());
}

}  // namespace
}  // namespace yushi::query::test
