// A map with a bound: when it is full, the key that was used longest ago goes. And one way to save and load maps.
//
// What it holds is counted in bytes, so that all maps together can be held to one bound (detect/room.h).
//
// Invariants  Order of use is part of the state: for_each() visits from the least to the most recently used, so that
//             saving and inserting again in that order gives the same map. Nothing depends on hash order. Bytes are
//             those of what is held, whatever the heap makes of it: loaded again it is as many.
// Memory      At most `entries_max` entries.
// Threads     One owner.
// Cost        Bytes are counted when they are asked for, of the entries that were used since then.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "core/base/bytes.h"

namespace yushi::detect {

constexpr size_t kNameBytesMax = 256;  // of an account, a host or an address that is remembered; the rest is cut off

// The bytes that `value` has on the heap; room that it has for more is given back. A struct with texts or vectors names
// them: `auto parts() { return std::tie(name, places); }`.
template <class T>
uint64_t settle(T& value) {
  constexpr uint64_t kOfAllocation = 16;  // the heap's own, and what it rounds up to
  if constexpr (std::is_trivially_destructible_v<T>) {
    return 0;
  } else if constexpr (requires { value.parts(); }) {
    return std::apply([](auto&... part) { return (uint64_t{0} + ... + settle(part)); }, value.parts());
  } else if constexpr (std::is_same_v<T, std::string>) {
    constexpr size_t kInside = 15;
    if (value.capacity() > kInside && value.capacity() > value.size()) value.shrink_to_fit();
    return value.size() > kInside ? value.size() + 1 + kOfAllocation : 0;
  } else {  // a vector
    const size_t room = value.empty() ? 0 : std::bit_ceil(value.size());
    if (value.capacity() > room) value.shrink_to_fit();
    uint64_t out = room == 0 ? 0 : room * sizeof(value[0]) + kOfAllocation;
    if constexpr (!std::is_trivially_destructible_v<typename T::value_type>)
      for (auto& one : value) out += settle(one);
    return out;
  }
}

// What LruMaps of all kinds have in common.
class Remembering {
 public:
  virtual ~Remembering() = default;
  // Counts what it holds.
  virtual uint64_t bytes() = 0;
  // The one that was used longest ago goes; not of an empty map.
  virtual void forget_oldest() = 0;
  // How many have gone since this was asked last, for whatever bound.
  virtual uint64_t take_forgotten() = 0;
  // Of the entries of this account: keys that are its name, or end with it behind a line feed.
  virtual uint64_t bytes_of(std::string_view account) = 0;

 protected:
  Remembering() = default;
  Remembering(Remembering&&) = default;
  Remembering& operator=(Remembering&&) = default;
};

template <class Value>
class LruMap final : public Remembering {
 public:
  explicit LruMap(size_t entries_max) : entries_max_(entries_max) {}
  LruMap(LruMap&&) = default;
  LruMap& operator=(LruMap&&) = default;

  // The value of `key`, now the most recently used; nullptr when there is none.
  Value* find(std::string_view key) {
    auto at = index_.find(key);
    if (at == index_.end()) return nullptr;
    entries_.splice(entries_.end(), entries_, at->second);
    if constexpr (kGrows) at->second->is_counted = false;
    return &at->second->of.second;
  }

  // The same without counting as a use.
  const Value* peek(std::string_view key) const {
    auto at = index_.find(key);
    return at == index_.end() ? nullptr : &at->second->of.second;
  }

  // The value of `key`, made empty when there was none.
  Value& use(std::string_view key) {
    if (Value* value = find(key)) return *value;
    if (full() && !entries_.empty()) forget_oldest();
    Entry& made = entries_.emplace_back(key);
    index_.emplace(std::string_view(made.of.first), std::prev(entries_.end()));
    bytes_ += made.bytes;
    return made.of.second;
  }

  void erase(std::string_view key) {
    auto at = index_.find(key);
    if (at == index_.end()) return;
    auto entry = at->second;
    index_.erase(at);
    bytes_ -= entry->bytes;
    entries_.erase(entry);
  }

  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& entry : entries_) visit(entry.of.first, entry.of.second);
  }
  // `visit` says whether it changed the value; that is no use of it.
  template <class Visit>
  void change_each(Visit&& visit) {
    for (auto& entry : entries_)
      if (visit(std::as_const(entry.of.first), entry.of.second)) bytes_ += recount(entry);
  }

  bool full() const { return entries_.size() >= entries_max_; }
  // The key and value that go next when the map is full; not of an empty map.
  const std::pair<std::string, Value>& oldest() const { return entries_.front().of; }

  size_t size() const { return entries_.size(); }
  size_t entries_max() const { return entries_max_; }
  void clear() {
    index_.clear();
    entries_.clear();
    bytes_ = 0;
  }

  uint64_t bytes() override {
    if constexpr (kGrows)  // those that were used stand at the end
      for (auto at = entries_.rbegin(); at != entries_.rend() && !at->is_counted; ++at) {
        bytes_ += recount(*at);
        at->is_counted = true;
      }
    return bytes_;
  }

  void forget_oldest() override {
    bytes_ -= entries_.front().bytes;
    index_.erase(std::string_view(entries_.front().of.first));
    entries_.pop_front();
    ++forgotten_;
  }

  uint64_t take_forgotten() override { return std::exchange(forgotten_, 0); }

  uint64_t bytes_of(std::string_view account) override {
    bytes();
    uint64_t out = 0;
    for (const auto& entry : entries_) {
      const std::string_view key = entry.of.first;
      if (key.substr(key.rfind('\n') + 1) == account) out += entry.bytes;
    }
    return out;
  }

 private:
  static constexpr bool kGrows = !std::is_trivially_destructible_v<Value>;

  struct Entry {
    explicit Entry(std::string_view key) : of(key, Value()), bytes(kEntryBytes + settle(of.first)) {}
    std::pair<std::string, Value> of;
    uint64_t bytes;  // as counted last
    bool is_counted = !kGrows;
    // Of the list's node, the index's and its bucket, and what the heap wants for two allocations.
    static constexpr uint64_t kEntryBytes = sizeof(std::pair<std::string, Value>) + 16 + 16 + 40 + 8 + 16;
  };
  using Entries = std::list<Entry>;

  // How many bytes it has more than before.
  static uint64_t recount(Entry& entry) {
    const uint64_t before = entry.bytes;
    entry.bytes = Entry::kEntryBytes + settle(entry.of.first) + settle(entry.of.second);
    return entry.bytes - before;
  }

  size_t entries_max_;
  Entries entries_;
  std::unordered_map<std::string_view, typename Entries::iterator> index_;  // keys view into entries_
  uint64_t bytes_ = 0, forgotten_ = 0;
};

// What a detector remembers is kept for each log by itself: a struct with its maps, or one map.
template <class Log>
using ByLog = std::map<std::string, Log, std::less<>>;

// That of this log, made of `arguments` when there was none.
template <class Log, class... Arguments>
Log& log_of(ByLog<Log>& by_log, std::string_view name, const Arguments&... arguments) {
  auto at = by_log.find(name);
  if (at == by_log.end()) at = by_log.try_emplace(std::string(name), arguments...).first;
  return at->second;
}

// A map as the state has it: each entry by its key and what `save_value(value)` writes or `load_value(value)` reads,
// which may answer false: it is none of ours.
template <class Value, class SaveValue>
void save_entries(const LruMap<Value>& entries, std::string& out, SaveValue&& save_value) {
  put_varint(out, entries.size());
  entries.for_each([&](const std::string& key, const Value& value) {
    put_text(out, key);
    save_value(value);
  });
}
template <class Value, class LoadValue>
bool load_entries(LruMap<Value>& entries, Reader& in, LoadValue&& load_value) {
  for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    Value& value = entries.use(in.text());
    if constexpr (std::is_void_v<decltype(load_value(value))>)
      load_value(value);
    else if (!load_value(value))
      return false;
  }
  return in.ok();
}

// A detector's memory: each log by its name and what `save_log(log)` writes or `load_log(log)` reads.
template <class Log, class SaveLog>
void save_logs(const ByLog<Log>& by_log, std::string& out, SaveLog&& save_log) {
  put_varint(out, by_log.size());
  for (const auto& [name, log] : by_log) {
    put_text(out, name);
    save_log(log);
  }
}
template <class Log, class LoadLog, class... Arguments>
bool load_logs(ByLog<Log>& by_log, Reader& in, LoadLog&& load_log, const Arguments&... arguments) {
  by_log.clear();
  for (uint64_t logs = in.varint(); logs > 0 && in.ok(); --logs)
    if (!load_log(log_of(by_log, in.text(), arguments...))) return false;
  return in.ok();
}

// The same where that is one map.
template <class Value, class SaveValue>
void save_by_log(const ByLog<LruMap<Value>>& by_log, std::string& out, SaveValue&& save_value) {
  save_logs(by_log, out, [&](const LruMap<Value>& entries) { save_entries(entries, out, save_value); });
}
template <class Value, class LoadValue>
bool load_by_log(ByLog<LruMap<Value>>& by_log, size_t entries_max, Reader& in, LoadValue&& load_value) {
  return load_logs(
      by_log, in, [&](LruMap<Value>& entries) { return load_entries(entries, in, load_value); }, entries_max);
}

}  // namespace yushi::detect
