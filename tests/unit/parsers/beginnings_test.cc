#include "parsers/beginnings.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "parsers/loaded_parsers.h"
#include "parsers/pattern.h"
#include "tests/unit/parsers/pattern_generator.h"

namespace yushi {
namespace {

struct Patterns {
  std::vector<Pattern> patterns;
  Beginnings beginnings;

  explicit Patterns(const std::vector<std::string>& regexes) {
    std::vector<std::vector<RegexNode>> trees;
    for (auto& regex : regexes) {
      auto pattern = Pattern::compile(regex, &trees.emplace_back());
      EXPECT_TRUE(pattern.has_value()) << regex;
      if (pattern) patterns.push_back(std::move(*pattern));
    }
    beginnings = Beginnings({trees.begin(), trees.end()});
  }

  std::vector<int> candidates(std::string_view text) const {
    auto found = beginnings.candidates(text);
    return {found.begin(), found.end()};
  }
};

using Numbers = std::vector<int>;

TEST(Beginnings, LiteralsNumbersAndWordsTellPatternsApart) {
  std::vector<std::string> regexes;
  for (int i = 0; i < 300; ++i) regexes.push_back("%FW-[0-9]+-" + std::to_string(302000 + i) + ": (.*)");
  Patterns patterns(regexes);
  for (int i = 0; i < 300; ++i) {
    const auto found = patterns.candidates("%FW-" + std::to_string(i % 8) + "-" + std::to_string(302000 + i) + ": Built");
    EXPECT_LE(found.size(), 2u);
    EXPECT_TRUE(std::find(found.begin(), found.end(), i) != found.end()) << i;
  }
  EXPECT_LE(patterns.candidates("%FX-6-302013: Built").size(), 2u) << "bytes that all have alike are left to matching";
  EXPECT_EQ(patterns.candidates("x"), Numbers{});
  EXPECT_LT(patterns.beginnings.bytes(), 64u << 10);
}

TEST(Beginnings, WhatBeginsWithAnyTextIsACandidateAlwaysAndInItsPlace) {
  Patterns patterns({"a one", ".* two", "b three", "(?-s:.)x", "c four", "d five"});
  EXPECT_EQ(patterns.candidates("b three"), (Numbers{1, 2, 3}));
  EXPECT_EQ(patterns.candidates("d five"), (Numbers{1, 3, 5}));
  EXPECT_EQ(patterns.candidates("x"), (Numbers{1, 3}));
  EXPECT_EQ(Beginnings().candidates("x").size(), 0u);
}

TEST(Beginnings, PatternsThatDifferFarFromTheirBeginningAreNotToldApart) {
  std::vector<std::string> regexes;
  for (auto* ending : {"a", "b", "c", "d", "e"}) regexes.push_back(std::string(80, 'x') + ending);
  Patterns patterns(regexes);
  EXPECT_EQ(patterns.candidates(std::string(80, 'x') + "c").size(), 5u);
  EXPECT_EQ(patterns.beginnings.states(), 1u) << "a walk that leaves no fewer is not made";
}

TEST(Beginnings, NoPatternThatMatchesIsMissed) {
  size_t matches = 0, refused = 0;
  for (uint32_t seed = 0; seed < 200; ++seed) {
    PatternGenerator generator(seed);
    std::vector<std::string> regexes;
    while (regexes.size() < 12)
      if (auto regex = generator.pattern(); Pattern::compile(regex)) regexes.push_back(regex);
    Patterns patterns(regexes);
    uint32_t spans[2 * Pattern::kGroupsMax];
    for (int i = 0; i < 20; ++i) {
      const auto text = generator.text();
      const auto found = patterns.candidates(text);
      EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
      refused += 12 - found.size();
      for (int number = 0; number < 12; ++number) {
        if (!patterns.patterns[static_cast<size_t>(number)].match_by_re2(text, spans)) continue;
        ++matches;
        ASSERT_TRUE(std::find(found.begin(), found.end(), number) != found.end()) << regexes[static_cast<size_t>(number)] << " text '" << text << "'";
      }
    }
  }
  EXPECT_GT(matches, 1000u);
  EXPECT_GT(refused, 10'000u);
}

// Of the whole library: the parsers that are recognised by shape are found as by asking all of them.
TEST(Beginnings, NoParserThatKnowsALineByItsShapeIsMissed) {
  auto files = read_parser_directories({YUSHI_SOURCE_DIR "/parsers/library"});
  ASSERT_TRUE(files);
  Problems problems;
  auto set = load_parsers(*files, problems);
  ASSERT_TRUE(set) << problems.list[0];
  MatchStack stack;
  uint32_t spans[2 * Pattern::kGroupsMax];
  size_t known = 0;
  for (auto& parser : set->parsers())
    for (auto& test : parser->tests) {
      const auto text = matched_text(test.line);
      const auto by_pattern = set->any_by_pattern().candidates(text), by_prefix = set->any_by_prefix().candidates(text);
      for (size_t i = 0; i < set->any().size(); ++i) {
        auto& one = *set->any()[i];
        const auto number = static_cast<uint16_t>(i);
        const bool knows = one.match.any && std::any_of(one.patterns.begin(), one.patterns.end(), [&](auto& pattern) {
          return !pattern.pattern || pattern.pattern->match(text, spans, stack);
        });
        const bool begins = std::any_of(one.match.prefixes.begin(), one.match.prefixes.end(), [&](auto& prefix) { return text.starts_with(prefix); });
        known += knows || begins;
        const auto has = [&](auto found) { return std::find(found.begin(), found.end(), number) != found.end(); };
        EXPECT_TRUE(!knows || has(by_pattern)) << one.name << ": " << text;
        // One that is asked of any message is found by its patterns, prefix or not.
        EXPECT_TRUE(!begins || one.match.any || has(by_prefix)) << one.name << ": " << text;
      }
    }
  EXPECT_GT(known, 20u);
}

}  // namespace
}  // namespace yushi
