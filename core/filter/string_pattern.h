// A whole value compared with a text in which `*` stands for any characters and `?` for one: keywords and Sigma
// strings.
//
// Threads  Immutable after building.
// Cost     No allocation; a value is folded into the caller's Scratch only where on-the-fly lowering is not exact.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/filter/needle.h"
#include "core/record/record.h"

namespace yushi {

class StringPattern {
 public:
  // Built piece by piece, left to right; finish() once at the end. `folds`: case does not matter.
  explicit StringPattern(bool folds = false) : folds_(folds) { stretches_.emplace_back(); }
  static StringPattern exactly(std::string_view text, bool folds);
  void add_literal(std::string_view text);
  void add_any_one();
  void add_any_run();
  void finish();

  bool matches(std::string_view value, Scratch& scratch) const;

  // Which bytes stand in a text, roughly: a bit for some of them, without regard to case. A value that lacks one of a
  // pattern's bytes() does not match it, which tells most of a long list of patterns after one look at the value.
  static uint64_t bytes_of(std::string_view value);
  uint64_t bytes() const { return bytes_; }

  // Literals of which every one must stand in a match (folded when the pattern folds), the longest of them.
  struct Longest {
    std::string_view text;                  // empty: there is none
    bool at_begin = false, at_end = false;  // of the value
  };
  Longest longest() const;
  std::string_view longest_literal() const { return longest().text; }
  bool folds() const { return folds_; }

  // Hashes of the tokens that a matching value has for certain: those whose both borders lie inside a literal, or at an
  // anchored end of the value.
  std::vector<uint64_t> certain_tokens() const;

 private:
  struct Part {
    Needle literal;  // empty: any one character
  };
  using Stretch = std::vector<Part>;  // what stands between two `*`

  static bool is_literal(const Stretch& stretch) {
    return stretch.size() <= 1 && (stretch.empty() || !is_any(stretch[0]));
  }
  static bool is_any(const Part& part) { return part.literal.text().empty(); }
  size_t match_at(const Stretch& stretch, std::string_view value, size_t at) const;  // the end; Needle::kNone: no match
  bool match(std::string_view value) const;

  std::vector<Stretch> stretches_;
  bool is_simple_ = true;  // each literal is
  uint64_t bytes_ = 0;     // of its literals
  size_t bytes_min_ = 0;   // of a value that matches: of a folded one, folded
  std::string pending_;    // literal text not yet in a stretch
  bool folds_;
};

}  // namespace yushi
