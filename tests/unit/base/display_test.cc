// What of a stranger's text is shown, and how: one table of code points, for every form of output.
#include "core/base/display.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "core/base/text.h"

namespace yushi::test {
namespace {

std::string utf8(uint32_t code) {
  char bytes[4];
  return {bytes, put_utf8(code, bytes)};
}

std::string printable(std::string_view text) {
  std::string out;
  append_printable(out, text);
  return out;
}

std::string printable_json(std::string_view text) {
  std::string out;
  append_printable_json(out, text);
  return out;
}

struct Case {
  uint32_t first, last;
  const char* what;
};

const std::vector<Case> kEscaped = {
    {0x00, 0x1f, "C0"},
    {0x7f, 0x9f, "DEL and C1"},
    {0xa0, 0xa0, "no-break space"},
    {0xad, 0xad, "soft hyphen"},
    {0x34f, 0x34f, "combining grapheme joiner"},
    {0x600, 0x605, "Arabic number signs, which are format characters"},
    {0x61c, 0x61c, "Arabic letter mark"},
    {0x70f, 0x70f, "Syriac abbreviation mark"},
    {0x115f, 0x1160, "Hangul fillers"},
    {0x1680, 0x1680, "Ogham space"},
    {0x17b4, 0x17b5, "Khmer inherent vowels"},
    {0x180b, 0x180f, "Mongolian variation selectors and vowel separator"},
    {0x2000, 0x200a, "blanks of other widths"},
    {0x200b, 0x200f, "zero width, marks of direction"},
    {0x2028, 0x2029, "separators of lines and paragraphs"},
    {0x202a, 0x202e, "bidi embeddings and overrides"},
    {0x202f, 0x202f, "narrow no-break space"},
    {0x205f, 0x2064, "word joiner, invisible operators"},
    {0x2065, 0x206f, "bidi isolates, deprecated format characters"},
    {0x2800, 0x2800, "braille blank"},
    {0x3164, 0x3164, "Hangul filler"},
    {0xfdd0, 0xfdef, "noncharacters"},
    {0xfe00, 0xfe0f, "variation selectors"},
    {0xfeff, 0xfeff, "byte order mark"},
    {0xffa0, 0xffa0, "half-width Hangul filler"},
    {0xfff0, 0xfffb, "interlinear annotation"},
    {0xfffe, 0xffff, "noncharacters"},
    {0x13430, 0x1343f, "joiners of hieroglyphs"},
    {0x16fe4, 0x16fe4, "Khitan filler"},
    {0x1bca0, 0x1bca3, "shorthand format controls"},
    {0x1d159, 0x1d159, "null notehead"},
    {0x1d173, 0x1d17a, "musical format controls"},
    {0x1fffe, 0x1ffff, "noncharacters"},
    {0xe0000, 0xe0fff, "tags, variation selectors"},
    {0x10fffe, 0x10ffff, "noncharacters"},
};

const std::vector<Case> kShown = {
    {0x20, 0x7e, "ASCII"},
    {0xa1, 0xac, "Latin"},
    {0xae, 0x34e, "Latin, Greek, combining marks"},
    {0x5d0, 0x5ea, "Hebrew"},
    {0x620, 0x6dc, "Arabic"},
    {0x2010, 0x2027, "punctuation"},
    {0x2801, 0x28ff, "braille"},
    {0x3000, 0x3163, "the blank of Chinese text, kana, bopomofo"},
    {0x3400, 0xa48c, "ideographs"},
    {0xac00, 0xd7a3, "Hangul"},
    {0xe000, 0xf8ff, "private use: names in GB 18030"},
    {0xff01, 0xff9f, "full width"},
    {0xfffd, 0xfffd, "replacement character"},
    {0x1f300, 0x1f64f, "emoji"},
    {0x20000, 0x2a6df, "ideographs"},
};

TEST(Display, WhatCannotBeSeenIsShownAsAnEscape) {
  for (auto& each : kEscaped) {
    for (uint32_t code = each.first; code <= each.last; ++code) {
      auto shown = printable("a" + utf8(code) + "b");
      for (unsigned char c : shown) ASSERT_TRUE(c >= 0x20 && c < 0x7f) << each.what << " " << code;
      ASSERT_EQ(display_columns("a" + utf8(code) + "b"), shown.size()) << each.what << " " << code;
      if (code < 0x20) continue;  // JSON holds none
      auto json = printable_json("\"" + utf8(code) + "\"");
      for (unsigned char c : json) ASSERT_TRUE(c >= 0x20 && c < 0x7f) << each.what << " " << code;
    }
  }
  for (auto& each : kShown) {
    for (uint32_t code = each.first; code <= each.last; ++code) {
      ASSERT_EQ(printable(utf8(code)), utf8(code)) << each.what << " " << code;
      ASSERT_EQ(printable_json(utf8(code)), utf8(code)) << each.what << " " << code;
    }
  }
}

TEST(Display, AnEscapeNamesTheCharacter) {
  EXPECT_EQ(printable("a\tb\r\n\x1b[2J\x7f"), "a\\tb\\r\\n\\x1b[2J\\x7f");
  EXPECT_EQ(printable("\u009b\u202e\U000e0041"), "\\u009b\\u202e\\U000e0041");
  EXPECT_EQ(printable("\xff\x9b\xc0\xaf"), "\\xff\\x9b\\xc0\\xaf");
  EXPECT_EQ(printable_json("{\"a\":\"\u009b\u202e\U000e0041 \\u001b\x7f\"}"),
            "{\"a\":\"\\u009b\\u202e\\udb40\\udc41 \\u001b\\u007f\"}");
  EXPECT_EQ(printable_json("\"\x1b[2J\xff\""), "\"\\u001b[2J\\ufffd\"") << "what is no JSON does no harm either";
}

TEST(Display, OfSeveralLinesTheLineFeedsStay) {
  std::string out;
  append_printable_lines(out, "one\x1b\n\ttwo\n");
  append_printable_lines(out, "three");
  append_printable_lines(out, "");
  EXPECT_EQ(out, "one\\x1b\n\\ttwo\nthree\n");
}

TEST(Display, JsonIsEscapedWhereverInEightBytesACharacterStands) {
  const std::pair<std::string, std::string> kCases[] = {
      {"\x7f", "\\u007f"}, {"\x1f", "\\u001f"}, {"\u202e", "\\u202e"}, {"é", "é"}};
  for (auto& [text, wanted] : kCases) {
    for (size_t before = 0; before < 20; ++before) {
      for (size_t after = 0; after < 12; ++after) {
        std::string left(before, '~'), right(after, ' ');
        ASSERT_EQ(printable_json(left + text + right), left + wanted + right);
      }
    }
  }
}

TEST(Display, WhateverTheBytesNothingUnseenComesThrough) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (size_t n = random() % 20; n-- > 0;) text += static_cast<char>(random() % (i % 2 ? 256 : 64));
    std::string shown;
    size_t max = random() % 30;
    size_t columns = append_printable(shown, text, max);
    EXPECT_LE(columns, max);
    EXPECT_EQ(columns, display_columns(shown));
    EXPECT_EQ(printable(shown), shown) << "what was shown once is shown as it is";
    for (unsigned char c : shown) ASSERT_TRUE(c >= 0x20 && c != 0x7f);
    ASSERT_EQ(shown.find("\xc2\x9b"), std::string::npos);
    auto json = printable_json(text);
    EXPECT_EQ(printable_json(json), json);
    ASSERT_TRUE(is_utf8(json));
    for (unsigned char c : json) ASSERT_TRUE(c >= 0x20 && c != 0x7f);
  }
}

}  // namespace
}  // namespace yushi::test
