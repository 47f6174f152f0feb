#include "detect/literal_search.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace yushi {
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

// The longest ASCII part.
std::string plain_part(const std::string& literal) {
  size_t best = 0, best_length = 0;
  for (size_t i = 0; i < literal.size();) {
    size_t end = i;
    while (end < literal.size() && static_cast<uint8_t>(literal[end]) < 0x80) ++end;
    if (end - i > best_length) best = i, best_length = end - i;
    i = end + 1;
  }
  std::string out = literal.substr(best, best_length);
  for (char& c : out) c = static_cast<char>(kFold[static_cast<uint8_t>(c)]);
  return out;
}

}  // namespace

bool LiteralSearch::folds_into_ascii(std::string_view text) {
  if (text.empty()) return false;
  for (std::string_view letter : {"\xe2\x84\xaa", "\xc5\xbf"})
    if (std::memchr(text.data(), letter[0], text.size()) && text.find(letter) != std::string_view::npos) return true;
  return false;
}

void LiteralSearch::add(uint32_t group, const std::vector<std::string>& literals) {
  groups_ = std::max(groups_, group + 1);
  std::vector<Literal> added;
  bool possible = !literals.empty();
  for (const auto& literal : literals) {
    std::string text = plain_part(literal);
    if (text.size() < 3) {
      possible = false;
      break;
    }
    uint32_t best = 0;
    int best_frequency = 1000;
    for (uint32_t i = 0; i + 3 <= text.size(); ++i) {
      int sum = 0;
      for (uint32_t j = i; j < i + 3; ++j) sum += frequency(static_cast<uint8_t>(text[j]));
      if (sum < best_frequency) best = i, best_frequency = sum;
    }
    added.push_back({std::move(text), best, group});
  }
  if (!possible) {
    always_.push_back(group);
    return;
  }
  for (auto& literal : added) literals_.push_back(std::move(literal));
}

void LiteralSearch::build() {
  auto slot_of = [](const Literal& literal) {
    return slot(window_at(reinterpret_cast<const uint8_t*>(literal.text.data()) + literal.window));
  };
  std::stable_sort(literals_.begin(), literals_.end(),
                   [&](const Literal& a, const Literal& b) { return slot_of(a) < slot_of(b); });
  bitmap_.assign((1u << kBits) / 64, 0);
  slots_.clear();
  first_.clear();
  for (uint32_t i = 0; i < literals_.size(); ++i) {
    uint32_t at = slot_of(literals_[i]);
    bitmap_[at / 64] |= uint64_t{1} << (at % 64);
    if (slots_.empty() || slots_.back() != at) {
      slots_.push_back(at);
      first_.push_back(i);
    }
  }
  first_.push_back(static_cast<uint32_t>(literals_.size()));
}

void LiteralSearch::search(std::string_view text, uint8_t* found) const {
  if (literals_.empty() || text.size() < 3) return;
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  uint32_t window = static_cast<uint32_t>(kFold[bytes[0]]) << 8 | static_cast<uint32_t>(kFold[bytes[1]]) << 16;
  for (size_t i = 0; i + 3 <= text.size(); ++i) {
    window = window >> 8 | static_cast<uint32_t>(kFold[bytes[i + 2]]) << 16;
    uint32_t at = slot(window);
    if (!(bitmap_[at / 64] >> (at % 64) & 1)) continue;
    auto known = std::lower_bound(slots_.begin(), slots_.end(), at);
    size_t entry = static_cast<size_t>(known - slots_.begin());
    for (uint32_t l = first_[entry]; l < first_[entry + 1]; ++l) {
      const Literal& literal = literals_[l];
      if (found[literal.group] || i < literal.window) continue;
      size_t begin = i - literal.window;
      if (begin + literal.text.size() > text.size()) continue;
      size_t k = 0;
      while (k < literal.text.size() && kFold[bytes[begin + k]] == static_cast<uint8_t>(literal.text[k])) ++k;
      if (k == literal.text.size()) found[literal.group] = 1;
    }
  }
}

}  // namespace yushi
