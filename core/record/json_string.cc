#include "core/record/ecs_object.h"

#include <array>
#include <bit>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace yushi {
namespace {

// Bytes that stand in a JSON string as they are and are ASCII.
constexpr auto kPlain = [] {
  std::array<bool, 256> table{};
  for (int c = 0x20; c < 0x80; ++c) table[static_cast<size_t>(c)] = c != '"' && c != '\\';
  return table;
}();

const char* skip_plain(const char* at, const char* end) {
#ifdef __SSE2__
  while (end - at >= 16) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    // Signed comparison: bytes from 0x80 on are negative, hence below 0x20 too.
    __m128i stop = _mm_or_si128(
        _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
    if (auto mask = static_cast<unsigned>(_mm_movemask_epi8(stop))) return at + std::countr_zero(mask);
    at += 16;
  }
#endif
  while (at < end && kPlain[static_cast<unsigned char>(*at)]) ++at;
  return at;
}

// A character that begins with a byte >= 0x80: its length; *is_valid false: the length of the maximal bad part (Unicode
// 15, table 3-7: as long as it could still have become a character).
size_t multibyte(const char* at, const char* end, bool* is_valid) {
  auto byte = [&](ptrdiff_t i) { return static_cast<unsigned char>(at[i]); };
  unsigned char lead = byte(0), low = 0x80, high = 0xbf;
  size_t length;
  if (lead >= 0xc2 && lead <= 0xdf) {
    length = 2;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    length = 3;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
  } else {
    *is_valid = false;
    return 1;
  }
  for (size_t i = 1; i < length; ++i) {
    if (at + i == end || byte(static_cast<ptrdiff_t>(i)) < low || byte(static_cast<ptrdiff_t>(i)) > high) {
      *is_valid = false;
      return i;
    }
    low = 0x80;
    high = 0xbf;
  }
  *is_valid = true;
  return length;
}

void append_escape(std::string& out, char c) {
  static constexpr char kDigits[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      out += "\\u00";
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[c & 15];
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  const char *at = text.data(), *end = at + text.size();
  const char* run = at;  // begins what goes over as it is
  while ((at = skip_plain(at, end)) != end) {
    if (static_cast<unsigned char>(*at) >= 0x80) {
      bool is_valid;
      size_t length = multibyte(at, end, &is_valid);
      if (is_valid) {
        at += length;
        continue;
      }
      out.append(run, at);
      out += "\xef\xbf\xbd";
      at += length;
    } else {
      out.append(run, at);
      append_escape(out, *at++);
    }
    run = at;
  }
  out.append(run, end);
  out += '"';
}

}  // namespace yushi
