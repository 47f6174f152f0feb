#include "parsers/decoded_text.h"

namespace yushi::parsers {
namespace {

constexpr size_t kTextBytesMax = 0xffffff;  // Capture::length

}  // namespace

bool DecodedText::decode(Charset charset, std::string_view bytes) {
  text_.clear();
  offsets_.clear();
  char character[4];
  for (size_t at = 0; at < bytes.size();) {
    CodePoint point = yushi::decode(charset, bytes, at);
    size_t length = put_utf8(point.length != 0 ? point.code : 0xfffd, character);
    text_.append(character, length);
    // A boundary of text_ lies at its characters' first bytes only; the others map to the same place.
    offsets_.insert(offsets_.end(), length, static_cast<uint32_t>(at));
    at += point.length != 0 ? point.length : 1;
    if (text_.size() > kTextBytesMax) {
      text_.clear();
      return false;
    }
  }
  offsets_.push_back(static_cast<uint32_t>(bytes.size()));
  return true;
}

}  // namespace yushi::parsers
