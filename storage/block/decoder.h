// Rebuilds records from a block's columns: all that are asked for, in one go. What stands between a block's layout
// (layout.h) and who reads blocks (block.h).
//
// First it chooses how the records of each shape are read, whole, in part or not at all, and opens the columns that are
// needed (decoder_open.cc); then it goes through the records in order (decoder.cc). A column gives its values in order
// too: those that nobody wants are counted, and passed over when the next is wanted.
//
// Threads  One owner; used once.
// Errors   corrupt when the bytes that are needed contradict themselves; invalid: there is no record at a place.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/block/block.h"
#include "storage/block/column.h"
#include "storage/block/layout.h"
#include "storage/block/pair_table.h"
#include "storage/block/shape.h"

namespace yushi::storage {

class BlockDecoder {
 public:
  // `places`: of these records alone, ascending; nullptr: of all. `sections` and `places` must outlive it.
  BlockDecoder(std::shared_ptr<const BlockLayout> layout, SectionReader& sections,
               const std::vector<uint32_t>* places = nullptr)
      : layout_(std::move(layout)), sections_(sections), counts_(layout_->counts), places_(places) {
    for (auto& format : layout_->formats) writers_.emplace_back(format);
    readings_.resize(layout_->shapes.size());
  }
  // As BlockReader's functions of these names (block.h).
  Result<std::unique_ptr<Batch>> read_records();
  Result<BlockRows> read_rows(const std::vector<std::string>& names, bool with_times);

 private:
  struct Column {
    bool is_time = false;
    int64_t scale = 0;
    ColumnReader values;
    IntegerReader times;
    // Values that records had which nobody wanted are passed over when the next is: *passed of them, `done` of them so
    // far.
    const uint32_t* passed = nullptr;
    uint32_t own_passed = 0;  // of one that several slots share; else it is the number of its shape
    uint32_t done = 0;

    bool catch_up() {
      if (!passed || *passed == done) return true;
      const uint32_t count = *passed - std::exchange(done, *passed);
      return is_time ? times.advance(count) : values.advance(count);
    }
  };
  // How the records of a shape are read.
  struct Reading {
    enum class How : uint8_t { pass, part, whole } how = How::whole;
    // Of those in part: slots in part_slots_; how many are wanted, and how many stand before the message.
    uint32_t part_at = 0, part = 0, wanted = 0, before_message = 0;
    bool is_behind_text = false;         // the first of the message's that is wanted
    uint32_t takes_at = 0, takes = 0;    // in takes_: its columns that are read, but those of one value
    uint32_t shared_at = 0, shared = 0;  // in shared_: those of them that other slots share
    uint32_t passed = 0;                 // records of it that nobody wanted
    bool is_counted = false;             // one of them needs no more than that
    uint32_t number = 0;                 // the same of shapes whose records are alike in all that is asked
    bool is_each = false;                // no two records are known to be alike
  };

  Result<void> open(const std::vector<std::string>* names, bool with_times);
  void choose(const std::vector<std::string>* names);
  void number_alike(const std::vector<std::string>& names);
  bool find_text_before_part(const ReadShape& shape, const std::vector<bool>& wanted, Reading& reading) const;
  bool are_times_needed() const;
  Result<void> open_columns();
  template <class Visit>
  Result<void> each_record(const Visit& visit);
  bool pass(const ReadShape* shape);
  bool next_time(uint8_t unit, uint64_t* value);
  void pass_time(const ReadShape& shape) {
    if (shape.meta.unit != kUnitReceived) ++times_passed_[shape.meta.unit];
  }
  bool pass_odd(const ReadShape* shape);
  bool find_row(const Reading& reading, uint32_t* row);
  bool read_record(Record& record, const ReadShape* shape, Charset charset);
  bool read_explicit(Record& record, char*& out);
  bool read_whole(Record& record, const ReadShape& shape, char*& out);
  template <class Write>
  bool read_part(Record& record, const ReadShape& shape, const Reading& reading, char*& out, const Write& write);
  size_t read_slot(const ReadSlot& slot, int64_t event_ns, char* out, size_t room);
  bool read_time(const ReadShape& shape, const Origin& origin, int64_t* event_ns);
  bool read_part_head(Record& record);
  const Reading& reading_of(const ReadShape& shape) const {
    return readings_[static_cast<size_t>(&shape - layout_->shapes.data())];
  }

  const std::shared_ptr<const BlockLayout> layout_;
  SectionReader& sections_;
  const BlockCounts& counts_;
  const std::vector<uint32_t>* const places_;
  std::unique_ptr<Batch> batch_ = std::make_unique<Batch>();
  std::vector<Reading> readings_;  // by shape
  struct PartSlot : ReadSlot {
    bool wanted;  // not only its column is
  };
  std::vector<PartSlot> part_slots_;  // of shapes that are read in part
  std::vector<bool> columns_needed_;  // by column, up to the last one
  bool times_needed_ = true;
  std::vector<TimeWriter> writers_;
  RankReader ranks_;
  IntegerReader times_[kUnitReceived];
  uint32_t times_passed_[kUnitReceived] = {};  // of records that nobody wanted
  Reader odd_{std::string_view()};
  std::vector<Column> columns_;
  struct Take {
    Column* column;
    uint32_t slot;  // in part_slots_
    bool wanted;
  };
  std::vector<Take> takes_;
  std::vector<Column*> shared_;
  std::vector<uint32_t> codes_;  // of the record in hand: of each of its part_slots_
  PairTable pairs_{0};
  std::vector<uint32_t> row_of_pairs_;
  bool by_origin_ = false, by_record_ = false;
  uint32_t run_ = 0;
  Capture* captures_ = nullptr;
  uint64_t captures_used_ = 0;
  char *out_ = nullptr, *end_ = nullptr;
};

}  // namespace yushi::storage
