// A shape: what messages have in common when their values are taken out. "Failed password for [user] from [ip] port
// [n]".
//
// Splitter cuts a record into fixed text and values: captures are values, and between them the words that bear a digit,
// what follows `=` and what stands in quotes after `=` or `:`. The cut needs no proof: a shape says where its values
// stood, so any cut rebuilds the same bytes; a bad one only compresses worse.
//
// Memory   Shapes are bounded by the raw bytes of the block; those seen once are cut again, coarsely.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/time_text.h"
#include "core/record/record.h"
#include "storage/block/column.h"

namespace yushi::storage {

// Stored in blocks; never renumber.
enum class SlotKind : uint8_t {
  generic = 0,        // a value that is no capture
  capture = 1,        // a value that is
  fixed_capture = 2,  // a capture whose text is part of the fixed text
  time_same = 3,      // a capture that is event_ns, written in a format
  time = 4,           // a capture that is another time, kept as the difference to event_ns
};

// In the order of the bytes: `fixed` bytes of fixed text, then the slot.
struct ShapeSlot {
  uint32_t fixed = 0;
  uint32_t number = 0;  // field; generic: 0
  uint32_t extra = 0;   // fixed_capture: length of its text, which follows in the fixed text; time: format
  uint8_t kind = 0;     // SlotKind
  uint8_t escape = 0;   // Escape
  uint16_t zero = 0;
};
static_assert(sizeof(ShapeSlot) == 16);

enum ShapeFlag : uint8_t {
  kShapeHasPart = 1,      // part and part_of stand in the stream of odd things
  kShapeOddMessage = 2,   // so does the span of `message`
  kShapeOddPriority = 4,  // and the priority
  kShapeExplicit = 8,     // and all else: the raw is one value
};

// Where event_ns of the records of a shape stands.
enum TimeUnit : uint8_t { kUnitSecond = 0, kUnitMilli, kUnitMicro, kUnitNano, kUnitReceived, kTimeUnits };
constexpr int64_t kUnitNs[] = {1'000'000'000, 1'000'000, 1'000, 1};

// All that is the same for the records of a shape beside its text. No padding: compared as bytes.
struct ShapeMeta {
  uint32_t kind = 0;           // 0: no parser knew it
  uint32_t message_slot = 0;   // `message` begins `message_fixed` bytes of fixed text behind the end of slot
  uint32_t message_fixed = 0;  // number message_slot - 1 (fixed_captures count as slots)
  uint32_t tail = 0;           // bytes of raw behind the message
  uint16_t priority = Record::kNoPriority;
  uint8_t digits = 9, inferred = 0, marks = 0, flags = 0, unit = kUnitNano, zero = 0;
};
static_assert(sizeof(ShapeMeta) == 24);

struct Shape {
  ShapeMeta meta;
  uint32_t slots_at = 0, slots = 0;  // in ShapeTable::slots
  uint32_t fixed_at = 0, fixed = 0;  // in ShapeTable::fixed
  uint32_t values = 0;               // slots that have a value in each record
  uint32_t count = 0;                // records
};

// How a captured time was written, without its value.
struct TimeFormat {
  TimeForm form = TimeForm::none;
  uint8_t digits = 0, style = 0;
  int16_t zone_minutes = 0;
  bool operator==(const TimeFormat&) const = default;
};
constexpr size_t kTimeFormatsMax = 256;

// format_time() for times that mostly differ in their fraction only.
class TimeWriter {
 public:
  explicit TimeWriter(const TimeFormat& format);
  // At least 48 bytes at `out`. The length of what it wrote.
  size_t write(int64_t unix_ns, char* out);
  // The time that write() would make `text` of, when it is of the second that was written last; nullopt: not known.
  std::optional<int64_t> read(std::string_view text) const;
  // A time from 1970 on, without what the text does not tell of its fraction.
  int64_t as_written(int64_t unix_ns) const { return unix_ns - unix_ns % scale_; }

 private:
  void find_fraction(int64_t second);
  TimeText time_;
  int64_t second_ = INT64_MIN;
  int64_t scale_ = 1;  // ns in a unit of the last digit
  size_t length_ = SIZE_MAX, fraction_at_ = 0;
  bool fraction_known_ = false;
  char text_[64] = {};
};

// The different fields of a block by number.
class FieldTable {
 public:
  // Numbered when it is new. It must live as long as the table.
  uint32_t number(const Field* field);
  const std::vector<const Field*>& fields() const { return fields_; }

 private:
  std::vector<const Field*> fields_;
  std::vector<uint32_t> by_id_;  // number + 1
  std::unordered_map<std::string_view, std::vector<uint32_t>> dynamic_;
  struct Seen {
    const Field* field = nullptr;
    uint32_t number = 0;
  };
  std::array<Seen, 1024> seen_{};
};

class ShapeTable {
 public:
  // Number of the shape; makes it when it is new.
  uint32_t number(const ShapeMeta& meta, const std::vector<ShapeSlot>& slots, std::string_view fixed, uint32_t values);
  std::vector<Shape>& shapes() { return shapes_; }
  const ShapeSlot* slots(const Shape& shape) const { return slots_.data() + shape.slots_at; }
  std::string_view fixed(const Shape& shape) const {
    return std::string_view(fixed_).substr(shape.fixed_at, shape.fixed);
  }

 private:
  std::vector<Shape> shapes_;
  std::vector<ShapeSlot> slots_;
  std::string fixed_;
  std::vector<uint64_t> hashes_;
  std::vector<uint32_t> table_;
};

// Cuts records, and appends to `values` where the values of each stand in its raw, in the order of its slots; a time's
// is its difference to event_ns, as the two halves of an int64.
class Splitter {
 public:
  Splitter(ShapeTable& shapes, FieldTable& fields, std::vector<ValueRef>& values)
      : shapes_(shapes), fields_(fields), values_(values) {}

  enum class How : uint8_t { fine, coarse };
  // The number of its shape. coarse: texts between captures become values, so that shapes
  // that were seen once share one.
  uint32_t split(const Record& record, uint32_t kind, How how);
  const std::vector<TimeFormat>& formats() const { return formats_; }

 private:
  // How a record was cut. The next one of the same fields mostly has the same fixed text: to compare with it is cheaper
  // than to look for places to cut.
  struct Known {
    uint32_t shape = UINT32_MAX;
    ShapeMeta meta;
    std::vector<ShapeSlot> slots;
    std::vector<uint64_t> words;       // the fixed text before each, when it is at most 8 bytes
    std::vector<const Field*> fields;  // of the captures
    std::string fixed;
  };
  static size_t known_slot(const Record& record, uint32_t kind);
  bool cut_as_known(const Record& record, const Known& known, const ShapeMeta& meta);
  void remember(const Record& record, const ShapeMeta& meta, uint32_t shape, Known& known);
  uint32_t generic_end(uint32_t begin, uint32_t end) const;
  bool capture_as_known(const Record& record, const Capture& capture, const ShapeSlot& slot, const char* fixed);

  void text(uint32_t begin, uint32_t end, bool fine);
  void fixed(uint32_t begin, uint32_t end);
  ShapeSlot& slot(SlotKind kind);
  void generic(uint32_t begin, uint32_t end);
  void capture(const Record& record, const Capture& capture);
  bool time(const Record& record, const Capture& capture, uint32_t field);
  void push_difference(int64_t difference);
  bool is_fixed(const Field* field, std::string_view text);

  ShapeTable& shapes_;
  FieldTable& fields_;
  const char* bytes_ = nullptr;
  std::vector<ShapeSlot> slots_;
  std::vector<ValueRef>& values_;
  std::string fixed_;
  uint32_t pending_ = 0;  // bytes of fixed text since the last slot
  std::vector<TimeFormat> formats_;
  std::vector<TimeWriter> writers_;
  std::vector<uint32_t> last_formats_;  // of each field
  struct FixedTexts {
    std::vector<std::string> texts;
    std::array<uint8_t, 256> table{};  // by hash: position in `texts` + 1
  };
  std::array<FixedTexts, 4> fixed_texts_;
  static constexpr size_t kKnownMax = 512;
  std::vector<Known> known_ = std::vector<Known>(kKnownMax);
};

}  // namespace yushi::storage
