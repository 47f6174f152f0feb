#include "serve/question_queue.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace yushi::serve {
namespace {

using std::chrono::milliseconds;

const std::atomic<bool> kGoOn{false};

TEST(QuestionQueue, LetsSoManyInAndTellsTheNextThatItWaitedTooLong) {
  QuestionQueue queue({2, 8, milliseconds(20)});
  auto first = queue.enter(kGoOn), second = queue.enter(kGoOn);
  ASSERT_TRUE(first && second);
  auto third = queue.enter(kGoOn);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Code::exhausted);
  EXPECT_NE(third.error().message.find("ask again later"), std::string::npos);
  first->leave();
  first->leave();  // once is enough, and twice is no second place
  EXPECT_TRUE(queue.enter(kGoOn));
}

TEST(QuestionQueue, TellsOneTooManyAtOnce) {
  QuestionQueue queue({1, 0, milliseconds(3'600'000)});
  auto inside = queue.enter(kGoOn);
  ASSERT_TRUE(inside);
  auto refused = queue.enter(kGoOn);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::exhausted);
  inside->leave();
  EXPECT_TRUE(queue.enter_again(kGoOn));
}

TEST(QuestionQueue, LetsInThoseWhoWaitInTheOrderTheyCame) {
  QuestionQueue queue({1, 8, milliseconds(3'600'000)});
  auto inside = queue.enter(kGoOn);
  std::vector<int> order;  // guarded by the one place
  std::vector<std::thread> threads;
  std::atomic<int> begun{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      ++begun;
      auto turn = queue.enter(kGoOn);
      ASSERT_TRUE(turn);
      order.push_back(i);
    });
    while (begun <= i) std::this_thread::yield();
    std::this_thread::sleep_for(milliseconds(50));
  }
  inside->leave();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
}

TEST(QuestionQueue, ThoseWhoComeAgainTakeNoNewcomersPlaceToWait) {
  QuestionQueue queue({1, 1, milliseconds(3'600'000)});
  auto inside = queue.enter(kGoOn);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { EXPECT_TRUE(queue.enter_again(kGoOn)); });
  while (queue.counts().waiting < 3) std::this_thread::yield();
  threads.emplace_back([&] { EXPECT_TRUE(queue.enter(kGoOn)); });
  while (queue.counts().waiting < 4) std::this_thread::yield();
  EXPECT_EQ(queue.counts().refused, 0u);
  EXPECT_FALSE(queue.enter(kGoOn));  // the second newcomer
  EXPECT_EQ(queue.counts().refused, 1u);
  EXPECT_EQ(queue.counts().running, 1u);
  inside->leave();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(queue.counts().running + queue.counts().waiting, 0u);
}

TEST(QuestionQueue, WhoseAskerHasGoneWaitsNoLonger) {
  QuestionQueue queue({1, 8, milliseconds(3'600'000)});
  auto inside = queue.enter(kGoOn);
  std::atomic<bool> gone{false};
  std::thread waits([&] {
    auto turn = queue.enter(gone);
    ASSERT_FALSE(turn);
    EXPECT_EQ(turn.error().code, Code::unavailable);
  });
  gone = true;
  waits.join();
  inside->leave();
  EXPECT_TRUE(queue.enter(kGoOn));
}

}  // namespace
}  // namespace yushi::serve
