#include "core/base/text.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace yushi {
namespace {

std::vector<std::string> tokens(std::string_view text) {
  std::vector<std::string> out;
  for_each_token(text, [&](std::string_view token) { out.emplace_back(token); });
  return out;
}

using Strings = std::vector<std::string>;

TEST(Text, TokensAreRunsOfLettersDigitsAndUnderscores) {
  EXPECT_EQ(tokens("a_b c-9,é1"), (Strings{"a_b", "c", "9", "é1"}));
  EXPECT_EQ(tokens(""), Strings{});
  EXPECT_EQ(tokens(" - "), Strings{});
}

TEST(Text, EachCjkCharacterIsATokenOfItsOwn) {
  EXPECT_EQ(tokens("x登录y 한글カ，ー"), (Strings{"x", "登", "录", "y", "한", "글", "カ", "ー"}));
}

TEST(Text, InvalidBytesSeparateTokens) {
  EXPECT_EQ(tokens("ab\xff"
                   "cd\xe7\x99zz\xc3"),
            (Strings{"ab", "cd", "zz"}));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));  // a surrogate
  EXPECT_FALSE(is_utf8("\xc0\xaf"));      // over-long
  EXPECT_FALSE(is_utf8("abcdefgh\xf4\x90\x80\x80"));
  EXPECT_TRUE(is_utf8("abcdefgh登\xf4\x8f\xbf\xbf"));
}

// One character at a time, where for_each_token takes 64 bytes.
Strings slow_tokens(std::string_view text) {
  Strings out;
  for (size_t at = 0; at < text.size();) {
    auto token = token_from(text, at);
    if (token.empty()) break;
    out.emplace_back(token);
    at = static_cast<size_t>(token.data() - text.data()) + token.size();
  }
  return out;
}

TEST(Text, TheFastCutEqualsTheSlowOneAndItsBordersAreBorders) {
  std::mt19937 random(1);
  static constexpr const char* kPieces[] = {"a",  "_", "Z9", " ", "-", "登", "é", "\xff", "\xe7", "abcdefghijklmnop",
                                            "\n", "."};
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (size_t n = random() % 60; n-- > 0;) text += kPieces[random() % std::size(kPieces)];
    ASSERT_EQ(tokens(text), slow_tokens(text)) << text;
    for_each_token(text, [&](std::string_view token) {
      auto at = static_cast<size_t>(token.data() - text.data());
      EXPECT_TRUE(is_token_border(text, at) && is_token_border(text, at + token.size())) << text;
    });
  }
}

TEST(Text, FoldingIsUnicodesSimpleOne) {
  EXPECT_EQ(folded("ABCxyz[@`{ÄΣςŸ"), "abcxyz[@`{äσσÿ");
  EXPECT_EQ(folded("\u212a\u017f\u1e9e"), "ks\u00df");  // Kelvin sign, long s, capital sharp s
  EXPECT_EQ(folded("\u0130"), "\u0130");                // only its full folding differs
  EXPECT_EQ(folded("\u023a"), "\u2c65");                // grows from two bytes to three
  EXPECT_EQ(folded("A\xff\xc3"), "a\xff\xc3");
}

TEST(Text, ATokensHashIsThatOfItsFoldedForm) {
  std::mt19937 random(2);
  for (size_t length = 1; length < 80; ++length) {
    std::string lower, upper;
    for (size_t i = 0; i < length; ++i) {
      char c = static_cast<char>('a' + random() % 26);
      lower += c;
      upper += random() % 2 ? static_cast<char>(c - 32) : c;
    }
    EXPECT_EQ(token_hash(lower), token_hash(upper)) << lower;
    EXPECT_EQ(token_hash(lower + "é"), token_hash(upper + "É"));
    EXPECT_NE(token_hash(lower), token_hash(lower + "a"));
  }
  EXPECT_EQ(token_hash("\u212a"), token_hash("k"));
  EXPECT_EQ(token_hash("wor\u017ft"), token_hash("WORST"));
}

}  // namespace
}  // namespace yushi
