#include "parsers/pattern/pattern_filter.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "parsers/loaded_parsers.h"
#include "parsers/pattern/pattern.h"
#include "tests/unit/parsers/pattern_generator.h"

namespace yushi::parsers {
namespace {

using Numbers = std::vector<int>;

struct Patterns {
  std::vector<Pattern> patterns;
  PatternFilter filter;

  explicit Patterns(const std::vector<std::string>& regexes) {
    std::vector<std::vector<RegexNode>> trees;
    for (auto& regex : regexes) {
      auto pattern = Pattern::compile(regex, &trees.emplace_back());
      EXPECT_TRUE(pattern.has_value()) << regex;
      if (pattern) patterns.push_back(std::move(*pattern));
    }
    filter = PatternFilter({trees.begin(), trees.end()});
  }

  Numbers candidates(std::string_view text) const {
    PatternFilter::Found found;
    filter.search(text, found);
    Numbers out;
    found.any_of([&](uint16_t item) {
      EXPECT_TRUE(found.may_match(item));
      out.push_back(item);
      return false;
    });
    return out;
  }
};

TEST(PatternFilter, LiteralsNumbersAndWordsTellPatternsApart) {
  std::vector<std::string> regexes;
  for (int i = 0; i < 300; ++i) regexes.push_back("%FW-[0-9]+-" + std::to_string(302000 + i) + ": (.*)");
  Patterns patterns(regexes);
  for (int i = 0; i < 300; ++i)
    EXPECT_EQ(patterns.candidates("%FW-" + std::to_string(i % 8) + "-" + std::to_string(302000 + i) + ": Built"),
              Numbers{i});
  EXPECT_EQ(patterns.candidates("%FX-6-302013: Built"), Numbers{});
  EXPECT_EQ(patterns.candidates("x"), Numbers{});
  EXPECT_EQ(patterns.candidates(""), Numbers{});
  EXPECT_LT(patterns.filter.bytes(), 64u << 10);
}

TEST(PatternFilter, WhatBeginsWithAnyTextIsACandidateAlwaysAndInItsPlace) {
  Patterns patterns({"a one", ".* two", "b three", "(?-s:.)x", "c four", "d five", ".* seven", ".* eight"});
  EXPECT_EQ(patterns.candidates("b three"), (Numbers{2, 3})) << "the others' words are missing, or too long";
  EXPECT_EQ(patterns.candidates("b two"), (Numbers{1, 3}));
  EXPECT_EQ(PatternFilter().bytes(), sizeof(PatternFilter));
}

TEST(PatternFilter, WhereFewAreLeftAllOfThemAreAsked) {
  Patterns patterns({"a", "b", "c", "d"});
  EXPECT_EQ(patterns.candidates("x"), (Numbers{0, 1, 2, 3})) << "asking four costs less than finding out";
}

TEST(PatternFilter, WhatIsOfNoTextIsNeverACandidate) {
  const std::vector<RegexNode> never{PatternFilter::no_text()};
  const PatternFilter filter({never, {}, never});
  PatternFilter::Found found;
  filter.search("x", found);
  EXPECT_FALSE(found.may_match(0));
  EXPECT_TRUE(found.may_match(1));
  EXPECT_FALSE(found.may_match(2));
}

TEST(PatternFilter, PatternsThatDifferBehindAnythingAreToldApartByTheirWords) {
  std::vector<std::string> regexes;
  for (auto* ending : {"alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"})
    regexes.push_back(std::string(80, 'x') + ".*" + ending);
  EXPECT_EQ(Patterns(regexes).candidates(std::string(80, 'x') + " charlie"), (Numbers{2}));
}

TEST(PatternFilter, TextsThatMustStandSomewhereTellPatternsApart) {
  Patterns patterns({"(.*) reset by peer", ".*(?:accepted from|refused by) .*", ".*[ab]c", "(?:x.*|longer text).*",
                     "(.*)(?: optional text)?", "(?:many times ){2,}.*", "(.*)", "m.* never", ".*nowhere",
                     ".* not here"});
  EXPECT_EQ(patterns.candidates("m x reset by peer"), (Numbers{0, 2, 4, 6}));
  EXPECT_EQ(patterns.candidates("m was refused by a"), (Numbers{1, 2, 4, 6}));
  EXPECT_EQ(patterns.candidates("m reset by pee"), (Numbers{2, 4, 6}));
  EXPECT_EQ(patterns.candidates("many times many times c"), (Numbers{2, 4, 5, 6}));
}

TEST(PatternFilter, NoPatternThatMatchesIsMissed) {
  size_t matches = 0, refused = 0;
  for (uint32_t seed = 0; seed < 200; ++seed) {
    PatternGenerator generator(seed);
    std::vector<std::string> regexes;
    const size_t count = seed % 4 == 0 ? 80 : 12;  // of one word of bits, and of two
    while (regexes.size() < count)
      if (auto regex = generator.pattern(); Pattern::compile(regex)) regexes.push_back(regex);
    Patterns patterns(regexes);
    uint32_t spans[2 * Pattern::kGroupsMax];
    for (int i = 0; i < 20; ++i) {
      const auto text = generator.text();
      const auto found = patterns.candidates(text);
      EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
      refused += count - found.size();
      for (size_t number = 0; number < count; ++number) {
        if (!patterns.patterns[number].match_by_re2(text, spans)) continue;
        ++matches;
        ASSERT_TRUE(std::binary_search(found.begin(), found.end(), static_cast<int>(number)))
            << regexes[number] << " text '" << text << "'";
      }
    }
  }
  EXPECT_GT(matches, 1000u);
  EXPECT_GT(refused, 10'000u);
}

// Of the whole library: the parsers that are recognised by shape are found as by asking all of them.
TEST(PatternFilter, NoParserThatKnowsALineByItsShapeIsMissed) {
  auto files = read_parser_directories({YUSHI_SOURCE_DIR "/parsers/library"});
  ASSERT_TRUE(files);
  Problems problems;
  auto set = load_parsers(*files, problems, ReadTests::none);
  ASSERT_TRUE(set) << problems.list[0];
  MatchStack stack;
  uint32_t spans[2 * Pattern::kGroupsMax];
  size_t known = 0;
  for (auto& parser : set->parsers())
    for (auto& test : parser->tests) {
      const auto text = matched_text(test.line);
      PatternFilter::Found by_prefix, found;
      set->any_by_prefix().search(text, by_prefix);
      set->any_filter().search(text, found);
      std::vector<uint16_t> by_pattern;
      found.any_of([&](uint16_t pattern) {
        by_pattern.push_back(set->any_pattern(pattern).parser);
        return false;
      });
      for (size_t i = 0; i < set->any().size(); ++i) {
        auto& one = *set->any()[i];
        const auto number = static_cast<uint16_t>(i);
        const bool knows = one.match.any && std::any_of(one.patterns.begin(), one.patterns.end(), [&](auto& pattern) {
                             return !pattern.whole && (!pattern.pattern || pattern.pattern->match(text, spans, stack));
                           });
        const bool begins = !one.match.any && std::any_of(one.match.prefixes.begin(), one.match.prefixes.end(),
                                                          [&](auto& prefix) { return text.starts_with(prefix); });
        known += knows || begins;
        EXPECT_TRUE(!knows || std::find(by_pattern.begin(), by_pattern.end(), number) != by_pattern.end())
            << one.name << ": " << text;
        // One that is asked of any message is found by its patterns, prefix or not.
        EXPECT_TRUE(!begins || one.match.any || by_prefix.may_match(number)) << one.name << ": " << text;
      }
    }
  EXPECT_GT(known, 20u);
}

}  // namespace
}  // namespace yushi::parsers
