// The pipes of docs/query.md sentence by sentence: tests/cases/query/pipes.yaml.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <limits>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "core/filter/secrets.h"
#include "core/filter/when.h"
#include "query/output.h"
#include "query/pipe/run.h"
#include "query/pipe/stats.h"
#include "scan_units.h"
#include "tests/unit/source_file.h"

namespace yushi::query::test {
namespace {

QueryClock clock(const std::string& zone = "Asia/Shanghai") {
  QueryClock out;
  out.zone = *Zone::find(zone);
  return out;
}

// A list joined by ", ".
std::string cell_text(const Cell& cell) {
  std::string out;
  for (const Scalar& scalar : cell) {
    if (!out.empty()) out += ", ";
    out += scalar_text(scalar);
  }
  return out;
}

std::vector<Said> records_of(const YAML::Node& node) {
  std::vector<Said> out;
  for (const auto& each : node) {
    Said said;
    said.event_ns = parse_when(each["time"].as<std::string>(), clock())->from_ns;
    said.line = each["line"].as<std::string>();
    for (const auto& field : each["fields"]) {
      if (!field.second.IsSequence()) {
        said.fields.emplace_back(field.first.as<std::string>(), field.second.as<std::string>());
        continue;
      }
      for (const auto& item : field.second)
        said.fields.emplace_back(field.first.as<std::string>(), item.as<std::string>());
    }
    out.push_back(std::move(said));
  }
  return out;
}

// As a case writes it: cells between commas, one with a comma of its own in quotes.
std::string line_of(const std::vector<std::string>& cells) {
  std::string out;
  for (size_t i = 0; i < cells.size(); ++i) {
    bool quoted = cells[i].find(',') != std::string::npos;
    out += (i > 0 ? "," : "") + (quoted ? '"' + cells[i] + '"' : cells[i]);
  }
  return out;
}

std::vector<UnitGroup> plan_scan(const std::vector<Said>& records, size_t cut) {
  std::vector<ScanUnit> units;
  for (size_t at = 0; at < records.size(); at += cut)
    units.push_back(unit_of("default", at,
                            {records.begin() + static_cast<ptrdiff_t>(at),
                             records.begin() + static_cast<ptrdiff_t>(std::min(at + cut, records.size()))}));
  return one_group(std::move(units));
}

TEST(Pipes, EachSentenceHoldsInItsCasesHoweverTheRecordsAreCut) {
  YAML::Node file = YAML::Load(yushi::test::source_file("tests/cases/query/pipes.yaml"));
  for (const auto& each : file["cases"])
    for (const auto& asked : each["queries"]) {
      auto text = asked["ask"].as<std::string>();
      SCOPED_TRACE(text);
      auto records = records_of(file[asked["of"].as<std::string>("records")]);
      auto query = Query::parse(text, clock(asked["zone"].as<std::string>("Asia/Shanghai")));
      ASSERT_TRUE(query) << query.error().message;
      for (size_t cut : {records.size(), size_t{1}, size_t{2}}) {
        auto answer = run_pipe(*query, plan_scan(records, cut), {}, kGoOn);
        ASSERT_TRUE(answer) << answer.error().message;
        EXPECT_TRUE(answer->report.is_complete());
        std::vector<std::string> names;
        for (const auto& column : query->columns) names.push_back(column.name);
        EXPECT_EQ(answer->table.columns, names);
        auto columns = asked["columns"].as<std::string>("");
        EXPECT_TRUE(columns.empty() || line_of(answer->table.columns) == columns) << line_of(answer->table.columns);
        std::vector<std::string> rows, expected;
        for (const auto& row : answer->table.rows) {
          std::vector<std::string> cells;
          for (const auto& cell : row) cells.push_back(cell_text(cell));
          rows.push_back(line_of(cells));
        }
        for (const auto& row : asked["rows"]) expected.push_back(row.as<std::string>());
        EXPECT_EQ(rows, expected);
      }
    }
}

// A bin holds the instants from its start to the start of the next, whatever the zone does to its clock.
TEST(Pipes, BinsCutTimeIntoPiecesThatDoNotOverlap) {
  struct Change {
    const char *zone, *from;
  };
  for (auto& change : {Change{"Europe/Berlin", "2026-03-27T00:00Z"},
                       {"Europe/Berlin", "2026-10-23T00:00Z"},
                       {"Australia/Lord_Howe", "2026-04-03T00:00Z"},
                       {"Australia/Lord_Howe", "2026-10-02T00:00Z"},
                       {"Asia/Shanghai", "1991-04-12T00:00Z"},
                       {"Asia/Shanghai", "1991-09-13T00:00Z"},
                       {"America/Sao_Paulo", "2018-11-02T00:00Z"},
                       {"America/Sao_Paulo", "2018-02-16T00:00Z"},
                       {"Pacific/Apia", "2011-12-28T00:00Z"},
                       {"America/Caracas", "2016-04-29T00:00Z"},
                       {"UTC", "1969-12-30T00:00Z"}})
    for (int64_t bin : {7 * kMinute, 30 * kMinute, kHour, 90 * kMinute, 2 * kHour, 5 * kHour, 6 * kHour, 8 * kHour,
                        12 * kHour, kDay, 36 * kHour, 2 * kDay, 7 * kDay, 365 * kDay}) {
      auto zone = *Zone::find(change.zone);
      int64_t from = parse_when(change.from, {})->from_ns, last = std::numeric_limits<int64_t>::min();
      for (int64_t at = from; at < from + 5 * kDay; at += 5 * kMinute) {
        int64_t start = bin_start(at, bin, *zone);
        SCOPED_TRACE(std::string(change.zone) + " " + std::to_string(bin / kMinute) + "m " + time_in_zone(at, *zone) +
                     " is of " + time_in_zone(start, *zone));
        ASSERT_LE(start, at);
        ASSERT_LT(at - start, bin + 2 * kHour);
        ASSERT_GE(start, last);
        ASSERT_EQ(bin_start(start, bin, *zone), start);
        last = start;
      }
    }
}

TEST(Pipes, EachSentenceHasACase) {
  std::istringstream text(yushi::test::source_file("docs/query.md"));
  std::set<std::string> sentences, cases;
  bool in_pipes = false;
  for (std::string line; std::getline(text, line);) {
    if (line == "## Pipes") in_pipes = true;
    if (in_pipes && line.starts_with("- ")) sentences.insert(line.substr(2));
  }
  for (const auto& each : YAML::Load(yushi::test::source_file("tests/cases/query/pipes.yaml"))["cases"])
    cases.insert(each["says"].as<std::string>());
  EXPECT_EQ(sentences, cases);
}

TEST(Pipes, ErrorsPointAtThePlace) {
  for (const auto& each : YAML::Load(yushi::test::source_file("tests/cases/query/pipes.yaml"))["errors"]) {
    auto text = each["ask"].as<std::string>();
    auto query = Query::parse(text, clock());
    ASSERT_FALSE(query) << text;
    const std::string& message = query.error().message;
    std::string caret = std::string(2 + each["at"].as<size_t>(), ' ') + "^";
    EXPECT_EQ(message.substr(message.rfind('\n') + 1), caret) << message;
  }
}

TEST(Pipes, GroupsThatDoNotFitFailTheQuery) {
  std::vector<Said> records;
  for (int i = 0; i < 5000; ++i) records.push_back({i, "x", {{"user.name", "user" + std::to_string(i)}}});
  auto groups = one_group({unit_of("default", 0, records)});
  ScanOptions options;
  options.bytes_max = 100'000;
  for (const char* text : {"* | stats count() by user.name", "* | stats distinct(user.name)", "* | fields user.name"}) {
    auto answer = run_pipe(*Query::parse(text, clock()), groups, options, kGoOn);
    ASSERT_FALSE(answer) << text;
    EXPECT_EQ(answer.error().code, Code::exhausted);
  }
  EXPECT_TRUE(run_pipe(*Query::parse("* | head 10", clock()), groups, options, kGoOn));
}

// Some 2,300 bytes each; what only makes it faster takes no group's room.
TEST(Pipes, GroupsThatFitAreNotCrowdedOutByWhatIsKnownOfThem) {
  std::vector<Said> records;
  for (int i = 0; i < 1000; ++i)
    records.push_back({i, "x", {{"user.name", std::string(1000, 'u') + std::to_string(i)}}});
  ScanOptions options;
  options.bytes_max = 2'600'000;
  auto answer = run_pipe(*Query::parse("* | stats count() by user.name", clock()),
                         one_group({unit_of("default", 0, records)}), options, kGoOn);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->table.rows.size(), std::min<size_t>(options.limit, 1000));
}

// However the records are cut: the fields of time of the rows that a limit leaves.
std::vector<std::string> rows_within(const std::string& text, size_t limit, size_t cut) {
  auto groups =
      plan_scan(records_of(YAML::Load(yushi::test::source_file("tests/cases/query/pipes.yaml"))["records"]), cut);
  ScanOptions options;
  options.limit = limit;
  auto query = Query::parse(text, clock());
  auto answer = query ? run_pipe(*query, groups, options, kGoOn) : Result<PipeAnswer>(tl::unexpected(query.error()));
  EXPECT_TRUE(answer) << answer.error().message;
  std::vector<std::string> out;
  if (answer)
    for (const Row& row : answer->table.rows) out.push_back(cell_text(row[0]));
  return out;
}

TEST(Pipes, ALimitLeavesTheNewestUnlessAStageOrders) {
  using Rows = std::vector<std::string>;
  for (size_t cut : {1, 2, 5}) {
    EXPECT_EQ(rows_within("* | fields user.name", 3, cut), (Rows{"bob", "", "carol"}));
    EXPECT_EQ(rows_within("* | fields user.name", 0, cut), Rows{});
    EXPECT_EQ(rows_within("* | fields user.name", 9, cut), (Rows{"alice", "bob", "bob", "", "carol"}));
    EXPECT_EQ(rows_within("* | fields user.name | where user.name: *", 2, cut), (Rows{"bob", "carol"}));
    EXPECT_EQ(rows_within("* | head 3 | fields user.name", 2, cut), (Rows{"bob", "bob"}));
    EXPECT_EQ(rows_within("* | stats count() by bin(@timestamp, 1d)", 1, cut), Rows{"2026-11-01T16:00:00.000Z"});
    EXPECT_EQ(rows_within("* | sort user.name | fields user.name", 2, cut), (Rows{"alice", "bob"}));
    EXPECT_EQ(rows_within("* | top 3 user.name", 1, cut), Rows{"bob"});
    EXPECT_EQ(rows_within("* | stats count() by user.name", 1, cut), Rows{"alice"});
  }
}

// Also of a block, of which no more is read than what is asked.
TEST(Pipes, RowsSayOfARecordThatASecretOfItIsMasked) {
  auto rules = SecretRules::load(*read_secret_directories({YUSHI_SOURCE_DIR "/config/secrets"}));
  ASSERT_TRUE(rules);
  const std::vector<Said> records = {{1, "login with password=hunter2xyz of", {{"user.name", "alice"}}},
                                     {2, "login of", {{"user.name", "bob"}}}};
  for (const bool sealed : {true, false})
    for (auto& [asked, want] : std::map<std::string, std::vector<std::string>>{
             {"* | fields user.name, yushi.masked", {"alice,true", "bob,"}},
             {"* | sort user.name | head 1 | fields yushi.masked", {"true"}},
             {"* | stats count() by yushi.masked", {"true,1", ",1"}},
             {"* | stats count() by message, user.name",
              {"login of bob,bob,1", "login with password=[masked] of alice,alice,1"}}}) {
      auto query = Query::parse(asked, clock());
      ASSERT_TRUE(query) << query.error().message;
      auto answer = run_pipe(*query, one_group({unit_of("default", 0, records, sealed)}), {}, kGoOn, *rules);
      ASSERT_TRUE(answer) << answer.error().message;
      std::vector<std::string> rows;
      for (const auto& row : answer->table.rows) {
        std::vector<std::string> cells;
        for (const auto& cell : row) cells.push_back(cell_text(cell));
        rows.push_back(line_of(cells));
      }
      EXPECT_EQ(rows, want) << asked << (sealed ? " of a block" : " of the tail");
    }
}

TEST(Pipes, AHistogramCountsEachSpan) {
  auto file = YAML::Load(yushi::test::source_file("tests/cases/query/pipes.yaml"));
  auto groups = one_group({unit_of("default", 0, records_of(file["records"]))});
  auto query = Query::histogram("*", "1h", "", clock());
  ASSERT_TRUE(query);
  auto answer = run_pipe(*query, groups, {}, kGoOn);
  ASSERT_TRUE(answer);
  TableStyle style;
  style.zone = clock().zone;
  auto bars = render_bars(answer->table, 3600 * kSecond, style);
  EXPECT_EQ(std::count(bars.begin(), bars.end(), '\n'), 18);  // 07:00 to 00:00, the empty hours too
  EXPECT_TRUE(bars.starts_with("2026-11-01 07:00:00+08:00  1 ")) << bars;
  EXPECT_FALSE(Query::histogram("*", "soon", "", clock()));
}

TEST(Output, EmptyDaysBeginAtMidnightAlsoBehindAChangeOfTheClock) {
  Table table;
  table.columns = {"@timestamp", "count()"};
  for (auto* day : {"2026-10-24", "2026-10-27"})
    table.rows.push_back({{Instant{parse_when(day, clock("Europe/Berlin"))->from_ns}}, {int64_t{1}}});
  TableStyle style;
  style.zone = *Zone::find("Europe/Berlin");
  auto bars = render_bars(table, 24 * 3600 * kSecond, style);
  for (auto* line : {"2026-10-24 00:00:00+02:00  1", "\n2026-10-25 00:00:00+02:00  0", "\n2026-10-26 00:00:00+01:00  0",
                     "\n2026-10-27 00:00:00+01:00  1"})
    EXPECT_NE(bars.find(line), std::string::npos) << bars;
  EXPECT_EQ(std::count(bars.begin(), bars.end(), '\n'), 4);
}

TEST(Output, ALongRunOfEmptySpansIsOneLine) {
  Table table;
  table.columns = {"@timestamp", "count()"};
  for (int64_t hour : {0, 25, 26, 52, 26 + 17'521 + 26}) table.rows.push_back({{Instant{hour * kHour}}, {int64_t{1}}});
  auto bars = render_bars(table, kHour, {});
  std::vector<std::string> lines;
  std::istringstream in(bars);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 1u + 24 + 2 + 1 + 1 + 1 + 1) << bars;  // 24 empty hours are shown, 25 are one line
  EXPECT_TRUE(lines[24].starts_with("1970-01-02 00:00:00Z  0")) << lines[24];
  EXPECT_EQ(lines[27], "… 25 empty");
  EXPECT_EQ(lines[29], "… 17,520 empty");
  EXPECT_TRUE(lines[30].starts_with("1972-01-03 05:00:00Z  1")) << lines[30];
}

TEST(Output, JsonCarriesEachValueAsItIs) {
  Table table;
  table.columns = {"a", "b\"c", "d", "e"};
  table.rows.push_back({{int64_t{-5}}, {std::string("x,\"y\"\nz")}, {std::string("p"), std::string("q")}, {}});
  table.rows.push_back({{1.5}, {true}, {Instant{0}}, {std::string("\xff")}});
  EXPECT_EQ(render_json_row(table, table.rows[0]), "{\"a\":-5,\"b\\\"c\":\"x,\\\"y\\\"\\nz\",\"d\":[\"p\",\"q\"]}");
  EXPECT_EQ(render_json_row(table, table.rows[1]),
            "{\"a\":1.5,\"b\\\"c\":true,\"d\":\"1970-01-01T00:00:00.000Z\",\"e\":\"\xef\xbf\xbd\"}");
}

}  // namespace
}  // namespace yushi::query::test
