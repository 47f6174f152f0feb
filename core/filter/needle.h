// A literal looked for in text without regard to case: the inner loop of every search.
//
// Looks with memchr for the needle's rarest byte (both cases) and compares around it. The text is not folded for that:
// ASCII is lowered on the fly, CJK has no case. Only needles with other letters, and texts with one of the two
// characters outside ASCII that fold into it (U+017F to s, U+212A to k), are left to the caller, who folds the text
// first.
//
// Cost  About 20 ns for a message of 280 bytes without the needle.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace yushi {

class Needle {
 public:
  static constexpr size_t kNone = ~size_t{0};

  Needle() = default;
  // `folds`: `text` is in folded form, and is found in any case. Otherwise byte for byte.
  Needle(std::string text, bool folds);

  // Offset of the first occurrence at or after `from`.
  size_t find(std::string_view hay, size_t from) const;
  bool stands_at(std::string_view hay, size_t at) const;  // `at` may be past the end

  // True when find() and stands_at() may say "not there" although the folded text has it: fold `hay` and ask exactly().
  bool must_fold(std::string_view hay) const;
  const std::string& text() const { return text_; }
  bool folds() const { return folds_; }
  bool is_simple() const { return !odd_letters_; }  // only ASCII and CJK, or not folding

 private:
  std::string text_;
  bool folds_ = false;
  bool odd_letters_ = false;  // letters outside ASCII that have a case
  bool has_k_ = false, has_s_ = false;
  size_t rare_ = 0;  // place of the byte that is looked for
  char lower_ = 0, upper_ = 0;
};

}  // namespace yushi
