// The part of RE2's syntax that our own matcher speaks, read into a tree.
//
// What is outside of it (flags, \b, ^, $, Unicode classes, non-ASCII bytes in a class) gives nullopt, and the pattern is
// then matched by RE2 alone: a pattern is never approximated. The text must already compile under RE2.
#pragma once

#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace yushi {

using ByteSet = std::bitset<256>;

struct RegexNode {
  enum class Kind { literal, set, sequence, alternation, repeat, capture };
  Kind kind = Kind::sequence;
  std::string text;                 // literal: at least one byte
  ByteSet set;                      // set: one character; either no byte >= 0x80 or all of them, then a whole UTF-8 one
  std::vector<RegexNode> children;  // repeat and capture have one
  int min = 0, max = kUnbounded;    // repeat
  bool greedy = true;               // repeat
  int group = 0;                    // capture, from 1

  static constexpr int kUnbounded = -1;
};

std::optional<RegexNode> read_regex(std::string_view pattern);

}  // namespace yushi
