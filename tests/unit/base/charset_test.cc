#include "core/base/charset.h"

#include <gtest/gtest.h>
#include <iconv.h>

#include <random>
#include <set>

namespace yushi {
namespace {

std::string text_of(std::string_view bytes, Charset charset = Charset::gb18030) {
  std::string out(decoded_bytes_max(bytes.size()), '\0');
  out.resize(decode_into(charset, bytes, out.data()));
  return out;
}

TEST(Charset, Gb18030HasItsCharactersInOneTwoAndFourBytes) {
  EXPECT_EQ(text_of("Failed \xb5\xc7\xc2\xbc\xca\xa7\xb0\xdc!"), "Failed 登录失败!");
  EXPECT_EQ(text_of("\x96\x7c\x83\x7c\x81\x40\xfe\x4f"), "東億丂\ufa29");  // trails that are `|`, `@` and `O` in ASCII
  EXPECT_EQ(text_of("\xa2\xe3\x81\x30\x84\x36"), "€\u00a5");
  EXPECT_EQ(text_of("\x95\x32\x82\x36\xe3\x32\x9a\x35"), "\U00020000\U0010ffff");
  EXPECT_EQ(text_of("\xa6\xd9\x84\x31\x82\x36\xfe\x59\x82\x35\x90\x37"),
            "\ufe10\ufe10\u9fb4\u9fb4");  // of 2022, and as before
  EXPECT_EQ(text_of(std::string_view("a\0b", 3)), std::string_view("a\0b", 3));
}

TEST(Charset, AByteThatDoesNotDecodeIsAReplacementCharacterAndTheNextIsLookedAtAnew) {
  EXPECT_EQ(text_of("\xff\xb5\xc7\x80"), "\ufffd登\ufffd");
  EXPECT_EQ(text_of("\xb5\xc7\xc2"), "登\ufffd");
  EXPECT_EQ(text_of("\xb5 \xc7\x7f"), "\ufffd \ufffd\x7f");
  EXPECT_EQ(text_of("\x81\x30\x81"), "\ufffd0\ufffd");
  EXPECT_EQ(text_of("\x81\x30\xb5\xc7"), "\ufffd0登");
  EXPECT_EQ(text_of("\xe3\x32\x9a\x36"),
            "\ufffd2\ufffd"
            "6");  // beyond U+10FFFF; 9A 36 is not a whole code either
  EXPECT_TRUE(decodes_wholly(Charset::gb18030, "\xb5\xc7 a"));
  EXPECT_FALSE(decodes_wholly(Charset::gb18030, "\xb5\xc7 \xb5"));
}

TEST(Charset, TheWholeOfRawDecides) {
  const std::string chinese = "\xb5\xc7\xc2\xbc", one = "\xd2\xbb";  // 登录; 一, which is valid UTF-8 as well
  EXPECT_EQ(charset_of(chinese, Charset::gb18030), Charset::gb18030);
  EXPECT_EQ(charset_of(one, Charset::gb18030), Charset::utf8);
  EXPECT_EQ(charset_of(one + chinese, Charset::gb18030), Charset::gb18030);
  EXPECT_EQ(charset_of("plain", Charset::gb18030), Charset::utf8);
  EXPECT_EQ(charset_of("", Charset::gb18030), Charset::utf8);
  EXPECT_EQ(charset_of(chinese, Charset::utf8), Charset::utf8);
  for (auto charset : {Charset::utf8, Charset::gb18030}) EXPECT_EQ(find_charset(charset_name(charset)), charset);
  EXPECT_FALSE(find_charset("big5"));
}

TEST(Charset, APartCutOutBetweenCharactersDecodesToThatPart) {
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes;
    static constexpr std::string_view kPieces[] = {"\xb5\xc7",         "\xff",     "\x81", "\x30", "|",
                                                   "\x95\x32\x82\x36", "\x96\x7c", "a",    "\xc2"};
    for (int i = 0; i < 12; ++i) bytes += kPieces[random() % std::size(kPieces)];
    std::vector<size_t> borders;
    for (size_t at = 0; at < bytes.size(); at += std::max(1u, decode(Charset::gb18030, bytes, at).length))
      borders.push_back(at);
    borders.push_back(bytes.size());
    std::string whole = text_of(bytes), parts;
    for (size_t i = 0; i + 1 < borders.size();) {
      size_t next = i + 1 + random() % (borders.size() - i - 1);
      parts += text_of(std::string_view(bytes).substr(borders[i], borders[next] - borders[i]));
      i = next;
    }
    ASSERT_EQ(parts, whole);
  }
}

// Another implementation says the same, but where editions of the standard, and libc's, differ.
TEST(Charset, Gb18030IsThatOfLibcButForWhatEditionsChanged) {
  iconv_t handle = iconv_open("UTF-8", "GB18030");
  ASSERT_NE(handle, reinterpret_cast<iconv_t>(-1));
  auto libc = [&](std::string bytes) {
    char out[16];
    char *from = bytes.data(), *to = out;
    size_t left = bytes.size(), room = sizeof out;
    iconv(handle, nullptr, nullptr, nullptr, nullptr);
    return iconv(handle, &from, &left, &to, &room) == 0 && left == 0 ? std::string(out, to) : std::string();
  };
  auto whole = [](std::string_view bytes) {
    return decode(Charset::gb18030, bytes, 0).length == bytes.size() ? text_of(bytes) : std::string();
  };
  const std::set<std::string> changed = {
      "\xa6\xd9", "\xa6\xda", "\xa6\xdb", "\xa6\xdc", "\xa6\xdd", "\xa6\xde", "\xa6\xdf", "\xa6\xec", "\xa6\xed",
      "\xa6\xf3", "\xa8\xbc", "\xfe\x51", "\xfe\x52", "\xfe\x53", "\xfe\x59", "\xfe\x61", "\xfe\x66", "\xfe\x67",
      "\xfe\x6c", "\xfe\x6d", "\xfe\x76", "\xfe\x7e", "\xfe\x90", "\xfe\x91", "\xfe\xa0"};
  size_t same = 0;
  for (int lead = 0x80; lead < 0x100; ++lead)
    for (int trail = 0; trail < 0x100; ++trail) {
      std::string bytes = {static_cast<char>(lead), static_cast<char>(trail)};
      if (changed.contains(bytes)) continue;
      ASSERT_EQ(whole(bytes), libc(bytes)) << lead << " " << trail;
      same += !whole(bytes).empty();
    }
  EXPECT_EQ(same, 23940u - changed.size());
  size_t differ = 0;
  for (int number = 0; number < 12600 * 126; ++number) {
    if (number > 50'000 && number % 97 != 0) continue;
    std::string bytes = {static_cast<char>(0x81 + number / 12600), static_cast<char>('0' + number / 1260 % 10),
                         static_cast<char>(0x81 + number / 10 % 126), static_cast<char>('0' + number % 10)};
    differ += whole(bytes) != libc(bytes);
  }
  EXPECT_LE(differ, 19u);
  iconv_close(handle);
}

}  // namespace
}  // namespace yushi
