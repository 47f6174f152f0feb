#include "parsers/pattern/pattern.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "parsers/authoring/check.h"
#include "parsers/pattern/grok.h"
#include "tests/unit/data_sets.h"
#include "tests/unit/parsers/pattern_generator.h"

namespace yushi::parsers {
namespace {

struct Found {
  bool matched = false;
  std::vector<uint32_t> spans;
  bool operator==(const Found&) const = default;
};

Found ours(const Pattern& pattern, std::string_view text) {
  static MatchStack stack;
  Found out;
  out.spans.resize(2 * Pattern::kGroupsMax);
  out.matched = pattern.match(text, out.spans.data(), stack);
  out.spans.resize(out.matched ? 2 * static_cast<size_t>(pattern.groups()) : 0);
  return out;
}

Found re2s(const Pattern& pattern, std::string_view text) {
  Found out;
  out.spans.resize(2 * Pattern::kGroupsMax);
  out.matched = pattern.match_by_re2(text, out.spans.data());
  out.spans.resize(out.matched ? 2 * static_cast<size_t>(pattern.groups()) : 0);
  return out;
}

TEST(Pattern, AGroupThatTookNoPartIsUnset) {
  auto pattern = Pattern::compile("a(b)?(?:(c)|(d))");
  ASSERT_TRUE(pattern);
  ASSERT_TRUE(pattern->has_program());
  auto found = ours(*pattern, "ad");
  ASSERT_TRUE(found.matched);
  auto none = PatternProgram::kUnset;
  EXPECT_EQ(found.spans, (std::vector<uint32_t>{none, none, none, none, 1, 2}));
}

TEST(Pattern, MatchesTheWholeTextOnly) {
  auto pattern = Pattern::compile("[0-9]+");
  ASSERT_TRUE(pattern);
  EXPECT_TRUE(ours(*pattern, "123").matched);
  EXPECT_FALSE(ours(*pattern, "123 ").matched);
  EXPECT_FALSE(ours(*pattern, "").matched);
}

TEST(Pattern, SaysWhatRe2CannotRun) {
  auto pattern = Pattern::compile("(a)\\1");
  ASSERT_FALSE(pattern);
  EXPECT_NE(pattern.error().message.find("RE2"), std::string::npos);
}

TEST(Pattern, WhatOurMatcherDoesNotSpeakIsLeftToRe2) {
  for (auto* regex :
       {"(?m)abc", "(?i)[^k]", "(?i)\\W", "(?i)é", "^abc$", "\\pL+", "[^é]", "[a-é]", "[é-中]", "(?i)[é]", "(?:a*)*"}) {
    auto pattern = Pattern::compile(regex);
    ASSERT_TRUE(pattern) << regex;
    EXPECT_FALSE(pattern->has_program()) << regex;
  }
  EXPECT_FALSE(ours(*Pattern::compile("(?i)[^k]"), "\u212a").matched);
}

TEST(Pattern, CaseAndWordBordersAreOurMatchersToo) {
  for (auto* regex : {"(?i)abc", "a(?i:b)c", "(?i)[a-z]+", "(?i)\\w+ 用户", "\\bab\\b.*", "(?i)x(?-i)y", "(?i)[^ab]+",
                      "\\Ba\\B", "(?is:a.b)", "[用c]+.*", "(?i)[b户：]|.*[户k]"}) {
    auto pattern = Pattern::compile(regex);
    ASSERT_TRUE(pattern) << regex;
    EXPECT_TRUE(pattern->has_program()) << regex;
    for (auto* text : {"aBC", "abc", "aBc", "Abc", "ABCkK\u212a\u017f", "a 用户", "ab", "ab c", "abc d", "xy", "XY",
                       "Xy", "\u212a", "a", "A\nB", "用ab户"})
      EXPECT_EQ(ours(*pattern, text), re2s(*pattern, text)) << regex << " on " << text;
  }
}

TEST(Pattern, WhatIsTakenWithoutRe2IsTakenByRe2) {
  std::mt19937 random(7);
  static const char* kPieces[] = {"a",    "(", ")",  "(?:",    "(?i)", "(?i:", "(?-i)", "(?s)",  "[", "]",
                                  "[^",   "-", "{",  "}",      "{2}",  "{2,",  "{,3}",  "{3,2}", "*", "+",
                                  "?",    "|", "\\", "\\b",    "\\d",  "\\_",  "^",     "1",     ",", "\xe4\xb8\xad",
                                  "\xc3", "K", ".",  "{1000}", "[a-",  "\\]"};
  size_t taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string regex;
    for (auto parts = 1 + random() % 8; parts > 0; --parts) regex += kPieces[random() % std::size(kPieces)];
    auto pattern = Pattern::compile(regex);
    if (!pattern) continue;
    ++taken;
    ASSERT_EQ(pattern->re2_problem(), "") << regex;
  }
  EXPECT_GT(taken, 1000u);
}

TEST(Pattern, ATextMadeToBacktrackForEverIsAnsweredByRe2) {
  auto pattern = Pattern::compile("(?:a|aa)*(?:a|aa)*(?:a|aa)*b");
  ASSERT_TRUE(pattern);
  EXPECT_FALSE(ours(*pattern, std::string(20000, 'a')).matched);
  EXPECT_TRUE(ours(*pattern, std::string(20000, 'a') + "b").matched);
  auto lazy = Pattern::compile("(.*?)x(.*?)x(.*?)x(.*?)y");
  EXPECT_FALSE(ours(*lazy, std::string(20000, 'x')).matched);
}

TEST(Pattern, OurMatcherSaysWhatRe2SaysOnGeneratedPatternsAndTexts) {
  int programs = 0, matches = 0;
  for (uint32_t seed = 0; seed < 6000; ++seed) {
    PatternGenerator generator(seed);
    auto regex = generator.pattern();
    auto pattern = Pattern::compile(regex);
    if (!pattern || !pattern->has_program()) continue;
    ++programs;
    for (int i = 0; i < 40; ++i) {
      auto text = generator.text();
      auto truth = re2s(*pattern, text);
      matches += truth.matched;
      ASSERT_EQ(ours(*pattern, text), truth) << "pattern " << regex << " text '" << text << "'";
    }
  }
  EXPECT_GT(programs, 1000);
  EXPECT_GT(matches, 1000);
}

void expect_re2s_answers(const std::filesystem::path& data, std::initializer_list<const char*> folders,
                         size_t lines_min) {
  auto files = read_parser_directories({YUSHI_SOURCE_DIR "/parsers/library"});
  ASSERT_TRUE(files);
  auto set = ParserSet::load(*files, ReadTests::none);
  ASSERT_TRUE(set) << set.error().message;
  size_t lines = 0;
  for (auto* folder : folders)
    for (auto& entry : std::filesystem::recursive_directory_iterator(data / folder)) {
      if (!entry.is_regular_file() || entry.file_size() > (64 << 20)) continue;
      auto name = entry.path().filename().string();
      if (name.find(".log") == std::string::npos || name.find("expected") != std::string::npos) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      size_t of_file = 0;
      for (std::string line; std::getline(in, line) && of_file < 200 / test::kOneOf; ++of_file, ++lines) {
        ASSERT_EQ(compare_with_re2(**set, line), "");
        // The message without a header of the usual length: what patterns meet in life.
        for (auto mark : {"]: ", ": "})
          if (auto at = line.find(mark); at != std::string::npos) {
            ASSERT_EQ(compare_with_re2(**set, std::string_view(line).substr(at + std::strlen(mark))), "");
            break;
          }
      }
    }
  EXPECT_GT(lines, lines_min / test::kOneOf);
}

TEST(Pattern, OurMatcherSaysWhatRe2SaysOnEveryLineOfOurSample) { expect_re2s_answers(test::kOwnData, {"logs"}, 400); }

TEST(Pattern, OurMatcherSaysWhatRe2SaysOnEveryLineOfThePublishedDataSets) {
  YUSHI_SKIP_WITHOUT_PUBLISHED_DATA();
  expect_re2s_answers(test::published_data(),
                      {"elastic", "loghub", "secrepo_auth", "secrepo_access", "access_elastic_examples", "crowdsec"},
                      1000);
}

TEST(Grok, RefusesWhatWouldBreakTheColumns) {
  auto problem = [](std::string_view grok, const GrokMacros& own = {}) {
    auto out = expand_grok(grok, own);
    return out ? std::string() : out.error().message;
  };
  EXPECT_NE(problem("%{NOSUCH:user.name}"), "");
  EXPECT_NE(problem("(user) %{WORD:user.name}"), "");
  EXPECT_NE(problem("(?:%{WORD:user.name} )+"), "");
  EXPECT_NE(problem("%{WORD:user.name}{2}"), "");
  EXPECT_NE(problem("%{OUTER:user.name}", {{"OUTER", "a %{WORD:user.id}"}}), "");
  EXPECT_NE(problem("%{A}", {{"A", "%{B}"}, {"B", "%{A}"}}), "");
  EXPECT_NE(problem("%{WORD:user.name"), "");
  EXPECT_EQ(problem("[(] %{WORD:user.name} \\( (?:%{INT:user.id})?"), "");
}

}  // namespace
}  // namespace yushi::parsers
