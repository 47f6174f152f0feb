#include <algorithm>
#include <map>
#include <utility>

#include "storage/block/block.h"
#include "storage/block/column.h"
#include "storage/block/layout.h"
#include "storage/block/shape.h"
#include "storage/block/shape_literals.h"

namespace yushi::storage {
namespace {

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

Capture capture_of(const ReadSlot& slot, ptrdiff_t begin, size_t length) {
  return {static_cast<uint32_t>(begin), static_cast<uint32_t>(length) & 0xffffff, static_cast<uint8_t>(slot.escape),
          slot.field};
}

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

constexpr size_t kPairsMax = 8;  // that are numbered for each record, at most

// Numbers pairs of numbers, each different one once, from `first` on.
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

// Rebuilds records from a block's columns: all that are asked for, in one go.
class BlockDecoder {
 public:
  BlockDecoder(std::shared_ptr<const BlockLayout> layout, SectionReader& sections,
               const std::vector<uint32_t>* places = nullptr)
      : layout_(std::move(layout)), sections_(sections), counts_(layout_->counts), places_(places) {
    for (auto& format : layout_->formats) writers_.emplace_back(format);
    readings_.resize(layout_->shapes.size());
  }
  Result<std::unique_ptr<Batch>> read_records();
  Result<BlockRows> read_rows(const std::vector<std::string>& names, bool with_times);

 private:
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

bool is_wanted(const ReadSlot& slot, const std::vector<bool>& wanted) {
  return slot.kind != SlotKind::generic && wanted[slot.field_number];
}

// How the records of each shape are read. A column that one of them needs gives its values in order: so those that
// share it take theirs too, and drop them.
void BlockDecoder::choose(const std::vector<std::string>* names) {
  auto& shapes = layout_->shapes;
  // Whether raw is in the charset or not is told by all of it.
  if (names && !layout_->is_utf8) names = nullptr;
  std::vector<bool> wanted(layout_->fields.size());
  for (size_t i = 0; names && i < wanted.size(); ++i)
    wanted[i] = std::find(names->begin(), names->end(), layout_->fields[i]->name) != names->end();
  for (size_t s = 0; s < shapes.size(); ++s) {
    auto& reading = readings_[s];
    if (reading.how == Reading::How::pass) continue;
    // Where the message stands in an odd one cannot be said without the rest of raw.
    const bool in_part =
        names && (shapes[s].meta.flags & kShapeOddMessage) == 0 && find_text_before_part(shapes[s], wanted, reading);
    reading.how = in_part ? Reading::How::part : Reading::How::whole;
    for (uint32_t i = shapes[s].slots_at; i < shapes[s].slots_at + shapes[s].slots; ++i) {
      auto& slot = layout_->slots[i];
      if (!has_column(slot) || (in_part && !is_wanted(slot, wanted))) continue;
      if (columns_needed_.size() <= slot.column) columns_needed_.resize(slot.column + 1);
      columns_needed_[slot.column] = true;
    }
  }
  for (size_t s = 0; s < shapes.size(); ++s) {
    auto& reading = readings_[s];
    reading.part_at = static_cast<uint32_t>(part_slots_.size());
    if (reading.how == Reading::How::whole && !places_) continue;
    for (uint32_t i = 0; i < shapes[s].slots; ++i) {
      auto& slot = layout_->slots[shapes[s].slots_at + i];
      const bool is_asked = reading.how == Reading::How::part && is_wanted(slot, wanted);
      if (!is_asked && !(has_column(slot) && slot.column < columns_needed_.size() && columns_needed_[slot.column]))
        continue;
      part_slots_.push_back({slot, is_asked});
      ++reading.part;
      reading.wanted += is_asked;
      if (i < shapes[s].meta.message_slot) ++reading.before_message;
      if (is_asked && (slot.kind == SlotKind::time || slot.kind == SlotKind::time_same)) reading.is_each = true;
    }
    if (shapes[s].meta.flags != 0) reading.is_each = true;
  }
}

// A capture that is empty where the message begins is of the header, one behind any text is not. False: that is told by
// values only.
bool BlockDecoder::find_text_before_part(const ReadShape& shape, const std::vector<bool>& wanted,
                                         Reading& reading) const {
  for (uint32_t i = shape.meta.message_slot; i < shape.slots; ++i) {
    auto& slot = layout_->slots[shape.slots_at + i];
    reading.is_behind_text = slot.fixed > (i == shape.meta.message_slot ? shape.meta.message_fixed : 0);
    if (reading.is_behind_text) return true;
    if (is_wanted(slot, wanted)) return i == shape.meta.message_slot;
  }
  return true;
}

// Shapes whose records have the same values of what is asked when their columns have: what is told of a field without a
// capture is of its kind, and of some of the shape itself.
void BlockDecoder::number_alike(const std::vector<std::string>& names) {
  const bool are_of_captures = std::none_of(names.begin(), names.end(), [](auto& name) {
    const Field* field = find_field(name);
    return field && is_derived_field(*field);
  });
  std::map<std::string, uint32_t> known;
  for (size_t s = 0; s < readings_.size(); ++s) {
    auto& reading = readings_[s];
    auto& shape = layout_->shapes[s];
    std::string told;
    const auto add = [&](auto... numbers) { (put_be64(told, static_cast<uint64_t>(numbers)), ...); };
    if (!are_of_captures) {
      auto& meta = shape.meta;
      add(reinterpret_cast<uintptr_t>(shape.kind), meta.digits, meta.inferred, meta.marks, meta.priority);
    } else if (shape.kind) {
      for (auto& constant : shape.kind->constants)
        if (std::find(names.begin(), names.end(), constant.field->name) != names.end()) {
          add(reinterpret_cast<uintptr_t>(constant.field), constant.value.size());
          told += constant.value;
        }
    }
    add(reading.is_behind_text);
    for (uint32_t k = 0; k < reading.part; ++k) {
      auto& slot = part_slots_[reading.part_at + k];
      if (!slot.wanted) continue;
      add(k < reading.before_message, slot.kind, slot.escape, reinterpret_cast<uintptr_t>(slot.field),
          has_column(slot) ? slot.column : 0);
      if (slot.kind == SlotKind::fixed_capture) {
        add(slot.fixed_capture);
        told.append(slot.text, slot.fixed_capture);
      }
    }
    reading.number = known.emplace(std::move(told), static_cast<uint32_t>(known.size())).first->second;
  }
}

bool BlockDecoder::are_times_needed() const {
  if (layout_->has_explicit) return true;
  return std::any_of(readings_.begin(), readings_.end(), [](const Reading& reading) {
    return reading.how == Reading::How::whole || (reading.how == Reading::How::part && reading.is_each);
  });
}

// `names`: of which fields captures are wanted; none: the whole records.
Result<void> BlockDecoder::open(const std::vector<std::string>* names, bool with_times) {
  sections_.go_to(layout_->ranks_at);
  if (!RankReader::open(sections_, counts_.records, &ranks_)) return damaged_block("its shapes are damaged");
  if (places_) {  // shapes that none of them has are passed over
    for (auto& reading : readings_) reading.how = Reading::How::pass;
    auto ranks = ranks_;
    uint32_t at = 0, rank = 0;
    for (auto place : *places_) {
      for (; at <= place; ++at)
        if (!ranks.next(&rank)) return fail(Code::invalid, "reading a block: it has no record of this place");
      rank -= layout_->has_explicit;  // beyond all: it has none
      if (rank < readings_.size()) readings_[rank].how = Reading::How::whole;
    }
  }
  choose(names);
  if (names) number_alike(*names);
  times_needed_ = with_times || are_times_needed();
  for (int unit = 0; times_needed_ && unit < kUnitReceived; ++unit)
    if (auto header = layout_->times[unit].go_to(sections_); !IntegerReader::open(header, sections_, &times_[unit]))
      return damaged_block("its times are damaged");
  sections_.go_to(layout_->odd_at);
  odd_ = Reader(sections_.next());
  YUSHI_TRY(open_columns());
  batch_->buffers.emplace_back(new char[counts_.raw_bytes + kValueSlack]);
  out_ = batch_->buffers.back().get();
  end_ = out_ + counts_.raw_bytes;
  captures_ = reinterpret_cast<Capture*>(batch_->arena.allocate(counts_.captures * sizeof(Capture), alignof(Capture)));
  batch_->keep.push_back(layout_);
  return {};
}

Result<void> BlockDecoder::open_columns() {
  const size_t count = layout_->columns.size();
  columns_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    auto& place = layout_->columns[i];
    auto& column = columns_[i];
    column.is_time = place.scale != 0;
    column.scale = place.scale;
    if (!(i < columns_needed_.size() && columns_needed_[i]) && !(layout_->has_explicit && i + 1 == count)) continue;
    auto header = place.at.go_to(sections_);
    if (!(column.is_time ? IntegerReader::open(header, sections_, &column.times)
                         : ColumnReader::open(header, sections_, place.values, counts_.raw_bytes + 1, &column.values)))
      return damaged_block("its column " + std::to_string(i) + " is damaged");
  }
  for (auto& reading : readings_) {
    reading.takes_at = static_cast<uint32_t>(takes_.size());
    for (uint32_t k = reading.part_at; k < reading.part_at + reading.part; ++k) {
      if (!has_column(part_slots_[k])) continue;
      auto& column = columns_[part_slots_[k].column];
      // A column of values that hardly repeat has no numbers for them.
      if (part_slots_[k].wanted && !column.is_time && !column.values.has_codes()) reading.is_each = true;
      if (column.is_time || !column.values.is_constant()) takes_.push_back({&column, k, part_slots_[k].wanted});
    }
    reading.takes = static_cast<uint32_t>(takes_.size()) - reading.takes_at;
  }
  std::vector<uint32_t> users(count);
  for (auto& take : takes_) ++users[static_cast<size_t>(take.column - columns_.data())];
  for (auto& reading : readings_) {
    reading.shared_at = static_cast<uint32_t>(shared_.size());
    for (auto take = takes_.data() + reading.takes_at, end = take + reading.takes; take != end; ++take) {
      auto& column = *take->column;
      const bool is_alone = places_ && users[static_cast<size_t>(take->column - columns_.data())] == 1;
      column.passed = is_alone ? &reading.passed : &column.own_passed;
      if (!is_alone) shared_.push_back(take->column);
    }
    reading.shared = static_cast<uint32_t>(shared_.size()) - reading.shared_at;
    auto& meta = layout_->shapes[static_cast<size_t>(&reading - readings_.data())].meta;
    reading.is_counted = reading.shared == 0 && meta.flags == 0 && (!times_needed_ || meta.unit == kUnitReceived);
  }
  return {};
}

// A message that has no shape: all of raw is one value, all else stands in the stream of odd things.
bool BlockDecoder::read_explicit(Record& record, char*& out) {
  auto& kinds = layout_->kinds;
  auto& fields = layout_->fields;
  auto length = columns_.back().values.next(out, static_cast<size_t>(end_ - out));
  if (length == ColumnReader::kDamaged) return false;
  record.raw = {out, length};
  out += length;
  uint64_t ns;
  if (!next_time(kUnitNano, &ns)) return false;
  record.event_ns = static_cast<int64_t>(ns);
  auto kind = odd_.varint();
  if (kind > kinds.size()) return false;
  record.kind = kind == 0 ? nullptr : &kinds[kind - 1];
  record.event_digits = odd_.byte();
  record.time_inferred = odd_.byte();
  record.marks = odd_.byte();
  auto captures = odd_.varint();
  if (!odd_.ok() || captures > counts_.captures - captures_used_) return false;
  auto to = captures_ + captures_used_;
  uint64_t pos = 0;
  for (uint64_t c = 0; c < captures; ++c) {
    auto gap = odd_.varint();
    auto bytes = odd_.varint();
    auto field = odd_.varint();
    auto escape = odd_.byte();
    if (!odd_.ok() || gap > length - pos || bytes > length - pos - gap || bytes >= 1 << 24 || field >= fields.size() ||
        escape > static_cast<uint8_t>(kEscapeLast))
      return false;
    pos += gap;
    to[c].begin = static_cast<uint32_t>(pos);
    to[c].length = static_cast<uint32_t>(bytes) & 0xffffff;
    to[c].escape = escape;
    to[c].field = fields[field];
    pos += bytes;
  }
  record.captures = {to, captures};
  captures_used_ += captures;
  return true;
}

// Writes the value of a slot that has one at `out`; more than `room`: it is damaged.
size_t BlockDecoder::read_slot(const ReadSlot& slot, int64_t event_ns, char* out, size_t room) {
  if (has_column(slot) && !columns_[slot.column].catch_up()) return ColumnReader::kDamaged;
  switch (slot.kind) {
    case SlotKind::generic:
    case SlotKind::capture:
      return columns_[slot.column].values.next(out, room);
    case SlotKind::fixed_capture:
      if (slot.fixed_capture > room) return ColumnReader::kDamaged;
      std::memcpy(out, slot.text, slot.fixed_capture);
      return slot.fixed_capture;
    case SlotKind::time_same:
      return writers_[slot.format].write(event_ns, out);
    case SlotKind::time: {
      auto& column = columns_[slot.column];
      uint64_t value;
      if (!column.times.next(&value)) return ColumnReader::kDamaged;
      auto difference = static_cast<uint64_t>(unzigzag(value)) * static_cast<uint64_t>(column.scale);
      return writers_[slot.format].write(static_cast<int64_t>(static_cast<uint64_t>(event_ns) + difference), out);
    }
  }
  return ColumnReader::kDamaged;
}

bool BlockDecoder::read_whole(Record& record, const ReadShape& shape, char*& out) {
  auto& meta = shape.meta;
  if (shape.captures > counts_.captures - captures_used_) return false;
  auto capture = captures_ + captures_used_;
  captures_used_ += shape.captures;
  record.captures = {capture, shape.captures};
  char* begin = out;
  char* message = begin;
  const char* fixed = shape.fixed;
  auto slot = layout_->slots.data() + shape.slots_at;
  for (uint32_t k = 0; k < shape.slots; ++k, ++slot) {
    if (k == meta.message_slot) message = out + meta.message_fixed;
    auto room = static_cast<size_t>(end_ - out);
    if (slot->fixed > room) return false;
    std::memcpy(out, fixed, slot->fixed);
    out += slot->fixed;
    fixed += slot->fixed + slot->fixed_capture;
    room -= slot->fixed;
    const size_t length = read_slot(*slot, record.event_ns, out, room);
    if (length > room) return false;
    if (slot->kind != SlotKind::generic) {
      if (length >= 1 << 24) return false;
      *capture++ = capture_of(*slot, out - begin, length);
    }
    out += length;
  }
  if (shape.slots == meta.message_slot) message = out + meta.message_fixed;
  if (shape.rest > static_cast<size_t>(end_ - out)) return false;
  std::memcpy(out, fixed, shape.rest);
  out += shape.rest;
  record.raw = {begin, static_cast<size_t>(out - begin)};
  if (meta.flags & kShapeOddMessage) return true;
  record.message_begin = static_cast<uint32_t>(message - begin);
  if (meta.tail > record.raw.size() - record.message_begin) return false;
  record.message_length = static_cast<uint32_t>(record.raw.size() - record.message_begin - meta.tail);
  return true;
}

// The captures that are wanted, and no text between them. Those before the message end where it begins and those in it
// behind that, so that they are told from each other as in the whole record. write(k, out, room) gives the length of
// the value of part_slots_[k].
template <class Write>
bool BlockDecoder::read_part(Record& record, const ReadShape& shape, const Reading& reading, char*& out,
                             const Write& write) {
  if (shape.captures > counts_.captures - captures_used_) return false;
  auto capture = captures_ + captures_used_;
  captures_used_ += reading.wanted;
  record.captures = {capture, reading.wanted};
  char* begin = out;
  for (uint32_t k = 0; k < reading.part; ++k) {
    if (k == reading.before_message) {
      record.message_begin = static_cast<uint32_t>(out - begin);
      if (reading.is_behind_text) {
        if (out == end_) return false;
        *out++ = ' ';
      }
    }
    const auto at = reading.part_at + k;
    const auto room = static_cast<size_t>(end_ - out);
    const size_t length = write(at, out, room);
    if (length > room || length >= 1 << 24) return false;
    if (!part_slots_[at].wanted) continue;
    *capture++ = capture_of(part_slots_[at], out - begin, length);
    out += length;
  }
  if (reading.part == reading.before_message) record.message_begin = static_cast<uint32_t>(out - begin);
  record.raw = {begin, static_cast<size_t>(out - begin)};
  return true;
}

// Moves on over a record, of which nothing is made. `shape`: nullptr when it has none.
bool BlockDecoder::pass(const ReadShape* shape) {
  if (!shape) {
    ++times_passed_[kUnitNano];
    return columns_.back().values.advance(1) && pass_odd(nullptr);
  }
  auto& reading = readings_[static_cast<size_t>(shape - layout_->shapes.data())];
  pass_time(*shape);
  ++reading.passed;
  for (auto column = shared_.data() + reading.shared_at, end = column + reading.shared; column != end; ++column)
    ++(*column)->own_passed;
  return shape->meta.flags == 0 || pass_odd(shape);
}

// What read_explicit() and read_record() take of the stream of odd things.
bool BlockDecoder::pass_odd(const ReadShape* shape) {
  if (!shape) {
    odd_.varint();
    odd_.take(3);
    for (auto captures = odd_.varint(); captures > 0 && odd_.ok(); --captures) {
      for (int i = 0; i < 3; ++i) odd_.varint();
      odd_.byte();
    }
  }
  const uint8_t flags = shape ? shape->meta.flags : kShapeHasPart | kShapeOddMessage | kShapeOddPriority;
  if (flags & kShapeHasPart) {
    const auto part = odd_.varint();
    odd_.varint();
    if (static_cast<uint16_t>(part) > 1) {
      odd_.varint();
      for (int i = 0; i < 3; ++i) odd_.text();
    }
  }
  if (flags & kShapeOddMessage) {
    odd_.varint();
    odd_.varint();
  }
  if (flags & kShapeOddPriority) odd_.varint();
  return odd_.ok();
}

bool BlockDecoder::next_time(uint8_t unit, uint64_t* value) {
  return times_[unit].advance(std::exchange(times_passed_[unit], 0)) && times_[unit].next(value);
}

bool BlockDecoder::read_time(const ReadShape& shape, const Origin& origin, int64_t* event_ns) {
  if (shape.meta.unit == kUnitReceived) {
    *event_ns = origin.received_ns;
    return true;
  }
  if (!times_needed_) return true;
  uint64_t value;
  if (!next_time(shape.meta.unit, &value)) return false;
  *event_ns = static_cast<int64_t>(value * static_cast<uint64_t>(kUnitNs[shape.meta.unit]));
  return true;
}

// All that the record has but what it shares with its neighbours. `shape`: nullptr when it has none.
bool BlockDecoder::read_record(Record& record, const ReadShape* shape, Charset charset) {
  uint8_t flags = kShapeHasPart | kShapeOddMessage | kShapeOddPriority;
  if (!shape) {
    if (!read_explicit(record, out_)) return false;
  } else {
    auto& meta = shape->meta;
    flags = meta.flags;
    record.kind = shape->kind;
    record.event_digits = meta.digits;
    record.time_inferred = meta.inferred;
    record.marks = meta.marks;
    record.priority = meta.priority;
    if (!read_time(*shape, *record.origin, &record.event_ns)) return false;
    auto& reading = reading_of(*shape);
    const auto write = [&](uint32_t k, char* out, size_t room) {
      return read_slot(part_slots_[k], record.event_ns, out, room);
    };
    if (!(reading.how == Reading::How::part ? read_part(record, *shape, reading, out_, write)
                                            : read_whole(record, *shape, out_)))
      return false;
  }
  record.charset = charset_of(record.raw, charset);
  if (flags == 0) return true;
  if (flags & kShapeHasPart) {
    record.part = static_cast<uint16_t>(odd_.varint());
    record.part_of = static_cast<uint16_t>(odd_.varint());
    if (record.part > 1 && !read_part_head(record)) return false;
  }
  if (flags & kShapeOddMessage) {
    auto begin = odd_.varint(), length = odd_.varint();
    if (begin > record.raw.size() || length > record.raw.size() - begin) return false;
    record.message_begin = static_cast<uint32_t>(begin);
    record.message_length = static_cast<uint32_t>(length);
  }
  if (flags & kShapeOddPriority) {
    auto priority = odd_.varint();
    record.priority = priority == 0 ? Record::kNoPriority : static_cast<uint16_t>(priority - 1);
  }
  if (auto* head = const_cast<PartHead*>(record.part_head)) head->priority = record.priority;
  return odd_.ok();
}

// The rest of it stands in the record's own time and priority.
bool BlockDecoder::read_part_head(Record& record) {
  auto& arena = batch_->arena;
  PartHead head;
  head.first_seq = record.source_seq - odd_.varint();
  for (auto* text : {&head.host, &head.program, &head.pid}) *text = arena.copy(odd_.text());
  head.event_ns = record.event_ns;
  head.event_digits = record.event_digits;
  head.time_inferred = record.time_inferred;
  record.part_head = arena.make(head);
  return odd_.ok();
}

// visit(shape, run, begin) for each record that is wanted; begin(record) gives it what it shares with its neighbours.
template <class Visit>
Result<void> BlockDecoder::each_record(const Visit& visit) {
  auto bad = [](size_t i) { return damaged_block("its record " + std::to_string(i) + " cannot be rebuilt"); };
  size_t next = 0;
  uint64_t in_run = 0, slots = 0;
  for (size_t i = 0; i < counts_.records; ++i, ++in_run) {
    if (in_run == layout_->runs[run_].length) {
      ++run_;
      in_run = 0;
    }
    uint32_t rank;
    if (!ranks_.next(&rank)) return bad(i);
    const ReadShape* shape = nullptr;
    if (!layout_->has_explicit || rank != 0) {
      rank -= layout_->has_explicit;
      if (rank >= layout_->shapes.size()) return bad(i);
      shape = &layout_->shapes[rank];
      // Each is a capture or has a byte of raw: more of them, of columns that hold but one value, would never end.
      slots += shape->slots;
      if (slots > counts_.captures + counts_.raw_bytes) return bad(i);
    }
    if (places_ && (next == places_->size() || (*places_)[next] != i)) {
      if (shape && readings_[rank].is_counted)
        ++readings_[rank].passed;
      else if (!pass(shape))
        return bad(i);
      continue;
    }
    ++next;
    auto& run = layout_->runs[run_];
    const auto begin = [&](Record& record) -> Record& {
      record.origin = run.origin;
      record.source_seq = run.seq + in_run;
      record.index = counts_.first_index + i;
      return record;
    };
    if (!visit(shape, run, begin)) return bad(i);
  }
  if (odd_.left() != 0) return damaged_block("its records do not fill what the header promises");
  batch_->bytes = counts_.raw_bytes;
  return {};
}

Result<std::unique_ptr<Batch>> BlockDecoder::read_records() {
  YUSHI_TRY(open(nullptr, true));
  auto& records = batch_->records;
  records.reserve(places_ ? places_->size() : counts_.records);
  YUSHI_TRY(each_record([&](const ReadShape* shape, const Run& run, const auto& begin) {
    return read_record(begin(records.emplace_back()), shape, run.charset);
  }));
  if (!places_ && (out_ != end_ || captures_used_ != counts_.captures))
    return damaged_block("its records do not fill what the header promises");
  return std::move(batch_);
}

// Of a record that is read in part by numbers alone: which row it is like; UINT32_MAX: of one that is not there yet,
// whose numbers are then in codes_ and whose place is the last of row_of_pairs_.
bool BlockDecoder::find_row(const Reading& reading, uint32_t* row) {
  auto number = reading.number;
  if (by_origin_) number = pairs_.number(number, run_);
  codes_.assign(reading.part, 0);
  for (auto take = takes_.data() + reading.takes_at, end = take + reading.takes; take != end; ++take) {
    auto& column = *take->column;
    if (!take->wanted) {
      ++column.own_passed;
      continue;
    }
    auto& code = codes_[take->slot - reading.part_at];
    if (!column.catch_up() || !column.values.next_code(&code)) return false;
    number = pairs_.number(number, code);
  }
  if (number >= row_of_pairs_.size()) row_of_pairs_.resize(number + 1, UINT32_MAX);
  *row = row_of_pairs_[number];
  if (*row == UINT32_MAX) row_of_pairs_[number] = static_cast<uint32_t>(batch_->records.size());
  return true;
}

Result<BlockRows> BlockDecoder::read_rows(const std::vector<std::string>& names, bool with_times) {
  for (auto& name : names) {
    const auto told = told_by(name);
    by_origin_ = by_origin_ || told == ToldBy::origin;
    by_record_ = by_record_ || told == ToldBy::record || told == ToldBy::time;
    with_times = with_times || told == ToldBy::time;
  }
  pairs_ = PairTable(static_cast<uint32_t>(layout_->shapes.size()));
  YUSHI_TRY(open(&names, with_times));
  BlockRows out;
  auto& rows = batch_->records;
  out.row_of.reserve(places_ ? places_->size() : counts_.records);
  if (with_times) out.event_ns.reserve(out.row_of.capacity());
  YUSHI_TRY(each_record([&](const ReadShape* shape, const Run& run, const auto& begin) {
    const auto* reading = shape ? &reading_of(*shape) : nullptr;
    if (by_record_ || !reading || reading->how != Reading::How::part || reading->is_each) {
      out.row_of.push_back(static_cast<uint32_t>(rows.size()));
      if (!read_record(begin(rows.emplace_back()), shape, run.charset)) return false;
      if (with_times) out.event_ns.push_back(rows.back().event_ns);
      return true;
    }
    uint32_t row;
    int64_t event_ns = 0;
    if (!with_times) pass_time(*shape);
    if (with_times && !read_time(*shape, *run.origin, &event_ns)) return false;
    if (!find_row(*reading, &row)) return false;
    // Where all differ there is nothing to gain, and room to lose.
    if (pairs_.size() > kPairsMax * counts_.records) by_record_ = true;
    if (with_times) out.event_ns.push_back(event_ns);
    if (row != UINT32_MAX) {
      out.row_of.push_back(row);
      return true;
    }
    out.row_of.push_back(static_cast<uint32_t>(rows.size()));
    auto& record = begin(rows.emplace_back());
    record.event_ns = event_ns;
    record.kind = shape->kind;
    record.event_digits = shape->meta.digits;
    record.time_inferred = shape->meta.inferred;
    record.marks = shape->meta.marks;
    record.priority = shape->meta.priority;
    const auto write = [&](uint32_t k, char* to, size_t room) {
      auto& slot = part_slots_[k];
      if (!has_column(slot)) return read_slot(slot, record.event_ns, to, room);
      return part_slots_[k].wanted ? columns_[slot.column].values.put_code(codes_[k - reading->part_at], to, room) : 0;
    };
    if (!read_part(record, *shape, *reading, out_, write)) return false;
    record.charset = charset_of(record.raw, run.charset);
    return true;
  }));
  out.batch = std::move(batch_);
  return out;
}

// Where the text of `message` stands: in that of the record's message, elsewhere in raw, or not as it is.
enum class MessageText : uint8_t { in_message, in_raw, nowhere };
MessageText message_text(const BlockLayout& layout, const ReadShape& shape) {
  auto out = MessageText::in_message;
  for (uint32_t i = 0; i < shape.slots; ++i) {
    auto& slot = layout.slots[shape.slots_at + i];
    if (!slot.field || slot.field->name != ecs::message->name) continue;
    if (slot.escape != Escape::none) return MessageText::nowhere;
    out = MessageText::in_raw;
  }
  const bool is_constant = shape.kind && std::any_of(shape.kind->constants.begin(), shape.kind->constants.end(),
                                                     [](auto& each) { return each.field->name == ecs::message->name; });
  return is_constant ? MessageText::nowhere : out;
}

// Whether records of the shape may have a value of the field that is not of their kind and the shape's priority.
bool has_capture(const BlockLayout& layout, const ReadShape& shape, std::string_view name) {
  if (shape.meta.flags != 0) return true;  // a part of a message has the host of the first, say
  const auto slots = layout.slots.begin() + shape.slots_at;
  return std::any_of(slots, slots + shape.slots, [&](auto& slot) { return slot.field && slot.field->name == name; });
}

// The reason why a section does not inflate tells more than what was missed of it.
template <class T>
Result<T> or_why(Result<T> read, const SectionReader& sections) {
  if (read || !sections.failure()) return read;
  return tl::unexpected<Error>(*sections.failure());
}

}  // namespace

Result<DecodedBlock> read_block(std::string_view bytes) {
  auto sections = YUSHI_TRY(SectionReader::open(bytes));
  auto layout = YUSHI_TRY(BlockLayout::read(sections));
  auto batch = YUSHI_TRY(BlockDecoder(layout, sections).read_records());
  return DecodedBlock{layout->head, std::move(batch)};
}

struct BlockReader::Open {
  explicit Open(std::string of) : bytes(std::move(of)) {}
  const std::string bytes;
  SectionReader sections;
  std::shared_ptr<const BlockLayout> layout;
};

BlockReader::BlockReader(std::string bytes) : open_(std::make_unique<Open>(std::move(bytes))) {}
BlockReader::~BlockReader() = default;

Result<std::unique_ptr<BlockReader>> BlockReader::open(std::string bytes) {
  std::unique_ptr<BlockReader> out(new BlockReader(std::move(bytes)));
  auto& open = *out->open_;
  open.sections = YUSHI_TRY(SectionReader::open(open.bytes, /*lazily=*/true));
  open.layout = YUSHI_TRY(BlockLayout::read(open.sections));
  return out;
}

uint32_t BlockReader::records() const { return open_->layout->counts.records; }
uint64_t BlockReader::first_index() const { return open_->layout->counts.first_index; }

std::vector<std::string> BlockReader::field_names() const {
  std::vector<std::string> names;
  for (const Field* field : open_->layout->fields) names.emplace_back(field->name);
  return names;
}

Result<BlockRows> BlockReader::read_rows(const std::vector<std::string>& names, bool with_times,
                                         const std::vector<uint32_t>* places) {
  return or_why(BlockDecoder(open_->layout, open_->sections, places).read_rows(names, with_times), open_->sections);
}

Result<std::vector<uint32_t>> BlockReader::find_places(const std::function<bool(const RecordForm& form)>& may) {
  auto& layout = *open_->layout;
  ShapeLiterals literals(layout, open_->sections);
  std::vector<bool> may_match;  // by rank
  if (layout.has_explicit) may_match.push_back(true);
  for (auto& shape : layout.shapes) {
    const auto text = message_text(layout, shape);
    Record said;
    said.kind = shape.kind;
    said.priority = shape.meta.priority;
    may_match.push_back(may({
        [&](std::string_view literal, bool folds, bool in_message) {
          if (!layout.is_utf8 || (in_message && text == MessageText::nowhere)) return true;
          return literals.may_hold(shape, literal, folds, in_message && text == MessageText::in_message);
        },
        &said,
        [&](std::string_view name) { return has_capture(layout, shape, name); },
    }));
  }
  if (literals.failure()) return tl::unexpected<Error>(*literals.failure());
  open_->sections.go_to(layout.ranks_at);
  RankReader ranks;
  auto bad = [] { return damaged_block("its shapes are damaged"); };
  if (!RankReader::open(open_->sections, layout.counts.records, &ranks)) return bad();
  std::vector<uint32_t> places;
  for (uint32_t i = 0; i < layout.counts.records; ++i) {
    uint32_t rank;
    if (!ranks.next(&rank) || rank >= may_match.size()) return bad();
    if (may_match[rank]) places.push_back(i);
  }
  return places;
}

Result<std::unique_ptr<Batch>> BlockReader::read_records(const std::vector<uint32_t>& places) {
  return or_why(BlockDecoder(open_->layout, open_->sections, &places).read_records(), open_->sections);
}

}  // namespace yushi::storage
