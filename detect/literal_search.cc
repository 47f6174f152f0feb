#include "detect/literal_search.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

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
  if (text.empty()) return false;
  for (std::string_view letter : {"\xe2\x84\xaa", "\xc5\xbf"})
    if (std::memchr(text.data(), letter[0], text.size()) && text.find(letter) != std::string_view::npos) return true;
  return false;
}

void LiteralSearch::add(uint32_t group, const std::vector<std::string>& literals) {
  groups_ = std::max(groups_, group + 1);
  std::vector<Literal> added;
  bool possible = !literals.empty();
  std::set<std::string> seen;
  for (const auto& literal : literals) {
    std::string text = plain_part(literal);
    if (text.size() < 3) {
      possible = false;
      break;
    }
    if (!seen.insert(text).second) continue;
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
  // When all literals are long, every place of each is a window and the text is looked at in steps: some window of a
  // literal that stands there is met.
  size_t shortest = kStrideMax + 2;
  for (const auto& literal : literals_) shortest = std::min(shortest, literal.text.size());
  stride_ = shortest >= kStrideFromBytes ? shortest - 2 : 1;
  if (stride_ > 1) {
    std::vector<Literal> windows;
    for (const auto& literal : literals_)
      for (uint32_t i = 0; i < stride_; ++i) windows.push_back({literal.text, i, literal.group});
    literals_ = std::move(windows);
  }
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

void LiteralSearch::compare(std::string_view text, size_t i, uint32_t at, uint64_t* found) const {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  auto known = std::lower_bound(slots_.begin(), slots_.end(), at);
  size_t entry = static_cast<size_t>(known - slots_.begin());
  for (uint32_t l = first_[entry]; l < first_[entry + 1]; ++l) {
    const Literal& literal = literals_[l];
    if ((found[literal.group / 64] >> (literal.group % 64) & 1) || i < literal.window) continue;
    size_t begin = i - literal.window;
    if (begin + literal.text.size() > text.size()) continue;
    size_t k = 0;
    while (k < literal.text.size() && kFold[bytes[begin + k]] == static_cast<uint8_t>(literal.text[k])) ++k;
    if (k == literal.text.size()) found[literal.group / 64] |= uint64_t{1} << (literal.group % 64);
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
