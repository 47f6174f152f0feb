#include "core/base/text.h"

#include <cstring>

#include <simdjson.h>

#include "core/base/text_tables.h"

namespace yushi {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHigh = 0x8080808080808080;

uint64_t load64(const char* at) {
  uint64_t value;
  std::memcpy(&value, at, 8);
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
  return value;
}
uint64_t load32(const char* at) {
  uint32_t value;
  std::memcpy(&value, at, 4);
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap32(value);
  return value;
}
void store64(char* at, uint64_t value) {
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
  std::memcpy(at, &value, 8);
}

// Eight bytes, all below 0x80: A-Z become a-z. A sum reaches the high bit exactly from the letter named on.
uint64_t lower64(uint64_t bytes) {
  uint64_t from_a = bytes + kOnes * (0x80 - 'A');
  uint64_t beyond_z = bytes + kOnes * (0x80 - 'Z' - 1);
  return bytes | ((from_a & ~beyond_z & kHigh) >> 2);
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

int class_at(CodePoint point) { return point.length == 0 ? 0 : text_tables::token_class(point.code); }

// Token class of the one character there: 0 separates, 1 belongs to a word, 2 stands alone.
int class_after(std::string_view text, size_t at) {
  if (at >= text.size()) return 0;
  auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x80) return is_word_byte(text[at]) ? 1 : 0;
  return class_at(decode_utf8(text, at));
}
int class_before(std::string_view text, size_t end) {
  if (end == 0) return 0;
  auto byte = static_cast<unsigned char>(text[end - 1]);
  if (byte < 0x80) return is_word_byte(text[end - 1]) ? 1 : 0;
  return class_at(decode_utf8_before(text, end));
}

// wyhash's mixing step: both halves of a 128-bit product.
uint64_t mix(uint64_t a, uint64_t b) {
  auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

constexpr uint64_t kSeed0 = 0xa0761d6478bd642f;  // wyhash's secrets: odd, 32 bits set, far from each other
constexpr uint64_t kSeed1 = 0xe7037ed1a0b428db;
constexpr uint64_t kSeed2 = 0x8ebc6af09c88c6e3;

uint64_t finish(uint64_t a, uint64_t b, size_t bytes) {
  return mix(kSeed2 ^ bytes, mix(a ^ kSeed0, b ^ kSeed1) ^ kSeed1);
}

// At most 16 bytes, all of them in two words.
void load_short(const char* at, size_t bytes, uint64_t* a, uint64_t* b) {
  *a = *b = 0;
  if (bytes >= 8) {
    *a = load64(at);
    *b = load64(at + bytes - 8);
  } else if (bytes >= 4) {
    *a = load32(at) << 32 | load32(at + bytes - 4);
  } else if (bytes > 0) {
    *a = static_cast<uint64_t>(static_cast<unsigned char>(at[0])) << 16 |
         static_cast<uint64_t>(static_cast<unsigned char>(at[bytes >> 1])) << 8 |
         static_cast<unsigned char>(at[bytes - 1]);
  }
}

// Of bytes all below 0x80, folded on the way; false when one was not.
bool hash_ascii(const char* at, size_t bytes, uint64_t* hash) {
  if (bytes <= 16) {
    uint64_t a, b;
    load_short(at, bytes, &a, &b);
    if (((a | b) & kHigh) != 0) return false;
    *hash = finish(lower64(a), lower64(b), bytes);
    return true;
  }
  uint64_t state = kSeed0, seen = 0;
  const char* last = at + bytes - 16;
  for (const char* p = at; p < last; p += 16) {
    uint64_t a = load64(p), b = load64(p + 8);
    seen |= a | b;
    state = mix(lower64(a) ^ kSeed1, lower64(b) ^ state);
  }
  uint64_t a = load64(last), b = load64(last + 8);
  if (((seen | a | b) & kHigh) != 0) return false;
  *hash = finish(lower64(a) ^ state, lower64(b), bytes);
  return true;
}

// The same function over bytes that are folded already.
uint64_t hash_folded(const char* at, size_t bytes) {
  if (bytes <= 16) {
    uint64_t a, b;
    load_short(at, bytes, &a, &b);
    return finish(a, b, bytes);
  }
  uint64_t state = kSeed0;
  const char* last = at + bytes - 16;
  for (const char* p = at; p < last; p += 16) state = mix(load64(p) ^ kSeed1, load64(p + 8) ^ state);
  return finish(load64(last) ^ state, load64(last + 8), bytes);
}

}  // namespace

CodePoint decode_utf8(std::string_view text, size_t at) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  auto more = [&](size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  if (at >= text.size()) return {0, 0};
  uint32_t first = byte(at);
  if (first < 0x80) return {first, 1};
  if (first < 0xc2) return {0, 0};
  if (first < 0xe0) {
    if (!more(at + 1)) return {0, 0};
    return {(first & 0x1f) << 6 | (byte(at + 1) & 0x3fu), 2};
  }
  if (first < 0xf0) {
    if (!more(at + 1) || !more(at + 2)) return {0, 0};
    uint32_t code = (first & 0x0f) << 12 | (byte(at + 1) & 0x3fu) << 6 | (byte(at + 2) & 0x3fu);
    if (code < 0x800 || (code >= 0xd800 && code < 0xe000)) return {0, 0};
    return {code, 3};
  }
  if (first > 0xf4 || !more(at + 1) || !more(at + 2) || !more(at + 3)) return {0, 0};
  uint32_t code =
      (first & 0x07) << 18 | (byte(at + 1) & 0x3fu) << 12 | (byte(at + 2) & 0x3fu) << 6 | (byte(at + 3) & 0x3fu);
  if (code < 0x10000 || code > 0x10ffff) return {0, 0};
  return {code, 4};
}

size_t put_utf8(uint32_t code, char* out) {
  if (code < 0x80) {
    out[0] = static_cast<char>(code);
    return 1;
  }
  if (code < 0x800) {
    out[0] = static_cast<char>(0xc0 | code >> 6);
    out[1] = static_cast<char>(0x80 | (code & 0x3f));
    return 2;
  }
  if (code < 0x10000) {
    out[0] = static_cast<char>(0xe0 | code >> 12);
    out[1] = static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out[2] = static_cast<char>(0x80 | (code & 0x3f));
    return 3;
  }
  out[0] = static_cast<char>(0xf0 | code >> 18);
  out[1] = static_cast<char>(0x80 | (code >> 12 & 0x3f));
  out[2] = static_cast<char>(0x80 | (code >> 6 & 0x3f));
  out[3] = static_cast<char>(0x80 | (code & 0x3f));
  return 4;
}

CodePoint decode_utf8_before(std::string_view text, size_t end) {
  if (end == 0) return {0, 0};
  // A lead byte is never part of what stands before it, so the nearest one decides.
  size_t at = end - 1;
  while (at > 0 && end - at < 4 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
  CodePoint point = decode_utf8(text, at);
  return point.length == end - at ? point : CodePoint{0, 0};
}

bool is_token_border(std::string_view text, size_t at) {
  int before = class_before(text, at);
  return before != 1 || class_after(text, at) != 1;
}

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

size_t fold_into(std::string_view text, char* out) {
  char* to = out;
  size_t at = 0;
  while (at < text.size()) {
    if (at + 8 <= text.size()) {
      uint64_t bytes = load64(text.data() + at);
      if ((bytes & kHigh) == 0) {
        store64(to, lower64(bytes));
        at += 8;
        to += 8;
        continue;
      }
    }
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      *to++ = lower(text[at++]);
      continue;
    }
    CodePoint point = decode_utf8(text, at);
    if (point.length == 0) {
      *to++ = text[at++];
      continue;
    }
    to += put_utf8(text_tables::fold(point.code), to);
    at += point.length;
  }
  return static_cast<size_t>(to - out);
}

void append_folded(std::string& out, std::string_view text) {
  size_t before = out.size();
  out.resize(before + folded_bytes_max(text.size()));
  out.resize(before + fold_into(text, out.data() + before));
}

std::string folded(std::string_view text) {
  std::string out;
  append_folded(out, text);
  return out;
}

std::string_view token_from(std::string_view text, size_t at) {
  while (at < text.size()) {
    if (!is_word_byte(text[at])) {
      ++at;
      continue;
    }
    bool is_token;
    size_t length = text_detail::next_token(text, at, &is_token);
    if (is_token) return text.substr(at, length);
    at += length;
  }
  return {};
}

uint64_t token_hash(std::string_view token) {
  uint64_t hash;
  if (hash_ascii(token.data(), token.size(), &hash)) return hash;
  if (token.size() <= 64) {
    char small[folded_bytes_max(64)];
    return hash_folded(small, fold_into(token, small));
  }
  std::string big = folded(token);
  return hash_folded(big.data(), big.size());
}

size_t text_detail::next_token(std::string_view text, size_t at, bool* is_token) {
  size_t begin = at;
  while (at < text.size()) {
    auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      if (!is_word_byte(text[at])) break;
      ++at;
      continue;
    }
    CodePoint point = decode_utf8(text, at);
    if (class_at(point) == 1) {
      at += point.length;
      continue;
    }
    if (at > begin) break;  // the word ends here; what stands here is looked at next time
    *is_token = class_at(point) == 2;
    return point.length == 0 ? 1 : point.length;
  }
  *is_token = true;
  return at - begin;
}

}  // namespace yushi
