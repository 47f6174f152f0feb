// Finds which of many literal texts may stand in a message, in one pass: the prefilter of all rules' literals.
//
// Each literal belongs to a group (one of the sets that a rule requires one of). The search folds ASCII case, so that
// what differs only in case is found; it errs towards yes, never towards no. Literals with other letters are asked by
// their longest part of ASCII and Chinese; one that has no such part of 3 bytes cannot be looked for.
//
// Cost     About 1 ns a byte of text while nothing is near: a bitmap of windows decides, of 4 bytes or, where there are
//          short literals, of 3. When all literals are long, only every stride-th byte is looked at. See
//          bench/prefilter_bench.cc.
// Threads  Immutable after build().
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace yushi::detect {

class LiteralSearch {
 public:
  static bool can_search(const std::string& literal);
  // One of the literals of which at least one must stand in a text for `group` to be possible: anywhere in it, or where
  // it begins or ends (both: it is the whole text).
  void add(uint32_t group, const std::string& literal, bool at_begin = false, bool at_end = false);
  void build();

  // Sets bit `group` of `found` for each group that may be possible.
  void search(std::string_view text, uint64_t* found) const;
  // True when a letter stands in the text that is not ASCII but folds to k or s (U+212A, U+017F): the search, which
  // knows ASCII only, must not be asked.
  static bool folds_into_ascii(std::string_view text);

 private:
  struct Literal {
    std::string text;  // ASCII folded, at least 3 bytes
    bool at_begin, at_end;
    std::vector<uint32_t> groups;
  };
  struct Window {
    uint32_t bytes;  // of the literal, without their case
    uint32_t literal;
    uint32_t offset;  // in it: of its rarest bytes, or one of many
  };
  // Literals by windows of 4 bytes, and those that have but 3 by all of them.
  struct Table {
    explicit Table(size_t bytes) : window_bytes(bytes) {}

    uint32_t slot(uint32_t window) const { return (window * 0x9e3779b1u) >> shift; }

    size_t window_bytes;
    size_t stride = 1;
    int shift = 32;
    std::vector<uint64_t> bitmap;  // slots that windows fall into
    std::vector<uint32_t> before;  // how many slots are set before each word of the bitmap
    std::vector<uint32_t> first;   // of each set slot its first window, and one more
    std::vector<Window> windows;   // by their slots
  };

  void build(Table& table) const;
  void compare(const Table& table, std::string_view text, size_t i, uint32_t window, uint64_t* found) const;

  // A bitmap of few windows is small; of thousands, it has 64 slots for each.
  static constexpr int kBitsMin = 10, kBitsMax = 19;
  static constexpr size_t kStrideMax = 8;
  static constexpr size_t kStrideFrom = 4;
  std::map<std::tuple<std::string, bool, bool>, uint32_t> number_of_;  // of each literal; until build()
  std::vector<Literal> literals_;
  Table long_{4}, short_{3};
  // Where the text is looked at byte by byte for both: the slots of the first three bytes of the windows of both.
  static constexpr int kNearBits = 16;
  static uint32_t near_slot(uint32_t three) { return (three * 0x9e3779b1u) >> (32 - kNearBits); }
  std::vector<uint64_t> near_;
};

}  // namespace yushi::detect
