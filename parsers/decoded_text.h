// A message that is not valid UTF-8, as text for the patterns, with the way back to its bytes.
//
// RE2 in UTF-8 mode stops at GBK bytes, and in byte mode `|` cuts GBK characters: so patterns see text. Each byte that
// does not decode becomes U+FFFD, and offsets of the text map to offsets of the message, so that a capture stays a span
// of raw.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/charset.h"
#include "core/record/record.h"

namespace yushi::parsers {

class DecodedText {
 public:
  // False, and no text, when it would be longer than a capture can be.
  bool decode(Charset charset, std::string_view bytes);
  std::string_view text() const { return text_; }
  uint32_t offset(uint32_t text_offset) const { return offsets_[text_offset]; }
  // From offsets in the text to offsets in the message.
  void put_back(Capture& capture) const {
    uint32_t end = offset(capture.end());
    capture.begin = offset(capture.begin);
    capture.length = (end - capture.begin) & 0xffffff;
  }

 private:
  std::string text_;
  std::vector<uint32_t> offsets_;  // of each byte of text_, and of its end
};

}  // namespace yushi::parsers
