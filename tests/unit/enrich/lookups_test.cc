// What is looked up stands in the JSON of a record, and nowhere else.
#include "enrich/lookups.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "core/record/ecs_json.h"
#include "tests/unit/enrich/mmdb_file.h"
#include "tests/unit/record/sample.h"

namespace yushi::enrich {
namespace {

using nlohmann::json;

class LookupsTest : public testing::Test {
 protected:
  LookupsTest() : folder_(std::filesystem::temp_directory_path() / ("yushi-lookups-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~LookupsTest() override {
    use_lookups(nullptr);
    std::filesystem::remove_all(folder_);
  }

  std::string file(const std::string& name, const std::string& bytes) {
    const auto path = folder_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }

  json written(Sample& sample) {
    std::string out;
    EcsJsonWriter().write(sample.record, {}, out);
    return json::parse(out);
  }

  std::filesystem::path folder_;
};

// 192.0.2.9
const std::string kPlace = mmdb_map(
    {{"continent", mmdb_map({{"code", mmdb_text("AS")}})},
     {"country", mmdb_map({{"iso_code", mmdb_text("CN")}, {"names", mmdb_map({{"en", mmdb_text("China")}})}})},
     {"subdivisions",
      mmdb_array({mmdb_map({{"iso_code", mmdb_text("GD")}, {"names", mmdb_map({{"en", mmdb_text("Guangdong")}})}})})},
     {"city", mmdb_map({{"names", mmdb_map({{"en", mmdb_text("Shenzhen")}})}})},
     {"location", mmdb_map({{"latitude", mmdb_double(22.5)}, {"longitude", mmdb_double(114.25)}})}});

TEST_F(LookupsTest, AnAddressHasItsPlaceAndItsNetwork) {
  auto opened = open_lookups(
      {file("city.mmdb", mmdb_file({{0xc0000209, kPlace}, {0xc000020b, kPlace}})),
       file("asn.mmdb",
            mmdb_file({{0xc0000209, mmdb_map({{"autonomous_system_number", mmdb_uint32(64500)},
                                              {"autonomous_system_organization", mmdb_text("Example Net")}})}})),
       {}});
  ASSERT_TRUE(opened) << opened.error().message;
  Sample sample("from 192.0.2.9 to 192.0.2.8");
  sample.capture("source.ip", "192.0.2.9").capture("destination.ip", "192.0.2.8");
  EXPECT_FALSE(written(sample)["source"].contains("geo"));
  use_lookups(*opened);
  const auto object = written(sample);
  EXPECT_EQ(object["source"],
            json::parse(R"({"ip":"192.0.2.9","as":{"number":64500,"organization":{"name":"Example Net"}},
    "geo":{"continent_code":"AS","country_iso_code":"CN","country_name":"China","region_iso_code":"CN-GD","region_name":"Guangdong",
    "city_name":"Shenzhen","location":{"lat":22.5,"lon":114.25}}})"));
  EXPECT_EQ(object["destination"], json::parse(R"({"ip":"192.0.2.8"})"));
  EXPECT_TRUE(sample.values("source.geo.city_name").empty());  // no filter asks for it
}

TEST_F(LookupsTest, WhatTheRecordSaysItselfStands) {
  auto opened = open_lookups({file("city.mmdb", mmdb_file({{0xc0000209, kPlace}})), {}, {}});
  ASSERT_TRUE(opened) << opened.error().message;
  use_lookups(*opened);
  Sample sample("192.0.2.9 Beijing 2001:db8::1");
  sample.capture("source.ip", "192.0.2.9")
      .capture("source.geo.city_name", "Beijing")
      .capture("client.ip", "2001:db8::1");
  const auto object = written(sample);
  EXPECT_EQ(object["source"]["geo"]["city_name"], "Beijing");
  EXPECT_EQ(object["source"]["geo"]["country_iso_code"], "CN");
  EXPECT_EQ(object["client"], json::parse(R"({"ip":"2001:db8::1"})"));  // a database of IPv4
}

TEST_F(LookupsTest, AFileThatIsNoneIsRefusedWithItsName) {
  auto text = open_lookups({file("text.mmdb", "no database at all"), {}, {}});
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Code::invalid);
  EXPECT_NE(text.error().message.find("text.mmdb"), std::string::npos);
  auto absent = open_lookups({{}, (folder_ / "absent.mmdb").string(), {}});
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Code::io);
  EXPECT_FALSE(open_lookups({{}, {}, file("rules.yaml", "a: b\n")}));
  EXPECT_FALSE(open_lookups({{}, {}, file("rules.yaml", "a: [\n")}));
  auto none = open_lookups({});
  ASSERT_TRUE(none);
  EXPECT_EQ(none->get(), nullptr);
}

TEST_F(LookupsTest, ADamagedDatabaseGivesNothingAndStopsNothing) {
  const auto whole = mmdb_file({{0xc0000209, kPlace}});
  for (size_t at = 0; at < whole.size(); at += 3) {
    auto damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    auto opened = open_lookups({file("damaged.mmdb", damaged), {}, {}});
    if (!opened) continue;
    use_lookups(*opened);
    Sample sample("192.0.2.9");
    sample.capture("source.ip", "192.0.2.9");
    EXPECT_EQ(written(sample)["source"]["ip"], "192.0.2.9");
    use_lookups(nullptr);
  }
}

TEST_F(LookupsTest, AUserAgentIsNamedByTheFirstRuleThatFits) {
  auto opened = open_lookups({{}, {}, file("rules.yaml", R"(
user_agent_parsers:
  - regex: '(?!look)around'
  - regex: '(curl)/(\d+)\.(\d+)(?:\.(\d+)|)'
  - {regex: 'Browser/(\d+)\.(\d+)', family_replacement: 'Example Browser', v1_replacement: '$1', v2_replacement: '$2'}
  - {regex: '(brows)', regex_flag: 'i', family_replacement: 'Other $1'}
os_parsers:
  - {regex: 'Windows NT 10\.0', os_replacement: 'Windows', os_v1_replacement: '10'}
device_parsers:
  - {regex: '(iPhone)', device_replacement: '$1'}
)")});
  ASSERT_TRUE(opened) << opened.error().message;
  use_lookups(*opened);
  const auto agent = [&](const std::string& text) {
    Sample sample(text);
    sample.capture("user_agent.original", text);
    auto object = written(sample)["user_agent"];
    object.erase("original");
    return object;
  };
  EXPECT_EQ(agent("curl/8.1.2"), json::parse(R"({"name":"curl","version":"8.1.2"})"));
  EXPECT_EQ(agent("Mozilla/5.0 (Windows NT 10.0) Browser/7.3"),
            json::parse(R"({"name":"Example Browser","version":"7.3","os":{"name":"Windows","version":"10"}})"));
  // As IIS writes it.
  EXPECT_EQ(agent("Mozilla/5.0+(Windows+NT+10.0)+Browser/7.3"),
            json::parse(R"({"name":"Example Browser","version":"7.3","os":{"name":"Windows","version":"10"}})"));
  EXPECT_EQ(agent("BROWS (iPhone)"), json::parse(R"({"name":"Other BROWS","device":{"name":"iPhone"}})"));
  EXPECT_EQ(agent("nobody"), json::object());
  EXPECT_EQ(agent("curl/8.1.2"), json::parse(R"({"name":"curl","version":"8.1.2"})"));
}

// Of the package where it is installed.
TEST_F(LookupsTest, TheKeptRulesKnowCommonBrowsers) {
  const std::string path = "/usr/share/uap-core/regexes.yaml";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "uap-core is not installed";
  auto opened = open_lookups({{}, {}, path});
  ASSERT_TRUE(opened) << opened.error().message;
  use_lookups(*opened);
  Sample sample("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:109.0) Gecko/20100101 Firefox/115.0");
  sample.capture("user_agent.original", sample.raw);
  const auto agent = written(sample)["user_agent"];
  EXPECT_EQ(agent["name"], "Firefox");
  EXPECT_EQ(agent["os"]["name"], "Windows");
}

}  // namespace
}  // namespace yushi::enrich
