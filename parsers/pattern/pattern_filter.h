// Which of many patterns can know a text: two looks at the text, whatever the number of patterns.
//
// A firewall's parser has 300 patterns, and a library as many parsers; asking each in turn costs 10 to 100 ns a
// refusal. So of each pattern's tree two things are found out beforehand:
//   places    which bytes can stand at each of a text's first places. A row of bits, one a pattern, for each place and
//             byte: the rows of the text's first bytes, put together, leave those that can begin so. The rows are read
//             side by side, not one by the other as the states of an automaton are, and there are never more of them
//             than places times bytes.
//   literals  texts of which one must stand in the message: "Connection reset by ". Of each text three bytes are kept,
//             those that the fewest others have; a pass over the message asks a small bitmap at each place whether
//             anybody wants them. Asked only when the places leave many: patterns that all begin with a time, a level
//             and a number.
//   a byte    that must stand in the message: the '|' or '@' that most messages lack. Asked of each that is left.
// What our matcher does not speak (regex_tree.h) is a candidate always.
//
// Invariants  What may_match() says no of does not match (a differential test and a fuzzer compare with asking all).
// Threads     Immutable; the Found is the caller's: reuse it from message to message.
// Cost        1 ns for each of up to kPlaces bytes for 64 patterns; 0.5 to 1 ns a byte of the text for the literals.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/pattern/regex_tree.h"

namespace yushi::parsers {

class PatternFilter {
 public:
  static constexpr size_t kFew = 4;  // so many are asked in turn

  // `trees` of items 0, 1, 2 …; an item may have several (any of them), and none: it is a candidate always. One of
  // no_text() is never.
  explicit PatternFilter(const std::vector<std::span<const RegexNode>>& trees);
  PatternFilter() : PatternFilter(std::vector<std::span<const RegexNode>>()) {}

  static RegexNode no_text();

  class Found {
   public:
    bool may_match(uint16_t item) const { return (bits_[item / 64] >> item % 64 & 1) != 0; }

    // Calls visit(item) for those that may match, in order, until it says true; whether it did.
    template <class Visit>
    bool any_of(Visit&& visit) const {
      for (size_t i = 0; i < bits_.size(); ++i)
        for (uint64_t left = bits_[i]; left != 0; left &= left - 1)
          if (visit(static_cast<uint16_t>(i * 64 + static_cast<size_t>(__builtin_ctzll(left))))) return true;
      return false;
    }

   private:
    friend class PatternFilter;
    std::vector<uint64_t> bits_, literals_;
    std::vector<uint32_t> words_;  // of bits_ that are not 0
  };
  void search(std::string_view text, Found& found) const;

  size_t bytes() const;

 private:
  // One place more than is looked at: the bits of "behind the last".
  static constexpr size_t kPlaces = 48;
  static constexpr size_t kEnd = 256;

  struct Literal {
    uint32_t word;          // the three bytes
    uint32_t text, length;  // all of it, in texts_
    uint32_t before;        // bytes of it before the three
    uint32_t items, count;  // in items_
  };
  void note_places(const std::vector<std::span<const RegexNode>>& trees);
  void note_literals(const std::vector<std::span<const RegexNode>>& trees);
  void note_bytes(const std::vector<std::span<const RegexNode>>& trees);
  size_t keep_by_places(std::string_view text, Found& found) const;
  void keep_by_literals(std::string_view text, Found& found) const;
  void keep_by_byte(std::string_view text, Found& found) const;
  static uint32_t hash(uint32_t word) { return word * 0x9e3779b1u; }

  size_t words_ = 0;                  // of a row
  std::vector<uint64_t> all_;         // a row: the items that can match at all
  size_t places_ = 0;                 // that are looked at
  size_t classes_ = 1;                // of bytes, and the end of the text as the last one
  std::array<uint8_t, 256> class_{};  // bytes that no pattern tells apart
  std::vector<uint16_t> row_of_;      // by place and class
  std::vector<uint64_t> rows_;

  // Small: of a large library each parser's lies far away, and a message touches all of it.
  std::vector<uint64_t> wanted_;  // by the hash's upper bits; empty when there are no literals
  int wanted_shift_ = 0, first_shift_ = 0;
  std::vector<Literal> literals_;  // by hash
  std::vector<uint16_t> first_;    // of literals_ by the hash's upper bits
  std::string texts_;
  std::vector<uint16_t> items_;
  std::vector<uint64_t> unlettered_;  // a row: the items that have no literal
  std::string needed_;                // of each item the byte that must stand in its texts; 0: none that is rare
};

}  // namespace yushi::parsers
