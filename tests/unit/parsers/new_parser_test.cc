// A sample becomes a parser file that is right as it stands; templates put together what is alike, and no more.
#include "parsers/authoring/new_parser.h"

#include <gtest/gtest.h>

#include "parsers/authoring/check.h"
#include "parsers/authoring/explain.h"
#include "parsers/authoring/line_templates.h"

namespace yushi::parsers {
namespace {

std::vector<std::string> templates_of(const std::vector<std::string>& lines) {
  LineTemplates templates;
  for (auto& line : lines) templates.add(line);
  std::vector<std::string> out;
  for (auto* each : templates.by_count()) out.push_back(std::to_string(each->count) + " " + template_text(*each));
  return out;
}

TEST(LineTemplates, ValuesGoAndWordsStay) {
  EXPECT_EQ(templates_of({"Failed password for root from 192.0.2.1 port 22 ssh2",
                          "Failed password for li from 192.0.2.9 port 4022 ssh2",
                          "Accepted password for li from 192.0.2.9 port 4022 ssh2"}),
            (std::vector<std::string>{"2 Failed password for <name> from <address> port <integer> <name>",
                                      "1 Accepted password for li from <address> port <integer> <name>"}));
  EXPECT_EQ(templates_of({"session opened by uid=0", "session closed by uid=0"}).size(), 2u);
}

TEST(LineTemplates, EachKindOfValueIsSeen) {
  EXPECT_EQ(
      templates_of(
          {R"(2026-11-28 10:20:30,123 at 01:02:03 from fe80::1 mac 02:00:5e:10:00:01 to /var/log/a "x y" https://h.example/a?b=1 1.5 0x1f 1f0a2b 123e4567-e89b-12d3-a456-426614174000)"}),
      (std::vector<std::string>{
          R"(1 <time> at <time> from <address> mac <mac> to <path> "<text>" <url> <number> <hex> <hex> <uuid>)"}));
  EXPECT_EQ(templates_of({"用户zhao从192.0.2.1登录成功"}),
            (std::vector<std::string>{"1 用户<name>从<address>登录成功"}));
  EXPECT_EQ(templates_of({"don't stop: it's fine"}), (std::vector<std::string>{"1 don't stop: it's fine"}));
}

TEST(LineTemplates, PiecesAreTheLine) {
  for (std::string line : {"a=b c:d\t\xff\xfe x", "\"open", "..- --1", "::", "[1.2.3.4]:5 (x)", "\xe3\x80", ""}) {
    std::string joined;
    for (auto& piece : cut_line(line)) joined += piece.text;
    EXPECT_EQ(joined, line);
  }
}

TEST(LineTemplates, MemoryIsBoundedAndTheFrequentStay) {
  LineTemplates templates(64);
  for (int i = 0; i < 5000; ++i) {
    templates.add("the frequent one " + std::to_string(i));
    std::string rare = "word";  // each of another shape
    for (int k = 0; k < i % 1000; ++k) rare += k % 2 ? " ," : " ;";
    templates.add(rare);
  }
  auto all = templates.by_count();
  EXPECT_LE(all.size(), 64u);
  EXPECT_EQ(all[0]->count, 5000u);
  EXPECT_GT(templates.others(), 0u);
  uint64_t kept = 0;
  for (auto* each : all) kept += each->count;
  EXPECT_EQ(kept + templates.others(), templates.lines());
}

// The file that a sample gives, checked and tested.
std::string made_of(const std::vector<std::string>& lines, std::vector<std::string>* notes = nullptr) {
  auto made = make_parser("acme", lines, {});
  EXPECT_TRUE(made) << (made ? "" : made.error().message);
  if (!made) return {};
  if (notes) *notes = made->notes;
  std::vector<ParserFile> files = {{"acme.yaml", "acme.yaml", made->yaml}};
  EXPECT_EQ(check_parser_files(files), std::vector<std::string>()) << made->yaml;
  auto set = ParserSet::load(files);
  if (!set) return made->yaml;
  auto tested = run_parser_tests(*set, {"acme.yaml"});
  EXPECT_EQ(tested.failures, std::vector<std::string>()) << made->yaml;
  EXPECT_EQ(tested.cases.size(), tested.tests);
  return made->yaml;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

TEST(NewParser, ASampleBecomesAFileThatIsRight) {
  auto yaml = made_of(
      {"Nov 28 03:11:09 gw-3 acmevpn[41]: user li.wei authenticated from 203.0.113.40 port 51712 via \"LDAP\"",
       "Nov 28 03:11:10 gw-3 acmevpn[41]: user zhao authenticated from 203.0.113.41 port 1712 via \"it's, local\"",
       "Nov 28 03:11:11 gw-3 acmevpn[41]: config of gw-3 read by uid=0 gid=12 pid=77: ok (100%) {a|b} [c] ^$ \\ .*"});
  EXPECT_TRUE(has(yaml, "match: {app: ['acmevpn']}")) << yaml;
  EXPECT_TRUE(has(yaml,
                  "user %{GREEDYDATA:user.name} authenticated from %{IP:source.ip} port %{INT:source.port} via "
                  "\"%{QUOTED:acme.via}\""))
      << yaml;
  EXPECT_TRUE(has(yaml, "uid=%{INT:user.id} gid=%{INT:group.id} pid=%{INT:process.pid}")) << yaml;
  EXPECT_TRUE(has(yaml, "source.port: '51712'")) << yaml;
}

TEST(NewParser, LinesOfAFileAreRecognisedByTheirForm) {
  auto yaml = made_of({"2026-11-28 10:20:30,123 INFO  [main] o.e.Pay - paid 12 to 198.51.100.7",
                       "2026-11-28 10:20:31,456 INFO  [main] o.e.Pay - paid 9 to 198.51.100.8"});
  EXPECT_TRUE(has(yaml, "match: {any: true}")) << yaml;
  EXPECT_TRUE(has(yaml, "%{TIMESTAMP_ISO8601:@timestamp} INFO")) << yaml;
  EXPECT_TRUE(has(yaml, "to %{IP:destination.ip}")) << yaml;
}

TEST(NewParser, PairsBecomeKeys) {
  auto yaml = made_of({"<13>Nov 28 03:11:09 gw-3 acmefw: srcip=192.0.2.1 dstip=192.0.2.9 user=li action=deny",
                       "<13>Nov 28 03:11:09 gw-3 acmefw: srcip=192.0.2.3 dstip=192.0.2.9 user=zhao action=allow"});
  EXPECT_TRUE(has(yaml, "extract: key-value")) << yaml;
  EXPECT_TRUE(has(yaml, "'srcip': source.ip")) << yaml;
  EXPECT_TRUE(has(yaml, "'dstip': destination.ip")) << yaml;
  EXPECT_TRUE(has(yaml, "'user': user.name")) << yaml;
  EXPECT_TRUE(has(yaml, "'action': acme.action")) << yaml;
}

TEST(NewParser, HostileSamplesGiveNoBrokenFile) {
  std::vector<std::string> notes;
  made_of({"<13>Nov 28 03:11:09 gw-3 acme: it's 'quoted' and %{IP:x} (?P<n>a) #: {b: c} - e",
           "<13>Nov 28 03:11:09 gw-3 acme: \x01\x02 control", "<13>Nov 28 03:11:09 gw-3 acme: \xff\xfe no text",
           "<13>Nov 28 03:11:09 gw-3 acme: " + std::string(20'000, 'x') + " end of 7"},
          &notes);
  EXPECT_FALSE(notes.empty());
  EXPECT_FALSE(make_parser("Not A Name", {"a b"}, {}));
  EXPECT_FALSE(make_parser("acme", {}, {}));
  EXPECT_FALSE(make_parser("acme", {"192.0.2.1 12", "192.0.2.2 13"}, {}));
}

TEST(Explain, SaysWhereAPatternStopped) {
  const std::string regex = R"(Failed (password|publickey) for (.*) from ([0-9.]+) port ([0-9]+)(?: ssh2)?)";
  const std::vector<std::string> fields = {"sshd.method", "user.name", "source.ip", "source.port"};
  auto reach = reach_of(regex, fields, "Failed password for li from nowhere");
  EXPECT_EQ(reach.text_end, std::string("Failed password for li from ").size());
  EXPECT_EQ(reach.wanted, "%{source.ip}");
  EXPECT_FALSE(reach_of(regex, fields, "Accepted password").begins);
  EXPECT_EQ(reach_of(regex, fields, "Failed password for li from 192.0.2.1 port 22 ssh2 x").wanted,
            "the end of the message");
  EXPECT_EQ(reach_of(regex, fields, "Failed keyboard").wanted, "%{sshd.method}");
}

}  // namespace
}  // namespace yushi::parsers
