// A value of a body as what it stands for, and where each byte of that stands as it is written: JSON's `\"` is one
// quote.
//
// Patterns that cut a value again see what it means: an escape in it hides nothing from them, and a cut parts no
// escape.
//
// Threads  Belongs to one thread.
// Cost     For values with escapes only, which are few.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/record.h"

namespace yushi::parsers {

class Unescaped {
 public:
  // False when `written` has no escapes: it stands for itself. Views into this object die with the next call.
  bool read(std::string_view written, Escape escape);
  std::string_view text() const { return text_; }
  // Where byte `at` of text() stands; text().size() gives the end.
  uint32_t written(size_t at) const { return offsets_[at]; }

 private:
  std::string text_;
  std::vector<uint32_t> offsets_;
  Scratch scratch_;
};

}  // namespace yushi::parsers
