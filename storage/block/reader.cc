#include <algorithm>
#include <map>

#include "storage/block/block.h"
#include "storage/block/column.h"
#include "storage/block/shape.h"

namespace yushi::storage {
namespace {

tl::unexpected<Error> damaged(const std::string& what) {
  return fail(Code::corrupt, "reading a block: " + what + "; `yushi repair` brings it back from a copy");
}

constexpr size_t kFieldsMax = 1 << 20;
constexpr size_t kKindsMax = 1 << 16;

struct Column {
  bool is_time = false;
  int64_t scale = 0;
  ColumnReader values;
  IntegerReader times;
};

// A shape as it is read: what ShapeSlot and ShapeMeta say, with pointers in place of numbers.
struct ReadSlot {
  SlotKind kind;
  Escape escape;
  uint32_t fixed;
  uint32_t fixed_capture;  // its length
  uint32_t column;
  uint32_t format;
  const Field* field;  // of a capture, as the next
  bool wanted;
  const char* text;  // of a fixed_capture
};

// Whose value stands in a column.
bool has_column(const ReadSlot& slot) {
  return slot.kind != SlotKind::fixed_capture && slot.kind != SlotKind::time_same;
}

Capture capture_of(const ReadSlot& slot, ptrdiff_t begin, size_t length) {
  return {static_cast<uint32_t>(begin), static_cast<uint32_t>(length) & 0xffffff, static_cast<uint8_t>(slot.escape),
          slot.field};
}

struct ReadShape {
  ShapeMeta meta;
  const MessageKind* kind = nullptr;
  const char* fixed = nullptr;  // of all slots and the rest, in order
  uint32_t rest = 0;            // bytes behind the last slot
  uint32_t slots_at = 0, slots = 0;
  uint32_t captures = 0;
  // Of a record that is read in part: in part_slots_; how many are wanted, and how many stand before the message.
  bool in_part = false;
  uint32_t part_at = 0, part = 0, part_wanted = 0, part_before_message = 0;
  bool part_is_behind_text = false;  // the first of the message's that is wanted
};

struct Run {
  uint64_t length;
  const Origin* origin;
  uint64_t seq;
  Charset charset;  // of the tenant, then
};

class BlockDecoder {
 public:
  // `wanted`: of which fields captures are wanted; none: the whole records. `places`: which records; none: all.
  explicit BlockDecoder(SectionReader sections, const std::vector<std::string>* wanted = nullptr,
                        const std::vector<uint32_t>* places = nullptr)
      : sections_(std::move(sections)), counts_(sections_.counts()), wanted_(wanted), places_(places) {}
  Result<DecodedBlock> decode();
  Result<std::vector<std::string>> field_names();

 private:
  Result<void> read_structure();
  bool read_contexts();
  Result<void> read_shapes();
  Result<void> read_origins();
  Result<void> read_columns();
  Result<void> read_records();
  bool pass(const ReadShape& shape);
  bool read_record(Record& record, const ReadShape* shape, Charset charset, char*& out);
  bool read_explicit(Record& record, char*& out);
  bool read_whole(Record& record, const ReadShape& shape, char*& out);
  bool read_part(Record& record, const ReadShape& shape, char*& out);
  size_t read_slot(const ReadSlot& slot, int64_t event_ns, char* out, size_t room);
  void choose_parts();
  bool find_text_before_part(ReadShape& shape) const;
  bool read_part_head(Record& record);

  SectionReader sections_;
  BlockCounts counts_;
  Reader in_{std::string_view()};
  DecodedBlock block_;
  struct Kept {
    std::vector<MessageKind> kinds;
  };
  std::shared_ptr<Kept> kept_ = std::make_shared<Kept>();
  bool explicit_ = false;
  std::vector<const Field*> fields_;
  std::vector<TimeWriter> writers_;
  std::vector<ReadShape> shapes_;
  std::vector<ReadSlot> slots_;
  RankReader ranks_;
  std::vector<Run> runs_;
  IntegerReader times_[kUnitReceived];
  Reader odd_{std::string_view()};
  std::vector<Column> columns_;
  const std::vector<std::string>* wanted_;
  const std::vector<uint32_t>* const places_;
  std::vector<bool> is_wanted_;       // by field
  std::vector<ReadSlot> part_slots_;  // of shapes that are read in part
  std::vector<bool> columns_needed_;  // empty: all
  Capture* captures_ = nullptr;
  uint64_t captures_used_ = 0;
  char* end_ = nullptr;
};

// How the records were understood, and where among them that changes.
bool BlockDecoder::read_contexts() {
  auto& parsed = block_.context.parsed;
  auto contexts = in_.varint();
  if (!in_.ok() || contexts == 0 || contexts > kParseContextsMax) return false;
  for (uint64_t i = 0; i < contexts; ++i) {
    ParseContext context;
    context.parser_digest = in_.text();
    context.timezone = in_.text();
    context.charset = in_.text();
    auto engine = in_.varint();
    if (!in_.ok() || engine > UINT32_MAX) return false;
    context.engine = static_cast<uint32_t>(engine);
    parsed.contexts.push_back(std::move(context));
  }
  auto changes = in_.varint();
  if (!in_.ok() || changes > counts_.records || changes > in_.left()) return false;
  uint64_t record = 0;
  uint32_t now = 0;
  for (uint64_t i = 0; i < changes; ++i) {
    auto distance = in_.varint();
    auto context = in_.varint();
    if (!in_.ok() || distance == 0 || distance >= counts_.records - record || context >= contexts || context == now)
      return false;
    record += distance;
    now = static_cast<uint32_t>(context);
    parsed.changes.push_back({static_cast<uint32_t>(record), now});
  }
  return true;
}

Result<void> BlockDecoder::read_structure() {
  block_.context.log = in_.text();
  block_.context.node = in_.text();
  if (!read_contexts()) return damaged("how its messages were understood is damaged");
  // Whether raw is in the charset or not is told by all of it.
  for (auto& context : block_.context.parsed.contexts)
    if (context.charset != charset_name(Charset::utf8)) wanted_ = nullptr;
  explicit_ = in_.varint() != 0;
  auto& arena = block_.batch->arena;
  auto fields = in_.varint();
  if (!in_.ok() || fields > kFieldsMax || fields > in_.left()) return damaged("the count of its fields cannot be");
  fields_.reserve(fields);
  for (uint64_t i = 0; i < fields; ++i) {
    auto name = in_.text();
    auto form = in_.byte();
    auto type = form >> 2;
    if (!in_.ok() || type > static_cast<int>(FieldType::date)) return damaged("its fields are damaged");
    auto field_type = static_cast<FieldType>(type);
    bool list = (form & 2) != 0;
    const Field* field = nullptr;
    if (form & 1) {
      if (auto declared = declare_field(name, field_type, list)) field = *declared;
      // A record's fields are those that it had at commit, whatever today's table of ECS says.
      if (field != nullptr && (field->type != field_type || field->list != list)) field = nullptr;
    }
    if (field == nullptr) field = arena.make(Field{arena.copy(name), field_type, kDynamicField, list});
    fields_.push_back(field);
    is_wanted_.push_back(wanted_ && std::find(wanted_->begin(), wanted_->end(), name) != wanted_->end());
  }
  auto kinds = in_.varint();
  if (!in_.ok() || kinds > kKindsMax || kinds > in_.left())
    return damaged("the count of its parsers' patterns cannot be");
  kept_->kinds.resize(kinds);
  for (auto& kind : kept_->kinds) {
    kind.parser = in_.text();
    kind.pattern = in_.text();
    kind.dataset = in_.text();
    auto constants = in_.varint();
    if (!in_.ok() || constants > in_.left()) return damaged("its parsers' patterns are damaged");
    for (uint64_t i = 0; i < constants; ++i) {
      auto field = in_.varint();
      if (field >= fields_.size()) return damaged("its parsers' patterns name a field that is not there");
      kind.constants.push_back({fields_[field], std::string(in_.text())});
    }
  }
  auto formats = in_.varint();
  if (!in_.ok() || formats > kTimeFormatsMax) return damaged("its formats of times are damaged");
  for (uint64_t i = 0; i < formats; ++i) {
    TimeFormat format;
    format.form = static_cast<TimeForm>(in_.byte());
    format.digits = in_.byte();
    format.style = in_.byte();
    auto zone = in_.signed_varint();
    if (!in_.ok() || format.form > TimeForm::other || format.digits > 9 || zone < INT16_MIN || zone > INT16_MAX)
      return damaged("its formats of times are damaged");
    format.zone_minutes = static_cast<int16_t>(zone);
    writers_.emplace_back(format);
  }
  return {};
}

Result<void> BlockDecoder::read_shapes() {
  auto bad = [] { return damaged("its shapes are damaged"); };
  auto shapes = in_.varint();
  Reader numbers(sections_.next());
  auto text = sections_.next();
  if (!in_.ok() || shapes > kDictionaryMax || shapes > numbers.left()) return bad();
  shapes_.resize(shapes);
  for (auto& shape : shapes_) {
    auto& meta = shape.meta;
    meta.flags = numbers.byte();
    meta.digits = numbers.byte();
    meta.inferred = numbers.byte();
    meta.marks = numbers.byte();
    meta.unit = numbers.byte();
    auto kind = numbers.varint();
    auto priority = numbers.varint();
    auto message_slot = numbers.varint();
    auto message_fixed = numbers.varint();
    auto tail = numbers.varint();
    auto slots = numbers.varint();
    if (!numbers.ok() || (meta.flags & kShapeExplicit) || meta.unit >= kTimeUnits || kind > kept_->kinds.size() ||
        priority > 0xffff || message_slot > slots || message_fixed > text.size() || slots > numbers.left() ||
        tail > kBlockRawBytesMax)
      return bad();
    shape.kind = kind == 0 ? nullptr : &kept_->kinds[kind - 1];
    meta.priority = priority == 0 ? Record::kNoPriority : static_cast<uint16_t>(priority - 1);
    meta.message_slot = static_cast<uint32_t>(message_slot);
    meta.message_fixed = static_cast<uint32_t>(message_fixed);
    meta.tail = static_cast<uint32_t>(tail);
    shape.fixed = text.data();
    shape.slots_at = static_cast<uint32_t>(slots_.size());
    shape.slots = static_cast<uint32_t>(slots);
    uint32_t in_slot_text = 0;  // the fixed text between message_slot and the next one must reach as far as said
    for (uint64_t i = 0; i < slots; ++i) {
      ReadSlot slot{};
      auto form = numbers.byte();
      const int kind_of_slot = form >> 2 & 31;
      if (kind_of_slot > static_cast<int>(SlotKind::time)) return bad();
      slot.kind = static_cast<SlotKind>(kind_of_slot);
      slot.escape = static_cast<Escape>((form & 3) | (form >> 5 & 4));
      auto fixed = numbers.varint();
      if (fixed > text.size()) return bad();
      text.remove_prefix(fixed);
      slot.fixed = static_cast<uint32_t>(fixed);
      if (i == message_slot) in_slot_text = slot.fixed;
      if (slot.kind != SlotKind::generic) {
        auto field = numbers.varint();
        if (field >= fields_.size()) return bad();
        slot.field = fields_[field];
        slot.wanted = is_wanted_[field];
        ++shape.captures;
      }
      if (slot.kind == SlotKind::fixed_capture) {
        auto length = numbers.varint();
        if (length > text.size()) return bad();
        slot.text = text.data();
        text.remove_prefix(length);
        slot.fixed_capture = static_cast<uint32_t>(length);
      } else if (slot.kind == SlotKind::time || slot.kind == SlotKind::time_same) {
        auto format = numbers.varint();
        if (format >= writers_.size()) return bad();
        slot.format = static_cast<uint32_t>(format);
      }
      if (has_column(slot)) {
        auto column = numbers.varint();
        if (column >= in_.left()) return bad();       // each has bytes there
        slot.column = static_cast<uint32_t>(column);  // checked when the columns are there
      }
      slots_.push_back(slot);
    }
    auto rest = numbers.varint();
    if (!numbers.ok() || rest > text.size()) return bad();
    text.remove_prefix(rest);
    shape.rest = static_cast<uint32_t>(rest);
    if (message_slot == slots) in_slot_text = shape.rest;
    if (message_fixed > in_slot_text) return bad();
  }
  if (numbers.left() != 0 || !text.empty()) return bad();
  if (wanted_) choose_parts();
  if (!RankReader::open(sections_, counts_.records, &ranks_)) return bad();
  return {};
}

// What is read of the records of each shape. A column that one of them needs gives its values in order: so those that
// share it take theirs too, and drop them.
void BlockDecoder::choose_parts() {
  for (auto& shape : shapes_) {
    // Where the message stands in an odd one cannot be said without the rest of raw.
    shape.in_part = (shape.meta.flags & kShapeOddMessage) == 0 && find_text_before_part(shape);
    for (uint32_t i = shape.slots_at; i < shape.slots_at + shape.slots; ++i) {
      auto& slot = slots_[i];
      if (!has_column(slot) || (shape.in_part && !slot.wanted)) continue;
      if (columns_needed_.size() <= slot.column) columns_needed_.resize(slot.column + 1);
      columns_needed_[slot.column] = true;
    }
  }
  for (auto& shape : shapes_) {
    shape.part_at = static_cast<uint32_t>(part_slots_.size());
    for (uint32_t i = 0; shape.in_part && i < shape.slots; ++i) {
      auto& slot = slots_[shape.slots_at + i];
      const bool takes = has_column(slot) && slot.column < columns_needed_.size() && columns_needed_[slot.column];
      if (!slot.wanted && !takes) continue;
      part_slots_.push_back(slot);
      ++shape.part;
      shape.part_wanted += slot.wanted;
      if (i < shape.meta.message_slot) ++shape.part_before_message;
    }
  }
}

// A capture that is empty where the message begins is of the header, one behind any text is not. False: that is told by
// values only.
bool BlockDecoder::find_text_before_part(ReadShape& shape) const {
  for (uint32_t i = shape.meta.message_slot; i < shape.slots; ++i) {
    auto& slot = slots_[shape.slots_at + i];
    shape.part_is_behind_text = slot.fixed > (i == shape.meta.message_slot ? shape.meta.message_fixed : 0);
    if (shape.part_is_behind_text) return true;
    if (slot.wanted) return i == shape.meta.message_slot;
  }
  return true;
}

Result<void> BlockDecoder::read_origins() {
  auto bad = [] { return damaged("its origins are damaged"); };
  auto& arena = block_.batch->arena;
  auto log = arena.copy(block_.context.log);
  auto node = arena.copy(block_.context.node);
  auto count = in_.varint();
  if (!in_.ok() || count > counts_.records || count > in_.left()) return bad();
  struct Sender {
    Origin origin;
    uint64_t* next_seq;
  };
  std::vector<Sender> senders;
  std::map<std::string_view, uint64_t> next_seq;
  for (uint64_t i = 0; i < count; ++i) {
    Sender sender{};
    sender.origin.source = arena.copy(in_.text());
    sender.origin.address = arena.copy(in_.text());
    auto transport = in_.byte();
    if (!in_.ok() || transport > static_cast<uint8_t>(Transport::internal)) return bad();
    sender.origin.transport = static_cast<Transport>(transport);
    sender.origin.log = log;
    sender.origin.node = node;
    sender.next_seq = &next_seq.try_emplace(sender.origin.source, 0).first->second;
    senders.push_back(sender);
  }
  IntegerReader lengths, received, commits, sender_of, seqs;
  for (auto reader : {&lengths, &received, &commits, &sender_of, &seqs})
    if (!IntegerReader::open(in_, sections_, reader)) return bad();
  if (lengths.count() > counts_.records) return bad();
  uint64_t total = 0, length;
  auto& parsed = block_.context.parsed;
  auto change = parsed.changes.begin();
  std::vector<Charset> charsets;
  for (auto& context : parsed.contexts) {
    auto charset = find_charset(context.charset);
    if (!charset) return damaged("the charset `" + context.charset + "` is none that this version knows");
    charsets.push_back(*charset);
  }
  uint32_t context = 0;
  runs_.reserve(lengths.count() + parsed.changes.size());
  while (lengths.next(&length)) {
    uint64_t ns, commit, sender, seq;
    if (length == 0 || length > counts_.records - total || !received.next(&ns) || !commits.next(&commit) ||
        !sender_of.next(&sender) || sender >= senders.size() || !seqs.next(&seq))
      return bad();
    auto origin = senders[sender].origin;
    origin.received_ns = static_cast<int64_t>(ns);
    origin.commit = commit;
    auto& next = *senders[sender].next_seq;
    next += static_cast<uint64_t>(unzigzag(seq));
    // A run that goes on over a change is two: their texts may be of two charsets.
    while (length > 0) {
      if (change != parsed.changes.end() && change->record == total) context = change++->context;
      auto here = change == parsed.changes.end() ? length : std::min<uint64_t>(length, change->record - total);
      runs_.push_back({here, arena.make(origin), next, charsets[context]});
      next += here;
      total += here;
      length -= here;
    }
  }
  if (total != counts_.records) return bad();
  for (auto& times : times_)
    if (!IntegerReader::open(in_, sections_, &times)) return damaged("its times are damaged");
  odd_ = Reader(sections_.next());
  return {};
}

Result<void> BlockDecoder::read_columns() {
  auto count = in_.varint();
  if (!in_.ok() || count > in_.left()) return damaged("the count of its columns cannot be");
  columns_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    auto& column = columns_[i];
    auto values = in_.varint();
    auto scale = in_.varint();
    bool good = in_.ok() && scale <= 1'000'000'000'000 && values <= kBlockInflatedMax;
    column.is_time = scale != 0;
    column.scale = static_cast<int64_t>(scale);
    const bool needed = !wanted_ || (i < columns_needed_.size() && columns_needed_[i]) || (explicit_ && i + 1 == count);
    if (good && !needed)
      good = column.is_time ? IntegerReader::skip(in_, sections_) : ColumnReader::skip(in_, sections_);
    else if (good && column.is_time)
      good = IntegerReader::open(in_, sections_, &column.times);
    else if (good)
      good = ColumnReader::open(in_, sections_, values, counts_.raw_bytes + 1, &column.values);
    if (!good) return damaged("its column " + std::to_string(i) + " is damaged");
  }
  if (in_.left() != 0 || sections_.streams_left() != 1) return damaged("it holds more than its columns");
  for (auto& slot : slots_) {
    if (!has_column(slot)) continue;
    if (slot.column >= columns_.size() || columns_[slot.column].is_time != (slot.kind == SlotKind::time))
      return damaged("a shape names a column that is not there");
  }
  if (explicit_ && (columns_.empty() || columns_.back().is_time))
    return damaged("its messages without a shape are not there");
  return {};
}

// A message that has no shape: all of raw is one value, all else stands in the stream of odd things.
bool BlockDecoder::read_explicit(Record& record, char*& out) {
  auto length = columns_.back().values.next(out, static_cast<size_t>(end_ - out));
  if (length == ColumnReader::kDamaged) return false;
  record.raw = {out, length};
  out += length;
  uint64_t ns;
  if (!times_[kUnitNano].next(&ns)) return false;
  record.event_ns = static_cast<int64_t>(ns);
  auto kind = odd_.varint();
  if (kind > kept_->kinds.size()) return false;
  record.kind = kind == 0 ? nullptr : &kept_->kinds[kind - 1];
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
    if (!odd_.ok() || gap > length - pos || bytes > length - pos - gap || bytes >= 1 << 24 || field >= fields_.size() ||
        escape > static_cast<uint8_t>(kEscapeLast))
      return false;
    pos += gap;
    to[c].begin = static_cast<uint32_t>(pos);
    to[c].length = static_cast<uint32_t>(bytes) & 0xffffff;
    to[c].escape = escape;
    to[c].field = fields_[field];
    pos += bytes;
  }
  record.captures = {to, captures};
  captures_used_ += captures;
  return true;
}

// Writes the value of a slot that has one at `out`; more than `room`: it is damaged.
size_t BlockDecoder::read_slot(const ReadSlot& slot, int64_t event_ns, char* out, size_t room) {
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
  auto capture = captures_ + captures_used_;
  captures_used_ += shape.captures;
  record.captures = {capture, shape.captures};
  char* begin = out;
  char* message = begin;
  const char* fixed = shape.fixed;
  auto slot = slots_.data() + shape.slots_at;
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
// behind that, so that they are told from each other as in the whole record.
bool BlockDecoder::read_part(Record& record, const ReadShape& shape, char*& out) {
  auto capture = captures_ + captures_used_;
  captures_used_ += shape.part_wanted;
  record.captures = {capture, shape.part_wanted};
  char* begin = out;
  auto slot = part_slots_.data() + shape.part_at;
  for (uint32_t k = 0; k < shape.part; ++k, ++slot) {
    if (k == shape.part_before_message) {
      record.message_begin = static_cast<uint32_t>(out - begin);
      if (shape.part_is_behind_text) {
        if (out == end_) return false;
        *out++ = ' ';
      }
    }
    const auto room = static_cast<size_t>(end_ - out);
    const size_t length = read_slot(*slot, record.event_ns, out, room);
    if (length > room || length >= 1 << 24) return false;
    if (!slot->wanted) continue;
    *capture++ = capture_of(*slot, out - begin, length);
    out += length;
  }
  if (shape.part == shape.part_before_message) record.message_begin = static_cast<uint32_t>(out - begin);
  record.raw = {begin, static_cast<size_t>(out - begin)};
  return true;
}

// Moves on over a record of this shape, which has nothing in the stream of odd things.
bool BlockDecoder::pass(const ReadShape& shape) {
  uint64_t unused;
  if (shape.meta.unit != kUnitReceived && !times_[shape.meta.unit].next(&unused)) return false;
  for (auto slot = slots_.data() + shape.slots_at, end = slot + shape.slots; slot != end; ++slot) {
    if (!has_column(*slot)) continue;
    auto& column = columns_[slot->column];
    if (!(column.is_time ? column.times.next(&unused) : column.values.pass())) return false;
  }
  return true;
}

// All that the record has but what it shares with its neighbours. `shape`: nullptr when it has none.
bool BlockDecoder::read_record(Record& record, const ReadShape* shape, Charset charset, char*& out) {
  uint8_t flags = kShapeHasPart | kShapeOddMessage | kShapeOddPriority;
  if (!shape) {
    if (!read_explicit(record, out)) return false;
  } else {
    auto& meta = shape->meta;
    flags = meta.flags;
    record.kind = shape->kind;
    record.event_digits = meta.digits;
    record.time_inferred = meta.inferred;
    record.marks = meta.marks;
    record.priority = meta.priority;
    if (meta.unit == kUnitReceived) {
      record.event_ns = record.origin->received_ns;
    } else {
      uint64_t value;
      if (!times_[meta.unit].next(&value)) return false;
      record.event_ns = static_cast<int64_t>(value * static_cast<uint64_t>(kUnitNs[meta.unit]));
    }
    if (shape->captures > counts_.captures - captures_used_) return false;
    if (!(shape->in_part ? read_part(record, *shape, out) : read_whole(record, *shape, out))) return false;
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

Result<void> BlockDecoder::read_records() {
  auto& batch = *block_.batch;
  auto bad = [](size_t i) { return damaged("its record " + std::to_string(i) + " cannot be rebuilt"); };
  batch.buffers.emplace_back(new char[counts_.raw_bytes + kValueSlack]);
  char* out = batch.buffers.back().get();
  end_ = out + counts_.raw_bytes;
  captures_ = reinterpret_cast<Capture*>(batch.arena.allocate(counts_.captures * sizeof(Capture), alignof(Capture)));
  batch.records.resize(places_ ? places_->size() : counts_.records);
  Record dropped;
  size_t run = 0, next = 0;
  uint64_t in_run = 0;
  for (size_t i = 0; i < counts_.records; ++i, ++in_run) {
    if (in_run == runs_[run].length) {
      ++run;
      in_run = 0;
    }
    uint32_t rank;
    if (!ranks_.next(&rank)) return bad(i);
    const ReadShape* shape = nullptr;
    if (!explicit_ || rank != 0) {
      if (rank - explicit_ >= shapes_.size()) return bad(i);
      shape = &shapes_[rank - explicit_];
    }
    const bool is_wanted = !places_ || (next < places_->size() && (*places_)[next] == i);
    if (!is_wanted && shape && shape->meta.flags == 0) {
      if (!pass(*shape)) return bad(i);
      continue;
    }
    auto& record = is_wanted ? batch.records[next++] : dropped = {};
    record.origin = runs_[run].origin;
    record.source_seq = runs_[run].seq + in_run;
    record.index = counts_.first_index + i;
    char* const begin = out;
    const auto captures_before = captures_used_;
    if (!read_record(record, shape, runs_[run].charset, out)) return bad(i);
    if (!is_wanted) {
      out = begin;
      captures_used_ = captures_before;
    }
  }
  const bool is_whole = !wanted_ && !places_;
  if ((is_whole && (out != end_ || captures_used_ != counts_.captures)) || odd_.left() != 0)
    return damaged("its records do not fill what the header promises");
  if (places_ && next != places_->size()) return fail(Code::invalid, "reading a block: it has no record of this place");
  batch.bytes = counts_.raw_bytes;
  return {};
}

// The rest of it stands in the record's own time and priority.
bool BlockDecoder::read_part_head(Record& record) {
  auto& arena = block_.batch->arena;
  PartHead head;
  head.first_seq = record.source_seq - odd_.varint();
  for (auto* text : {&head.host, &head.program, &head.pid}) *text = arena.copy(odd_.text());
  head.event_ns = record.event_ns;
  head.event_digits = record.event_digits;
  head.time_inferred = record.time_inferred;
  record.part_head = arena.make(head);
  return odd_.ok();
}

Result<DecodedBlock> BlockDecoder::decode() {
  block_.batch = std::make_unique<Batch>();
  in_ = Reader(sections_.last());
  for (auto step : {&BlockDecoder::read_structure, &BlockDecoder::read_shapes, &BlockDecoder::read_origins,
                    &BlockDecoder::read_columns, &BlockDecoder::read_records}) {
    auto done = (this->*step)();
    if (!done) return tl::unexpected<Error>(sections_.failure().value_or(done.error()));
  }
  block_.batch->keep.push_back(kept_);
  return std::move(block_);
}

Result<std::vector<std::string>> BlockDecoder::field_names() {
  block_.batch = std::make_unique<Batch>();
  in_ = Reader(sections_.last());
  if (auto read = read_structure(); !read) return tl::unexpected<Error>(sections_.failure().value_or(read.error()));
  std::vector<std::string> names;
  for (const Field* field : fields_) names.emplace_back(field->name);
  return names;
}

}  // namespace

Result<std::vector<std::string>> read_block_field_names(std::string_view bytes) {
  auto sections = SectionReader::open(bytes, /*lazily=*/true);
  if (!sections) return tl::unexpected<Error>(sections.error());
  return BlockDecoder(std::move(*sections)).field_names();
}

Result<DecodedBlock> read_block(std::string_view bytes) {
  auto sections = SectionReader::open(bytes);
  if (!sections) return tl::unexpected<Error>(sections.error());
  return BlockDecoder(std::move(*sections)).decode();
}

Result<DecodedBlock> read_block_fields(std::string_view bytes, const std::vector<std::string>& names) {
  auto sections = SectionReader::open(bytes, /*lazily=*/true);
  if (!sections) return tl::unexpected<Error>(sections.error());
  return BlockDecoder(std::move(*sections), &names).decode();
}

Result<DecodedBlock> read_block_records(std::string_view bytes, const std::vector<uint32_t>& places) {
  auto sections = SectionReader::open(bytes);
  if (!sections) return tl::unexpected<Error>(sections.error());
  return BlockDecoder(std::move(*sections), nullptr, &places).decode();
}

}  // namespace yushi::storage
