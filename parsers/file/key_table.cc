#include "parsers/file/key_table.h"

#include <algorithm>
#include <cstring>

namespace yushi::parsers {

KeyTable::KeyTable(std::string prefix, std::vector<KeyTarget> targets, std::vector<std::string> null_values,
                   std::vector<std::pair<std::string, const Field*>> words)
    : prefix_(std::move(prefix)),
      targets_(std::move(targets)),
      null_values_(std::move(null_values)),
      words_(std::move(words)) {
  size_t size = 8;
  while (size < targets_.size() * 4) size *= 2;
  slots_.assign(size, kNotFound);
  for (uint32_t i = 0; i < targets_.size(); ++i) {
    auto& key = targets_[i].key;
    has_hex_ |= targets_[i].hex;
    for (auto* field : targets_[i].fields) targets_[i].has_address |= field->type == FieldType::ip;
    if (auto star = key.find('*'); star != std::string::npos) {
      targets_[i].ending = key.substr(star + 1);
      key.resize(star);
      targets_[i].repeats = true;
      wildcards_.push_back(i);
      continue;
    }
    if (key.find("[0]") != std::string::npos) {
      for (size_t place; (place = key.find("[0]")) != std::string::npos;) key.erase(place, 3);
      firsts_.push_back(i);
      continue;
    }
    size_t at = hash(key) & (size - 1);
    while (slots_[at] != kNotFound) at = (at + 1) & (size - 1);
    slots_[at] = i;
  }
}

uint32_t KeyTable::hash(std::string_view key) {
  uint64_t value = key.size();
  uint64_t head = 0, tail = 0;
  size_t take = std::min<size_t>(key.size(), 8);
  std::memcpy(&head, key.data(), take);
  std::memcpy(&tail, key.data() + key.size() - take, take);
  value = (value ^ head) * 0x9e3779b97f4a7c15ULL;
  value = (value ^ value >> 29 ^ tail) * 0xbf58476d1ce4e5b9ULL;
  return static_cast<uint32_t>(value >> 32);
}

uint32_t KeyTable::find(std::string_view key) const {
  for (size_t at = hash(key) & (slots_.size() - 1); slots_[at] != kNotFound; at = (at + 1) & (slots_.size() - 1))
    if (targets_[slots_[at]].key == key) return slots_[at];
  for (auto wildcard : wildcards_) {
    auto& target = targets_[wildcard];
    if (key.size() >= target.key.size() + target.ending.size() && key.starts_with(target.key) &&
        key.ends_with(target.ending))
      return wildcard;
  }
  return kNotFound;
}

uint32_t KeyTable::find_first(std::string_view key) const {
  for (auto first : firsts_)
    if (targets_[first].key == key) return first;
  return find(key);
}

bool KeyTable::is_listed_null(std::string_view value) const {
  return std::any_of(null_values_.begin(), null_values_.end(), [&](auto& null) { return null == value; });
}

const Field* KeyTable::word(std::string_view text) const {
  for (auto& [word, field] : words_)
    if (word == text) return field;
  return nullptr;
}

}  // namespace yushi::parsers
