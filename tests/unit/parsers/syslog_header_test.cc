// Our own lines in each dialect (tests/cases/header/*.jsonl), and properties that hold for any bytes.
#include <filesystem>
#include <fstream>
#include <random>

#include <nlohmann/json.hpp>

#include "core/base/bytes.h"
#include "tests/unit/parsers/header_case.h"

namespace yushi::parsers {
namespace {

using nlohmann::json;

std::shared_ptr<const Zone> zone_of(const json& test) {
  auto zone = Zone::find(test.value("zone", "UTC"));
  EXPECT_TRUE(zone);
  return *zone;
}

int64_t received(const json& test) {
  return parse_time(test.value("received", "2026-11-01T08:00:05Z"), 0, *Zone::utc())->unix_ns;
}

std::string raw_of(const json& test) {
  if (test.contains("raw_hex")) return from_hex(test["raw_hex"].get<std::string>()).value();
  return test["raw"];
}

json answer(const ReadHeader& read, bool with_hex) {
  json out = json::object();
  for (const Capture& capture : read.captures()) {
    std::string name(capture.field->name);
    if (name == "log.syslog.priority") continue;  // given as a number below
    if (name.starts_with(kStructuredDataPrefix)) name = "sd." + name.substr(kStructuredDataPrefix.size());
    if (out.contains(name) && capture.field->list) {
      if (!out[name].is_array()) out[name] = json::array({out[name]});
      out[name].push_back(read.value(capture));
    } else {
      EXPECT_FALSE(out.contains(name)) << name << " is said twice";
      out[name] = read.value(capture);
    }
  }
  if (read.record().priority != Record::kNoPriority) {
    EXPECT_EQ(std::stoi(read.text("log.syslog.priority").value_or("-1")), read.record().priority);
    out["pri"] = read.record().priority;
  }
  if (with_hex)
    out["message_hex"] = to_hex(read.record().message());
  else
    out["message"] = read.message();
  out["event"] = utc_text(read.record().event_ns);
  if (const int inferred = read.record().time_inferred) {
    out["inferred"] = json::array();
    if (inferred & kYearInferred) out["inferred"].push_back("year");
    if (inferred & kZoneInferred) out["inferred"].push_back("zone");
    if (inferred & kAllInferred) out["inferred"].push_back("all");
  }
  return out;
}

TEST(SyslogHeader, our_own_lines_of_each_dialect_give_the_fields_their_case_files_name) {
  size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(YUSHI_SOURCE_DIR "/tests/cases/header")) {
    if (entry.path().extension() != ".jsonl" || entry.path().stem() == "differences") continue;
    std::ifstream in(entry.path());
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
      if (line.empty()) continue;
      SCOPED_TRACE(entry.path().filename().string() + ":" + std::to_string(number));
      const json test = json::parse(line);
      const auto zone = zone_of(test);
      const ReadHeader read(raw_of(test), received(test), *zone, test.value("relay", false) ? kByRelay : 0);
      read.expect_whole();
      json expected = test["expect"];
      if (!expected.contains("event")) {  // no time in the message: the receipt's
        expected["event"] = utc_text(received(test));
        expected["inferred"] = json::array({"all"});
      }
      EXPECT_EQ(answer(read, expected.contains("message_hex")).dump(1), expected.dump(1)) << line;
      ++cases;
    }
  }
  EXPECT_GT(cases, 60u);
}

TEST(SyslogHeader, every_priority_from_0_to_191_is_read_and_no_other_number) {
  for (int i = 0; i < 1100; ++i) {
    const std::string raw = "<" + std::to_string(i) + ">1 - - - - - - x";
    const ReadHeader read(raw, 0, *Zone::utc());
    EXPECT_EQ(read.record().priority, i <= 191 ? i : Record::kNoPriority);
    EXPECT_EQ(read.message(), i <= 191 ? "x" : raw);
  }
}

TEST(SyslogHeader, any_cut_of_a_message_keeps_every_byte) {
  const std::string whole[] = {
      "<165>1 2026-11-01T08:00:00.003Z web1 nginx 8710 ID47 [a@1 b=\"c\\]\\\"d\" e=\"\"][f] \xEF\xBB\xBF text\r",
      "<189>123: edge1: *Mar  1 18:46:11.123 UTC: %SYS-5-CONFIG_I: Configured from console by vty0\r",
      "<13>Nov  1 08:00:00 2001:db8::7 su(pam_unix)[12]: session opened",
      "<190>Nov  1 08:00:00 2026 core1 %%10SHELL/5/SHELL_LOGIN(l)[1234]: console logged in",
      "<34>Nov  1 08:00:00 Message forwarded from aix7: sshd[123]: text"};
  for (const std::string& raw : whole) {
    for (size_t length = 0; length <= raw.size(); ++length)
      ReadHeader(raw.substr(0, length), 1'793'520'000 * kSecond, *Zone::utc()).expect_whole();
  }
}

TEST(SyslogHeader, random_changes_of_a_message_keep_every_byte) {
  const std::string seeds[] = {
      "<165>1 2026-11-01T08:00:00.003Z web1 nginx 8710 ID47 [a@1 b=\"c\\]\\\"d\" e=\"\"][f] text",
      "<189>123: edge1: *Mar  1 18:46:11.123 UTC: %SYS-5-CONFIG_I: Configured",
      "<13>Nov  1 08:00:00 host su(pam_unix)[12]: session opened"};
  using namespace std::string_literals;  // which counts a NUL too
  const auto alphabet = "<>[]\"\\=:. -%/0159aZ*\0\r\n\xEF\xBB\xBF("s;
  std::mt19937 random(1);
  for (int i = 0; i < 200'000; ++i) {
    std::string raw = seeds[random() % 3];
    for (unsigned changes = 1 + random() % 4; changes > 0 && !raw.empty(); --changes) {
      const size_t at = random() % raw.size();
      switch (random() % 3) {
        case 0:
          raw[at] = alphabet[random() % alphabet.size()];
          break;
        case 1:
          raw.erase(at, 1 + random() % 5);
          break;
        default:
          raw.insert(at, 1, alphabet[random() % alphabet.size()]);
      }
    }
    ReadHeader(raw, 1'793'520'000 * kSecond, *Zone::utc()).expect_whole();
    if (HasFailure()) FAIL() << testing::PrintToString(raw);
  }
}

TEST(SyslogHeader, structured_data_beyond_the_bound_stays_in_raw_only) {
  std::string raw = "<13>1 - - - - - [a";
  for (int i = 0; i < 2000; ++i) raw += " n=\"\"";
  raw += "] text";
  const ReadHeader read(raw, 0, *Zone::utc());
  read.expect_whole();
  EXPECT_EQ(read.message(), "text");
  EXPECT_EQ(read.captures().size(), 2 + kStructuredDataMax);
  EXPECT_TRUE(read.is_capped());
}

TEST(SyslogHeader, structured_data_up_to_the_bound_is_taken_and_its_lists_stay_lists) {
  std::string raw = "<13>1 - - - - - [a";
  for (int i = 0; i < 512; ++i)
    raw += " n" + std::to_string(i) + "=\"" + std::to_string(i) + "\" ip=\"" + std::to_string(i) + "\"";
  raw += "] text";
  const ReadHeader read(raw, 0, *Zone::utc());
  read.expect_whole();
  EXPECT_FALSE(read.is_capped());
  EXPECT_EQ(read.text("log.syslog.structured_data.a.n511"), "511");
  int next = 0;
  for (const Capture& capture : read.captures()) {
    if (capture.field->name != "log.syslog.structured_data.a.ip") {
      EXPECT_FALSE(capture.field->list);
      continue;
    }
    EXPECT_TRUE(capture.field->list);
    EXPECT_EQ(read.value(capture), std::to_string(next++));
  }
  EXPECT_EQ(next, 512);
}

}  // namespace
}  // namespace yushi::parsers
