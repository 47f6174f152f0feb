#include "core/base/display.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iterator>

#include "core/base/text.h"
#include "core/base/text_tables.h"

namespace yushi {
namespace {

// What nobody sees, or what changes how the rest is seen: Unicode's categories Cc, Cf, Zl and Zp, Zs but U+0020 and
// U+3000, its Default_Ignorable_Code_Points, and glyphs that are blank by design. In order. Private use is not among
// them: GB 18030 keeps rare characters of names there, and fonts show them.
constexpr struct {
  uint32_t first, last;
} kUnseen[] = {
    {0x0, 0x1f},
    {0x7f, 0xa0},  // DEL, C1, no-break space
    {0xad, 0xad},
    {0x34f, 0x34f},
    {0x600, 0x605},
    {0x61c, 0x61c},
    {0x6dd, 0x6dd},
    {0x70f, 0x70f},
    {0x890, 0x891},
    {0x8e2, 0x8e2},
    {0x115f, 0x1160},  // fillers of hangul; 3164 and ffa0
                       // as well
    {0x1680, 0x1680},
    {0x17b4, 0x17b5},
    {0x180b, 0x180f},
    {0x2000, 0x200f},  // blanks, zero width, marks of
                       // direction
    {0x2028, 0x202f},  // separators of lines and paragraphs, embeddings and overrides
    {0x205f, 0x206f},  // word joiner, invisible operators, isolates
    {0x2800, 0x2800},  // braille without a dot
    {0x3164, 0x3164},
    {0xfdd0, 0xfdef},  // noncharacters; the last two of each plane as well
    {0xfe00, 0xfe0f},  // variation selectors
    {0xfeff, 0xfeff},
    {0xffa0, 0xffa0},
    {0xfff0, 0xfffb},
    {0x110bd, 0x110bd},
    {0x110cd, 0x110cd},
    {0x13430, 0x1343f},
    {0x16fe4, 0x16fe4},
    {0x1bca0, 0x1bca3},
    {0x1d159, 0x1d159},  // a note without a head
    {0x1d173, 0x1d17a},
    {0xe0000, 0xe0fff},  // tags, more variation selectors
};

bool is_unseen(uint32_t code) {
  if (code < 0x7f) return code < 0x20;
  if ((code & 0xfffe) == 0xfffe) return true;
  auto* range = std::lower_bound(std::begin(kUnseen), std::end(kUnseen), code,
                                 [](auto& one, uint32_t wanted) { return one.last < wanted; });
  return range != std::end(kUnseen) && range->first <= code;
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
  if (point.length != 0 && !is_unseen(point.code)) {
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

size_t leading_unseen(std::string_view text) {
  if (text.empty()) return 0;
  const CodePoint point = decode_utf8(text, 0);
  if (point.length == 0) return 1;
  return point.code == ' ' || point.code == 0x3000 || is_unseen(point.code) ? point.length : 0;
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

void append_printable_lines(std::string& out, std::string_view text) {
  while (!text.empty()) {
    auto end = text.find('\n');
    append_printable(out, text.substr(0, end));
    out.push_back('\n');
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
}

void append_printable_json(std::string& out, std::string_view json) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  size_t run = 0;  // begins what goes over as it is
  for (size_t at = 0; at < json.size();) {
    // Eight bytes at a time while all are of 0x20 to 0x7e: less 0x20 or plus 1 no other byte stays below 0x80. A carry
    // comes only of a byte that stops here anyway.
    if (uint64_t word; json.size() - at >= sizeof word) {
      std::memcpy(&word, json.data() + at, sizeof word);
      if ((((word - 0x20 * kOnes) | word | (word + kOnes)) & (0x80 * kOnes)) == 0) {
        at += sizeof word;
        continue;
      }
    }
    CodePoint point = decode_utf8(json, at);
    if (point.length != 0 && !is_unseen(point.code)) {
      at += point.length;
      continue;
    }
    out.append(json, run, at - run);
    uint32_t code = point.length == 0 ? 0xfffd : point.code;
    char escape[16];
    int bytes = code <= 0xffff ? std::snprintf(escape, sizeof escape, "\\u%04x", code)
                               : std::snprintf(escape, sizeof escape, "\\u%04x\\u%04x", 0xd7c0 + (code >> 10),
                                               0xdc00 + (code & 0x3ff));
    out.append(escape, static_cast<size_t>(bytes));
    run = at += point.length == 0 ? 1 : point.length;
  }
  out.append(json, run);
}

}  // namespace yushi
