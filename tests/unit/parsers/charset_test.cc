// Messages of a tenant that writes GB 18030: header and parsers see text, captures are spans of raw.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include <nlohmann/json.hpp>

#include "parsers/understand.h"
#include "tests/unit/data_sets.h"

namespace yushi::parsers {
namespace {

// A converter of another make than the one under test would do as well; the test strings hold GBK characters only.
std::string to_gb18030(std::string_view utf8) {
  static const auto codes = [] {
    std::map<uint32_t, std::string> out;
    for (int lead = 0x81; lead < 0xff; ++lead)
      for (int trail = 0x40; trail < 0xff; ++trail) {
        std::string bytes = {static_cast<char>(lead), static_cast<char>(trail)};
        if (auto point = decode(Charset::gb18030, bytes, 0); point.length == 2) out[point.code] = bytes;
      }
    return out;
  }();
  std::string out;
  for (size_t at = 0; at < utf8.size();) {
    auto point = decode_utf8(utf8, at);
    out += point.code < 0x80 ? std::string(1, static_cast<char>(point.code)) : codes.at(point.code);
    at += point.length;
  }
  return out;
}

constexpr const char* kParsers[] = {R"(
name: oa
match: {app: [oa]}
fields: {event.category: [authentication]}
patterns:
  - name: login
    grok: '用户(?:登录|登出)(?:失败|成功)，姓名=%{NOTSPACE:user.name}，来自 %{IP:source.ip}(?:，原因：%{GREEDYDATA:oa.reason})?'
    fields: {event.action: login}
  - name: parts
    grok: '%{DATA:oa.left}\|%{DATA:oa.right}\|%{GREEDYDATA:oa.rest}'
tests:
  - {line: '用户登录失败，姓名=张三，来自 10.0.0.1，原因：口令错误', expect: {user.name: 张三, oa.reason: 口令错误}}
  - {line: 'a|b|c', expect: {oa.left: a, oa.right: b, oa.rest: c}}
)",
                                    R"(
name: kv
generic: true
patterns: [{name: pairs, extract: key-value}]
tests: [{line: 'a=1 b=2', expect: {kv.a: 1}}]
)",
                                    R"(
name: json
generic: true
patterns: [{name: object, extract: json}]
tests: [{line: '{"a":1}', expect: {json.a: 1}}]
)"};

std::shared_ptr<const ParserSet> small_parsers() {
  std::vector<ParserFile> files;
  for (size_t i = 0; i < std::size(kParsers); ++i) files.push_back({"p" + std::to_string(i), "p", kParsers[i]});
  auto set = ParserSet::load(files);
  EXPECT_TRUE(set) << set.error().message;
  return *set;
}

class Understood {
 public:
  Understood(Understander& understander, std::string_view raw, Charset charset = Charset::gb18030) {
    origin_.received_ns = 1'793'520'000'000'000'000;
    record().raw = batch_.arena.copy(raw);
    record().origin = &origin_;
    understander.understand(batch_, {Zone::utc(), charset});
  }
  Record& record() {
    if (batch_.records.empty()) batch_.records.emplace_back();
    return batch_.records[0];
  }
  std::string pattern() { return record().kind ? record().kind->pattern : "none"; }
  // The field's text; its bytes in raw.
  std::string value(std::string_view name) {
    std::string out;
    Scratch scratch;
    visit_field(
        record(), find_field(name), name, scratch,
        [](void* to, const Value& value) { static_cast<std::string*>(to)->append(value.text); }, &out);
    return out;
  }
  std::string bytes(std::string_view name) {
    for (auto& capture : record().captures)
      if (capture.field->name == name) return std::string(record().text(capture));
    return "none";
  }

 private:
  Batch batch_;
  Origin origin_;
};

const std::string kHeader = "<86>1 2026-11-01T08:00:00Z db2 oa 77 - - ";

TEST(Gb18030, ChineseLiteralsOfAPatternMatchAndCapturesAreBytesOfRaw) {
  Understander parsers(small_parsers());
  auto raw = to_gb18030(kHeader + "用户登录失败，姓名=張億東，来自 10.0.0.1，原因：口令错误 3 次");
  Understood message(parsers, raw);
  EXPECT_EQ(message.record().raw, raw);
  EXPECT_EQ(message.record().charset, Charset::gb18030);
  EXPECT_EQ(message.pattern(), "login");
  EXPECT_EQ(message.value("user.name"), "張億東");
  EXPECT_EQ(message.bytes("user.name"), to_gb18030("張億東"));
  EXPECT_EQ(message.value("source.ip"), "10.0.0.1");
  EXPECT_EQ(message.value("oa.reason"), "口令错误 3 次");
  EXPECT_EQ(message.value("host.name"), "db2");
  EXPECT_EQ(message.value("process.pid"), "77");
  EXPECT_EQ(message.record().message(), raw.substr(kHeader.size()));
  EXPECT_EQ(message.value("message"), "用户登录失败，姓名=張億東，来自 10.0.0.1，原因：口令错误 3 次");
  EXPECT_EQ(message.value("event.original"), kHeader + message.value("message"));
}

TEST(Gb18030, TheSameTextInUtf8GivesTheSameFields) {
  Understander parsers(small_parsers());
  auto text = kHeader + "用户登出成功，姓名=東，来自 10.0.0.9，原因：運維 | 換班";
  Understood in_utf8(parsers, text), in_gb18030(parsers, to_gb18030(text)),
      in_a_utf8_tenant(parsers, text, Charset::utf8);
  for (auto* name : {"user.name", "source.ip", "oa.reason", "message", "event.original", "host.name", "event.action"}) {
    EXPECT_EQ(in_utf8.value(name), in_gb18030.value(name)) << name;
    EXPECT_EQ(in_utf8.value(name), in_a_utf8_tenant.value(name)) << name;
  }
  EXPECT_EQ(in_utf8.record().charset, Charset::utf8);
  EXPECT_EQ(in_utf8.bytes("user.name"), "東");
  EXPECT_EQ(in_gb18030.bytes("user.name"), "\x96\x7c");
}

// 東 is 96 7C, 億 83 7C, 運 DF 5C, 慮 91 5D.
TEST(Gb18030, TrailBytesThatLookLikeSignsAreNoSigns) {
  Understander parsers(small_parsers());
  Understood parts(parsers, to_gb18030(kHeader + "東億|京東|億"));
  EXPECT_EQ(parts.pattern(), "parts");
  EXPECT_EQ(parts.value("oa.left"), "東億");
  EXPECT_EQ(parts.value("oa.right"), "京東");
  EXPECT_EQ(parts.value("oa.rest"), "億");
  Understood json(parsers, to_gb18030(R"({"运":"誠","b":"運\"慮\n東","c":["一","運"]})"));
  EXPECT_EQ(json.pattern(), "object");
  EXPECT_EQ(json.value("json.b"), "運\"慮\n東");
  EXPECT_EQ(json.bytes("json.b"), to_gb18030(R"(運\"慮\n東)"));
  EXPECT_EQ(json.value("json.运"), "誠");
  EXPECT_EQ(json.value("json.c"), "一運");
  Understood element(parsers, to_gb18030("<86>1 2026-11-01T08:00:00Z 主機 門戶 - - [甲@1 名=\"運慮\\\"東\"] 登录"));
  EXPECT_EQ(element.value("host.name"), "主機");
  EXPECT_EQ(element.value("process.name"), "門戶");
  EXPECT_EQ(element.value("log.syslog.structured_data.甲@1.名"), "運慮\"東");
  EXPECT_EQ(element.value("message"), "登录");
  Understood pairs(parsers, to_gb18030("登录失败 n=3 who=運東 why=\"東 億\""));
  EXPECT_EQ(pairs.pattern(), "pairs");
  EXPECT_EQ(pairs.value("kv.n"), "3");
  EXPECT_EQ(pairs.value("kv.who"), "運東");
  EXPECT_EQ(pairs.value("kv.why"), "東 億");
}

TEST(Gb18030, BytesThatDoNotDecodeLeaveTheRestUnderstood) {
  Understander parsers(small_parsers());
  auto raw = to_gb18030(kHeader + "用户登录失败，姓名=张") + "\xff" + to_gb18030("三，来自 10.0.0.1，原因：口令") +
             "\x81" + to_gb18030(" 错误") + "\xb5";
  Understood message(parsers, raw);
  EXPECT_EQ(message.pattern(), "login");
  EXPECT_EQ(message.value("user.name"), "张\ufffd三");
  EXPECT_EQ(message.bytes("user.name"), "\xd5\xc5\xff\xc8\xfd");
  EXPECT_EQ(message.value("oa.reason"), "口令\ufffd 错误\ufffd");
  EXPECT_EQ(message.record().message(), raw.substr(kHeader.size()));
}

// The map goes wrong nowhere: whatever the bytes, captures ascend, lie in raw, and a value decodes as its part of the
// whole.
TEST(Gb18030, AnyBytesGiveAscendingCapturesBetweenCharacters) {
  Understander parsers(small_parsers());
  std::mt19937 random(3);
  static constexpr std::string_view kPieces[] = {
      "\x96\x7c",  "\xff", "\x81", "|",  "\x95\x32\x82\x36", "a=", " ",    "\"", "\\", "\xb5\xc7",
      "{\"k\":\"", "\"}",  "<13>", "1 ", "[x y=\"",          "]",  "\xc2", "0",  "-"};
  for (int round = 0; round < 20'000; ++round) {
    std::string raw = random() % 2 ? kHeader : "";
    for (auto n = random() % 20; n-- > 0;) raw += kPieces[random() % std::size(kPieces)];
    Understood message(parsers, raw);
    auto& record = message.record();
    std::vector<bool> is_border(raw.size() + 1);
    for (size_t at = 0; at < raw.size(); at += std::max(1u, decode(record.charset, raw, at).length))
      is_border[at] = true;
    is_border[raw.size()] = true;
    uint32_t at = 0;
    for (auto& capture : record.captures) {
      ASSERT_GE(capture.begin, at) << raw;
      at = capture.end();
      ASSERT_LE(at, raw.size()) << raw;
      ASSERT_TRUE(record.charset == Charset::utf8 || (is_border[capture.begin] && is_border[at])) << raw;
    }
    ASSERT_LE(record.message_begin + record.message_length, raw.size());
    ASSERT_TRUE(record.charset == Charset::utf8 || is_border[record.message_begin]) << raw;
  }
}

// What any reader sees of a record, but for its bytes.
std::map<std::string, std::string> fields_of(const Record& record) {
  std::map<std::string, std::string> out;
  Scratch scratch;
  for_each_field(record, scratch, [&](const Field& field, const Value& value) {
    if (field.name != "yushi.raw_base64")
      out[std::string(field.name)] += std::string(value.text) + std::to_string(value.integer) + ";";
  });
  return out;
}

// One stream of both, line by line: each is read by what it is, and both say the same.
TEST(Gb18030, AStreamOfBothCharsetsSaysTheSameTwice) {
  auto files = read_parser_directories({std::string(YUSHI_SOURCE_DIR) + "/parsers/library"});
  ASSERT_TRUE(files);
  auto set = ParserSet::load(*files, ReadTests::none);
  ASSERT_TRUE(set) << set.error().message;
  std::vector<std::string> lines = {kHeader + "用户登录失败，姓名=張億東，来自 10.0.0.1",
                                    "<6>2026年11月1日 下午3时20分30秒 防火墙 oa: 运行状态",
                                    "2026年11月1日 上午10时20分30秒 登录失败",
                                    "[2026-11-01 10:20:30] 源IP=10.0.0.1 用户名=張三 结果=失败",
                                    "{\"用户\":\"運東\",\"结果\":\"成功\"}",
                                    "plain"};
  for (auto& line : test::own_lines())
    if (is_utf8(line)) lines.push_back(line);
  if (auto data = test::published_data(); !data.empty())  // the sets of Chinese products, with their lines written anew
    for (auto& entry : std::filesystem::recursive_directory_iterator(data)) {
      if (!entry.is_regular_file() || entry.path().string().find("/chinese_") == std::string::npos) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      for (std::string line; std::getline(in, line);)
        if (auto object = nlohmann::json::parse(line, nullptr, false); object.is_object() && object.contains("raw"))
          lines.push_back(object["raw"]);
    }
  Understander parsers(*set);
  size_t compared = 0;
  for (auto& line : lines) {
    std::string again;
    try {
      again = to_gb18030(line);
    } catch (const std::out_of_range&) {
      continue;  // a character of four bytes
    }
    if (again != line && is_utf8(again)) continue;  // two readings, and UTF-8 has it
    Understood in_utf8(parsers, line), in_gb18030(parsers, again);
    EXPECT_EQ(fields_of(in_utf8.record()), fields_of(in_gb18030.record())) << line;
    ++compared;
  }
  EXPECT_GE(compared, 300u);
}

// All lines of the data sets that are UTF-8: a tenant's charset makes no difference to them.
TEST(Gb18030, WhatIsValidUtf8IsReadAsInATenantOfUtf8) {
  auto files = read_parser_directories({std::string(YUSHI_SOURCE_DIR) + "/parsers/library"});
  ASSERT_TRUE(files);
  auto set = ParserSet::load(*files, ReadTests::none);
  ASSERT_TRUE(set) << set.error().message;
  std::vector<std::string> lines = {"plain", "", kHeader + "用户登录失败，姓名=张三", "{\"a\":\"é\"}"};
  for (auto& line : test::own_lines())
    if (is_utf8(line)) lines.push_back(line);
  if (auto data = test::published_data(); !data.empty())
    for (auto& entry : std::filesystem::recursive_directory_iterator(data)) {
      if (!entry.is_regular_file() || lines.size() > 100'000) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      std::string line;
      for (int n = 0; n < 300 && std::getline(in, line); ++n)
        if (line.size() < 65536 && is_utf8(line)) lines.push_back(line);
    }
  Understander parsers(*set);
  for (auto& line : lines) {
    Understood a(parsers, line, Charset::utf8), b(parsers, line, Charset::gb18030);
    auto &x = a.record(), &y = b.record();
    ASSERT_EQ(x.charset, y.charset) << line;
    ASSERT_EQ(x.kind, y.kind) << line;
    ASSERT_EQ(x.event_ns, y.event_ns) << line;
    ASSERT_EQ(x.message(), y.message()) << line;
    ASSERT_EQ(x.captures.size(), y.captures.size()) << line;
    for (size_t i = 0; i < x.captures.size(); ++i) {
      ASSERT_EQ(x.captures[i].begin, y.captures[i].begin) << line;
      ASSERT_EQ(x.captures[i].end(), y.captures[i].end()) << line;
      ASSERT_EQ(x.captures[i].field->name, y.captures[i].field->name) << line;
    }
  }
}

}  // namespace
}  // namespace yushi::parsers
