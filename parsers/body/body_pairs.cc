#include "parsers/body/body_pairs.h"

namespace yushi::parsers {
namespace {

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
    if (const auto found = signature_keys_->find(slot.path); found != signature_keys_->end())
      slot.signature = found->second;
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
  const uint64_t hash = body_detail::hash_of(path);
  for (size_t at = hash % kSlots; names_[at].read == reads_; at = (at + 1) % kSlots) {
    const BodyName& name = names_[at];
    if (name.hash != hash || !body_detail::is_same(name.path, path)) continue;
    *value = name.first == kNoPair ? std::string_view() : this->value(list_[name.first]);
    return true;
  }
  return false;
}

}  // namespace yushi::parsers
