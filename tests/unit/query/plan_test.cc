// A search of a real store, planned day by day, gives what a look at every record gives.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "core/base/clock.h"
#include "query/answers/answer_scan.h"
#include "scan_units.h"
#include "tests/unit/storage/test_store.h"

namespace yushi::query::test {
namespace {

using namespace storage::test;

constexpr int64_t kNovember = 1'793'491'200'000'000'000;  // 2026-11-01

// Records of any day in blocks of any store day, some of 1970, and a tail.
void make_store(const std::string& path, uint64_t seed) {
  std::mt19937_64 random(seed);
  auto store = open_store(path);
  ASSERT_TRUE(store);
  const int64_t wall = realtime_ns() + 100 * kDay;
  ASSERT_TRUE(store->tick(1, wall));
  int number = 0;
  for (int day = 0; day < 5; ++day) {
    for (int block = 0; block < 3; ++block) {
      std::vector<Sent> sent;
      for (int left = 30; left > 0; --left, ++number) {
        const auto of_day = random() % 4 ? static_cast<uint64_t>(day) : random() % 5;
        const auto at = random() % 40 ? kNovember + static_cast<int64_t>(of_day) * kDay +
                                            static_cast<int64_t>(random() % 86'400) * kSecond
                                      : kSecond * number;
        sent.push_back({"<38>1 " + utc_text(at) + " host" + std::to_string(number % 5) +
                            " sshd 1 - - Failed password for user" + std::to_string(number) +
                            " from 10.0.0.1 port 4242 ssh2",
                        "10.0.0.1", random() % 3 ? LogId{0} : kFinance});
      }
      commit(*store, sent);
      ASSERT_TRUE(day == 4 || store->seal_due(kReceived, true));
    }
    ASSERT_TRUE(store->wait_sealed());
    ASSERT_TRUE(store->tick(1 + (day + 1) * kDay, wall));
  }
  ASSERT_TRUE(store->sign_checkpoints(kReceived, 0));
}

void compare_with_naive(const storage::StoreView& view, uint64_t seed) {
  std::mt19937_64 random(seed);
  const std::vector<std::string> logs = {"default", "finance"};
  auto plan = plan_scan(view, logs);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->missing, std::vector<std::string>());
  for (const char* text : {"*", "host.name: host3", "user7 or user93", "not host.name: host1", "nowhere"}) {
    auto filter = Filter::parse_kql(text, {});
    ASSERT_TRUE(filter);
    for (int round = 0; round < 4; ++round) {
      ScanOptions options;
      options.newest_first = round % 2 == 0;
      if (round > 0) options.limit = 1 + random() % 60;
      if (round > 1) {
        options.from_ns = kNovember + static_cast<int64_t>(random() % 5) * kDay;
        options.to_ns = options.from_ns + static_cast<int64_t>(random() % (2 * kDay));
      }
      std::vector<RecordKey> naive, found;
      Scratch scratch;
      uint64_t units = 0;
      for (auto& log : logs) {
        const auto segments = *view.segments(log);
        for (auto& segment : segments) {
          ++units;
          auto batch = *view.read(segment);
          for (auto& record : batch->records)
            if (record.event_ns >= options.from_ns && record.event_ns <= options.to_ns &&
                filter->matches(record, scratch))
              naive.push_back({record.event_ns, log, record.index});
        }
      }
      std::sort(naive.begin(), naive.end());
      if (options.newest_first) std::reverse(naive.begin(), naive.end());
      if (naive.size() > options.limit) naive.resize(options.limit);
      auto report = scan(
          plan->groups, *filter, options, [](auto&, auto&, auto&) {},
          [&](ScanHit&& hit) {
            found.push_back(hit.key);
            return true;
          },
          kGoOn);
      ASSERT_TRUE(report && report->is_complete());
      EXPECT_EQ(found, naive) << text << " round " << round;
      EXPECT_EQ(report->blocks, units);
    }
  }
}

TEST(Plan, DayByDayASearchGivesWhatALookAtEveryRecordGives) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    Folder folder;
    make_store(folder.path(), seed);
    auto view = open_view(folder.path(), understand_again);
    ASSERT_TRUE(view) << view.error().message;
    compare_with_naive(**view, seed);
  }
}

// Its summaries are one entry with their filters, and its days have no heads.
TEST(Plan, AStoreOfBeforeIsSearchedAsWell) {
  Folder folder;
  std::filesystem::copy(YUSHI_SOURCE_DIR "/tests/data/store-3", folder.path(),
                        std::filesystem::copy_options::recursive);
  auto view = open_view(folder.path(), understand_again);
  ASSERT_TRUE(view) << view.error().message;
  compare_with_naive(**view, 1);
  auto plan = plan_scan(**view, {"default"});
  ASSERT_TRUE(plan);
  auto report = scan(
      plan->groups, *Filter::parse_kql("nowhere", {}), {}, [](auto&, auto&, auto&) {}, [](auto&&) { return true; },
      kGoOn);
  ASSERT_TRUE(report);
  EXPECT_LT(report->blocks_read, report->blocks);  // the filter holds the block back
}

}  // namespace
}  // namespace yushi::query::test
