// One pattern: RE2 says what it means, PatternProgram does the work where it can.
//
// Invariants  The answer is RE2's, always (see pattern_program.h).
// Threads     Immutable; the MatchStack is the caller's.
// Cost        0.05 to 0.3 µs a line by the program; RE2's 1 to 5 µs for the rest.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "parsers/pattern_program.h"

namespace yushi {

class Pattern {
 public:
  static constexpr int kGroupsMax = 40;

  // `regex` in RE2's syntax, groups unnamed. invalid with RE2's own words when RE2 cannot run it.
  static Result<Pattern> compile(const std::string& regex);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // Whole-text match of valid UTF-8. `spans` as in PatternProgram::match, room for kGroupsMax groups.
  bool match(std::string_view text, uint32_t* spans, MatchStack& stack) const;
  // The same, by RE2 alone: the truth for tests.
  bool match_by_re2(std::string_view text, uint32_t* spans) const;

  const std::string& regex() const;  // as compile() was given it
  int groups() const;
  bool has_program() const { return program_ != nullptr; }
  bool can_begin_with(int byte) const { return !program_ || program_->can_begin_with(byte); }  // 256: empty text

 private:
  struct Regex;
  Pattern();
  std::unique_ptr<Regex> regex_;
  std::unique_ptr<PatternProgram> program_;
};

}  // namespace yushi
