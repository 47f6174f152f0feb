#include "parsers/body/body_pairs.h"

#include <cstring>

namespace yushi {
namespace {

constexpr size_t kSlots = 4096;  // a power of two
constexpr size_t kInternedMax = 2 * BodyPairs::kPairsMax;  // names of pairs, of objects and of lists
static_assert(kSlots >= 2 * kInternedMax);

uint64_t hash_of(std::string_view text) {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15ULL;
  uint64_t hash = text.size() * kOdd;
  const auto mix = [&](uint64_t word) {
    hash = (hash ^ word) * kOdd;
    hash ^= hash >> 29;
  };
  uint64_t word = 0;
  while (text.size() >= 8) {
    std::memcpy(&word, text.data(), 8);
    mix(word);
    text.remove_prefix(8);
  }
  word = 0;
  std::memcpy(&word, text.data(), text.size());
  mix(word);
  return hash ^ hash >> 32;
}

bool is_held_back(std::string_view path) {
  for (std::string_view prefix : {"yushi.", "organization.", "observer.", "log.", "json.", "kv."})
    if (path.starts_with(prefix)) return true;
  for (std::string_view name : {"message", "event.id", "event.original", "event.created", "event.ingested",
                                "event.dataset", "event.kind", "error.message", "event.module"})
    if (path == name) return true;
  return false;
}

}  // namespace

BodyPairs::BodyPairs() : names_(new BodyName[kSlots]) {}

void BodyPairs::begin(std::string_view text) {
  text_ = text;
  list_.clear();
  signature_.clear();
  capped_ = false;
  interned_ = 0;
  ++reads_;
}

void BodyPairs::fail() { begin(text_); }

void BodyPairs::fill(BodyName& slot, std::string_view path, uint64_t hash) const {
  slot.path.assign(path);
  slot.hash = hash;
  slot.held_back = is_held_back(path);
  slot.ecs = find_field(path);
  // Declared fields are a parser's own, and which there are depends on what is loaded.
  if (slot.ecs && !is_fixed_field(*slot.ecs)) slot.ecs = nullptr;
  slot.table = nullptr;
  slot.is_entry_known = false;
  slot.mapping = 0;
  slot.signature = 0;
  if (signature_keys_)
    if (const auto found = signature_keys_->find(slot.path); found != signature_keys_->end()) slot.signature = found->second;
}

// A name of this body keeps its place until the next is read: two that meet there lie side by side.
BodyName* BodyPairs::intern(std::string_view path) {
  const uint64_t hash = hash_of(path);
  size_t at = hash % kSlots;
  while (names_[at].read == reads_ && (names_[at].hash != hash || names_[at].path != path)) at = (at + 1) % kSlots;
  BodyName& slot = names_[at];
  if (slot.read == reads_) return &slot;
  if (interned_ == kInternedMax) return nullptr;
  ++interned_;
  if (slot.hash != hash || slot.path != path) fill(slot, path, hash);
  slot.read = reads_;
  slot.first = kNoPair;
  if (slot.signature != 0) signature_.push_back(slot.signature);
  return &slot;
}

void BodyPairs::add(std::string_view path, const BodyPair& pair) {
  if (path.empty()) return;
  auto* name = list_.size() < kPairsMax && path.size() <= kNameBytesMax ? intern(path) : nullptr;
  if (!name) {
    capped_ |= pair.length > 0;
    return;
  }
  if (name->first == kNoPair) name->first = static_cast<uint32_t>(list_.size());
  list_.push_back(pair);
  list_.back().name = name;
}

void BodyPairs::add_word(size_t begin, size_t end) {
  if (list_.size() == kPairsMax) {
    capped_ = true;
    return;
  }
  auto& pair = list_.emplace_back();
  pair.begin = static_cast<uint32_t>(begin);
  pair.length = static_cast<uint32_t>(end - begin);
}

void BodyPairs::note(std::string_view path) {
  if (!path.empty() && path.size() <= kNameBytesMax) intern(path);
}

bool BodyPairs::find(std::string_view path, std::string_view* value) const {
  const uint64_t hash = hash_of(path);
  for (size_t at = hash % kSlots; names_[at].read == reads_; at = (at + 1) % kSlots) {
    const BodyName& name = names_[at];
    if (name.hash != hash || name.path != path) continue;
    *value = name.first == kNoPair ? std::string_view() : this->value(list_[name.first]);
    return true;
  }
  return false;
}

}  // namespace yushi
