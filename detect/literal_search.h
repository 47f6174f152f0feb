// Finds which of many literal texts may stand in a message, in one pass: the prefilter of all rules' literals.
//
// Each literal belongs to a group (a rule). The search folds ASCII case, so that what differs only in case is found; it
// errs towards yes, never towards no. Literals with other letters are asked by their longest part of ASCII and Chinese;
// one that has no such part of 3 bytes makes its group always answer yes.
//
// Cost     About 1 ns a byte of text while nothing is near: a bitmap of 3-byte windows decides. When all literals are
//          long, only every stride-th byte is looked at. See bench/detect_bench.cc.
// Threads  Immutable after build().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace yushi::detect {

class LiteralSearch {
 public:
  // Adds the literals of which at least one must stand in a text for `group` to be possible.
  void add(uint32_t group, const std::vector<std::string>& literals);
  void build();

  // Sets bit `group` of `found` for each group that may be possible.
  void search(std::string_view text, uint64_t* found) const;
  // True when a letter stands in the text that is not ASCII but folds to k or s (U+212A, U+017F): the search, which
  // knows ASCII only, must not be asked.
  static bool folds_into_ascii(std::string_view text);
  uint32_t groups() const { return groups_; }
  const std::vector<uint32_t>& always() const { return always_; }  // groups that no search can rule out

 private:
  struct Literal {
    std::string text;  // ASCII folded, at least 3 bytes
    uint32_t window;   // offset of its rarest 3 bytes, or of one of many windows
    uint32_t group;
  };
  static uint32_t slot(uint32_t window) { return (window * 0x9e3779b1u) >> (32 - kBits); }

  void compare(std::string_view text, size_t i, uint32_t at, uint64_t* found) const;

  static constexpr int kBits = 15;
  static constexpr size_t kStrideMax = 8;
  static constexpr size_t kStrideFromBytes = 6;
  size_t stride_ = 1;
  std::vector<uint64_t> bitmap_;
  std::vector<Literal> literals_;  // sorted by slot of their window
  std::vector<uint32_t> first_;    // slot -> first literal, by binary search over slots_
  std::vector<uint32_t> slots_;
  std::vector<uint32_t> always_;
  uint32_t groups_ = 0;
};

}  // namespace yushi::detect
