// docs/query.md sentence by sentence: tests/cases/query/filter.yaml.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

#include "case_record.h"
#include "core/base/bytes.h"
#include "core/base/display.h"
#include "core/filter/filter.h"
#include "core/filter/record_tokens.h"
#include "core/filter/when.h"
#include "tests/unit/source_file.h"

namespace yushi::test {
namespace {

QueryClock clock() {
  QueryClock out;
  out.zone = *Zone::find("Asia/Shanghai");
  QueryClock utc;
  out.now_ns = parse_when("2026-11-10T12:00:00Z", utc)->from_ns;
  return out;
}

int64_t instant(const std::string& text) { return parse_when(text, QueryClock{})->from_ns; }

std::unique_ptr<CaseRecord> record_of(const YAML::Node& node) {
  auto line = node["hex"] ? *from_hex(node["hex"].as<std::string>()) : node["line"].as<std::string>();
  auto out = std::make_unique<CaseRecord>(line);
  if (node["charset"]) {
    auto& record = out->record();
    record.charset = charset_of(record.raw, *find_charset(node["charset"].as<std::string>()));
  }
  out->record().event_ns = instant(node["time"].as<std::string>("2026-11-01T08:00:00Z"));
  out->origin().received_ns = instant(node["received"].as<std::string>("2026-11-01T08:00:01Z"));
  if (node["fields"])
    for (const auto& field : node["fields"]) {
      bool json = field.second.IsMap() && field.second["json"], hex = field.second.IsMap() && field.second["hex"];
      auto text = json  ? field.second["json"].as<std::string>()
                  : hex ? *from_hex(field.second["hex"].as<std::string>())
                        : field.second.as<std::string>();
      EXPECT_TRUE(out->capture(field.first.as<std::string>(), text, json ? Escape::json : Escape::none)) << text;
    }
  if (node["constants"])
    for (const auto& field : node["constants"]) {
      if (!field.second.IsSequence()) {
        out->constant(field.first.as<std::string>(), field.second.as<std::string>());
        continue;
      }
      for (const auto& item : field.second) out->constant(field.first.as<std::string>(), item.as<std::string>());
    }
  return out;
}

void expect_match(const std::string& query, const Record& record, bool expected) {
  auto filter = Filter::parse_kql(query, clock());
  ASSERT_TRUE(filter) << query << "\n" << filter.error().message;
  Scratch scratch;
  EXPECT_EQ(filter->matches(record, scratch), expected) << query;
  if (!expected) return;
  // What matches must never be pruned away.
  std::vector<uint64_t> tokens;
  gather_record_tokens(record, scratch, tokens);
  EXPECT_TRUE(filter->may_match([&](uint64_t hash) {
    return std::find(tokens.begin(), tokens.end(), hash) != tokens.end();
  })) << query;
  EXPECT_LE(filter->times().from_ns, record.event_ns) << query;
  EXPECT_GE(filter->times().to_ns, record.event_ns) << query;
}

// The column of the caret must be that of byte `at` of the query.
void expect_error(const std::string& query, size_t at) {
  auto filter = Filter::parse_kql(query, clock());
  ASSERT_FALSE(filter) << query;
  EXPECT_EQ(filter.error().code, Code::invalid);
  const std::string& message = filter.error().message;
  size_t last = message.rfind('\n');
  ASSERT_NE(last, std::string::npos) << message;
  EXPECT_EQ(message.substr(last + 1), std::string(2 + display_columns(query.substr(0, at)), ' ') + "^") << message;
}

std::string repeat(const std::string& text, size_t times) {
  std::string out;
  while (times-- > 0) out += text;
  return out;
}

TEST(QueryCases, EachSentenceOfTheContractHoldsInItsCases) {
  YAML::Node cases = YAML::Load(source_file("tests/cases/query/filter.yaml"));
  ASSERT_GT(cases.size(), 30u);
  for (const auto& each : cases) {
    SCOPED_TRACE(each["says"].as<std::string>());
    auto record = record_of(each);
    for (const auto& query : each["yes"]) expect_match(query.as<std::string>(), record->record(), true);
    for (const auto& query : each["no"]) expect_match(query.as<std::string>(), record->record(), false);
    for (const auto& error : each["errors"]) expect_error(error["query"].as<std::string>(), error["at"].as<size_t>());
    for (const auto& made : each["repeat"]) {
      auto times = made["times"].as<size_t>();
      auto query = (made["begin"] ? made["begin"].as<std::string>() : "") +
                   repeat(made["text"].as<std::string>(), times) + made["then"].as<std::string>() +
                   (made["close"] ? repeat(made["close"].as<std::string>(), times) : "");
      auto filter = Filter::parse_kql(query, clock());
      EXPECT_EQ(filter.has_value(), !made["error"]) << query.substr(0, 40) << " × " << times;
      Scratch scratch;
      if (!filter) continue;
      EXPECT_TRUE(filter->matches(record->record(), scratch)) << query.substr(0, 40) << " × " << times;
    }
  }
}

TEST(QueryCases, EachSentenceOfTheContractHasACase) {
  std::istringstream text(source_file("docs/query.md"));
  std::set<std::string> sentences, cases;
  for (std::string line; std::getline(text, line) && line != "## Pipes";)
    if (line.starts_with("- ")) sentences.insert(line.substr(2));
  for (const auto& each : YAML::Load(source_file("tests/cases/query/filter.yaml")))
    cases.insert(each["says"].as<std::string>());
  EXPECT_EQ(sentences, cases);
}

}  // namespace
}  // namespace yushi::test
