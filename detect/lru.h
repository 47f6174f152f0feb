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

}  // namespace yushi::detect
