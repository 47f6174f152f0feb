#include "parsers/body/unescaped.h"

#include "core/record/value.h"

namespace yushi::parsers {
namespace {

// How many bytes make one character or escape at the beginning of `text`.
size_t unit_bytes(std::string_view text, Escape escape) {
  const char first = text[0];
  const char second = text.size() > 1 ? text[1] : '\0';
  switch (escape) {
    case Escape::json:
      if (first != '\\') return 1;
      if (second != 'u') return 2;
      // Two of them are one character beyond the first 65,536.
      if (text.size() >= 12 && (text[2] | 0x20) == 'd' &&
          (text[3] == '8' || text[3] == '9' || (text[3] | 0x20) == 'a' || (text[3] | 0x20) == 'b') &&
          text.substr(6, 2) == "\\u" && (text[8] | 0x20) == 'd' &&
          ((text[9] | 0x20) >= 'c' && (text[9] | 0x20) <= 'f')) {
        return 12;
      }
      return 6;
    case Escape::backslash:
      return first == '\\' && second != '\0' ? 2 : 1;
    case Escape::structured_data:
      return first == '\\' && (second == '"' || second == '\\' || second == ']') ? 2 : 1;
    case Escape::quotes:
      return first == '"' && second == '"' ? 2 : 1;
    case Escape::xml: {
      if (first != '&') return 1;
      const auto end = text.substr(0, 12).find(';');
      return end == std::string_view::npos ? 1 : end + 1;
    }
    default:
      return 1;
  }
}

}  // namespace

bool Unescaped::read(std::string_view written, Escape escape) {
  constexpr std::string_view kBegins = "\\\"&";
  if (escape == Escape::none || escape == Escape::hex || escape == Escape::lower ||
      written.find_first_of(kBegins) == std::string_view::npos)
    return false;
  text_.clear();
  offsets_.clear();
  for (size_t at = 0; at < written.size();) {
    const size_t bytes = std::min(unit_bytes(written.substr(at), escape), written.size() - at);
    scratch_.clear();
    const auto unit = bytes == 1 ? written.substr(at, 1) : decode_escape(written.substr(at, bytes), escape, scratch_);
    text_ += unit;
    offsets_.resize(text_.size(), static_cast<uint32_t>(at));
    at += bytes;
  }
  offsets_.push_back(static_cast<uint32_t>(written.size()));
  return true;
}

}  // namespace yushi::parsers
