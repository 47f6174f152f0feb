#include "detect/literal_search.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "core/base/charset.h"

namespace yushi::detect {
namespace {

// A-Z to a-z, all else unchanged.
constexpr std::array<uint8_t, 256> kFold = [] {
  std::array<uint8_t, 256> table{};
  for (int i = 0; i < 256; ++i) table[i] = static_cast<uint8_t>(i >= 'A' && i <= 'Z' ? i + 32 : i);
  return table;
}();

// How often a byte stands in log lines, roughly: windows are chosen where it is rare.
int frequency(uint8_t c) {
  if (c == ' ' || c == 'e' || c == '0' || c == '1' || c == '2') return 9;
  if (c >= '0' && c <= '9') return 7;
  if (std::string_view("tainorscdlpmu./-:").find(static_cast<char>(c)) != std::string_view::npos) return 6;
  if (c >= 'a' && c <= 'z') return 3;
  return 1;
}

uint32_t window_at(const uint8_t* at) {
  return static_cast<uint32_t>(kFold[at[0]]) | static_cast<uint32_t>(kFold[at[1]]) << 8 |
         static_cast<uint32_t>(kFold[at[2]]) << 16;
}

// Where the three bytes begin that stand most seldom in log lines.
uint32_t rarest_window(std::string_view text) {
  uint32_t best = 0;
  int best_frequency = 1000;
  for (uint32_t i = 0; i + 3 <= text.size(); ++i) {
    int sum = 0;
    for (uint32_t j = i; j < i + 3; ++j) sum += frequency(static_cast<uint8_t>(text[j]));
    if (sum < best_frequency) best = i, best_frequency = sum;
  }
  return best;
}

// Bytes of one character that has no case and that nothing folds into: ASCII, and U+4000 to U+9FFF (Chinese); 0: other.
size_t plain_bytes(std::string_view text, size_t at) {
  auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<uint8_t>(text[at + i]) : 0u; };
  if (byte(0) < 0x80) return 1;
  return byte(0) >= 0xe4 && byte(0) <= 0xe9 && (byte(1) & 0xc0) == 0x80 && (byte(2) & 0xc0) == 0x80 ? 3 : 0;
}

// The longest part that can be compared byte by byte, ASCII case folded.
std::string plain_part(const std::string& literal) {
  size_t best = 0, best_length = 0;
  for (size_t i = 0; i < literal.size();) {
    size_t end = i;
    while (end < literal.size()) {
      size_t bytes = plain_bytes(literal, end);
      if (bytes == 0) break;
      end += bytes;
    }
    if (end - i > best_length) best = i, best_length = end - i;
    i = end + 1;
  }
  std::string out = literal.substr(best, best_length);
  for (char& c : out) c = static_cast<char>(kFold[static_cast<uint8_t>(c)]);
  return out;
}

}  // namespace

bool LiteralSearch::folds_into_ascii(std::string_view text) {
  if (is_ascii(text)) return false;
  for (std::string_view letter : {"\xe2\x84\xaa", "\xc5\xbf"})
    if (std::memchr(text.data(), letter[0], text.size()) && text.find(letter) != std::string_view::npos) return true;
  return false;
}

bool LiteralSearch::can_search(const std::string& literal) { return plain_part(literal).size() >= 3; }

void LiteralSearch::add(uint32_t group, const std::string& literal) {
  const std::string text = plain_part(literal);
  const auto [known, is_new] = number_of_.emplace(text, static_cast<uint32_t>(literals_.size()));
  if (is_new) literals_.push_back({text, {}});
  auto& groups = literals_[known->second].groups;
  if (groups.empty() || groups.back() != group) groups.push_back(group);
}

void LiteralSearch::build() {
  number_of_.clear();
  // When all literals are long, every place of each is a window and the text is looked at in steps: some window of a
  // literal that stands there is met.
  size_t shortest = kStrideMax + 2;
  for (const auto& literal : literals_) shortest = std::min(shortest, literal.text.size());
  stride_ = shortest >= kStrideFromBytes ? shortest - 2 : 1;
  const size_t windows = literals_.size() * stride_;
  int bits = kBitsMin;
  while (bits < kBitsMax && (size_t{1} << bits) < windows * 64) ++bits;
  shift_ = 32 - bits;
  std::vector<std::pair<uint32_t, Window>> by_slot;
  for (uint32_t number = 0; number < literals_.size(); ++number) {
    const std::string& text = literals_[number].text;
    const auto add = [&](uint32_t offset) {
      by_slot.push_back({slot(window_at(reinterpret_cast<const uint8_t*>(text.data()) + offset)), {number, offset}});
    };
    if (stride_ == 1) add(rarest_window(text));
    for (uint32_t offset = 0; stride_ > 1 && offset < stride_; ++offset) add(offset);
  }
  std::stable_sort(by_slot.begin(), by_slot.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  bitmap_.assign((size_t{1} << bits) / 64, 0);
  for (size_t i = 0; i < by_slot.size(); ++i) {
    const uint32_t at = by_slot[i].first;
    bitmap_[at / 64] |= uint64_t{1} << (at % 64);
    if (i == 0 || by_slot[i - 1].first != at) first_.push_back(static_cast<uint32_t>(i));
    windows_.push_back(by_slot[i].second);
  }
  first_.push_back(static_cast<uint32_t>(windows_.size()));
  for (uint32_t set = 0; const uint64_t word : bitmap_) {
    before_.push_back(set);
    set += static_cast<uint32_t>(std::popcount(word));
  }
}

void LiteralSearch::compare(std::string_view text, size_t i, uint32_t at, uint64_t* found) const {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const uint64_t below = bitmap_[at / 64] & ((uint64_t{1} << (at % 64)) - 1);
  const size_t entry = before_[at / 64] + static_cast<size_t>(std::popcount(below));
  for (uint32_t w = first_[entry]; w < first_[entry + 1]; ++w) {
    const auto& [literal, groups] = literals_[windows_[w].literal];
    if (i < windows_[w].offset) continue;
    const size_t begin = i - windows_[w].offset;
    if (begin + literal.size() > text.size()) continue;
    size_t k = 0;
    while (k < literal.size() && kFold[bytes[begin + k]] == static_cast<uint8_t>(literal[k])) ++k;
    if (k < literal.size()) continue;
    for (const uint32_t group : groups) found[group / 64] |= uint64_t{1} << (group % 64);
  }
}

void LiteralSearch::search(std::string_view text, uint64_t* found) const {
  if (literals_.empty() || text.size() < 3) return;
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const uint64_t* bitmap = bitmap_.data();
  size_t last = text.size() - 3;
  if (stride_ > 1) {
    for (size_t i = 0; i <= last; i += stride_) {
      uint32_t at = slot(window_at(bytes + i));
      if (bitmap[at / 64] >> (at % 64) & 1) compare(text, i, at, found);
    }
    return;
  }
  uint32_t window = static_cast<uint32_t>(kFold[bytes[0]]) << 8 | static_cast<uint32_t>(kFold[bytes[1]]) << 16;
  for (size_t i = 0; i <= last; ++i) {
    window = window >> 8 | static_cast<uint32_t>(kFold[bytes[i + 2]]) << 16;
    uint32_t at = slot(window);
    if (bitmap[at / 64] >> (at % 64) & 1) compare(text, i, at, found);
  }
}

}  // namespace yushi::detect
