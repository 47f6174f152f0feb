#include "core/base/display.h"

#include <cstdio>

#include "core/base/text.h"
#include "core/base/text_tables.h"

namespace yushi {
namespace {

// Unseen characters that change how a terminal shows what follows.
bool is_treacherous(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c || (code >= 0x200b && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
         (code >= 0xfff9 && code <= 0xfffb) || (code >= 0xe0000 && code < 0xe1000);
}

struct Shown {
  char bytes[16];
  size_t length;
  size_t columns;
  size_t taken;  // bytes of the text
};

Shown show(std::string_view text, size_t at) {
  Shown shown{};
  CodePoint point = decode_utf8(text, at);
  if (point.length != 0 && !is_treacherous(point.code)) {
    text.copy(shown.bytes, point.length, at);
    shown.length = shown.taken = point.length;
    shown.columns = static_cast<size_t>(text_tables::columns(point.code));
    return shown;
  }
  shown.taken = point.length == 0 ? 1 : point.length;
  uint32_t code = point.length == 0 ? static_cast<unsigned char>(text[at]) : point.code;
  int written;
  if (code == '\n' || code == '\r' || code == '\t') {
    written = std::snprintf(shown.bytes, sizeof shown.bytes, "\\%c", code == '\n' ? 'n' : code == '\r' ? 'r' : 't');
  } else if (code < 0x80 || point.length == 0) {
    written = std::snprintf(shown.bytes, sizeof shown.bytes, "\\x%02x", code);
  } else {
    written = std::snprintf(shown.bytes, sizeof shown.bytes, code > 0xffff ? "\\U%08x" : "\\u%04x", code);
  }
  shown.length = shown.columns = static_cast<size_t>(written);
  return shown;
}

}  // namespace

size_t display_columns(std::string_view text) {
  size_t columns = 0;
  for (size_t at = 0; at < text.size();) {
    auto c = static_cast<unsigned char>(text[at]);
    if (c >= 0x20 && c < 0x7f) {
      ++columns;
      ++at;
      continue;
    }
    Shown shown = show(text, at);
    columns += shown.columns;
    at += shown.taken;
  }
  return columns;
}

size_t append_printable(std::string& out, std::string_view text, size_t columns_max) {
  size_t columns = 0;
  size_t cut_at = out.size(), cut_columns = 0;  // the last place where one column is left for `…`
  for (size_t at = 0; at < text.size();) {
    Shown shown = show(text, at);
    if (columns + shown.columns > columns_max) {
      out.resize(cut_at);
      if (columns_max == 0) return 0;
      out.append("…");
      return cut_columns + 1;
    }
    out.append(shown.bytes, shown.length);
    columns += shown.columns;
    at += shown.taken;
    if (columns + 1 <= columns_max) {
      cut_at = out.size();
      cut_columns = columns;
    }
  }
  return columns;
}

}  // namespace yushi
