#include "forward/cursor.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace yushi::forward {
namespace {

TEST(Cursor, ComesBackFromItsBytes) {
  Cursor cursor;
  cursor.next = {{"default", 0}, {"finance", 1'000'000'000'000}, {"health@2", 7}};
  cursor.next_alert = 42;
  cursor.store = UINT64_MAX;
  auto back = Cursor::decode(cursor.encode());
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, cursor);
}

TEST(Cursor, DamagedBytesAreRefusedAndNotGuessed) {
  Cursor cursor;
  cursor.next = {{"default", 300}, {"finance", 9}};
  std::string bytes = cursor.encode();
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    auto back = Cursor::decode(bytes.substr(0, cut));
    ASSERT_FALSE(back.has_value()) << cut;
    EXPECT_EQ(back.error().code, Code::corrupt);
  }
  EXPECT_FALSE(Cursor::decode(bytes + "x").has_value());
  bytes[0] = 9;
  EXPECT_FALSE(Cursor::decode(bytes).has_value());
}

TEST(DeliveryWindow, ThePrefixMovesOverDeliveredRecordsOnly) {
  DeliveryWindow window(10);
  for (uint64_t i = 10; i < 15; ++i) EXPECT_TRUE(window.take(i));
  EXPECT_EQ(window.prefix(), 10u);
  window.delivered(11);
  window.delivered(12);
  EXPECT_EQ(window.prefix(), 10u);
  window.delivered(10);
  EXPECT_EQ(window.prefix(), 13u);
  window.delivered(13);
  window.delivered(14);
  EXPECT_EQ(window.prefix(), 15u);
  EXPECT_EQ(window.end(), 15u);
}

TEST(DeliveryWindow, RecordsThatRetentionTookDoNotHoldThePrefix) {
  DeliveryWindow window(0);
  EXPECT_TRUE(window.take(5));
  EXPECT_EQ(window.prefix(), 5u);
  window.delivered(5);
  EXPECT_EQ(window.prefix(), 6u);
}

TEST(DeliveryWindow, AfterARewindOnlyWhatWasNotDeliveredIsSentAgain) {
  DeliveryWindow window(0);
  for (uint64_t i = 0; i < 6; ++i) window.take(i);
  window.delivered(0);
  window.delivered(2);
  window.delivered(5);
  window.rewind();
  EXPECT_EQ(window.end(), 1u);
  EXPECT_TRUE(window.take(1));
  EXPECT_FALSE(window.take(2));
  EXPECT_TRUE(window.take(3));
  EXPECT_TRUE(window.take(4));
  EXPECT_FALSE(window.take(5));
  EXPECT_TRUE(window.take(6));
  window.delivered(1), window.delivered(3), window.delivered(4);
  EXPECT_EQ(window.prefix(), 6u);
  window.delivered(6);
  EXPECT_EQ(window.prefix(), 7u);
}

// The plain model: a set of what was delivered.
TEST(DeliveryWindow, AgreesWithASetUnderAnyOrderOfReportsGapsAndRewinds) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    DeliveryWindow window(3);
    std::set<uint64_t> done, flying, gone;
    auto model_prefix = [&] {
      uint64_t at = 3;
      while (done.contains(at) || gone.contains(at)) ++at;
      return at;
    };
    for (int step = 0; step < 300; ++step) {
      switch (random() % 8) {
        case 0:
          if (random() % 10 == 0) {
            window.rewind();
            flying.clear();
          }
          break;
        case 1:
        case 2:
        case 3: {
          uint64_t next = window.end();
          if (random() % 20 == 0 && !done.contains(next)) gone.insert(next++);
          bool wanted = window.take(next);
          ASSERT_EQ(wanted, !done.contains(next) && !gone.contains(next));
          if (wanted) flying.insert(next);
          break;
        }
        default:
          if (!flying.empty()) {
            auto at = std::next(flying.begin(), static_cast<long>(random() % flying.size()));
            window.delivered(*at);
            done.insert(*at);
            flying.erase(at);
          }
      }
      ASSERT_EQ(window.prefix(), model_prefix());
      ASSERT_GE(window.end(), window.prefix());
    }
  }
}

}  // namespace
}  // namespace yushi::forward
