// Sigma's strings: wildcards and escapes, and the modifiers that turn one string into others. Private to core/filter.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/filter/string_pattern.h"

namespace yushi {

// A string with its wildcards told from its letters.
struct SigmaString {
  struct Piece {
    enum class Kind { literal, any_one, any_run } kind;
    std::string text;
  };
  std::vector<Piece> pieces;

  static SigmaString parse(std::string_view text);  // `*`, `?`; `\*` `\?` `\\`; any other backslash is itself
  static SigmaString literal(std::string_view text);
  bool has_wildcard() const;
  std::string text() const;  // of a string without wildcards
  StringPattern pattern(bool folds, bool open_begin, bool open_end) const;
};

// |windash: each dash or slash that begins an option may be any of - / and the typographic dashes.
Result<std::vector<SigmaString>> windash_variants(const SigmaString& string);
// |wide, |utf16le, |utf16be, |utf16: the bytes of a string without wildcards.
std::string utf16_bytes(std::string_view utf8, bool big_endian, bool with_mark);
// |base64offset: what stands in base64 of any text that holds `bytes`, at each of the three alignments.
std::vector<std::string> base64_alignments(std::string_view bytes);

}  // namespace yushi
