// Parts of a URL and the text that its escapes stand for.
#include "core/base/url_text.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "core/base/text.h"

namespace yushi {
namespace {

std::string parts_of(std::string_view text) {
  const auto parts = split_url(text);
  std::string out;
  for (auto part : {parts.scheme, parts.domain, parts.port, parts.path, parts.query, parts.extension()}) {
    out += part;
    out += '|';
  }
  return out;
}

std::string decoded(std::string_view text) {
  std::string out(url_decoded_bytes_max(text.size()), '\0');
  out.resize(decode_url(text, out.data()));
  return out;
}

TEST(SplitUrl, KnowsWhatLogsHoldAsTargets) {
  EXPECT_EQ(parts_of("/a/b.html?x=1&y=2#top"), "|||/a/b.html|x=1&y=2|html|");
  EXPECT_EQ(parts_of("http://h.example:8080/a?b"), "http|h.example|8080|/a|b||");
  EXPECT_EQ(parts_of("HTTPS://user:pw@h.example/a.JPG"), "HTTPS|h.example||/a.JPG||JPG|");
  EXPECT_EQ(parts_of("https://[2001:db8::1]:8443/"), "https|2001:db8::1|8443|/|||");
  EXPECT_EQ(parts_of("http://h.example"), "http|h.example|||||");
  EXPECT_EQ(parts_of("http://h.example?q"), "http|h.example|||q||");
  EXPECT_EQ(parts_of("//a/b?c"), "|||//a/b|c||");
  EXPECT_EQ(parts_of("GET /x?y HTTP/1.1"), "|||/x|y||");
  EXPECT_EQ(parts_of("GET http://h.example/x HTTP/1.0"), "http|h.example||/x|||");
  EXPECT_EQ(parts_of("GET /x"), "|||/x|||");
  EXPECT_EQ(parts_of("CONNECT h.example:443 HTTP/1.1"), "|h.example|443||||");
  EXPECT_EQ(parts_of("h.example:443"), "|h.example|443||||");
  EXPECT_EQ(parts_of("www.example.com/a.aspx?b"), "|www.example.com||/a.aspx|b|aspx|");
  EXPECT_EQ(parts_of("192.0.2.1/mob"), "|192.0.2.1||/mob|||");
  EXPECT_EQ(parts_of("index.php/a"), "|||index.php/a|||");
  EXPECT_EQ(parts_of("*"), "|||*|||");
  EXPECT_EQ(parts_of(""), "||||||");
  EXPECT_EQ(parts_of("/a?b?c"), "|||/a|b?c||");
  EXPECT_EQ(parts_of("/.git/config"), "|||/.git/config|||");
  EXPECT_EQ(parts_of("/.htaccess"), "|||/.htaccess|||");
  EXPECT_EQ(parts_of("/a.b/"), "|||/a.b/|||");
  EXPECT_EQ(parts_of("ldap://h.example:1389/Exploit"), "ldap|h.example|1389|/Exploit|||");
}

TEST(DecodeUrl, GivesThePlainTextOfEachKindOfEscape) {
  EXPECT_EQ(decoded("/a"), "/a");
  EXPECT_EQ(decoded("/%41%2fb"), "/A/b");
  EXPECT_EQ(decoded("/%2541"), "/A");
  EXPECT_EQ(decoded("/%252541"), "/A");
  EXPECT_EQ(decoded("/%25252541"), "/%41");  // four times: three rounds are undone
  EXPECT_EQ(decoded("/%u0041%U4e2d"), "/A中");
  EXPECT_EQ(decoded("%ud83d%ude00"), "\xf0\x9f\x98\x80");
  EXPECT_EQ(decoded("%ud83d"), "\xef\xbf\xbd");
  EXPECT_EQ(decoded("/..%c0%af..%e0%80%af..%f0%80%80%af"), "/../../../");
  EXPECT_EQ(decoded("/a+b?c+d"), "/a+b?c d");
  EXPECT_EQ(decoded("/?a=%2b"), "/?a=+");
  EXPECT_EQ(decoded("/%"), "/%");
  EXPECT_EQ(decoded("/%4"), "/%4");
  EXPECT_EQ(decoded("/%zz%u12"), "/%zz%u12");
  EXPECT_EQ(decoded("%E4%B8%AD"), "中");
  EXPECT_EQ(decoded("%ff"), "\xef\xbf\xbd");
  EXPECT_EQ(decoded("%00"), std::string_view("\0", 1));
  EXPECT_EQ(decoded("\xff%41"),
            "\xef\xbf\xbd"
            "A");
}

TEST(DecodeUrl, StaysInItsRoomAndIsUtf8) {
  std::mt19937_64 random(5);
  constexpr std::string_view kSigns = "%%%%uUcC0aA8fFeE25+?/\xc0\xaf\xe4\xb8\xad\xf0\x80";
  for (int i = 0; i < 100'000; ++i) {
    std::string text;
    for (auto left = random() % 40; left > 0; --left) text += kSigns[random() % kSigns.size()];
    const auto out = decoded(text);
    ASSERT_LE(out.size(), url_decoded_bytes_max(text.size()));
    ASSERT_TRUE(is_utf8(out)) << text;
    (void)parts_of(text);
  }
}

TEST(LastSegment, OfBothKindsOfPath) {
  EXPECT_EQ(last_segment("/usr/sbin/sshd"), "sshd");
  EXPECT_EQ(last_segment("C:\\Windows\\cmd.exe"), "cmd.exe");
  EXPECT_EQ(last_segment("sshd"), "sshd");
  EXPECT_EQ(last_segment("/usr/"), "");
}

}  // namespace
}  // namespace yushi
