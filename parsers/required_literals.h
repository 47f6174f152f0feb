// Which of many patterns can know a text, told by words that must stand in it somewhere: one pass over the text, whatever the number
// of patterns.
//
// Beginnings (beginnings.h) tell little of patterns that all begin with a time, a level and a number. But most have a text of their
// own further on: "Connection reset by ". From each pattern's tree comes a set of such texts of which one must stand in each message
// that it matches; of each text three bytes are kept, those that the fewest others have. The pass looks at each three bytes of the
// message, and asks a bitmap of 4 KiB whether anybody wants them. This is not a chain of dependent steps as an automaton is.
//
// The text's first byte is asked too: of each pattern it is known which can begin it.
//
// Invariants  What may_match() says no of does not match.
// Threads     Immutable; the Found is the caller's: reuse it from message to message.
// Cost        0.5 to 1 ns a byte of the text, and some ns for each text that is found.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/regex_tree.h"

namespace yushi {

class RequiredLiterals {
 public:
  // `trees` of items as Beginnings has them.
  explicit RequiredLiterals(const std::vector<std::span<const RegexNode>>& trees);
  RequiredLiterals() : RequiredLiterals(std::vector<std::span<const RegexNode>>()) {}

  class Found {
   public:
    bool may_match(uint16_t item) const { return (bits_[item / 64] >> item % 64 & 1) != 0; }

    // Calls visit(item) for those that may match, in order.
    template <class Visit>
    void for_each(Visit&& visit) const {
      for (size_t i = 0; i < bits_.size(); ++i)
        for (uint64_t left = bits_[i]; left != 0; left &= left - 1) visit(static_cast<uint16_t>(i * 64 + static_cast<size_t>(__builtin_ctzll(left))));
    }

   private:
    friend class RequiredLiterals;
    std::vector<uint64_t> bits_;
  };
  void search(std::string_view text, Found& found) const;

  size_t bytes() const;

 private:
  void note_beginnings(const std::vector<std::span<const RegexNode>>& trees);
  void add_found(std::string_view text, Found& found) const;
  struct Literal {
    uint32_t word;      // the three bytes
    uint32_t text, length;  // all of it, in texts_
    uint32_t before;    // bytes of it before the three
    uint32_t items, count;  // in items_
  };
  static constexpr int kBits = 15;
  static uint32_t hash(uint32_t word) { return word * 0x9e3779b1u >> (32 - kBits); }

  std::vector<uint64_t> wanted_;      // by hash; empty when there are no literals
  std::vector<Literal> literals_;     // by hash
  std::vector<uint16_t> first_;       // of literals_ by the hash's upper bits
  std::string texts_;
  std::vector<uint16_t> items_;
  std::vector<uint64_t> always_;      // bits of the items that have no literal
  std::array<uint16_t, 257> rows_{};  // by first byte, at 256 for the empty text: a row of begins_
  std::vector<uint64_t> begins_;      // bits of the items that can begin so
};

}  // namespace yushi
