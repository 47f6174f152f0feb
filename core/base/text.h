// Words: what a token is, for the search filter, the token filters of blocks, and the block builder alike.
//
// A token is a maximal run of letters, digits and `_`; each CJK character is a token of its own. Tokens are compared
// after simple case folding (Unicode CaseFolding.txt, status C and S). Bytes that are not valid UTF-8 separate tokens.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

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

// Calls visit(std::string_view token) for each token, in order, as written (not folded).
template <class Visit>
void for_each_token(std::string_view text, Visit&& visit);

// 64-bit hash of a token's folded form; the same for "Root" and "ROOT".
uint64_t token_hash(std::string_view token);

namespace text_detail {
// From `at`, which is a byte >= 0x80 or a word byte: length of the next token, or of the run to skip with *is_token false.
size_t next_token(std::string_view text, size_t at, bool* is_token);
}  // namespace text_detail

template <class Visit>
void for_each_token(std::string_view text, Visit&& visit) {
  size_t at = 0;
  while (at < text.size()) {
    if (!is_word_byte(text[at])) {
      ++at;
      continue;
    }
    bool is_token;
    size_t length = text_detail::next_token(text, at, &is_token);
    if (is_token) visit(text.substr(at, length));
    at += length;
  }
}

}  // namespace yushi
