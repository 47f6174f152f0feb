#include "parsers/decoded_text.h"

#include <simdjson.h>

namespace yushi {
namespace {

// Length of the valid UTF-8 character at `at`; 0 when there is none.
size_t character(std::string_view bytes, size_t at) {
  auto lead = static_cast<unsigned char>(bytes[at]);
  if (lead < 0x80) return 1;
  size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || at + length > bytes.size()) return 0;
  return simdjson::validate_utf8(bytes.data() + at, length) ? length : 0;
}

}  // namespace

bool is_valid_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

void DecodedText::decode(std::string_view bytes) {
  text_.clear();
  offsets_.clear();
  for (size_t at = 0; at < bytes.size();) {
    size_t length = character(bytes, at);
    std::string_view piece = length != 0 ? bytes.substr(at, length) : std::string_view("\xef\xbf\xbd");
    // A boundary of text_ lies at its characters' first bytes only; the others map to the same place.
    for (size_t i = 0; i < piece.size(); ++i) offsets_.push_back(static_cast<uint32_t>(at));
    text_ += piece;
    at += length != 0 ? length : 1;
  }
  offsets_.push_back(static_cast<uint32_t>(bytes.size()));
}

}  // namespace yushi
