// Numbers for pairs of numbers, each different one once: what of a block's rows is alike (decoder.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace yushi::storage {

// From `first` on, in the order they come.
class PairTable {
 public:
  explicit PairTable(uint32_t first) : next_(first), slots_(1 << 10) {}
  uint32_t number(uint32_t a, uint32_t b) {
    const uint64_t key = uint64_t{a} << 32 | b;
    auto* slot = find(key);
    if (slot->number != kNone) return slot->number;
    if (++used_ > slots_.size() / 2) {
      auto old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
      for (auto& each : old)
        if (each.number != kNone) *find(each.key) = each;
      slot = find(key);
    }
    *slot = {key, next_};
    return next_++;
  }
  size_t size() const { return used_; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Slot {
    uint64_t key = 0;
    uint32_t number = kNone;
  };
  Slot* find(uint64_t key) {
    for (auto at = key * 0x9e3779b97f4a7c15 >> 32;; ++at) {
      auto& slot = slots_[at & (slots_.size() - 1)];
      if (slot.number == kNone || slot.key == key) return &slot;
    }
  }

  uint32_t next_;
  size_t used_ = 0;
  std::vector<Slot> slots_;
};

}  // namespace yushi::storage
