// The part of RE2's syntax that our own matcher speaks, read into a tree.
//
// What is outside of it (^, $, flags but (?i) and (?s), Unicode classes, non-ASCII bytes in a class) gives nullopt, and
// the pattern is then matched by RE2 alone: a pattern is never approximated. What is read RE2 takes too, unless it is
// too long or too deeply counted for it (Pattern::compile sees to that): a test holds this on generated texts.
//
// (?i) is read as RE2 means it: `k` is also the Kelvin sign and `s` also the long s, the two letters outside of ASCII
// that fold to one inside. \b divides ASCII words.
#pragma once

#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace yushi::parsers {

using ByteSet = std::bitset<256>;

struct RegexNode {
  enum class Kind { literal, set, sequence, alternation, repeat, capture, boundary };
  Kind kind = Kind::sequence;
  std::string text;                 // literal: at least one byte
  ByteSet set;                      // set: one character; either no byte >= 0x80 or all of them, then a whole UTF-8 one
  std::vector<RegexNode> children;  // repeat and capture have one
  int min = 0, max = kUnbounded;    // repeat
  bool greedy = true;               // repeat
  int group = 0;                    // capture, from 1
  bool negated = false;             // boundary: \B

  static constexpr int kUnbounded = -1;
};

std::optional<RegexNode> read_regex(std::string_view pattern);

}  // namespace yushi::parsers
