#include "detect/rules/literal_search.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <unordered_map>
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

// Without the bit that tells a small letter from a great one: of other bytes it makes some alike, which costs a
// comparison.
constexpr uint32_t kWithoutCase = 0xdfdfdfdf, kThreeBytes = 0xffffff;
static_assert(std::endian::native == std::endian::little);  // the first three of four

uint32_t window_at(const char* at, size_t bytes) {
  uint32_t window = 0;
  std::memcpy(&window, at, bytes);
  return window & kWithoutCase;
}

// Where the bytes of a window begin that stand most seldom in log lines, and are not those of many literals already.
uint32_t rarest_window(std::string_view text, size_t bytes, std::unordered_map<uint32_t, int>& taken) {
  uint32_t best = 0;
  int best_cost = std::numeric_limits<int>::max();
  for (uint32_t i = 0; i + bytes <= text.size(); ++i) {
    const auto known = taken.find(window_at(text.data() + i, bytes));
    int cost = known == taken.end() ? 0 : 3 * known->second;
    for (size_t j = i; j < i + bytes; ++j) cost += frequency(static_cast<uint8_t>(text[j]));
    if (cost < best_cost) best = i, best_cost = cost;
  }
  ++taken[window_at(text.data() + best, bytes)];
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

void LiteralSearch::add(uint32_t group, const std::string& literal, bool at_begin, bool at_end) {
  const std::string text = plain_part(literal);
  if (text.size() < literal.size()) at_begin = at_end = false;
  const auto [known, is_new] =
      number_of_.emplace(std::tuple(text, at_begin, at_end), static_cast<uint32_t>(literals_.size()));
  if (is_new) literals_.push_back({text, at_begin, at_end, {}});
  auto& groups = literals_[known->second].groups;
  if (groups.empty() || groups.back() != group) groups.push_back(group);
}

void LiteralSearch::build() {
  number_of_.clear();
  build(short_);
  build(long_);
  if (short_.windows.empty() || long_.windows.empty() || long_.stride > 1) return;
  near_.resize((size_t{1} << kNearBits) / 64);
  for (const Table* table : {&short_, &long_})
    for (const Window& window : table->windows) {
      const uint32_t at = near_slot(window.bytes & kThreeBytes);
      near_[at / 64] |= uint64_t{1} << (at % 64);
    }
}

void LiteralSearch::build(Table& table) const {
  const size_t bytes = table.window_bytes;
  const auto is_here = [&](const Literal& literal) {
    return (literal.text.size() >= long_.window_bytes) == (bytes == 4);
  };
  // When all literals are long, every place of each is a window and the text is looked at in steps: some window of a
  // literal that stands there is met.
  size_t shortest = kStrideMax + bytes, count = 0;
  for (const auto& literal : literals_)
    if (is_here(literal)) shortest = std::min(shortest, literal.text.size()), ++count;
  if (count == 0) return;
  const size_t stride = shortest - bytes + 1;
  table.stride = stride >= kStrideFrom ? std::min(stride, kStrideMax) : 1;
  int bits = kBitsMin;
  while (bits < kBitsMax && (size_t{1} << bits) < count * table.stride * 64) ++bits;
  table.shift = 32 - bits;
  std::unordered_map<uint32_t, int> taken;  // windows, by how many
  std::vector<std::pair<uint32_t, Window>> by_slot;
  for (uint32_t number = 0; number < literals_.size(); ++number) {
    const std::string& text = literals_[number].text;
    if (!is_here(literals_[number])) continue;
    const auto add = [&](uint32_t offset) {
      const uint32_t window = window_at(text.data() + offset, bytes);
      by_slot.push_back({table.slot(window), {window, number, offset}});
    };
    if (table.stride == 1) add(rarest_window(text, bytes, taken));
    for (uint32_t offset = 0; table.stride > 1 && offset < table.stride; ++offset) add(offset);
  }
  std::stable_sort(by_slot.begin(), by_slot.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  table.bitmap.assign((size_t{1} << bits) / 64, 0);
  for (size_t i = 0; i < by_slot.size(); ++i) {
    const uint32_t at = by_slot[i].first;
    table.bitmap[at / 64] |= uint64_t{1} << (at % 64);
    if (i == 0 || by_slot[i - 1].first != at) table.first.push_back(static_cast<uint32_t>(i));
    table.windows.push_back(by_slot[i].second);
  }
  table.first.push_back(static_cast<uint32_t>(table.windows.size()));
  for (uint32_t set = 0; const uint64_t word : table.bitmap) {
    table.before.push_back(set);
    set += static_cast<uint32_t>(std::popcount(word));
  }
}

void LiteralSearch::compare(const Table& table, std::string_view text, size_t i, uint32_t window,
                            uint64_t* found) const {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const uint32_t at = table.slot(window);
  const uint64_t below = table.bitmap[at / 64] & ((uint64_t{1} << (at % 64)) - 1);
  const size_t entry = table.before[at / 64] + static_cast<size_t>(std::popcount(below));
  for (uint32_t w = table.first[entry]; w < table.first[entry + 1]; ++w) {
    const Window& here = table.windows[w];
    if (here.bytes != window || i < here.offset) continue;
    const auto& [literal, at_begin, at_end, groups] = literals_[here.literal];
    const size_t begin = i - here.offset;
    if (begin + literal.size() > text.size() || (at_begin && begin > 0) ||
        (at_end && begin + literal.size() < text.size()))
      continue;
    size_t k = 0;
    while (k < literal.size() && kFold[bytes[begin + k]] == static_cast<uint8_t>(literal[k])) ++k;
    if (k < literal.size()) continue;
    for (const uint32_t group : groups) found[group / 64] |= uint64_t{1} << (group % 64);
  }
}

void LiteralSearch::search(std::string_view text, uint64_t* found) const {
  const size_t stride = long_.windows.empty() ? 0 : long_.stride;
  const bool has_short = !short_.windows.empty();
  const auto look = [&](const Table& table, size_t i, uint32_t window) {
    const uint32_t at = table.slot(window);
    if (table.bitmap[at / 64] >> (at % 64) & 1) compare(table, text, i, window, found);
  };
  const char* bytes = text.data();
  size_t i = 0;
  if (stride > 1)
    for (; i + 4 <= text.size(); i += stride) look(long_, i, window_at(bytes + i, 4));
  else if (stride == 1 && !has_short)
    for (; i + 4 <= text.size(); ++i) look(long_, i, window_at(bytes + i, 4));
  else if (stride == 1)
    for (; i + 4 <= text.size(); ++i) {
      const uint32_t window = window_at(bytes + i, 4), three = window & kThreeBytes, at = near_slot(three);
      if ((near_[at / 64] >> (at % 64) & 1) == 0) continue;
      look(long_, i, window);
      look(short_, i, three);
    }
  if (!has_short) return;
  if (stride != 1) i = 0;
  for (; i + 3 <= text.size(); ++i) look(short_, i, window_at(bytes + i, 3));
}

}  // namespace yushi::detect
