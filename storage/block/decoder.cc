#include "storage/block/decoder.h"

#include <algorithm>
#include <cstring>

namespace yushi::storage {
namespace {

constexpr size_t kPairsMax = 8;  // that are numbered for each record, at most

Capture capture_of(const ReadSlot& slot, ptrdiff_t begin, size_t length) {
  return {static_cast<uint32_t>(begin), static_cast<uint32_t>(length) & 0xffffff, static_cast<uint8_t>(slot.escape),
          slot.field};
}

}  // namespace

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
  if (by_origin_) number = pairs_.number(number, run_, static_cast<uint32_t>(layout_->runs.size() + 1));
  if (codes_.size() < reading.part) codes_.resize(reading.part);
  for (auto take = takes_.data() + reading.takes_at, end = take + reading.takes; take != end; ++take) {
    auto& column = *take->column;
    if (!take->wanted) {
      ++column.own_passed;
      continue;
    }
    auto& code = codes_[take->slot - reading.part_at];
    if (!column.catch_up() || !column.values.next_code(&code)) return false;
    number = pairs_.number(number, code, column.values.codes());
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

}  // namespace yushi::storage
