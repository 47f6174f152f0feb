// Finds which of many literal texts may stand in a message, in one pass: the prefilter of all rules' literals.
//
// Each literal belongs to a group (one of the sets that a rule requires one of). The search folds ASCII case, so that
// what differs only in case is found; it errs towards yes, never towards no. Literals with other letters are asked by
// their longest part of ASCII and Chinese; one that has no such part of 3 bytes cannot be looked for.
//
// Cost     About 1 ns a byte of text while nothing is near: a bitmap of 3-byte windows decides. When all literals are
//          long, only every stride-th byte is looked at. See bench/detect_bench.cc.
// Threads  Immutable after build().
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace yushi::detect {

class LiteralSearch {
 public:
  static bool can_search(const std::string& literal);
  // One of the literals of which at least one must stand in a text for `group` to be possible.
  void add(uint32_t group, const std::string& literal);
  void build();

  // Sets bit `group` of `found` for each group that may be possible.
  void search(std::string_view text, uint64_t* found) const;
  // True when a letter stands in the text that is not ASCII but folds to k or s (U+212A, U+017F): the search, which
  // knows ASCII only, must not be asked.
  static bool folds_into_ascii(std::string_view text);

 private:
  struct Literal {
    std::string text;  // ASCII folded, at least 3 bytes
    std::vector<uint32_t> groups;
  };
  struct Window {
    uint32_t literal;
    uint32_t offset;  // in it: of its rarest 3 bytes, or one of many
  };
  uint32_t slot(uint32_t window) const { return (window * 0x9e3779b1u) >> shift_; }

  void compare(std::string_view text, size_t i, uint32_t at, uint64_t* found) const;

  // The bitmap's: of few windows it is small, and of thousands, in 16 KiB, some 5 % are set.
  static constexpr int kBitsMin = 10, kBitsMax = 17;
  int shift_ = 32 - kBitsMin;
  static constexpr size_t kStrideMax = 8;
  static constexpr size_t kStrideFromBytes = 6;
  size_t stride_ = 1;
  std::map<std::string, uint32_t> number_of_;  // of each literal; until build()
  std::vector<Literal> literals_;
  std::vector<uint64_t> bitmap_;  // slots that windows fall into
  std::vector<uint32_t> before_;  // how many slots are set before each word of the bitmap
  std::vector<uint32_t> first_;   // of each set slot its first window, and one more
  std::vector<Window> windows_;   // by their slots
};

}  // namespace yushi::detect
