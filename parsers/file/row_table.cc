#include "parsers/file/row_table.h"

#include <algorithm>

namespace yushi::parsers {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_same(std::string_view folded, std::string_view key) {
  return folded.size() == key.size() &&
         std::equal(folded.begin(), folded.end(), key.begin(), [](char a, char b) { return a == lower(b); });
}

}  // namespace

uint32_t RowTable::hash(std::string_view key) {
  uint32_t out = 2166136261;  // FNV-1a: keys are a few bytes
  for (char c : key) out = (out ^ static_cast<unsigned char>(lower(c))) * 16777619;
  return out ^ out >> 15;
}

void RowTable::put(uint32_t row) {
  const size_t mask = slots_.size() - 1;
  size_t at = hash(rows_[row - 1].key) & mask;
  while (slots_[at] != 0) at = (at + 1) & mask;
  slots_[at] = row;
}

bool RowTable::add(std::string_view key, std::vector<ConstantField> constants) {
  if (find(key) != kNone) return false;
  const auto is_equal = [](const ConstantField& a, const ConstantField& b) {
    return a.field == b.field && a.value == b.value;
  };
  auto same = std::find_if(outcomes_.begin(), outcomes_.end(), [&](auto& other) {
    return std::equal(other.begin(), other.end(), constants.begin(), constants.end(), is_equal);
  });
  const auto outcome = static_cast<uint32_t>(same - outcomes_.begin()) + 1;
  if (same == outcomes_.end()) outcomes_.push_back(std::move(constants));
  std::string folded(key);
  std::transform(folded.begin(), folded.end(), folded.begin(), [](char c) { return lower(c); });
  rows_.push_back({std::move(folded), outcome});
  if (rows_.size() * 2 > slots_.size()) {
    slots_.assign(std::max<size_t>(8, slots_.size() * 2), 0);
    for (uint32_t row = 1; row <= rows_.size(); ++row) put(row);
  } else {
    put(static_cast<uint32_t>(rows_.size()));
  }
  return true;
}

uint32_t RowTable::find(std::string_view key) const {
  if (slots_.empty()) return kNone;
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash(key) & mask; slots_[at] != 0; at = (at + 1) & mask)
    if (auto& row = rows_[slots_[at] - 1]; is_same(row.key, key)) return row.outcome;
  return kNone;
}

}  // namespace yushi::parsers
