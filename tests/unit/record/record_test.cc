#include "core/record/record.h"

#include <algorithm>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "core/base/bytes.h"
#include "sample.h"

namespace yushi {
namespace {

using Texts = std::vector<std::string>;

TEST(Field, EachNameOfTheTableIsFoundAndKnowsItsType) {
  EXPECT_EQ(find_field("source.ip"), ecs::source_ip);
  EXPECT_EQ(ecs::source_ip->type, FieldType::ip);
  EXPECT_EQ(find_field("process.pid")->type, FieldType::integer);
  EXPECT_TRUE(find_field("event.category")->list);
  EXPECT_TRUE(find_field("process.parent.args")->list);
  EXPECT_FALSE(find_field("event.action")->list);
  for (const char* name : {"user.effective.id", "user.target.group.name", "user.changes.name",
                           "http.response.status_code", "observer.ingress.interface.name", "log.syslog.appname",
                           "file.hash.sha256", "tls.client.ja3", "kubernetes", "source"})
    EXPECT_EQ(find_field(name) != nullptr, std::string_view(name).find('.') != std::string_view::npos) << name;
  EXPECT_EQ(find_field(""), nullptr);
}

TEST(Field, ADeclaredNameIsOneFieldForAllThreads) {
  std::vector<std::thread> threads;
  std::vector<std::vector<const Field*>> seen(4);
  for (auto& mine : seen)
    threads.emplace_back([&mine] {
      for (int i = 0; i < 500; ++i) mine.push_back(*declare_field("crowd.f" + std::to_string(i), FieldType::integer));
    });
  for (auto& thread : threads) thread.join();
  std::set<FieldId> ids;
  for (const Field* field : seen[0]) ids.insert(field->id);
  EXPECT_EQ(ids.size(), 500u);
  EXPECT_EQ(ids.count(kDynamicField), 0u);
  for (const auto& mine : seen) EXPECT_EQ(mine, seen[0]);
  EXPECT_EQ(find_field("crowd.f7"), seen[0][7]);
  EXPECT_EQ(*declare_field("source.ip", FieldType::keyword), ecs::source_ip);
}

TEST(Field, WhatARecordCanHaveIsToldFromAMisspeltName) {
  EXPECT_TRUE(may_be_field("user.name"));
  EXPECT_FALSE(may_be_field("user.nam"));
  EXPECT_EQ(field_suggestion("user.nam"), "; did you mean user.name?");
  EXPECT_EQ(field_suggestion("nosuch"), "");
  for (const char* name : {"json.a", "kv.b c", "log.syslog.structured_data.x@1.a"})
    EXPECT_TRUE(may_be_field(name)) << name;
  for (const char* name : {"json.", "kv", "jsona", "log.syslog.structured_data."})
    EXPECT_FALSE(may_be_field(name)) << name;
  EXPECT_FALSE(may_be_field("keyed.AUID"));
  declare_dynamic_prefix("keyed.");
  EXPECT_TRUE(may_be_field("keyed.AUID"));
  EXPECT_FALSE(may_be_field("shelf.order"));
  ASSERT_TRUE(declare_field("shelf.order", FieldType::integer));
  EXPECT_TRUE(may_be_field("shelf.order"));
  EXPECT_EQ(field_suggestion("shelf.oder"), "; did you mean shelf.order?");
}

TEST(FormatIp, AnAddressHasOneText) {
  const std::pair<const char*, const char*> kCases[] = {
      {"198.51.100.9", "198.51.100.9"},
      {"::ffff:198.51.100.9", "198.51.100.9"},
      {"::FFFF:C633:6409", "198.51.100.9"},
      {"2001:DB8:0:0::1", "2001:db8::1"},
      {"2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:db8:0:0:1:0:0:0", "2001:db8:0:0:1::"},
      {"0:0:0:0:0:0:0:0", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"::1.2.3.4", "::102:304"},
      {"fe80::00a0", "fe80::a0"},
      {"1111:2222:3333:4444:5555:6666:7777:8888", "1111:2222:3333:4444:5555:6666:7777:8888"},
      {"0:1::", "0:1::"}};
  for (auto [written, text] : kCases) {
    std::array<uint8_t, 16> address, again;
    ASSERT_TRUE(parse_ip(written, &address)) << written;
    char room[kIpTextMax];
    std::string shown(room, format_ip(address, room));
    EXPECT_EQ(shown, text) << written;
    EXPECT_TRUE(parse_ip(shown, &again) && again == address) << shown;
  }
}

TEST(ParseIp, TakesWhatIsAnAddressAndNothingElse) {
  std::array<uint8_t, 16> a;
  auto hex = [&] { return to_hex({reinterpret_cast<const char*>(a.data()), a.size()}); };
  ASSERT_TRUE(parse_ip("192.0.2.255", &a));
  EXPECT_EQ(hex(), "00000000000000000000ffffc00002ff");
  ASSERT_TRUE(parse_ip("0.0.0.0", &a));
  ASSERT_TRUE(parse_ip("2001:db8::1", &a));
  EXPECT_EQ(hex(), "20010db8000000000000000000000001");
  ASSERT_TRUE(parse_ip("00aa::1", &a));
  ASSERT_TRUE(parse_ip("::ffff:192.0.2.255", &a));
  EXPECT_EQ(hex(), "00000000000000000000ffffc00002ff");
  ASSERT_TRUE(parse_ip("::", &a));
  for (std::string_view bad :
       {"", "1", "1.2.3", "1.2.3.", ".1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.0004", "01.2.3.4", "1..2.3", "1.2.3.4 ",
        "fe80::1%eth0", "[::1]", ":", "1::2::3", "12345::", "a.b.c.d", "-1.2.3.4"})
    EXPECT_FALSE(parse_ip(bad, &a)) << bad;
  EXPECT_FALSE(parse_ip(std::string_view("::1\0::", 6), &a));
}

TEST(Record, ALaterCaptureTakesTheHeadersPlaceAndListsCollect) {
  Sample s("host app[12]: pid=34 user=root user=eve", 14);
  s.kind.dataset = "app";
  s.capture("process.pid", "12")
      .capture("process.pid", "34")
      .capture("related.user", "root")
      .capture("related.user", "eve");
  s.constant("event.category", "process").constant("event.category", "session").constant("process.name", "app");
  EXPECT_EQ(s.values("process.pid"), Texts{"34"});
  EXPECT_EQ(s.values("related.user"), (Texts{"root", "eve"}));
  EXPECT_EQ(s.values("event.category"), (Texts{"process", "session"}));
  EXPECT_EQ(s.values("event.dataset"), Texts{"app"});
  EXPECT_EQ(s.values("process.name"), Texts{"app"});
}

TEST(Record, AConstantYieldsToWhatTheMessageSaysButNotToTheHeader) {
  Sample s("sshd: by eve", 6);
  s.capture("process.name", "sshd").capture("user.name", "eve");
  s.constant("process.name", "ssh").constant("user.name", "root");
  EXPECT_EQ(s.values("process.name"), Texts{"ssh"});
  EXPECT_EQ(s.values("user.name"), Texts{"eve"});
}

TEST(Record, TextThatIsNoValueOfItsTypeIsLeftOutAndHidesNothing) {
  Sample s("[12] x 99999999999999999999 -7 300.1.1.1 yes", 5);
  s.capture("process.pid", "12").capture("process.pid", "x").capture("source.port", "99999999999999999999");
  s.capture("process.exit_code", "-7").capture("source.ip", "300.1.1.1").capture("tls.resumed", "yes");
  EXPECT_EQ(s.values("process.pid"), Texts{"12"});
  EXPECT_EQ(s.values("source.port"), Texts{});
  EXPECT_EQ(s.values("process.exit_code"), Texts{"-7"});
  EXPECT_EQ(s.values("source.ip"), Texts{});
  Scratch scratch;
  Value value;
  ASSERT_TRUE(first_value(s.record, find_field("process.exit_code"), scratch, &value));
  EXPECT_EQ(value.integer, -7);
  ASSERT_TRUE(first_value(s.record, find_field("tls.resumed"), scratch, &value));
  EXPECT_EQ(value.integer, 1);
}

TEST(Record, WhatWeKnowOurselvesNoSenderCanSay) {
  Sample s("root evil/1 default 1.1.1.1 audit 5", 0);
  s.capture("organization.name", "root").capture("event.id", "evil/1").capture("observer.name", "default");
  s.capture("log.source.address", "1.1.1.1").capture("yushi.tenant", "audit").capture("log.syslog.severity.code", "5");
  s.record.priority = 165;
  EXPECT_EQ(s.values("organization.name"), Texts{"finance"});
  EXPECT_EQ(s.values("event.id"), Texts{"finance/7"});
  EXPECT_EQ(s.values("observer.name"), Texts{"log-01"});
  EXPECT_EQ(s.values("log.source.address"), Texts{"10.0.0.7"});
  EXPECT_EQ(s.values("yushi.tenant"), Texts{});
  EXPECT_EQ(s.values("log.syslog.facility.code"), Texts{"20"});
  EXPECT_EQ(s.values("log.syslog.facility.name"), Texts{"local4"});
  EXPECT_EQ(s.values("log.syslog.severity.name"), Texts{"Notice"});
  EXPECT_EQ(s.values("yushi.transport"), Texts{"tcp"});
  s.origin.transport = Transport::internal;
  s.origin.log = "_audit";
  EXPECT_EQ(s.values("yushi.tenant"), Texts{"audit"});
  EXPECT_EQ(s.values("organization.name"), Texts{});
  s.origin.log = "finance:topic:3";
  EXPECT_EQ(s.values("organization.name"), Texts{"finance"});
  s.origin.log = "finance@2";
  EXPECT_EQ(s.values("organization.name"), Texts{"finance"});
}

TEST(Record, WithoutPriAParserMayNameTheSeverity) {
  Sample s("%SYS-5-CONFIG");
  s.capture("log.syslog.severity.code", "5");
  EXPECT_EQ(s.values("log.syslog.severity.code"), Texts{"5"});
  EXPECT_EQ(s.values("log.syslog.facility.name"), Texts{});
}

TEST(Record, EscapesAreUndone) {
  Sample s(R"(a\"b\\c\]d\n "x\u00e9\ud83d\ude00\ud83d\n\/\q" 2F62696E002D6C00 zz \u12)");
  s.capture("log.syslog.structured_data.x@1.y", R"(a\"b\\c\]d\n)", Escape::structured_data);
  s.capture("a", R"(x\u00e9\ud83d\ude00\ud83d\n\/\q)", Escape::json)
      .capture("process.command_line", "2F62696E002D6C00", Escape::hex);
  s.capture("b", "zz", Escape::hex).capture("c", R"(\u12)", Escape::json);
  EXPECT_EQ(s.values("log.syslog.structured_data.x@1.y"), Texts{R"(a"b\c]d\n)"});
  EXPECT_EQ(s.values("a"), Texts{"x\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd\n/\\q"});
  EXPECT_EQ(s.values("process.command_line"), Texts{"/bin -l"});
  EXPECT_EQ(s.values("b"), Texts{"zz"});
  EXPECT_EQ(s.values("c"), Texts{"\\u12"});
}

TEST(Record, EscapesOfBodiesAreUndone) {
  Sample s(R"(TcP a\=b\|c\\d\ne\q x""y""z &lt;a&#62;&amp;amp;&#x4e2d;&nbsp;&#xd800;&)");
  s.capture("a", "TcP", Escape::lower).capture("b", R"(a\=b\|c\\d\ne\q)", Escape::backslash);
  s.capture("c", R"(x""y""z)", Escape::quotes).capture("d", "&lt;a&#62;&amp;amp;&#x4e2d;&nbsp;&#xd800;&", Escape::xml);
  EXPECT_EQ(s.values("a"), Texts{"tcp"});
  EXPECT_EQ(s.values("b"), Texts{"a=b|c\\d\ne\\q"});
  EXPECT_EQ(s.values("c"), Texts{R"(x"y"z)"});
  EXPECT_EQ(s.values("d"), Texts{"<a>&amp;中&nbsp;&#xd800;&"});
}

TEST(Record, ThousandsOfFieldsFollowTheSameRules) {
  std::string raw;
  for (int i = 0; i < 3000; ++i) raw += std::to_string(i % 1000) + " ";
  Sample s(raw);
  size_t at = 0;
  for (int i = 0; i < 3000; ++i) {
    size_t blank = raw.find(' ', at);
    s.captures.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(blank - at) & 0xffffff, 0,
                          s.field("k" + std::to_string(i % 1500))});
    at = blank + 1;
  }
  s.record.captures = s.captures;
  EXPECT_EQ(s.values("k3"), Texts{"503"});
  EXPECT_EQ(s.values("k1499"), Texts{"999"});
}

TEST(Record, MessageIsTheParsersWhenItNamesOne) {
  Sample s("<13>hello world", 4);
  EXPECT_EQ(s.values("message"), Texts{"hello world"});
  s.capture("message", "world");
  EXPECT_EQ(s.values("message"), Texts{"world"});
}

TEST(Record, PartsOfAUrlAreDerivedWhereNoneWasSaid) {
  Sample s("GET http://shop.example:8080/a/b.php?x=%2541+1 HTTP/1.1");
  s.capture("url.original", "http://shop.example:8080/a/b.php?x=%2541+1");
  EXPECT_EQ(s.values("url.scheme"), Texts{"http"});
  EXPECT_EQ(s.values("url.domain"), Texts{"shop.example"});
  EXPECT_EQ(s.values("url.port"), Texts{"8080"});
  EXPECT_EQ(s.values("url.path"), Texts{"/a/b.php"});
  EXPECT_EQ(s.values("url.query"), Texts{"x=%2541+1"});
  EXPECT_EQ(s.values("url.extension"), Texts{"php"});
  EXPECT_EQ(s.values("yushi.url.decoded"), Texts{"http://shop.example:8080/a/b.php?x=A 1"});
  EXPECT_EQ(s.values("related.hosts"), Texts{"shop.example"});

  Sample said("/a other.example");
  said.capture("url.original", "/a").capture("url.domain", "other.example");
  EXPECT_EQ(said.values("url.domain"), Texts{"other.example"});
  EXPECT_EQ(said.values("url.path"), Texts{"/a"});
  EXPECT_EQ(said.values("url.query"), Texts{});
  EXPECT_EQ(said.values("yushi.url.decoded"), Texts{});
}

TEST(Record, ThePathOfAWholeUrlIsItsPath) {
  Sample s("GET http://h.example/a.png?q=1 HTTP/1.1");
  s.capture("url.path", "http://h.example/a.png").capture("url.query", "q=1");
  EXPECT_EQ(s.values("url.path"), Texts{"/a.png"});
  EXPECT_EQ(s.values("url.domain"), Texts{"h.example"});
  EXPECT_EQ(s.values("url.scheme"), Texts{"http"});
  EXPECT_EQ(s.values("url.extension"), Texts{"png"});
  EXPECT_EQ(s.values("url.original"), Texts{"http://h.example/a.png?q=1"});
  Sample plain("GET /a.png?q=%27 HTTP/1.1");
  plain.capture("url.path", "/a.png").capture("url.query", "q=%27");
  EXPECT_EQ(plain.values("url.domain"), Texts{});
  EXPECT_EQ(plain.values("url.extension"), Texts{"png"});
  EXPECT_EQ(plain.values("yushi.url.decoded"), Texts{"/a.png?q='"});
}

TEST(Record, AUrlWithJsonsEscapesIsWhatTheyStandFor) {
  Sample whole(R"({"url":"http:\/\/h.example:8080\/a%2fb.php?q=1"})");
  whole.capture("url.original", R"(http:\/\/h.example:8080\/a%2fb.php?q=1)", Escape::json);
  EXPECT_EQ(whole.values("url.original"), Texts{"http://h.example:8080/a%2fb.php?q=1"});
  EXPECT_EQ(whole.values("url.domain"), Texts{"h.example"});
  EXPECT_EQ(whole.values("url.path"), Texts{"/a%2fb.php"});
  EXPECT_EQ(whole.values("url.query"), Texts{"q=1"});
  EXPECT_EQ(whole.values("yushi.url.decoded"), Texts{"http://h.example:8080/a/b.php?q=1"});
  Sample parts(R"({"uri":"\/a\/b?q=%2f"})");
  parts.capture("url.path", R"(\/a\/b)", Escape::json).capture("url.query", "q=%2f");
  EXPECT_EQ(parts.values("url.original"), Texts{"/a/b?q=%2f"});
  EXPECT_EQ(parts.values("yushi.url.decoded"), Texts{"/a/b?q=/"});
}

// As IIS has it, with + for a blank.
TEST(Record, AQueryThatStandsApartIsDecodedBehindItsPath) {
  Sample s("GET /find.aspx q=a+b%27 443");
  s.capture("url.path", "/find.aspx").capture("url.query", "q=a+b%27");
  EXPECT_EQ(s.values("url.original"), Texts{"/find.aspx"});
  EXPECT_EQ(s.values("url.query"), Texts{"q=a+b%27"});
  EXPECT_EQ(s.values("yushi.url.decoded"), Texts{"/find.aspx?q=a b'"});
}

TEST(Record, WhatAClientSentIsJudgedPartByPart) {
  Sample s("GET /a%3Cb/c?d=1%27%20or%20%271%27=%271&e=f&g=%3Bid&h= https://x.example/?i=%3CSCRIPT%3E ${jndi:y} k='");
  s.capture("url.path", "/a%3Cb/c")
      .capture("url.query", "d=1%27%20or%20%271%27=%271&e=f&g=%3Bid&h=")
      .capture("http.request.referrer", "https://x.example/?i=%3CSCRIPT%3E")
      .capture("user_agent.original", "${jndi:y}")
      .capture("iis.access.cookie", "k='");
  EXPECT_EQ(s.asked("yushi.url.plain"), (Texts{"/a<b/c", "d=1' or '1'='1", "g=;id"}));
  EXPECT_EQ(s.asked("yushi.request.plain"),
            (Texts{"/a<b/c", "d=1' or '1'='1", "g=;id", "i=<script>", "${jndi:y}", "k='"}));
  EXPECT_EQ(s.asked("yushi.request.sql"), Texts{"d=1' or '1'='1"});
  EXPECT_EQ(s.asked("yushi.request.script"), Texts{"i=<SCRIPT>"});
  EXPECT_EQ(s.asked("yushi.request.command"), Texts{"g=;id"});

  Sample usual("GET /a?b=c Mozilla/5.0 (X11; Linux)");
  usual.capture("url.path", "/a")
      .capture("url.query", "b=c")
      .capture("user_agent.original", "Mozilla/5.0 (X11; Linux)");
  EXPECT_EQ(usual.asked("yushi.request.plain"), Texts{});
}

TEST(Record, AProgramIsNamedByItsFileWhenByNothingElse) {
  Sample s("exe=/usr/sbin/sshd C:\\Windows\\cmd.exe");
  s.capture("process.executable", "/usr/sbin/sshd");
  EXPECT_EQ(s.values("process.name"), Texts{"sshd"});
  Sample windows("C:\\Windows\\cmd.exe");
  windows.capture("process.executable", "C:\\Windows\\cmd.exe");
  EXPECT_EQ(windows.values("process.name"), Texts{"cmd.exe"});
  Sample named("su /usr/bin/su-real");
  named.capture("process.name", "su").capture("process.executable", "/usr/bin/su-real");
  EXPECT_EQ(named.values("process.name"), Texts{"su"});
}

TEST(Record, RelatedGathersUsersAddressesAndHostsOfAllFields) {
  Sample s("web1 app: eve by root from 192.0.2.9 via gw.example to 2001:DB8::1 192.0.2.9 eve CN=x", 10);
  s.capture("host.name", "web1")
      .capture("user.target.name", "eve")
      .capture("user.name", "root")
      .capture("source.ip", "192.0.2.9");
  s.capture("source.domain", "gw.example").capture("destination.ip", "2001:DB8::1").capture("client.ip", "192.0.2.9");
  s.capture("source.user.name", "eve").capture("user.domain", "CN=x");
  s.constant("user.effective.name", "daemon");
  EXPECT_EQ(s.values("related.user"), (Texts{"daemon", "eve", "root"}));
  EXPECT_EQ(s.values("related.ip"), (Texts{"192.0.2.9", "2001:db8::1"}));
  EXPECT_EQ(s.values("related.hosts"), (Texts{"web1", "gw.example"}));
  Sample none("nothing");
  EXPECT_EQ(none.values("related.user"), Texts{});
}

TEST(Scratch, WhatItGaveStaysUntilCleared) {
  Scratch scratch;
  std::vector<std::pair<char*, size_t>> given;
  for (int round = 0; round < 2; ++round) {
    given.clear();
    scratch.clear();
    for (size_t i = 1; i < 300; ++i) {
      char* at = scratch.allocate(i * 37);
      std::fill(at, at + i * 37, static_cast<char>(i));
      given.emplace_back(at, i * 37);
    }
    for (size_t i = 1; i < 300; ++i) {
      auto [at, bytes] = given[i - 1];
      EXPECT_EQ(std::count(at, at + bytes, static_cast<char>(i)), static_cast<ptrdiff_t>(bytes));
    }
  }
}

}  // namespace
}  // namespace yushi
