// A map with a bound: when it is full, the key that was used longest ago goes.
//
// Invariants  Order of use is part of the state: for_each() visits from the least to the most recently used, so that
//             saving and inserting again in that order gives the same map. Nothing depends on hash order.
// Memory      At most `entries_max` entries.
// Threads     One owner.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/base/bytes.h"

namespace yushi::detect {

template <class Value>
class LruMap {
 public:
  explicit LruMap(size_t entries_max) : entries_max_(entries_max) {}
  LruMap(const LruMap&) = delete;
  LruMap& operator=(const LruMap&) = delete;
  LruMap(LruMap&&) = default;
  LruMap& operator=(LruMap&&) = default;

  // The value of `key`, now the most recently used; nullptr when there is none.
  Value* find(std::string_view key) {
    auto at = index_.find(key);
    if (at == index_.end()) return nullptr;
    entries_.splice(entries_.end(), entries_, at->second);
    return &at->second->second;
  }

  // The same without counting as a use.
  const Value* peek(std::string_view key) const {
    auto at = index_.find(key);
    return at == index_.end() ? nullptr : &at->second->second;
  }

  // The value of `key`, made empty when there was none.
  Value& use(std::string_view key) {
    if (Value* value = find(key)) return *value;
    if (full()) erase_oldest();
    entries_.emplace_back(std::string(key), Value());
    index_.emplace(std::string_view(entries_.back().first), std::prev(entries_.end()));
    return entries_.back().second;
  }

  void erase(std::string_view key) {
    auto at = index_.find(key);
    if (at == index_.end()) return;
    auto entry = at->second;
    index_.erase(at);
    entries_.erase(entry);
  }

  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [key, value] : entries_) visit(key, value);
  }
  template <class Visit>
  void for_each(Visit&& visit) {
    for (auto& [key, value] : entries_) visit(std::as_const(key), value);
  }

  bool full() const { return entries_.size() >= entries_max_; }
  // The key and value that go next when the map is full; not of an empty map.
  const std::pair<std::string, Value>& oldest() const { return entries_.front(); }

  size_t size() const { return entries_.size(); }
  size_t entries_max() const { return entries_max_; }
  void clear() {
    index_.clear();
    entries_.clear();
  }

 private:
  using Entries = std::list<std::pair<std::string, Value>>;

  void erase_oldest() {
    if (entries_.empty()) return;
    index_.erase(std::string_view(entries_.front().first));
    entries_.pop_front();
  }

  size_t entries_max_;
  Entries entries_;
  std::unordered_map<std::string_view, typename Entries::iterator> index_;  // keys view into entries_
};

// A detector's memory of one map a log, as its state has it: each entry by its key and what `save_value(value)` writes
// or `load_value(value)` reads.
template <class ByLog, class SaveValue>
void save_by_log(const ByLog& by_log, std::string& out, SaveValue&& save_value) {
  put_varint(out, by_log.size());
  for (const auto& [log, entries] : by_log) {
    put_text(out, log);
    put_varint(out, entries.size());
    entries.for_each([&](const std::string& key, const auto& value) {
      put_text(out, key);
      save_value(value);
    });
  }
}

// `entries_max` is of each log's map. False: the bytes are none of ours.
template <class ByLog, class LoadValue>
bool load_by_log(ByLog& by_log, size_t entries_max, Reader& in, LoadValue&& load_value) {
  by_log.clear();
  for (uint64_t logs = in.varint(); logs > 0 && in.ok(); --logs) {
    auto& entries = by_log.try_emplace(std::string(in.text()), entries_max).first->second;
    for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) load_value(entries.use(in.text()));
  }
  return in.ok();
}

}  // namespace yushi::detect
