// Tables of parser files: constants by the row that a value stands in.
#include "parsers/file/row_table.h"

#include <gtest/gtest.h>

#include <thread>

#include "parsers/authoring/check.h"
#include "parsers/parser_set.h"
#include "parsers/pattern/pattern_kinds.h"

namespace yushi::parsers {
namespace {

constexpr const char* kTests = "tests: [{line: 'fw id=1 proto=tcp', expect: {fw.id: 1}}, {line: none, expect: none}]\n";

class TableTest : public testing::Test {
 protected:
  static std::string problems(const std::string& text, const std::string& shared = "") {
    std::vector<ParserFile> files = {{"fw.yaml", "fw.yaml", text}};
    if (!shared.empty()) files.push_back({"words.yaml", "words.yaml", shared});
    std::string out;
    for (auto& problem : check_parser_files(files)) out += (out.empty() ? "" : "\n") + problem;
    return out;
  }

  void load(const std::string& text, const std::string& shared = "") {
    std::vector<ParserFile> files = {{"fw.yaml", "fw.yaml", text}};
    if (!shared.empty()) files.push_back({"words.yaml", "words.yaml", shared});
    auto set = ParserSet::load(files);
    ASSERT_TRUE(set.has_value()) << set.error().message;
    set_ = *set;
    worker_ = std::make_unique<ParserWorker>(set_);
  }

  // The constants that the message's kind gives: "event.action=a event.outcome=b".
  std::string constants(const std::string& message) {
    captures_.clear();
    Record record;
    raw_ = message;
    record.raw = raw_;
    record.origin = &origin_;
    record.message_length = static_cast<uint32_t>(raw_.size());
    worker_->parse(record, *Zone::utc(), arena_, captures_, "fw");
    kind_ = record.kind;
    std::string out;
    if (record.kind)
      for (auto& constant : record.kind->constants)
        out += (out.empty() ? "" : " ") + std::string(constant.field->name) + "=" + constant.value;
    return record.kind ? out : "unknown";
  }

  std::shared_ptr<const ParserSet> set_;
  std::unique_ptr<ParserWorker> worker_;
  Origin origin_;
  Arena arena_;
  std::string raw_;
  std::vector<Capture> captures_;
  const MessageKind* kind_ = nullptr;
};

const std::string kById = std::string(R"(name: fw
match: {app: [fw]}
fields: {event.action: none, event.provider: file}
tables:
  - by: fw.id
    rows:
      '1': {event.action: one}
      '2': {event.action: two, event.outcome: success}
      Built: {event.action: three}
    else: {event.outcome: unknown}
patterns:
  - name: line
    grok: 'fw id=%{NOTSPACE:fw.id}?(?: proto=%{NOTSPACE:fw.proto})?'
    fields: {event.provider: pattern}
)") + kTests;

TEST_F(TableTest, ARowGivesItsConstantsOverThoseOfFileAndPattern) {
  load(kById);
  EXPECT_EQ(constants("fw id=1"), "event.provider=pattern event.action=one");
  EXPECT_EQ(constants("fw id=2"), "event.provider=pattern event.action=two event.outcome=success");
  EXPECT_EQ(kind_->pattern, "line");
  EXPECT_EQ(constants("fw id=3"), "event.action=none event.provider=pattern event.outcome=unknown");
  EXPECT_EQ(constants("fw id="), "event.action=none event.provider=pattern") << "no value: no row and no else";
  EXPECT_EQ(constants("fw id=" + std::string(300, '1')),
            "event.action=none event.provider=pattern event.outcome=unknown");
}

TEST_F(TableTest, CaseDoesNotCount) {
  load(kById);
  for (auto* id : {"built", "BUILT", "Built"})
    EXPECT_EQ(constants(std::string("fw id=") + id), "event.provider=pattern event.action=three");
}

TEST_F(TableTest, TablesFollowOneAnotherAndAVariantStandsOverThem) {
  load(std::string(R"(name: fw
match: {app: [fw]}
variants: [{name: bad, when: {fw.id: ['*9']}, fields: {event.outcome: failure}}]
tables:
  - {by: fw.id, rows: {'1': {event.action: one, event.outcome: success}, '9': {event.outcome: success}}}
patterns:
  - name: line
    grok: 'fw id=%{NOTSPACE:fw.id}(?: proto=%{NOTSPACE:fw.proto})?'
    tables: [{by: [fw.id, fw.proto], rows: {'1 tcp': {event.action: both}}}]
)") + kTests);
  EXPECT_EQ(constants("fw id=1"), "event.action=one event.outcome=success");
  EXPECT_EQ(constants("fw id=1 proto=TCP"), "event.outcome=success event.action=both");
  EXPECT_EQ(constants("fw id=9"), "event.outcome=failure");
  EXPECT_EQ(kind_->pattern, "line/bad");
}

TEST_F(TableTest, ARowMayBeAKindOfEventAndTheKindsNeedsAreAsked) {
  const auto with_row = [](const std::string& row) {
    return "name: fw\nmatch: {app: [fw]}\ntables: [{by: fw.id, rows: {'1': {" + row + "}}}]\npatterns:\n" +
           "  - {name: line, grok: 'fw id=%{NOTSPACE:fw.id}(?: proto=%{NOTSPACE:fw.proto})?'}\n" + kTests;
  };
  load(with_row("event: config-changed, event.action: set"));
  EXPECT_NE(constants("fw id=1").find("yushi.event=config-changed"), std::string::npos);
  EXPECT_NE(constants("fw id=1").find("event.action=set"), std::string::npos);
  EXPECT_NE(problems(with_row("event: login")).find("the kind 'login' needs"), std::string::npos);
  EXPECT_NE(problems(with_row("event: logn")).find("fw.yaml:3:42: 'logn' is no kind of event; did you mean login?"),
            std::string::npos)
      << problems(with_row("event: logn"));
}

TEST_F(TableTest, ASharedTableIsAFileOfTheSetAndOfItsDigest) {
  const std::string words =
      "# of all\ntable: words\nrows: {'6': {network.transport: tcp}, tcp: {network.transport: tcp}}\n";
  const auto parser = std::string("name: fw\nmatch: {app: [fw]}\ntables: [{by: fw.proto, table: words}]\npatterns:\n") +
                      "  - {name: line, grok: 'fw id=%{NOTSPACE:fw.id}(?: proto=%{NOTSPACE:fw.proto})?'}\n" + kTests;
  load(parser, words);
  EXPECT_EQ(constants("fw id=1 proto=6"), "network.transport=tcp");
  auto* by_number = kind_;
  EXPECT_EQ(constants("fw id=1 proto=TCP"), "network.transport=tcp");
  EXPECT_EQ(kind_, by_number) << "rows of equal constants are one kind";
  const auto digest = set_->digest();
  load(parser, words + " \n");
  EXPECT_NE(set_->digest(), digest);
  EXPECT_EQ(set_->files().size(), 2u);
  EXPECT_NE(problems(parser).find("fw.yaml:3:32: there is no table 'words'"), std::string::npos) << problems(parser);
}

TEST_F(TableTest, SaysWhatIsWrongAndWhere) {
  const auto with = [](const std::string& tables, const std::string& of_pattern = "") {
    return "name: fw\nmatch: {app: [fw]}\ntables: " + tables +
           "\npatterns:\n  - {name: line, grok: 'fw id=%{NOTSPACE:fw.id}(?: proto=.*)?'" + of_pattern + "}\n" + kTests;
  };
  EXPECT_EQ(problems(with("[{by: fw.id, rows: {a: {event.action: b}}}]")), "");
  const std::pair<std::string, std::string> kCases[] = {
      {with("{by: fw.id}"), "fw.yaml:3:9: tables must be a list"},
      {with("[{by: fw.id}]"), "fw.yaml:3:10: a table needs either rows: or table:"},
      {with("[{rows: {a: {event.action: b}}}]"), "fw.yaml:3:10: a table needs by:"},
      {with("[{by: fw.id, rows: {a: {event.action: b}, A: {event.action: c}}}]"),
       "fw.yaml:3:51: 'A' stands twice in rows; case does not count"},
      {with("[{by: fw.id, rows: {a: {event.act: b}}}]"), "fw.yaml:3:33: 'event.act' is no ECS field"},
      {with("[{by: fw.id, rows: {a: b}}]"), "fw.yaml:3:32: a row must be a map"},
      {with("[{by: fw.id, row: {a: {event.action: b}}}]"), "fw.yaml:3:22: unknown key 'row' in a table"},
      {with("[{by: fw.port, rows: {a: {event.action: b}}}]"), "fw.yaml:3:10: no pattern captures what by: names"},
      {with("[]", ", tables: [{by: user.name, rows: {a: {event.action: b}}}]"),
       "fw.yaml:5:74: the pattern captures nothing for by:"},
  };
  for (auto& [text, expected] : kCases) EXPECT_EQ(problems(text).substr(0, expected.size()), expected) << text;
  EXPECT_EQ(problems(with("[]"), "table: words\nrows: {a: {fw.x: b}}\n").substr(0, 45),
            "words.yaml:2:12: 'fw.x' is no ECS field; the ");
  EXPECT_EQ(problems(with("[{by: fw.id, table: words}]"), "table: words\nof: fw\nrows: {a: {fw.x: b}}\n"), "");
  EXPECT_EQ(problems(with("[]"), "table: words\n").substr(0, 33), "words.yaml:1:1: rows: is missing");
}

TEST_F(TableTest, MacrosAndListsOfProgramsAreSharedToo) {
  const auto parser = std::string("name: fw\nmatch: {app: [fw]}\npatterns:\n") +
                      "  - {name: line, grok: 'fw id=%{ID:fw.id}(?: proto=.*)?', fields: {event.action: a}}\n" + kTests;
  EXPECT_EQ(problems(parser), "fw.yaml:4:24: unknown macro %{ID}");
  EXPECT_EQ(problems(parser, "macros:\n  ID: '%{ONE}+'\n  ONE: '[0-9]'\n"), "");
  load(parser, "macros:\n  ID: '[0-9]'\n");
  EXPECT_EQ(constants("fw id=1"), "event.action=a");
  EXPECT_EQ(constants("fw id=b"), "unknown");
  load(parser + "macros: {ID: '[0-9b]'}\n", "macros:\n  ID: '[0-9]'\n");  // its own take their place
  EXPECT_EQ(constants("fw id=b"), "event.action=a");
  // What is wrong is told where it stands, whoever uses it.
  EXPECT_EQ(problems(parser, "macros:\n  ID: '%{ON}+'\n"),
            "words.yaml:2:7: unknown macro %{ON}\nfw.yaml:4:24: unknown macro %{ON}");
  EXPECT_EQ(problems(parser, "macros:\n  ID: '[0-9]'\n  BAD: '[0-9'\n").substr(0, 16), "words.yaml:3:8: ");
  EXPECT_EQ(problems(parser, "macros: {ID: '[0-9]'}\nmacro: {}\n").substr(0, 34), "words.yaml:2:1: unknown key 'macro");

  const auto from = [&](const std::string& programs) {
    return "name: fw\nmatch: {keys: [id], keys_app: " + programs +
           "}\npatterns:\n  - {name: line, extract: key-value}\n"
           "tests: [{line: 'id=1 proto=tcp', expect: {fw.id: 1}}, {line: none, expect: none}]\n";
  };
  EXPECT_EQ(problems(from("[relay, '%{relays}']")).substr(0, 64),
            "fw.yaml:2:31: there is no list of programs 'relays'; a file of i");
  EXPECT_EQ(problems(from("[relay, '%{relays}']"), "programs: relays\nof: [gw]\n"), "");
  EXPECT_EQ(problems(from("[relay]"), "programs: relays\n"),
            "words.yaml:1:1: of: is missing, the names of the programs");
  EXPECT_EQ(problems("name: fw\nmatch: {app: [fw], any_app: [x]}\n").substr(0, 47),
            "fw.yaml:2:8: any_app: is said beside any: true\n");
}

TEST_F(TableTest, AFileOfTooManyKindsIsRefused) {
  std::string rows;
  for (int i = 0; i < 260; ++i)
    rows += (i ? ", '" : "'") + std::to_string(i) + "': {event.action: a" + std::to_string(i) + "}";
  const auto text = "name: fw\nmatch: {app: [fw]}\ntables: [{by: fw.id, rows: {" + rows + "}}, {by: fw.proto, rows: {" +
                    rows + "}}]\npatterns:\n" +
                    "  - {name: line, grok: 'fw id=%{NOTSPACE:fw.id}(?: proto=%{NOTSPACE:fw.proto})?'}\n" + kTests;
  EXPECT_EQ(problems(text).substr(0, 14), "fw.yaml:5:3: t") << problems(text);
  EXPECT_NE(problems(text).find("65,536 is the most"), std::string::npos);
}

TEST(RowTable, FindsEveryRowOfManyAndNoOther) {
  RowTable rows;
  for (int i = 0; i < 5000; ++i)
    EXPECT_TRUE(rows.add("Row-" + std::to_string(i), {{ecs::event_action, std::to_string(i % 7)}}));
  EXPECT_FALSE(rows.add("row-17", {}));
  EXPECT_EQ(rows.outcomes(), 7u);
  for (int i = 0; i < 5000; ++i)
    EXPECT_EQ(rows.constants(rows.find("ROW-" + std::to_string(i)))[0].value, std::to_string(i % 7));
  EXPECT_EQ(rows.find("row-5000"), RowTable::kNone);
  EXPECT_EQ(rows.find(""), RowTable::kNone);
}

TEST(PatternKinds, AllThreadsGetOnePointerForACombination) {
  PatternKinds kinds(1000);
  std::vector<std::vector<const MessageKind*>> seen(4, std::vector<const MessageKind*>(1000));
  std::vector<std::thread> threads;
  for (auto& mine : seen)
    threads.emplace_back([&] {
      for (uint32_t i = 0; i < 1000; ++i)
        mine[i] = kinds.get(i, [](uint32_t number) { return MessageKind{"p", std::to_string(number), "", {}}; });
    });
  for (auto& thread : threads) thread.join();
  for (auto& mine : seen) EXPECT_EQ(mine, seen[0]);
  for (uint32_t i = 0; i < 1000; ++i) EXPECT_EQ(seen[0][i]->pattern, std::to_string(i));
  EXPECT_TRUE(kinds.has(seen[0][999]));
}

}  // namespace
}  // namespace yushi::parsers
