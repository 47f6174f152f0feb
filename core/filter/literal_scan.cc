#include "core/filter/literal_scan.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>

#ifdef __SSSE3__
#include <tmmintrin.h>
#endif

namespace yushi {
namespace {

// Both cases of a letter have one value, also in vectors; what else falls together is told apart by the comparison.
constexpr uint8_t rough(uint8_t c) { return c | 0x20; }
constexpr uint32_t kRough3 = 0x202020, kRough4 = 0x20202020;

uint32_t head_of(const uint8_t* at, size_t bytes) {
  uint32_t head = 0;
  std::memcpy(&head, at, bytes);
  return head | (bytes == 3 ? kRough3 : kRough4);
}

// How often a byte stands in log lines, roughly, in thousandths.
double frequency(unsigned byte) {
  if (byte == ' ') return 110;
  if (byte == 'e' || (byte >= '0' && byte <= '2')) return 45;
  if (byte >= '3' && byte <= '9') return 25;
  if (byte < 0x80 && std::strchr("taoinsrcdlpm", static_cast<char>(byte)) && byte) return 30;
  if (byte >= 'a' && byte <= 'z') return 10;
  if (byte < 0x80 && std::strchr(".-:/=", static_cast<char>(byte)) && byte) return 20;
  return 1;
}

// The same of all bytes whose rough halves are these: high, then low.
const std::array<std::array<double, 16>, 16>& frequencies() {
  static const auto sums = [] {
    std::array<std::array<double, 16>, 16> out{};
    for (unsigned byte = 0; byte < 256; ++byte) {
      const auto of = rough(static_cast<uint8_t>(byte));
      out[of >> 4][of & 15] += frequency(byte);
    }
    return out;
  }();
  return sums;
}

// How often a group of heads lets a place of a text through that none of them begins at.
double rate_of(const std::vector<std::string>& heads) {
  double rate = heads.empty() ? 0 : 1;
  for (size_t k = 0; k < 4 && !heads.empty(); ++k) {
    uint16_t low = 0, high = 0;
    for (auto& head : heads) {
      if (k >= head.size())
        low = high = 0xffff;
      else
        low |= static_cast<uint16_t>(1u << (rough(static_cast<uint8_t>(head[k])) & 15)),
            high |= static_cast<uint16_t>(1u << (rough(static_cast<uint8_t>(head[k])) >> 4));
    }
    double sum = 0;
    for (unsigned highs = high; highs != 0; highs &= highs - 1)
      for (unsigned lows = low; lows != 0; lows &= lows - 1)
        sum += frequencies()[static_cast<size_t>(std::countr_zero(highs))][static_cast<size_t>(std::countr_zero(lows))];
    rate *= sum / 1000;
  }
  return rate;
}

// The first bytes of all literals in eight groups, each head where it makes the least come through.
std::array<std::vector<std::string>, 8> divide(const std::vector<std::string>& literals) {
  std::set<std::string> heads;
  for (auto& literal : literals) heads.insert(literal.substr(0, 4));
  std::array<std::vector<std::string>, 8> groups;
  for (int round = 0; round < 3; ++round)
    for (auto& head : heads) {
      for (auto& group : groups) std::erase(group, head);
      std::vector<std::string>* best = nullptr;
      double least = 0;
      for (auto& group : groups) {
        const auto before = rate_of(group);
        group.push_back(head);
        const auto more = rate_of(group) - before;
        group.pop_back();
        if (!best || more < least) best = &group, least = more;
      }
      best->push_back(head);
    }
  return groups;
}

}  // namespace

void LiteralScan::add(std::string_view literal) {
  std::string folded;
  for (char c : literal) folded.push_back(fold(c));
  literals_.push_back(std::move(folded));
}

void LiteralScan::build() {
  for (size_t i = 0; i < literals_.size(); ++i) {
    groups_[static_cast<uint8_t>(literals_[i][0])].push_back(static_cast<uint16_t>(i));
  }
  for (auto& literal : literals_) {
    const bool is_three = literal.size() == 3;
    const auto at = slot(head_of(reinterpret_cast<const uint8_t*>(literal.data()), is_three ? 3 : 4));
    (is_three ? threes_ : fours_)[at / 64] |= uint64_t{1} << (at % 64);
  }
  for (size_t group = 0; auto& heads : divide(literals_)) {
    const auto bit = static_cast<uint8_t>(1u << group++);
    for (auto& head : heads)
      for (size_t k = 0; k < 4; ++k)
        for (unsigned byte = 0; byte < 256; ++byte)
          if (k >= head.size() || rough(static_cast<uint8_t>(byte)) == rough(static_cast<uint8_t>(head[k]))) {
            bytes_[k][byte] |= bit;
            low_[k][rough(static_cast<uint8_t>(byte)) & 15] |= bit;
            high_[k][rough(static_cast<uint8_t>(byte)) >> 4] |= bit;
          }
  }
}

bool LiteralScan::may_begin(const uint8_t* at, bool has_four) const {
  const auto three = slot(head_of(at, 3));
  if (threes_[three / 64] >> (three % 64) & 1) return true;
  if (!has_four) return false;
  const auto four = slot(head_of(at, 4));
  return fours_[four / 64] >> (four % 64) & 1;
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
    for (auto places = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(may, none))) ^ 0xffffu; places;
         places &= places - 1)
      if (const auto place = at + static_cast<size_t>(std::countr_zero(places)); may_begin(bytes + place, true))
        return place;
  }
#endif
  for (; at + 3 <= text.size(); ++at) {
    auto may = static_cast<uint8_t>(bytes_[0][bytes[at]] & bytes_[1][bytes[at + 1]] & bytes_[2][bytes[at + 2]]);
    if (at + 3 < text.size()) may &= bytes_[3][bytes[at + 3]];
    if (may && may_begin(bytes + at, at + 3 < text.size())) return at;
  }
  return text.size();
}

}  // namespace yushi
