#include "core/base/byte_set.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace yushi {
namespace {

TEST(ByteSet, FindsTheFirstOneFromAnyPlaceInATextOfAnyLength) {
  const auto is_in = [](uint8_t byte) { return byte < 2 || byte == 'A' || byte == '%' || byte == 0x7f; };
  constexpr ByteSet kNone([](uint8_t) { return false; });
  const ByteSet set(is_in);
  std::mt19937 random(1);
  for (size_t size = 0; size < 70; ++size)
    for (int round = 0; round < 20; ++round) {
      // From a block of just this size: what lies behind a text is not looked at.
      std::string text;
      for (size_t i = 0; i < size; ++i)
        text += random() % 12 ? static_cast<char>(0x80 | random()) : static_cast<char>(random() % 0x80);
      text.shrink_to_fit();
      for (size_t from = 0; from <= size; ++from) {
        size_t first = from;
        while (first < size && !(static_cast<uint8_t>(text[first]) < 0x80 && is_in(static_cast<uint8_t>(text[first]))))
          ++first;
        ASSERT_EQ(set.find(text, from), first) << "of " << size << " from " << from;
        ASSERT_EQ(kNone.find(text, from), size);
      }
    }
}

TEST(ByteSet, HasJustTheBytesOfItsRule) {
  constexpr ByteSet kSigns([](uint8_t byte) { return byte == '\'' || byte < 0x20; });
  for (int c = 0; c < 256; ++c) EXPECT_EQ(kSigns.has(static_cast<char>(c)), c < 0x20 || c == '\'') << c;
}

}  // namespace
}  // namespace yushi
