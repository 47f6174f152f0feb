// A map with a bound: when it is full, the key that was used longest ago goes.
//
// What it holds is counted in bytes, so that all maps together can be held to one bound (detect/memory/room.h).
//
// Invariants  Order of use is part of the state: for_each() visits from the least to the most recently used, so that
//             saving and inserting again in that order gives the same map. Nothing depends on hash order. Bytes are
//             those of what is held, whatever the heap makes of it: loaded again it is as many.
// Memory      At most `entries_max` entries.
// Threads     One owner.
// Cost        Bytes are counted when they are asked for, of the entries that were used since then.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/bytes.h"

namespace yushi::detect {

constexpr size_t kNameBytesMax = 256;  // of an account, a host or an address that is remembered; the rest is cut off

constexpr uint64_t kOfAllocation = 16;  // the heap's own, and what it rounds up to

// The bytes that `value` has on the heap; room that it has for more is given back. A struct with texts or vectors names
// them: `auto parts() { return std::tie(name, places); }`; another one counts them itself, by its own settle().
template <class T>
uint64_t settle(T& value) {
  if constexpr (std::is_trivially_destructible_v<T>) {
    return 0;
  } else if constexpr (requires { *value.get(); }) {  // whose it is counts it
    return 0;
  } else if constexpr (requires { value.settle(); }) {
    return value.settle();
  } else if constexpr (requires { value.parts(); }) {
    return std::apply([](auto&... part) { return (uint64_t{0} + ... + settle(part)); }, value.parts());
  } else if constexpr (std::is_same_v<T, std::string>) {
    constexpr size_t kInside = 15;
    if (value.capacity() > kInside && value.capacity() > value.size()) value.shrink_to_fit();
    return value.size() > kInside ? value.size() + 1 + kOfAllocation : 0;
  } else {                                                                     // a vector
    const size_t step = std::max<size_t>(std::bit_ceil(value.size()) / 8, 1);  // by which it may be larger
    const size_t room = (value.size() + step - 1) / step * step;
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
  // Of the entry of this key, if there is one.
  virtual uint64_t bytes_of(std::string_view key) = 0;

 protected:
  Remembering() = default;
  Remembering(Remembering&&) = default;
  Remembering& operator=(Remembering&&) = default;
};

template <class Value>
class LruMap final : public Remembering {
 public:
  explicit LruMap(size_t entries_max) : entries_max_(entries_max) {}
  LruMap(LruMap&& other) noexcept : entries_max_(other.entries_max_) { swap(other); }
  LruMap& operator=(LruMap&& other) noexcept {
    swap(other);
    return *this;
  }
  ~LruMap() override { clear(); }

  // The value of `key`, now the most recently used; nullptr when there is none.
  Value* find(std::string_view key) {
    Entry* const entry = at(key, hash_of_key(key));
    if (!entry) return nullptr;
    if (entry != newest_) {
      unlink(entry);
      link(entry);
    }
    if constexpr (kGrows) entry->is_counted = false;
    return &entry->value;
  }

  // The same without counting as a use.
  const Value* peek(std::string_view key) const {
    const Entry* const entry = at(key, hash_of_key(key));
    return entry ? &entry->value : nullptr;
  }

  Value* at_rest(std::string_view key) { return const_cast<Value*>(std::as_const(*this).peek(key)); }

  // The value of `key`, made empty when there was none.
  Value& use(std::string_view key) {
    if (Value* value = find(key)) return *value;
    if (full() && oldest_) forget_oldest();
    if (size_ == buckets_.size()) grow();
    Entry* const made = new (::operator new(sizeof(Entry) + key.size())) Entry(key, hash_of_key(key));
    Entry*& bucket = bucket_of(made->hash);
    made->next = bucket;
    bucket = made;
    link(made);
    ++size_;
    bytes_ += made->bytes;
    return made->value;
  }

  void erase(std::string_view key) {
    if (Entry* const entry = at(key, hash_of_key(key))) erase(entry);
  }

  template <class Visit>
  void for_each(Visit&& visit) const {  // visit(std::string_view key, const Value&)
    for (const Entry* entry = oldest_; entry; entry = entry->newer) visit(entry->key(), entry->value);
  }
  // `visit` says whether it changed the value; that is no use of it.
  template <class Visit>
  void change_each(Visit&& visit) {
    for (Entry* entry = oldest_; entry; entry = entry->newer)
      if (visit(entry->key(), entry->value)) {
        keep_within_bounds(*entry);  // none that was counted is beyond them, or it would be smaller when it is loaded
        bytes_ += recount(*entry);
      }
  }

  bool full() const { return size_ >= entries_max_; }
  // The key and value that go next when the map is full; not of an empty map.
  std::pair<std::string_view, const Value&> oldest() const { return {oldest_->key(), oldest_->value}; }

  size_t size() const { return size_; }
  size_t entries_max() const { return entries_max_; }
  void clear() {
    while (oldest_) erase(oldest_);
    buckets_.clear();
  }

  uint64_t bytes() override {
    if constexpr (kGrows)  // those that were used stand at the end
      for (Entry* entry = newest_; entry && !entry->is_counted; entry = entry->older) {
        keep_within_bounds(*entry);
        bytes_ += recount(*entry);
        entry->is_counted = true;
      }
    return bytes_;
  }

  void forget_oldest() override {
    erase(oldest_);
    ++forgotten_;
  }

  uint64_t take_forgotten() override { return std::exchange(forgotten_, 0); }

  // No count at which anything would go.
  uint64_t bytes_of(std::string_view key) override {
    Entry* const entry = at(key, hash_of_key(key));
    if (!entry) return 0;
    bytes_ += recount(*entry);
    return entry->bytes;
  }

 private:
  static constexpr bool kGrows = !std::is_trivially_destructible_v<Value>;

  // Its key stands behind it.
  struct Entry {
    Entry(std::string_view key, uint32_t its_hash)
        : hash(its_hash), key_bytes(static_cast<uint32_t>(key.size())), bytes(own_bytes()) {
      std::copy(key.begin(), key.end(), reinterpret_cast<char*>(this + 1));
    }
    std::string_view key() const { return {reinterpret_cast<const char*>(this + 1), key_bytes}; }
    // Of the allocation, and of its bucket.
    uint32_t own_bytes() const {
      return static_cast<uint32_t>(sizeof(Entry) + key_bytes + kOfAllocation + 2 * sizeof(Entry*));
    }

    Entry *older = nullptr, *newer = nullptr;  // by when it was used
    Entry* next = nullptr;                     // of its bucket
    uint32_t hash;
    uint32_t key_bytes;
    uint32_t bytes : 31;  // as counted last
    uint32_t is_counted : 1 = !kGrows;
    Value value{};
  };

  // Of one process: nothing that is saved depends on it.
  static uint32_t hash_of_key(std::string_view key) {
    static const uint64_t seed = std::random_device()() | uint64_t{1} << 32;
    constexpr uint64_t kOdd = 0x9e3779b97f4a7c15u;
    uint64_t out = seed ^ key.size() * kOdd;
    const auto mix = [&out](const char* from, size_t bytes) {
      uint64_t word = 0;
      std::memcpy(&word, from, bytes);
      out = (out ^ word) * kOdd;
      out ^= out >> 29;
    };
    const char* from = key.data();
    size_t left = key.size();
    for (; left >= 8; from += 8, left -= 8) mix(from, 8);
    if (left > 0) mix(from, left);
    return static_cast<uint32_t>(out * kOdd >> 32);
  }

  Entry*& bucket_of(uint32_t hash) { return buckets_[hash & (buckets_.size() - 1)]; }
  Entry* at(std::string_view key, uint32_t hash) const {
    if (buckets_.empty()) return nullptr;
    Entry* entry = buckets_[hash & (buckets_.size() - 1)];
    while (entry && (entry->hash != hash || entry->key() != key)) entry = entry->next;
    return entry;
  }
  void grow() {
    buckets_.assign(std::max<size_t>(buckets_.size() * 2, 8), nullptr);
    for (Entry* entry = oldest_; entry; entry = entry->newer) {
      Entry*& bucket = bucket_of(entry->hash);
      entry->next = bucket;
      bucket = entry;
    }
  }
  void link(Entry* entry) {
    entry->older = newest_;
    entry->newer = nullptr;
    (newest_ ? newest_->newer : oldest_) = entry;
    newest_ = entry;
  }
  void unlink(Entry* entry) {
    (entry->older ? entry->older->newer : oldest_) = entry->newer;
    (entry->newer ? entry->newer->older : newest_) = entry->older;
  }
  void erase(Entry* entry) {
    Entry** before = &bucket_of(entry->hash);
    while (*before != entry) before = &(*before)->next;
    *before = entry->next;
    unlink(entry);
    --size_;
    bytes_ -= entry->bytes;
    entry->~Entry();
    ::operator delete(entry);
  }
  void swap(LruMap& other) noexcept {
    std::swap(entries_max_, other.entries_max_);
    std::swap(buckets_, other.buckets_);
    std::swap(oldest_, other.oldest_);
    std::swap(newest_, other.newest_);
    std::swap(size_, other.size_);
    std::swap(bytes_, other.bytes_);
    std::swap(forgotten_, other.forgotten_);
  }

  static void keep_within_bounds(Entry& entry) {
    if constexpr (requires { entry.value.keep_within_bounds(); }) entry.value.keep_within_bounds();
  }
  // How many bytes it has more than before.
  static uint64_t recount(Entry& entry) {
    const uint64_t before = entry.bytes;
    entry.bytes = static_cast<uint32_t>(entry.own_bytes() + settle(entry.value)) & 0x7fffffff;
    return entry.bytes - before;
  }

  size_t entries_max_;
  std::vector<Entry*> buckets_;  // as many as entries at least, a power of two
  Entry *oldest_ = nullptr, *newest_ = nullptr;
  size_t size_ = 0;
  uint64_t bytes_ = 0, forgotten_ = 0;
};

}  // namespace yushi::detect
