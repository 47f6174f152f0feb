// One pattern: RE2 says what it means, PatternProgram does the work where it can.
//
// Invariants  The answer is RE2's, always (see pattern_program.h).
// Threads     Any number may match; the MatchStack is the caller's.
// Memory      RE2's form of a pattern takes some 20 KiB and 0.1 ms to make. What our matcher speaks RE2 takes too,
//             unless it is very long: so RE2 makes its form only of what is outside of that, and else when it is first
//             asked.
// Cost        0.05 to 0.3 µs a line by the program; RE2's 1 to 5 µs for the rest.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "parsers/pattern/pattern_program.h"

namespace yushi::parsers {

class Pattern {
 public:
  static constexpr int kGroupsMax = 40;

  // `regex` in RE2's syntax, groups unnamed. invalid with RE2's own words when RE2 cannot run it.
  // `tree`, when given, is what our matcher made of it; none when that is RE2's alone.
  static Result<Pattern> compile(const std::string& regex, std::vector<RegexNode>* tree = nullptr);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // Whole-text match of valid UTF-8. `spans` as in PatternProgram::match, room for kGroupsMax groups.
  bool match(std::string_view text, uint32_t* spans, MatchStack& stack) const;
  // The same, by RE2 alone: the truth for tests.
  bool match_by_re2(std::string_view text, uint32_t* spans) const;

  const std::string& regex() const { return text_; }  // as compile() was given it
  int groups() const { return groups_; }
  bool has_program() const { return program_ != nullptr; }
  // Empty when RE2 takes the pattern: always, where compile() did. For tests.
  std::string re2_problem() const;

 private:
  struct Regex;
  Pattern();
  Regex& made() const;
  std::string text_;
  std::unique_ptr<Regex> regex_;
  std::unique_ptr<PatternProgram> program_;
  int groups_ = 0;
};

}  // namespace yushi::parsers
