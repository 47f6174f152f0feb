#include "serve/question_queue.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace yushi::serve {
namespace {

using std::chrono::milliseconds;
using Turn = QuestionQueue::Turn;

constexpr milliseconds kLong{3'600'000};
const std::atomic<bool> kGoOn{false};

// What one who asked was told; nothing yet.
struct Place {
  std::optional<Result<Turn>> told;

  QuestionQueue::Then take() {
    return [this](Result<Turn> result) {
      EXPECT_FALSE(told) << "told twice";
      told.emplace(std::move(result));
    };
  }
  bool is_inside() const { return told && *told; }
  Code refusal() const { return told->error().code; }
};

TEST(QuestionQueue, LetsSoManyInAndTellsTheNextThatItWaitedTooLong) {
  QuestionQueue queue({2, 8, milliseconds(20)});
  Place first, second, third, fourth;
  queue.enter(kGoOn, first.take());
  queue.enter(kGoOn, second.take());
  ASSERT_TRUE(first.is_inside() && second.is_inside());
  queue.enter(kGoOn, third.take());
  EXPECT_FALSE(third.told);
  while (!third.told) queue.tick();
  ASSERT_FALSE(*third.told);
  EXPECT_EQ(third.refusal(), Code::exhausted);
  EXPECT_NE(third.told->error().message.find("ask again later"), std::string::npos);
  (*first.told)->leave();
  (*first.told)->leave();  // once is enough, and twice is no second place
  queue.enter(kGoOn, fourth.take());
  EXPECT_TRUE(fourth.is_inside());
  EXPECT_EQ(queue.counts().running, 2u);
}

TEST(QuestionQueue, TellsOneTooManyAtOnce) {
  QuestionQueue queue({1, 0, kLong});
  Place inside, refused, again;
  queue.enter(kGoOn, inside.take());
  ASSERT_TRUE(inside.is_inside());
  queue.enter(kGoOn, refused.take());
  ASSERT_TRUE(refused.told && !*refused.told);
  EXPECT_EQ(refused.refusal(), Code::exhausted);
  (*inside.told)->leave();
  queue.enter_again(kGoOn, again.take());
  EXPECT_TRUE(again.is_inside());
}

TEST(QuestionQueue, LetsInThoseWhoWaitInTheOrderTheyCame) {
  QuestionQueue queue({1, 8, kLong});
  std::vector<Place> places(5);
  for (auto& place : places) queue.enter(kGoOn, place.take());
  for (size_t i = 0; i < places.size(); ++i) {
    for (size_t j = 0; j < places.size(); ++j) EXPECT_EQ(places[j].told.has_value(), j <= i);
    ASSERT_TRUE(places[i].is_inside());
    (*places[i].told)->leave();
  }
}

TEST(QuestionQueue, ThoseWhoComeAgainTakeNoNewcomersPlaceToWait) {
  QuestionQueue queue({1, 1, kLong});
  Place inside, newcomer, refused;
  queue.enter(kGoOn, inside.take());
  std::vector<Place> again(3);
  for (auto& place : again) queue.enter_again(kGoOn, place.take());
  EXPECT_EQ(queue.counts().waiting, 3u);
  queue.enter(kGoOn, newcomer.take());
  EXPECT_FALSE(newcomer.told);
  EXPECT_EQ(queue.counts().refused, 0u);
  queue.enter(kGoOn, refused.take());  // the second newcomer
  EXPECT_TRUE(refused.told && !*refused.told);
  EXPECT_EQ(queue.counts().refused, 1u);
  EXPECT_EQ(queue.counts().running, 1u);
  (*inside.told)->leave();
  for (auto& place : again) {
    ASSERT_TRUE(place.is_inside());
    (*place.told)->leave();
  }
  ASSERT_TRUE(newcomer.is_inside());
  (*newcomer.told)->leave();
  EXPECT_EQ(queue.counts().running + queue.counts().waiting, 0u);
}

TEST(QuestionQueue, WhoseAskerHasGoneWaitsNoLonger) {
  QuestionQueue queue({1, 8, kLong});
  Place inside, waits, next;
  queue.enter(kGoOn, inside.take());
  std::atomic<bool> gone{false};
  queue.enter(gone, waits.take());
  queue.tick();
  EXPECT_FALSE(waits.told);
  gone = true;
  queue.tick();
  ASSERT_TRUE(waits.told && !*waits.told);
  EXPECT_EQ(waits.refusal(), Code::unavailable);
  (*inside.told)->leave();
  queue.enter(kGoOn, next.take());
  EXPECT_TRUE(next.is_inside());
}

TEST(QuestionQueue, ManyThreadsAskAndNoMoreThanThereArePlacesAreInside) {
  QuestionQueue queue({3, 1'000, kLong});
  std::atomic<int> inside{0}, done{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 100; ++round) {
        queue.enter(kGoOn, [&](Result<Turn> turn) {
          EXPECT_LE(++inside, 3);
          --inside;
          turn->leave();
          ++done;
        });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done, 800);
  EXPECT_EQ(queue.counts().running + queue.counts().waiting, 0u);
}

}  // namespace
}  // namespace yushi::serve
