#include "serve/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <set>

namespace yushi::serve {
namespace {

TEST(Workers, MakeNoMoreThreadsThanTheirBoundAndDoAllJobs) {
  std::atomic<int> begun{0}, done{0}, at_once{0}, most{0};
  Workers workers([&] { ++begun; });
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(workers.run(3, [&] {
      const int now = ++at_once;
      for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
      }
      std::this_thread::yield();
      --at_once;
      ++done;
    }));
  }
  workers.stop();
  EXPECT_EQ(done, 200);
  EXPECT_LE(begun, 3);
  EXPECT_LE(most, 3);
}

TEST(Workers, AJobThatWaitsHoldsNobodyUpWhileThereAreThreads) {
  Workers workers;
  std::promise<void> go_on, other;
  workers.run(2, [&] { go_on.get_future().wait(); });
  workers.run(2, [&] { other.set_value(); });
  other.get_future().wait();
  go_on.set_value();
}

TEST(Workers, TellWhetherJobsWaitForThoseThatRun) {
  Workers workers;
  std::promise<void> begun, go_on, other;
  workers.run(1, [&] {
    begun.set_value();
    go_on.get_future().wait();
  });
  begun.get_future().wait();
  EXPECT_FALSE(workers.is_behind());
  workers.run(1, [&] { other.set_value(); });
  EXPECT_TRUE(workers.is_behind());
  go_on.set_value();
  other.get_future().wait();
  EXPECT_FALSE(workers.is_behind());
}

TEST(Workers, AThreadThatIsFreeIsUsedAgain) {
  std::set<std::thread::id> threads;
  Workers workers;
  for (int i = 0; i < 20; ++i) {
    std::promise<std::thread::id> ran;
    workers.run(8, [&] { ran.set_value(std::this_thread::get_id()); });
    threads.insert(ran.get_future().get());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_LT(threads.size(), 8u);
}

}  // namespace
}  // namespace yushi::serve
