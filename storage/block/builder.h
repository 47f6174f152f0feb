// Makes a sealed block of an open block's records: the last stage of a record's path, on the sealer's thread.
//
//   cut      builder.cc   records into shapes and values (shape.h), values into columns (column.h)
//   write    writer.cc    structure, shapes, origins, times, columns into sections (FORMAT.md)
//   words    words.cc     the token filter that a search reads first
//
// Memory   Views into the records, which must outlive it; a block's worth of values beside them.
// Threads  One block, one builder, one thread. storage/block/block.h's build_block() is the way in.
// Errors   None: what a record is cannot be refused here, since it is committed.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/block/block.h"
#include "storage/block/shape.h"
#include "storage/block/tokens.h"

namespace yushi::storage {

class BlockBuilder {
 public:
  BlockBuilder(const BlockHead& context, const std::vector<const Record*>& records)
      : context_(context),
        records_(records),
        sections_(kZstdLevel),
        columns_(sections_),
        splitter_(shapes_, fields_, values_) {}

  // Once.
  SealedBlock build();

 private:
  static constexpr int kZstdLevel = 1;

  void count();
  void cut();
  void rank_shapes();
  void choose_columns();
  void write_structure(std::string& out);
  void write_shapes(std::string& out);
  void write_origins(std::string& out);
  void write_times(std::string& out);
  void write_odd();
  void write_columns(std::string& out);
  void gather_tokens();
  uint32_t kind_number(const MessageKind* kind);
  void keep_whole(size_t record);
  bool is_explicit(size_t record) const { return rank_of_shape_[shape_of_[record]] == 0 && explicit_; }

  const BlockHead& context_;
  const std::vector<const Record*>& records_;
  SectionWriter sections_;
  ColumnWriter columns_;
  ShapeTable shapes_;
  FieldTable fields_;
  Splitter splitter_;
  BlockTokens tokens_;
  BlockSummary summary_;

  std::vector<const MessageKind*> kinds_;
  const MessageKind* last_kind_ = nullptr;
  uint32_t last_kind_number_ = 0;
  std::unordered_map<const MessageKind*, uint32_t> kind_numbers_;
  uint64_t captures_ = 0;

  std::vector<uint32_t> shape_of_;   // of each record: its shape
  std::vector<uint32_t> values_at_;  // of each record: its first value in values_
  std::vector<ValueRef> values_;
  bool explicit_ = false;                // rank 0 is the explicit shape
  uint32_t whole_shape_ = UINT32_MAX;    // of no record: what is written explicitly whatever its shape
  std::vector<uint32_t> shape_by_rank_;  // without the explicit one
  std::vector<uint16_t> rank_of_shape_;

  // A column of values; those of times hold differences.
  struct Column {
    enum class Kind : uint8_t { generic, capture, time, small, whole } kind;
    uint32_t field = 0;
    uint32_t escape = 0;
    uint32_t count = 0;
    size_t at = 0;     // in grouped_
    size_t bytes = 0;  // of its values together
  };
  std::vector<Column> column_list_;
  std::vector<uint32_t> column_of_slot_;  // of each value of each shape, from column_at_[shape]
  std::vector<uint32_t> column_at_;
  std::vector<ValueRef> grouped_;  // the values by column
  std::unique_ptr<char[]> bytes_;  // their bytes, side by side: read many times over
};

}  // namespace yushi::storage
