// What stands above and between the records of a block: how they were understood, their fields, kinds, shapes and
// origins. Read once, then the records are rebuilt by it (decoder.h) as often as somebody asks.
//
// Memory   Shapes view into the inflated sections; fields, kinds and origins, which records point to, do not.
// Threads  Immutable once read.
// Errors   corrupt, naming the part.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "storage/block/block.h"
#include "storage/block/column.h"
#include "storage/block/shape.h"

namespace yushi::storage {

// corrupt, with what of it contradicts itself.
tl::unexpected<Error> damaged_block(const std::string& what);

// A shape as it is read: what ShapeSlot and ShapeMeta say, with pointers in place of numbers.
struct ReadSlot {
  SlotKind kind;
  Escape escape;
  uint32_t fixed;
  uint32_t fixed_capture;  // its length
  uint32_t column;
  uint32_t format;
  uint32_t field_number;  // of a capture, as the next
  const Field* field;
  const char* text;  // of a fixed_capture
};

// Whose value stands in a column.
inline bool has_column(const ReadSlot& slot) {
  return slot.kind != SlotKind::fixed_capture && slot.kind != SlotKind::time_same;
}

struct ReadShape {
  ShapeMeta meta;
  const MessageKind* kind = nullptr;
  const char* fixed = nullptr;  // of all slots and the rest, in order
  uint32_t rest = 0;            // bytes behind the last slot
  uint32_t slots_at = 0, slots = 0;
  uint32_t captures = 0;
};

// Records one after the other of one read of one connection.
struct Run {
  uint64_t length;
  const Origin* origin;
  uint64_t seq;
  Charset charset;  // of the tenant, then
};

// Where something of the header is described, and the first of its streams.
struct HeaderPlace {
  Reader header;
  size_t stream;
  // The header, with its streams next in `sections`.
  Reader go_to(SectionReader& sections) const {
    sections.go_to(stream);
    return header;
  }
};

struct ColumnPlace {
  HeaderPlace at;
  uint64_t values;
  int64_t scale;  // of times; 0: it holds texts
};

struct BlockLayout {
  // Leaves `sections` behind what it read.
  static Result<std::shared_ptr<const BlockLayout>> read(SectionReader& sections);

  BlockCounts counts;
  BlockHead head;
  bool has_explicit = false;  // rank 0 is no shape: the records that have none
  bool is_utf8 = true;        // the charset of all tenants that the records are of
  std::vector<const Field*> fields;
  std::vector<MessageKind> kinds;
  std::vector<TimeFormat> formats;
  std::vector<ReadShape> shapes;
  std::vector<ReadSlot> slots;
  std::vector<Run> runs;
  Arena arena;

  // What is of the records themselves: streams, and columns of numbers and of values.
  size_t ranks_at = 0, odd_at = 0;
  std::vector<HeaderPlace> times;  // by unit
  std::vector<ColumnPlace> columns;

 private:
  bool read_contexts(Reader& in);
  Result<void> read_fields_and_kinds(Reader& in);
  Result<void> read_shapes(Reader& in, SectionReader& sections);
  Result<void> read_origins(Reader& in, SectionReader& sections);
  Result<void> find_columns(Reader& in, SectionReader& sections);
};

}  // namespace yushi::storage
