// The rows of a table: the constants that a value stands for, as 6 for network.transport: tcp.
//
// Rows of equal constants are one outcome, so that `6` and `tcp` are not two kinds of message. ASCII case does not
// count.
//
// Threads  Immutable once filled.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/record.h"

namespace yushi::parsers {

class RowTable {
 public:
  static constexpr uint32_t kNone = 0;

  // False when a row of this key is there already.
  bool add(std::string_view key, std::vector<ConstantField> constants);
  // The outcome of the row of this key, from 1; kNone when there is no such row. One hash and a compare.
  uint32_t find(std::string_view key) const;
  uint32_t outcomes() const { return static_cast<uint32_t>(outcomes_.size()); }
  const std::vector<ConstantField>& constants(uint32_t outcome) const { return outcomes_[outcome - 1]; }

 private:
  struct Row {
    std::string key;  // in lower case
    uint32_t outcome;
  };
  static uint32_t hash(std::string_view key);
  void put(uint32_t row);
  std::vector<Row> rows_;
  std::vector<uint32_t> slots_;  // open addressing, a power of two; a row's number from 1
  std::vector<std::vector<ConstantField>> outcomes_;
};

// A table as a pattern uses it: what decides, and the rows. The outcome of a message is kNone (a field has no value, or
// no row and no else), one of the rows', or otherwise_way().
struct ValueTable {
  std::vector<const Field*> by;  // of several the values are joined by one blank
  std::shared_ptr<const RowTable> rows;
  std::optional<std::vector<ConstantField>> otherwise;  // of a value in no row
  // Then no field decides but the words that the dictionary knows, by the number of their table from 1; behind the last
  // of these tables is one with a single row: that the dictionary had any name of the body.
  uint32_t of_dictionary = 0;

  static constexpr size_t kKeyBytesMax = 256;  // a longer one is in no row
  uint32_t otherwise_way() const { return rows->outcomes() + 1; }
  uint32_t ways() const { return rows->outcomes() + 1 + (otherwise ? 1 : 0); }
  uint32_t way_of(std::string_view key) const {
    const auto outcome = rows->find(key);
    return outcome == RowTable::kNone && otherwise ? otherwise_way() : outcome;
  }
  const std::vector<ConstantField>* constants(uint32_t way) const {  // nullptr: none
    return way == RowTable::kNone ? nullptr : way <= rows->outcomes() ? &rows->constants(way) : &*otherwise;
  }
};

}  // namespace yushi::parsers
