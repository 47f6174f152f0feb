#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/record/dataset.h"
#include "parsers/authoring/check.h"
#include "parsers/loaded_parsers.h"
#include "parsers/understand.h"
#include "tests/unit/data_sets.h"

namespace yushi::parsers {
namespace {

std::shared_ptr<const ParserSet> our_parsers() {
  auto files = read_parser_directories({YUSHI_SOURCE_DIR "/parsers/library"});
  EXPECT_TRUE(files.has_value()) << files.error().message;
  auto set = ParserSet::load(*files);
  EXPECT_TRUE(set.has_value()) << set.error().message;
  return set ? *set : nullptr;
}

TEST(ParserFiles, EveryLineInsideAParserFileIsReadAsTheFileSaysAndByNoOtherParser) {
  auto set = our_parsers();
  ASSERT_TRUE(set);
  auto report = run_parser_tests(set);
  EXPECT_GT(report.tests, 0u);
  for (auto& failure : report.failures) ADD_FAILURE() << failure;
}

TEST(ParserFiles, WhatAStrangerWritesChangesNoOtherFieldAndHidesNoLine) {
  auto set = our_parsers();
  ASSERT_TRUE(set);
  auto report = run_hostile_tests(set, test::kOneOf);
  EXPECT_GT(report.tests, 10'000u);
  for (auto& failure : report.failures) ADD_FAILURE() << failure;
}

TEST(ParserFiles, EveryParserHasALineThatItMustNotKnow) {
  auto set = our_parsers();
  ASSERT_TRUE(set);
  std::set<std::string> all, with_negative;
  for (auto& sample : parser_samples(*set)) {
    all.insert(sample.parser);
    if (!sample.known) with_negative.insert(sample.parser);
  }
  EXPECT_EQ(all, with_negative);
}

// RE2 alone takes some µs a line. Only classes outside of ASCII ([^，。]) are left to it.
TEST(ParserFiles, EveryPatternIsOneThatOurMatcherSpeaks) {
  const auto is_ascii = [](const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<signed char>(c) >= 0; });
  };
  auto set = our_parsers();
  ASSERT_TRUE(set);
  for (auto& parser : static_cast<const LoadedParsers&>(*set).parsers())
    for (auto& pattern : parser->patterns)
      EXPECT_TRUE(!pattern.pattern || pattern.pattern->has_program() || !is_ascii(pattern.pattern->regex()))
          << parser->name << "/" << pattern.name;
}

TEST(ParserFiles, OurMatcherSaysWhatRe2SaysForEveryPatternOnEveryTestLine) {
  auto set = our_parsers();
  ASSERT_TRUE(set);
  size_t lines = 0;
  for (auto& sample : parser_samples(*set)) {
    if (lines++ % test::kOneOf != 0) continue;
    EXPECT_EQ(compare_with_re2(*set, sample.line), "");
    // Damaged lines reach the ways that good lines do not: those of the patterns that know the whole one, or a sibling
    // of theirs.
    for (size_t cut = 0; cut < sample.line.size(); cut += 3 * test::kOneOf) {
      EXPECT_EQ(compare_with_re2(*set, sample.line.substr(0, cut), sample.parser), "");
      EXPECT_EQ(compare_with_re2(*set, sample.line.substr(cut), sample.parser), "");
      auto changed = sample.line;
      changed[cut] = ' ';
      EXPECT_EQ(compare_with_re2(*set, changed, sample.parser), "");
      changed.insert(cut, "中 from ");
      EXPECT_EQ(compare_with_re2(*set, changed, sample.parser), "");
    }
  }
}

// Rules that need other fields than these are not asked of such records.
TEST(ParserFiles, ARecordHasNoFieldThatItsKindMayNotHave) {
  auto set = our_parsers();
  ASSERT_TRUE(set);
  Understander understander(set);
  std::set<std::string> others;
  Scratch scratch;
  for (auto& sample : parser_samples(*set)) {
    Batch batch;
    Origin origin;
    Record record;
    record.raw = batch.arena.copy_padded(sample.line);
    record.origin = &origin;
    batch.records.push_back(record);
    understander.understand(batch, {Zone::utc(), Charset::utf8}, false, sample.parser);
    const Record& understood = batch.records.front();
    if (!understood.kind) continue;
    for (const char* of_header : {"host.name", "log.syslog.appname", "event.code", "event.severity", "event.sequence"})
      if (!may_have_field(*understood.kind, of_header)) others.insert(std::string("none has ") + of_header);
    for_each_field(understood, scratch, [&](const Field& field, const Value&) {
      if (!may_have_field(*understood.kind, field.name))
        others.insert(understood.kind->parser + "/" + understood.kind->pattern + " has " + std::string(field.name));
    });
  }
  EXPECT_EQ(others, std::set<std::string>());
}

}  // namespace
}  // namespace yushi::parsers
