// key=value text -> captures: `pid=273 comm="systemd-update"`, `SRC=10.0.0.1`, auditd's msg='op=… res=…'.
//
// A key is a name that stands at the beginning or after a blank or one of , ; | ( [ { '; it may end in a number in
// brackets, as auditd's a1[0]. A value is quoted, or goes to the next blank, or to a comma, semicolon or bar that ends
// it. Free text between pairs is passed over. Of two equal names the first counts: the second may be part of what a
// stranger wrote.
//
// Cost   One pass; no allocation but for dynamic fields, in the arena.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/arena.h"
#include "core/record/record.h"
#include "parsers/key_table.h"

namespace yushi {

// At most this many pairs of one message become captures; a hostile message cannot make more.
constexpr size_t kPairsMax = 1024;

// Which keys were seen in this message; reuse it from message to message.
struct KeyCounts {
  std::vector<uint32_t> stamp;
  std::vector<uint8_t> count;
  uint32_t now = 0;
  bool capped = false;  // there are more than kPairsMax pairs; whoever reads a message sets it back

  // The names that are not in the table: the first few one after the other, those of long messages by hash (open
  // addressing, at most half full).
  struct Seen {
    uint32_t stamp = 0, begin = 0, length = 0;
  };
  std::array<Seen, 16> first;
  uint32_t first_count = 0;
  std::vector<Seen> more = std::vector<Seen>(2 * kPairsMax);
};

// Appends a capture for each pair of text[begin, end), up to kPairsMax. Offsets count from text's beginning. Returns how
// many pairs stood there.
size_t read_key_values(std::string_view text, size_t begin, size_t end, const KeyTable& keys, KeyCounts& counts,
                       Arena& arena, std::vector<Capture>& captures);

}  // namespace yushi
