// What a search knows of a log before it looks at each block: the heads of its days, and what they leave out.
#include <algorithm>
#include <random>

#include "core/base/clock.h"
#include "tests/unit/storage/test_store.h"

namespace yushi::storage::test {
namespace {

// A line of this day of November 2026 or, of a clock that is wrong, of 1970.
std::string line_of(int number, int day, bool is_wrong) {
  char time[40];
  std::snprintf(time, sizeof time, is_wrong ? "1970-01-%02dT00:00:%02dZ" : "2026-11-%02dT12:00:%02dZ", day,
                number % 60);
  return "<38>1 " + std::string(time) + " host" + std::to_string(number % 7) + " sshd 1 - - Failed password for user" +
         std::to_string(number) + " from 10.0.0.1 port 4242 ssh2";
}

// Blocks of two logs on six store days, whose records are of any of them, and a tail.
void make_store(const std::string& path, uint64_t seed) {
  std::mt19937_64 random(seed);
  auto store = open_store(path);
  ASSERT_TRUE(store);
  int number = 0;
  const int64_t wall = realtime_ns() + 100 * kDay;  // the store day begins with today's
  int64_t now = kReceived;
  ASSERT_TRUE(store->tick(1, wall));
  for (int day = 0; day < 6; ++day) {
    for (auto blocks = 1 + random() % 4; blocks > 0; --blocks) {
      std::vector<Sent> sent;
      const int of_day = 1 + static_cast<int>(random() % 2 ? static_cast<uint64_t>(day) : random() % 6);
      for (auto left = 1 + random() % 20; left > 0; --left)
        sent.push_back({line_of(++number, of_day, random() % 30 == 0), "10.0.0.1", random() % 3 ? LogId{0} : kFinance});
      commit(*store, sent, now);
      ASSERT_TRUE(day == 5 || store->seal_due(now, true));
    }
    ASSERT_TRUE(store->wait_sealed());
    now += kDay;
    ASSERT_TRUE(store->tick(1 + (day + 1) * kDay, wall));
  }
  ASSERT_TRUE(store->sign_checkpoints(now, 0));
}

void forget_days(const std::string& path) {
  auto database = Database::open(path + "/store", Database::Mode::read_write);
  ASSERT_TRUE(database);
  Write write;
  write.erase_range((*database)->families().filters, keys::kDayHeads, std::string(keys::kDayHeads) + "\xff");
  ASSERT_TRUE((*database)->write(write, "forgetting the heads of days"));
}

std::vector<uint64_t> firsts(const std::vector<Segment>& segments) {
  std::vector<uint64_t> out;
  for (auto& segment : segments) out.push_back(segment.summary.first_index);
  return out;
}

TEST(Outline, DaysThatTimeLeavesOutHoldNoRecordOfIt) {
  size_t passed_over = 0;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Folder folder;
    make_store(folder.path(), seed);
    auto view = open_view(folder.path(), understand_again);
    ASSERT_TRUE(view) << view.error().message;
    for (const std::string log : {"default", "finance"}) {
      auto outline = (*view)->outline(log);
      auto all = (*view)->segments(log);
      ASSERT_TRUE(outline && all);
      EXPECT_TRUE(outline->is_stored);
      EXPECT_GT(outline->days.size(), 2u);
      for (int day = -1; day < 8; ++day) {
        const int64_t from = day < 0 ? 0 : 1'793'491'200'000'000'000 + day * kDay, to = from + kDay - 1;
        std::vector<uint64_t> left, naive;
        for (auto& [store_day, head] : outline->days) {
          if (!overlaps(head.event_times, from, to)) continue;
          const auto blocks = *(*view)->blocks(log, store_day);
          for (auto& block : blocks)
            if (overlaps(block.summary.event_times, from, to)) left.push_back(block.summary.first_index);
        }
        for (auto& segment : *all) {
          if (!segment.sealed) continue;
          auto batch = *(*view)->read(segment);
          if (std::any_of(batch->records.begin(), batch->records.end(),
                          [&](auto& record) { return record.event_ns >= from && record.event_ns <= to; }))
            naive.push_back(segment.summary.first_index);
        }
        std::sort(left.begin(), left.end());
        EXPECT_TRUE(std::includes(left.begin(), left.end(), naive.begin(), naive.end()))
            << log << " day " << day << " seed " << seed;
        passed_over += left.size() < all->size();
      }
    }
  }
  EXPECT_GT(passed_over, 0u);
}

TEST(Outline, AStoreWithoutHeadsOfDaysIsTheSameAndGetsThemAtItsStart) {
  Folder folder;
  make_store(folder.path(), 11);
  std::map<std::string, LogOutline> before;
  std::map<std::string, std::vector<uint64_t>> segments;
  {
    auto view = open_view(folder.path(), understand_again);
    ASSERT_TRUE(view);
    const auto logs = *(*view)->logs();
    for (auto& log : logs) {
      before[log] = *(*view)->outline(log);
      segments[log] = firsts(*(*view)->segments(log));
      EXPECT_EQ(before[log].days, *(*view)->stored_days(log));
    }
  }
  forget_days(folder.path());
  EXPECT_EQ(contradictions(folder.path()), "");
  {
    auto view = open_view(folder.path(), understand_again);
    ASSERT_TRUE(view);
    for (auto& [log, then] : before) {
      EXPECT_EQ(*(*view)->stored_days(log), (std::map<uint32_t, DayHead>()));
      auto outline = *(*view)->outline(log);
      EXPECT_FALSE(outline.is_stored && !then.days.empty());
      EXPECT_EQ(outline.days, then.days);
      EXPECT_EQ(firsts(outline.tail), firsts(then.tail));
      EXPECT_EQ(firsts(*(*view)->segments(log)), segments[log]);
      auto size = (*view)->head(log)->size;
      for (uint64_t index = 0; index < size; ++index) {
        auto at = (*view)->segment_at(log, index);
        ASSERT_TRUE(at && *at) << log << "/" << index;
        EXPECT_GE(index, (*at)->summary.first_index);
        EXPECT_LT(index - (*at)->summary.first_index, (*at)->summary.records);
      }
      EXPECT_FALSE(*(*view)->segment_at(log, size));
      EXPECT_EQ((*(*view)->newest_segment(log))->summary.first_index, segments[log].back());
    }
  }
  {
    auto store = open_store(folder.path());
    ASSERT_TRUE(store);
    EXPECT_EQ(store->findings(), std::vector<std::string>());
    for (auto& [log, then] : before) EXPECT_EQ(*store->view()->stored_days(log), then.days);
  }
  EXPECT_EQ(contradictions(folder.path()), "");
}

TEST(Outline, AHeadThatIsNotThatOfItsBlocksIsMadeAgainAtTheStartAndTold) {
  Folder folder;
  make_store(folder.path(), 12);
  {
    auto database = Database::open(folder.path() + "/store", Database::Mode::read_write);
    ASSERT_TRUE(database);
    auto filters = (*database)->families().filters;
    auto key = keys::day_head("default", (*database)->blocks_families().front().store_day);
    auto head = *DayHead::decode(**(*database)->get(filters, key));
    head.event_times = {{0, 1}};
    Write write;
    write.put(filters, key, head.encode());
    ASSERT_TRUE((*database)->write(write, "attacking"));
  }
  EXPECT_NE(contradictions(folder.path()), "");
  auto store = open_store(folder.path());
  ASSERT_TRUE(store);
  EXPECT_EQ(store->findings().size(), 1u);
  store.reset();
  EXPECT_EQ(contradictions(folder.path()), "");
}

TEST(Outline, SegmentsFromAnIndexOnAreThoseThatHoldARecordBehindIt) {
  Folder folder;
  make_store(folder.path(), 13);
  auto view = open_view(folder.path(), understand_again);
  ASSERT_TRUE(view);
  auto all = *(*view)->segments("default");
  auto size = (*view)->head("default")->size;
  for (uint64_t index = 0; index <= size; ++index) {
    std::vector<uint64_t> expected;
    for (auto& segment : all)
      if (segment.summary.first_index + segment.summary.records > index)
        expected.push_back(segment.summary.first_index);
    EXPECT_EQ(firsts(*(*view)->segments("default", index)), expected) << index;
  }
}

TEST(Outline, OfABlockTheFilterIsReadWithoutItsHead) {
  Folder folder;
  make_store(folder.path(), 14);
  auto view = open_view(folder.path(), understand_again);
  ASSERT_TRUE(view);
  const auto segments = *(*view)->segments("default");
  for (auto& segment : segments) {
    EXPECT_EQ(segment.summary.token_filter, "");
    EXPECT_EQ((*view)->token_filter(segment).empty(), !segment.sealed);
    if (!segment.sealed) continue;
    EXPECT_EQ((*view)->whole_summary(segment)->token_filter, (*view)->token_filter(segment));
  }
}

}  // namespace
}  // namespace yushi::storage::test
