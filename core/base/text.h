// Words: what a token is, for the search filter, the token filters of blocks, and the block builder alike.
//
// A token is a maximal run of letters, digits and `_`; each CJK character is a token of its own. Tokens are compared
// after simple case folding (Unicode CaseFolding.txt, status C and S). Bytes that are not valid UTF-8 separate tokens.
//
// Letters are general category L, digits N. CJK: the ideographs, kana, bopomofo and hangul among them.
//
// Threads  Pure functions.
// Cost     for_each_token about 1 ns a token and 0.1 ns a byte, token_hash 2 ns, for ASCII; see bench/filter_bench.cc.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace yushi {

// Letters, digits and `_` of ASCII, and every byte >= 0x80: the cheap superset used to cut at places that are certainly
// token borders. Two neighbouring bytes of which one is not a word byte have a token border between them.
inline bool is_word_byte(char c) {
  static constexpr auto kTable = [] {
    std::array<bool, 256> table{};
    for (int i = 0; i < 256; ++i)
      table[i] = (i >= '0' && i <= '9') || (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z') || i == '_' || i >= 0x80;
    return table;
  }();
  return kTable[static_cast<unsigned char>(c)];
}

bool is_utf8(std::string_view text);
void append_folded(std::string& out, std::string_view text);  // simple case folding; invalid bytes pass unchanged
std::string folded(std::string_view text);
// Folds into `out`, which has room for folded_bytes_max(text.size()); returns the bytes written.
size_t fold_into(std::string_view text, char* out);
constexpr size_t folded_bytes_max(size_t bytes) { return bytes + bytes / 2 + 8; }  // U+023A, 2 bytes, folds to 3

// The code point at text[at] and its length in bytes; length 0 when no valid UTF-8 stands there.
struct CodePoint {
  uint32_t code;
  uint32_t length;
};
CodePoint decode_utf8(std::string_view text, size_t at);
// Writes `code` as 1 to 4 bytes; gives how many.
size_t put_utf8(uint32_t code, char* out);
// The code point that ends just before text[end]; length 0 when none does.
CodePoint decode_utf8_before(std::string_view text, size_t end);

// Whether a token border lies at text[at]: never inside a word, always next to a CJK character.
bool is_token_border(std::string_view text, size_t at);

// Calls visit(std::string_view token) for each token, in order, as written (not folded).
template <class Visit>
void for_each_token(std::string_view text, Visit&& visit);

// The first token at or after `at`; empty when there is none.
std::string_view token_from(std::string_view text, size_t at);

// 64-bit hash of a token's folded form; the same for "Root" and "ROOT". Stored in blocks: never change it.
uint64_t token_hash(std::string_view token);

namespace text_detail {
// From `at`, which is a byte >= 0x80 or a word byte: length of the next token, or of the run to skip with *is_token
// false.
size_t next_token(std::string_view text, size_t at, bool* is_token);

#ifdef __SSE2__
// At most 15 bytes, zeros behind them; reads no byte beyond.
inline __m128i load_short(const char* at, size_t bytes) {
  const auto word = [](const char* from, auto value) {
    std::memcpy(&value, from, sizeof value);
    return uint64_t{value};
  };
  uint64_t low = 0, high = 0;
  if (bytes >= 8) {
    low = word(at, uint64_t{});
    high = word(at + bytes - 8, uint64_t{}) >> 1 >> (8 * (16 - bytes) - 1);
  } else if (bytes >= 4) {
    low = word(at, uint32_t{}) | word(at + bytes - 4, uint32_t{}) << 8 * (bytes - 4);
  } else if (bytes > 0) {
    low = word(at, uint8_t{}) | word(at + bytes / 2, uint8_t{}) << 8 * (bytes / 2) |
          word(at + bytes - 1, uint8_t{}) << 8 * (bytes - 1);
  }
  return _mm_set_epi64x(static_cast<int64_t>(high), static_cast<int64_t>(low));
}
#endif

// One bit for each of the `bytes` (at most 64) bytes at `at`: whether it is a word byte; *high: whether it is >= 0x80.
inline uint64_t word_mask(const char* at, size_t bytes, uint64_t* high) {
  uint64_t words = 0;
  uint64_t high_bits = 0;
#ifdef __SSE2__
  const auto add = [&](__m128i b, size_t i) {
    // Signed compares: bytes >= 0x80 are negative, fall out of both ranges, and come in by their sign bit.
    __m128i lower = _mm_or_si128(b, _mm_set1_epi8(0x20));
    __m128i letter =
        _mm_and_si128(_mm_cmpgt_epi8(lower, _mm_set1_epi8('a' - 1)), _mm_cmplt_epi8(lower, _mm_set1_epi8('z' + 1)));
    __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(b, _mm_set1_epi8('0' - 1)), _mm_cmplt_epi8(b, _mm_set1_epi8('9' + 1)));
    __m128i line = _mm_cmpeq_epi8(b, _mm_set1_epi8('_'));
    auto sign = static_cast<uint32_t>(_mm_movemask_epi8(b));
    auto word = static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(letter, digit), line))) | sign;
    words |= static_cast<uint64_t>(word) << i;
    high_bits |= static_cast<uint64_t>(sign) << i;
  };
  const auto load = [&](size_t i) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + i)); };
  for (size_t i = 0; i + 16 <= bytes; i += 16) add(load(i), i);
  if (bytes < 16)
    add(load_short(at, bytes), 0);
  else if (bytes % 16 != 0)
    add(load(bytes - 16), bytes - 16);  // some of them once more
#else
  for (size_t i = 0; i < bytes; ++i) {
    words |= static_cast<uint64_t>(is_word_byte(at[i])) << i;
    high_bits |= static_cast<uint64_t>(static_cast<unsigned char>(at[i]) >= 0x80) << i;
  }
#endif
  *high = high_bits;
  return words;
}

// The tokens of a run of word bytes of which some are >= 0x80.
template <class Visit>
void tokens_of_run(std::string_view text, size_t begin, size_t end, Visit&& visit) {
  while (begin < end) {
    bool is_token;
    size_t length = next_token(text, begin, &is_token);
    if (is_token) visit(text.substr(begin, length));
    begin += length;
  }
}
}  // namespace text_detail

template <class Visit>
void for_each_token(std::string_view text, Visit&& visit) {
  constexpr size_t kNone = ~size_t{0};
  size_t run = kNone;     // where the run of word bytes began that reaches into this chunk
  bool run_high = false;  // whether a byte of it was >= 0x80
  auto close = [&](size_t begin, size_t end, bool high) {
    if (!high) return visit(text.substr(begin, end - begin));
    text_detail::tokens_of_run(text, begin, end, visit);
  };
  for (size_t base = 0; base < text.size(); base += 64) {
    size_t bytes = text.size() - base < 64 ? text.size() - base : 64;
    uint64_t high;
    uint64_t words = text_detail::word_mask(text.data() + base, bytes, &high);
    size_t at = 0;  // bits below are done
    while (at < 64) {
      if (run == kNone) {
        uint64_t left = words >> at;
        if (left == 0) break;
        at += static_cast<size_t>(std::countr_zero(left));
        run = base + at;
        run_high = false;
      }
      uint64_t gaps = ~words >> at;
      size_t length = gaps == 0 ? 64 - at : static_cast<size_t>(std::countr_zero(gaps));
      if (at + length > 64) length = 64 - at;
      uint64_t span = length == 64 ? ~uint64_t{0} : ((uint64_t{1} << length) - 1) << at;
      run_high |= (high & span) != 0;
      at += length;
      if (at == 64) break;  // the run may go on in the next chunk
      close(run, base + at, run_high);
      run = kNone;
    }
  }
  if (run != kNone) close(run, text.size(), run_high);
}

}  // namespace yushi
