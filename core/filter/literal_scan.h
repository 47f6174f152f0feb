// Where one of some dozens of short texts may stand: the look that every outgoing text gets before anything dearer.
//
// Sixteen places at a time: the first four bytes at each place are compared by their half bytes with all literals at
// once (the way of Hyperscan's Teddy; Wang et al., NSDI 2019), in eight groups. What passes is looked up in a bitmap of
// the first bytes of all literals, and only then compared whole.
//
// Folds ASCII case. Literals have 3 bytes or more.
//
// Cost     About 0.4 ns a byte with SSSE3, 2 ns without, while nothing is near.
// Threads  Immutable after build().
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace yushi {

class LiteralScan {
 public:
  // Numbered as they are added.
  void add(std::string_view literal);
  void build();

  // Calls visit(literal, place) for each literal that stands there, places ascending. False from it ends the scan.
  template <class Visit>
  void each(std::string_view text, Visit&& visit) const {
    for (size_t at = 0; (at = next(text, at)) < text.size(); ++at)
      for (auto number : groups_[static_cast<uint8_t>(fold(text[at]))])
        if (stands(literals_[number], text, at) && !visit(number, at)) return;
  }
  bool any(std::string_view text) const {
    bool found = false;
    each(text, [&](size_t, size_t) { return !(found = true); });
    return found;
  }
  const std::string& literal(size_t number) const { return literals_[number]; }

 private:
  static char fold(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
  static bool stands(std::string_view literal, std::string_view text, size_t at) {
    if (text.size() - at < literal.size()) return false;
    for (size_t i = 0; i < literal.size(); ++i)
      if (fold(text[at + i]) != literal[i]) return false;
    return true;
  }
  // The first place from `at` on where a literal may begin; text.size() or more: none.
  size_t next(std::string_view text, size_t at) const;

  std::vector<std::string> literals_;                      // folded
  std::array<std::vector<uint16_t>, 256> groups_;          // by first byte
  std::array<std::array<uint8_t, 16>, 4> low_{}, high_{};  // of byte 0..3: bit k, group k has this half
  std::array<std::array<uint8_t, 256>, 4> bytes_{};        // the same for whole bytes
  static constexpr unsigned kBits = 13;
  static uint32_t slot(uint32_t head) { return (head * 0x9e3779b1u) >> (32 - kBits); }
  bool may_begin(const uint8_t* at, bool has_four) const;
  // by the first bytes, of literals of 3 bytes and of others
  std::array<uint64_t, (1u << kBits) / 64> threes_{}, fours_{};
};

}  // namespace yushi
