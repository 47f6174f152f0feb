// Numbers for pairs of numbers, each different one once: what of a block's rows is alike (decoder.h).
//
// Memory   Places for each pair of few enough, 1 MiB at most; else a hash table, half full at most.
// Threads  One owner.
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

  // The number of (a, b), given when it is new. b < `below`, which is the same whenever `a` is.
  uint32_t number(uint32_t a, uint32_t b, uint32_t below) {
    if (uint32_t* number = in_row(a, b, below)) {
      if (*number == kNone) {
        *number = next_++;
        ++used_;
      }
      return *number;
    }
    const uint64_t key = uint64_t{a} << 32 | b;
    auto* slot = find(key);
    if (slot->number != kNone) return slot->number;
    if (++hashed_ > slots_.size() / 2) {
      auto old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
      for (auto& each : old)
        if (each.number != kNone) *find(each.key) = each;
      slot = find(key);
    }
    ++used_;
    *slot = {key, next_};
    return next_++;
  }
  size_t size() const { return used_; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  // Few enough to have a place for each pair; else they are hashed.
  static constexpr uint32_t kRowMax = 4096, kInRowsMax = 1 << 18;
  struct Slot {
    uint64_t key = 0;
    uint32_t number = kNone;
  };
  uint32_t* in_row(uint32_t a, uint32_t b, uint32_t below) {
    if (a >= row_of_.size()) row_of_.resize(a + 1, kNone);
    uint32_t& row = row_of_[a];
    if (row == kNone) {
      if (below > kRowMax || in_rows_.size() + below > kInRowsMax) return nullptr;
      row = static_cast<uint32_t>(in_rows_.size());
      in_rows_.resize(in_rows_.size() + below, kNone);
    }
    return &in_rows_[row + b];
  }
  Slot* find(uint64_t key) {
    for (auto at = key * 0x9e3779b97f4a7c15 >> 32;; ++at) {
      auto& slot = slots_[at & (slots_.size() - 1)];
      if (slot.number == kNone || slot.key == key) return &slot;
    }
  }

  uint32_t next_;
  size_t used_ = 0, hashed_ = 0;
  std::vector<uint32_t> row_of_;   // by `a`: where its row begins in in_rows_
  std::vector<uint32_t> in_rows_;  // numbers
  std::vector<Slot> slots_;
};

}  // namespace yushi::storage
