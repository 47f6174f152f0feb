// Which of many patterns can know a text, told by its first bytes: a walk over a table, whatever the number of patterns.
//
// A firewall's parser has 300 patterns, and a library as many parsers; asking each in turn costs 10 to 30 ns a refusal. So the
// beginnings of all are made into one automaton: a trie where they are literals, and with loops where they have numbers, words
// and times. The walk goes on until one pattern is left, or none, or nothing more can be learned.
//
// The automaton is that of the patterns' own trees, cut off after kDepth bytes, where it would grow too large, and where nothing
// that comes leaves fewer candidates. Bytes that do not tell candidates apart are skipped unseen, as in a Patricia trie. All this is
// towards more candidates: what the walk gives holds every pattern that matches, in their order (a differential test
// compares with asking all). What our matcher does not speak is a candidate always.
//
// Invariants  candidates() are ascending.
// Threads     Immutable.
// Cost        1 to 2 ns a byte walked, most often 5 to 30 bytes.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "parsers/regex_tree.h"

namespace yushi {

class Beginnings {
 public:
  // `trees` of items 0, 1, 2 …; an item may have several (any of them), and none: it is a candidate always. One of no_text() is
  // never.
  explicit Beginnings(const std::vector<std::span<const RegexNode>>& trees);
  Beginnings() : Beginnings(std::vector<std::span<const RegexNode>>()) {}

  static RegexNode no_text();

  std::span<const uint16_t> candidates(std::string_view text) const {
    const auto* at = reinterpret_cast<const unsigned char*>(text.data());
    const auto* const end = at + text.size();
    const State* state = states_.data();
    while (state->row != kLeaf && end - at > state->skip) {
      at += state->skip;
      state = states_.data() + next_[state->row + classes_[*at++]];
    }
    if (state->row != kLeaf) return {items_.data() + state->ending_items, state->ending};
    return {items_.data() + state->items, state->count};
  }

  size_t states() const { return states_.size(); }
  size_t bytes() const { return sizeof *this + states_.size() * sizeof(State) + next_.size() * sizeof next_[0] + items_.size() * sizeof items_[0]; }

 private:
  friend class BeginningsBuilder;
  static constexpr uint32_t kLeaf = 0xffff'ffff;
  struct State {
    uint32_t row = kLeaf;  // in next_
    uint32_t items = 0;    // the candidates, in items_
    uint32_t ending_items = 0;  // those of them that a text which ends here, or before the next step, can be
    uint16_t count = 0, ending = 0;
    uint16_t skip = 0;     // bytes that all of them have alike, or not at all: matching will see
  };
  std::array<uint8_t, 256> classes_{};  // bytes that no tree tells apart
  std::vector<State> states_;
  std::vector<uint16_t> next_;
  std::vector<uint16_t> items_;
};

}  // namespace yushi
