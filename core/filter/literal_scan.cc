#include "core/filter/literal_scan.h"

#include <algorithm>
#include <bit>

#ifdef __SSSE3__
#include <tmmintrin.h>
#endif

namespace yushi {
namespace {

// Both cases of a letter have one value, also in vectors; what else falls together is told apart by the comparison.
constexpr uint8_t rough(uint8_t c) { return c | 0x20; }

}  // namespace

void LiteralScan::add(std::string_view literal) {
  std::string folded;
  for (char c : literal) folded.push_back(fold(c));
  literals_.push_back(std::move(folded));
}

void LiteralScan::build() {
  std::vector<uint16_t> order;
  for (size_t i = 0; i < literals_.size(); ++i) {
    order.push_back(static_cast<uint16_t>(i));
    groups_[static_cast<uint8_t>(literals_[i][0])].push_back(static_cast<uint16_t>(i));
  }
  // Like ones into one group: it then lets less through.
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return literals_[a] < literals_[b]; });
  size_t heads = 0;  // different first four bytes
  for (size_t i = 0; i < order.size(); ++i)
    heads += i == 0 || literals_[order[i]].substr(0, 4) != literals_[order[i - 1]].substr(0, 4);
  for (size_t i = 0, head = 0; i < order.size(); ++i) {
    auto& literal = literals_[order[i]];
    if (i > 0 && literal.substr(0, 4) != literals_[order[i - 1]].substr(0, 4)) ++head;
    const auto bit = static_cast<uint8_t>(1u << (head * 8 / heads));
    for (size_t k = 0; k < 4; ++k)
      for (unsigned byte = 0; byte < 256; ++byte)
        if (k >= literal.size() || rough(static_cast<uint8_t>(byte)) == rough(static_cast<uint8_t>(literal[k]))) {
          bytes_[k][byte] |= bit;
          low_[k][rough(static_cast<uint8_t>(byte)) & 15] |= bit;
          high_[k][rough(static_cast<uint8_t>(byte)) >> 4] |= bit;
        }
  }
}

size_t LiteralScan::next(std::string_view text, size_t at) const {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
#ifdef __SSSE3__
  const __m128i half = _mm_set1_epi8(0x0f), lower = _mm_set1_epi8(0x20), none = _mm_setzero_si128();
  __m128i low[4], high[4];
  for (size_t k = 0; k < 4; ++k) {
    low[k] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(low_[k].data()));
    high[k] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(high_[k].data()));
  }
  for (; at + 19 <= text.size(); at += 16) {
    __m128i may = _mm_set1_epi8(-1);
    for (size_t k = 0; k < 4; ++k) {
      const __m128i word = _mm_or_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + at + k)), lower);
      const __m128i by_low = _mm_shuffle_epi8(low[k], _mm_and_si128(word, half));
      const __m128i by_high = _mm_shuffle_epi8(high[k], _mm_and_si128(_mm_srli_epi16(word, 4), half));
      may = _mm_and_si128(may, _mm_and_si128(by_low, by_high));
    }
    if (const auto places = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(may, none))) ^ 0xffffu)
      return at + static_cast<size_t>(std::countr_zero(places));
  }
#endif
  for (; at + 3 <= text.size(); ++at) {
    auto may = static_cast<uint8_t>(bytes_[0][bytes[at]] & bytes_[1][bytes[at + 1]] & bytes_[2][bytes[at + 2]]);
    if (at + 3 < text.size()) may &= bytes_[3][bytes[at + 3]];
    if (may) return at;
  }
  return text.size();
}

}  // namespace yushi
