#include "core/record/ecs_json.h"

#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/bytes.h"
#include "sample.h"

namespace yushi {
namespace {

using nlohmann::json;

json written(const Sample& sample, const JsonOptions& options = {}) {
  EcsJsonWriter writer;
  std::string out;
  writer.write(sample.record, options, out);
  EXPECT_EQ(out.find('\n'), out.npos);
  std::string again;
  writer.write(sample.record, options, again);  // from the remembered plan
  EXPECT_EQ(again, out);
  json object = json::parse(out, nullptr, false);
  EXPECT_TRUE(object.is_object()) << out;
  return object;
}

std::string string_of(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(EcsJson, ARecordIsNestedTypedAndWhole) {
  Sample s("<86>Nov  1 08:00:00 web-1 sshd[812]: Failed password for root from 192.0.2.9 port 4242 ssh2", 36);
  s.kind.dataset = "sshd";
  s.capture("host.name", "web-1").capture("process.name", "sshd").capture("process.pid", "812");
  s.capture("user.name", "root").capture("source.ip", "192.0.2.9").capture("source.port", "4242");
  s.constant("event.category", "authentication").constant("event.outcome", "failure");
  s.record.priority = 86;
  s.record.time_inferred = 3;
  json expected = {
      {"@timestamp", "2026-11-01T00:00:00.000Z"},
      {"event",
       {{"id", "finance/7"},
        {"created", "2026-11-01T00:00:00.123456789Z"},
        {"original", s.raw},
        {"dataset", "sshd"},
        {"category", {"authentication"}},
        {"outcome", "failure"}}},
      {"message", "Failed password for root from 192.0.2.9 port 4242 ssh2"},
      {"log",
       {{"source", {{"address", "10.0.0.7"}}},
        {"syslog",
         {{"priority", 86},
          {"facility", {{"code", 10}, {"name", "authpriv"}}},
          {"severity", {{"code", 6}, {"name", "Informational"}}}}}}},
      {"host", {{"name", "web-1"}}},
      {"process", {{"name", "sshd"}, {"pid", 812}}},
      {"user", {{"name", "root"}}},
      {"related", {{"user", {"root"}}, {"ip", {"192.0.2.9"}}, {"hosts", {"web-1"}}}},
      {"source", {{"ip", "192.0.2.9"}, {"port", 4242}}},
      {"observer", {{"name", "log-01"}}},
      {"organization", {{"name", "finance"}}},
      {"yushi", {{"transport", "tcp"}, {"time", {{"inferred", {"year", "zone"}}}}}},
  };
  expected["message"] = s.raw.substr(36);
  EXPECT_EQ(written(s), expected);
}

TEST(EcsJson, TheTimestampHasAsManyDigitsAsTheSenderGave) {
  Sample s("x");
  for (auto [digits, text] : {std::pair{0, "2026-11-01T00:00:00.500Z"},
                              {3, "2026-11-01T00:00:00.500Z"},
                              {4, "2026-11-01T00:00:00.500000Z"},
                              {6, "2026-11-01T00:00:00.500000Z"},
                              {9, "2026-11-01T00:00:00.500000000Z"}}) {
    s.record.event_ns = 1793491200'500000000;
    s.record.event_digits = static_cast<uint8_t>(digits);
    EXPECT_EQ(written(s)["@timestamp"], text) << digits;
  }
}

TEST(EcsJson, SomeFieldsAreThoseAndNoOthers) {
  Sample s("x");
  s.record.event_digits = 3;
  const json object =
      written(s, {.fields = {find_field("@timestamp"), find_field("message"), find_field("user.name")}});
  EXPECT_EQ(object.size(), 2u);
  EXPECT_EQ(object["message"], "x");
  EXPECT_EQ(object["@timestamp"], written(s)["@timestamp"]);
}

TEST(EcsJson, OptionsLeaveOutWhatParseDoesNotKnow) {
  Sample s("x");
  json object = written(s, {.event_id = false, .event_created = false});
  EXPECT_FALSE(object["event"].contains("id"));
  EXPECT_FALSE(object["event"].contains("created"));
  EXPECT_TRUE(object.contains("@timestamp"));
}

TEST(EcsJson, ANameThatIsBothValueAndObjectLosesNothing) {
  Sample s("1 2 3 4 5");
  s.capture("a", "1").capture("a.b", "2").capture("a.b.c", "3").capture("a.value.x", "4").capture("a-b", "5");
  json object = written(s);
  EXPECT_EQ(object["a"], json({{"value_", "1"}, {"b", {{"value", "2"}, {"c", "3"}}}, {"value", {{"x", "4"}}}}));
  EXPECT_EQ(object["a-b"], "5");
}

TEST(EcsJson, HostileNamesStayValidJson) {
  Sample s("1 2 3 4 5 6");
  s.capture("", "1").capture("..", "2").capture("q\"\\\n", "3").capture(std::string(60000, '.'), "4");
  s.capture("\xff", "5").capture("\xfe", "6");
  json object = written(s);
  EXPECT_EQ(object["q\"\\\n"], "3");
  EXPECT_EQ(object["\xef\xbf\xbd"], json({"5", "6"}));
}

TEST(EcsJson, EverySetOfNamesNestsAsTheObviousWayDoes) {
  uint32_t seed = 7;
  auto next = [&](uint32_t below) { return (seed = seed * 1664525 + 1013904223) / 65536 % below; };
  EcsJsonWriter writer;
  for (int round = 0; round < 3000; ++round) {
    Sample s("v");
    json expected = json::object();
    std::set<std::string> names;
    for (uint32_t i = next(12); i-- > 0;) {
      std::string name;
      for (uint32_t depth = 0; depth <= next(4); ++depth)
        name += (name.empty() ? "k" : ".") + std::string(1, "abc!"[next(4)]);
      bool clashes = false;  // have their own test
      for (const auto& other : names)
        clashes |= other == name || other.starts_with(name + '.') || name.starts_with(other + '.');
      if (clashes) continue;
      names.insert(name);
      s.captures.push_back({0, 1, 0, s.field(name)});
      std::string pointer = '/' + name;
      for (char& c : pointer) c = c == '.' ? '/' : c;
      expected[json::json_pointer(pointer)] = "v";
    }
    s.record.captures = s.captures;
    std::string out;
    writer.write(s.record, {}, out);
    json object = json::parse(out);
    for (const char* ours : {"@timestamp", "event", "message", "log", "observer", "organization", "yushi"})
      object.erase(ours);
    ASSERT_EQ(object, expected) << out;
  }
}

TEST(EcsJson, BytesThatAreNotUtf8ComeDecodedAndAsBase64) {
  Sample s("user=\xd5\xc5\xc8\xfd ok");  // GB18030: Zhang San
  s.capture("user.name", "\xd5\xc5\xc8\xfd");
  s.record.charset = charset_of(s.raw, Charset::gb18030);
  json object = written(s);
  EXPECT_EQ(object["user"]["name"], "\xe5\xbc\xa0\xe4\xb8\x89");
  EXPECT_EQ(object["event"]["original"], "user=\xe5\xbc\xa0\xe4\xb8\x89 ok");
  EXPECT_EQ(object["message"], "user=\xe5\xbc\xa0\xe4\xb8\x89 ok");
  EXPECT_EQ(from_base64(object["yushi"]["raw_base64"].get<std::string>()), s.raw);
  s.record.charset = Charset::utf8;
  object = written(s);
  EXPECT_EQ(from_base64(object["yushi"]["raw_base64"].get<std::string>()), s.raw);
  Sample plain("user=\xe5\xbc\xa0");
  plain.record.charset = charset_of(plain.raw, Charset::gb18030);
  EXPECT_FALSE(written(plain)["yushi"].contains("raw_base64"));
  EXPECT_EQ(written(plain)["message"], plain.raw);
}

TEST(EcsJson, AnyBytesAtAllGiveValidJson) {
  uint32_t seed = 1;
  for (int round = 0; round < 2000; ++round) {
    std::string raw;
    for (int i = 0; i < 40; ++i) raw += static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
    Sample s(raw);
    for (auto charset : {Charset::utf8, Charset::gb18030}) {
      s.record.charset = charset_of(raw, charset);
      written(s);
    }
  }
}

TEST(JsonString, EscapesWhatJsonDemandsAndMendsUtf8) {
  EXPECT_EQ(string_of("a\"\\/\n\r\t\x01\x7f"), "\"a\\\"\\\\/\\n\\r\\t\\u0001\x7f\"");
  EXPECT_EQ(string_of(std::string_view("\0", 1)), "\"\\u0000\"");
  const std::string bad = "\xef\xbf\xbd";
  // Unicode 15, table 3-8 and 3-11.
  EXPECT_EQ(string_of("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            '"' + bad + bad + bad + bad + bad + bad + bad + bad + "A\"");
  EXPECT_EQ(string_of("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), '"' + bad + bad + bad + bad + "A\"");
  EXPECT_EQ(string_of("\xED\xA0\x80"), '"' + bad + bad + bad + '"');
  EXPECT_EQ(string_of("\xF4\x90\x80\x80"), '"' + bad + bad + bad + bad + '"');
  EXPECT_EQ(string_of("0123456789abcde\xe4\xb8\xad\xf0\x9f\x98\x80"),
            "\"0123456789abcde\xe4\xb8\xad\xf0\x9f\x98\x80\"");
}

}  // namespace
}  // namespace yushi
