// What a client sent, decoded: each way of writing it means the same.
#include "core/web/request_text.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "core/base/text.h"

namespace yushi {
namespace {

std::string decoded(std::string_view text, bool plus = true) {
  std::string out(request_bytes_max(text.size()), '\0');
  out.resize(decode_request(text, plus, out.data()));
  return out;
}

std::string plain(std::string_view text) {
  const auto meant = decoded(text);
  std::string out(meant.size(), '\0');
  out.resize(plain_request(meant, out.data()));
  return out;
}

TEST(DecodeRequest, UndoesEachWayOfWritingASign) {
  for (auto quote : {"'", "%27", "%2527", "%252527", "%u0027", "\\x27", "\\u0027", "\\u{27}", "&#39;", "&#x27;", "&#39",
                     "&apos;", "%26%2339%3b", "\\x5Cx27", "%c0%a7", "%e0%80%a7", "%ef%bc%87", "\xef\xbc\x87", "%u02bc"})
    EXPECT_EQ(decoded(std::string("a") + quote + "b"), "a'b") << quote;
  EXPECT_EQ(decoded("a+b%2bc"), "a b+c");
  EXPECT_EQ(decoded("a+b", false), "a+b");
  EXPECT_EQ(decoded("&lt;b&gt;&amp;lt;"), "<b><");
  EXPECT_EQ(decoded("%E4%B8%AD%ef%bc%88%ef%bc%89"), "中（）");  // people write these
  EXPECT_EQ(decoded("%ff%27"), "\xef\xbf\xbd'");
  EXPECT_EQ(decoded("100%&x;\\q%u12"), "100%&x;\\q%u12");
}

TEST(PlainRequest, LeavesOneBlankBetweenWordsAndNoComment) {
  EXPECT_EQ(plain("UNION%0b%a0%09SELECT"), "union \xef\xbf\xbd select");  // a lone A0 is no character
  EXPECT_EQ(plain("UNION%c2%a0%e3%80%80SELECT"), "union select");
  EXPECT_EQ(plain("un/**/ion/*!50000SeLeCt*/1/*x"), "un ion select 1/*x");
  EXPECT_EQ(plain("a%00b"), "a b");
}

TEST(OddTarget, IsWhatHoldsMoreThanNamesAndValues) {
  for (auto odd : {"/a?b='", "/a?b=%27", "/a/../b", "/a?b=1+or+1", "/a?b=%6frder", "/a?u=http://x", "/a?x=1;ls",
                   "/a%00", "/a?b=%c0%af", "/a?b=\\x22", "/{{7}}", "/a?b[]=1"})
    EXPECT_TRUE(is_odd_target(odd)) << odd;
  for (auto usual : {"/", "/a/b-c_d.e~f?g=h&i=-1.5,2&j=k@l", "/a?q=%E4%B8%AD%E6%96%87", "/a;jsessionid=7?x=y", "/a:b"})
    EXPECT_FALSE(is_odd_target(usual)) << usual;
  EXPECT_TRUE(is_odd_target("a+b", true));
  EXPECT_FALSE(is_odd_target("a+b"));
}

TEST(OddHeader, LeavesBrowsersAlone) {
  EXPECT_FALSE(
      is_odd_header("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126"));
  for (auto odd : {"${jndi:x}", "() { :;};", "x' or '1", "<b>", "%24%7b"}) EXPECT_TRUE(is_odd_header(odd)) << odd;
}

TEST(DecodeRequest, StaysInItsRoomAndIsUtf8) {
  std::mt19937_64 random(7);
  constexpr std::string_view kSigns = "%%%u\\x&#;27cC0aAeEfFbB+/*! '\xc0\xaf\xe4\xb8\xad\xef\xbc\x87";
  for (int i = 0; i < 100'000; ++i) {
    std::string text;
    for (auto left = random() % 40; left > 0; --left) text += kSigns[random() % kSigns.size()];
    const auto out = decoded(text);
    ASSERT_LE(out.size(), request_bytes_max(text.size()));
    ASSERT_TRUE(is_utf8(out)) << text;
    ASSERT_LE(plain(text).size(), out.size());
  }
}

}  // namespace
}  // namespace yushi
