#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_map>

#include "core/base/assert.h"
#include "storage/block.h"
#include "storage/block_shape.h"
#include "storage/block_tokens.h"

namespace yushi {
namespace {

constexpr int kZstdLevel = 1;
constexpr size_t kEventTimesMax = 8;
constexpr uint32_t kSmallColumn = 64;  // generic columns of fewer values share one

// Cuts the sorted times at the widest gaps.
std::vector<TimeRange> cut_times(std::vector<int64_t> times) {
  if (times.empty()) return {};
  std::sort(times.begin(), times.end());
  std::vector<std::pair<uint64_t, size_t>> gaps;  // width, position of the time behind it
  for (size_t i = 1; i < times.size(); ++i) {
    auto width = static_cast<uint64_t>(times[i]) - static_cast<uint64_t>(times[i - 1]);
    if (width <= 1) continue;
    if (gaps.size() < kEventTimesMax - 1) {
      gaps.emplace_back(width, i);
      std::push_heap(gaps.begin(), gaps.end(), std::greater<>());
    } else if (width > gaps.front().first) {
      std::pop_heap(gaps.begin(), gaps.end(), std::greater<>());
      gaps.back() = {width, i};
      std::push_heap(gaps.begin(), gaps.end(), std::greater<>());
    }
  }
  std::sort(gaps.begin(), gaps.end(), [](auto& a, auto& b) { return a.second < b.second; });
  std::vector<TimeRange> ranges;
  size_t begin = 0;
  for (auto& gap : gaps) {
    ranges.push_back({times[begin], times[gap.second - 1]});
    begin = gap.second;
  }
  ranges.push_back({times[begin], times.back()});
  return ranges;
}

bool same_kind(const MessageKind& a, const MessageKind& b) {
  return a.pattern == b.pattern && a.parser == b.parser && a.dataset == b.dataset &&
         std::equal(a.constants.begin(), a.constants.end(), b.constants.begin(), b.constants.end(),
                    [](auto& x, auto& y) { return x.field == y.field && x.value == y.value; });
}

class BlockBuilder {
 public:
  BlockBuilder(const BlockContext& context, const std::vector<const Record*>& records)
      : context_(context), records_(records), sections_(kZstdLevel), columns_(sections_), splitter_(shapes_, fields_) {}

  SealedBlock build();

 private:
  struct SourceSeq {
    uint64_t next = 0;
  };

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

  const BlockContext& context_;
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

  std::vector<uint32_t> shape_of_;      // of each record: its shape
  std::vector<uint32_t> values_at_;     // of each record: its first value in values_
  std::vector<ValueRef> values_;
  bool explicit_ = false;               // rank 0 is the explicit shape
  uint32_t whole_shape_ = UINT32_MAX;   // of no record: what is written explicitly whatever its shape
  std::vector<uint32_t> shape_by_rank_; // without the explicit one
  std::vector<uint16_t> rank_of_shape_;

  // A column of values; those of times hold differences.
  struct Column {
    enum class Kind : uint8_t { generic, capture, time, small, whole } kind;
    uint32_t field = 0;
    bool escaped = false;
    uint32_t escape = 0;
    uint32_t count = 0;
    size_t at = 0;     // in grouped_
    size_t bytes = 0;  // of its values together
  };
  std::vector<Column> column_list_;
  std::vector<uint32_t> column_of_slot_;  // of each value of each shape, from column_at_[shape]
  std::vector<uint32_t> column_at_;
  std::vector<ValueRef> grouped_;         // the values by column
  std::unique_ptr<char[]> bytes_;         // their bytes, side by side: read many times over
};

uint32_t BlockBuilder::kind_number(const MessageKind* kind) {
  if (kind == nullptr) return 0;
  if (kind == last_kind_) return last_kind_number_;
  auto [found, is_new] = kind_numbers_.try_emplace(kind, 0);
  if (is_new) {
    // Of two versions of the parsers most patterns say the same: their messages share shapes.
    auto same = kinds_.end();
    if (context_.parsed.contexts.size() > 1)
      same = std::find_if(kinds_.begin(), kinds_.end(), [&](auto known) { return same_kind(*known, *kind); });
    found->second = static_cast<uint32_t>(same - kinds_.begin() + 1);
    if (same == kinds_.end()) kinds_.push_back(kind);
  }
  last_kind_ = kind;
  return last_kind_number_ = found->second;
}

void BlockBuilder::count() {
  size_t total = 0;
  for (auto record : records_) {
    total += record->raw.size();
    captures_ += record->captures.size();
  }
  YUSHI_ASSERT(records_.size() <= kBlockRecordsMax && total <= kBlockRawBytesMax && captures_ <= kBlockCapturesMax,
               "a block of %zu records, %zu bytes, %zu captures", records_.size(), total,
               static_cast<size_t>(captures_));
  summary_.raw_bytes = total;
}

void BlockBuilder::cut() {
  shape_of_.resize(records_.size());
  values_at_.resize(records_.size());
  values_.reserve(records_.size() * 16);
  auto one = [&](size_t i, Splitter::How how) {
    auto& record = *records_[i];
    shape_of_[i] = splitter_.split(record, kind_number(record.kind), how);
    values_at_[i] = static_cast<uint32_t>(values_.size());
    auto& values = splitter_.values();
    values_.insert(values_.end(), values.begin(), values.end());
  };
  for (size_t i = 0; i < records_.size(); ++i) {
    one(i, Splitter::How::fine);
    tokens_.message(*records_[i]);
    if (auto& record = *records_[i]; record.charset != Charset::utf8 && !decodes_wholly(record.charset, record.raw))
      keep_whole(i);
  }
  if (records_.size() < 2) return;
  // What only one message has in common with itself is no shape: its message becomes text.
  auto fine_shapes = shapes_.shapes().size();
  for (size_t i = 0; i < records_.size(); ++i) {
    auto shape = shape_of_[i];
    if (shape >= fine_shapes || shape == whole_shape_ || shapes_.shapes()[shape].count > 1) continue;
    shapes_.shapes()[shape].count = 0;
    one(i, Splitter::How::coarse);
  }
}

// A message that decodes lossily stays in one piece; the splitter has numbered its fields.
void BlockBuilder::keep_whole(size_t record) {
  if (whole_shape_ == UINT32_MAX) {
    ShapeMeta meta;
    meta.flags = kShapeExplicit;
    whole_shape_ = shapes_.number(meta, {}, {}, 0);
    shapes_.shapes()[whole_shape_].count = 0;
    explicit_ = true;
  }
  --shapes_.shapes()[shape_of_[record]].count;
  shape_of_[record] = whole_shape_;
}

// Frequent shapes get small numbers. The rarest, when there are too many, are written out explicitly.
void BlockBuilder::rank_shapes() {
  auto& shapes = shapes_.shapes();
  for (uint32_t s = 0; s < shapes.size(); ++s)
    if (shapes[s].count > 0) shape_by_rank_.push_back(s);
  std::stable_sort(shape_by_rank_.begin(), shape_by_rank_.end(),
                   [&](uint32_t a, uint32_t b) { return shapes[a].count > shapes[b].count; });
  rank_of_shape_.resize(shapes.size());
  explicit_ |= shape_by_rank_.size() > kDictionaryMax;
  if (explicit_) shape_by_rank_.resize(std::min(shape_by_rank_.size(), kDictionaryMax - size_t{1}));
  for (size_t rank = 0; rank < shape_by_rank_.size(); ++rank)
    rank_of_shape_[shape_by_rank_[rank]] = static_cast<uint16_t>(rank + (explicit_ ? 1 : 0));
}

// One column for each captured field. A generic value is known by the text before it: "port 4242" of any shape is one
// column. Those of few values share one.
void BlockBuilder::choose_columns() {
  auto& shapes = shapes_.shapes();
  std::unordered_map<uint64_t, uint32_t> known;
  auto column = [&](uint64_t key, Column what) {
    auto [found, is_new] = known.try_emplace(key, static_cast<uint32_t>(column_list_.size()));
    if (is_new) column_list_.push_back(what);
    return found->second;
  };
  column_at_.assign(shapes.size(), 0);
  std::hash<std::string_view> hash;
  for (auto s : shape_by_rank_) {
    auto& shape = shapes[s];
    column_at_[s] = static_cast<uint32_t>(column_of_slot_.size());
    auto fixed = shapes_.fixed(shape);
    size_t at = 0;
    uint64_t before = 0;
    auto slots = shapes_.slots(shape);
    for (uint32_t i = 0; i < shape.slots; ++i) {
      auto& slot = slots[i];
      auto piece = fixed.substr(at, slot.fixed);
      at += slot.fixed;
      // What stands before says what the value is; after a mere comma it is what the one before said, and one more.
      auto tail = piece.size() > 16 ? piece.substr(piece.size() - 16) : piece;
      before = hash(tail) * 3 + (piece.size() < 4 ? before * 5 + 1 : 0);
      Column what{Column::Kind::generic};
      uint64_t key = 0;
      switch (static_cast<SlotKind>(slot.kind)) {
        case SlotKind::fixed_capture: at += slot.extra; continue;
        case SlotKind::time_same: continue;
        case SlotKind::generic: key = before << 2; break;
        case SlotKind::capture:
          what.kind = Column::Kind::capture;
          what.field = slot.number;
          what.escape = slot.escape;
          key = (uint64_t{slot.number} << 10 | uint64_t{slot.escape} << 2) | 1;
          break;
        case SlotKind::time:
          what.kind = Column::Kind::time;
          what.field = slot.number;
          key = uint64_t{slot.number} << 2 | 2;
          break;
      }
      auto number = column(key, what);
      column_list_[number].count += shape.count;
      column_of_slot_.push_back(number);
    }
  }
  // Small generic ones together.
  std::vector<uint32_t> moved(column_list_.size());
  std::vector<Column> kept;
  uint32_t small = UINT32_MAX;
  for (size_t c = 0; c < column_list_.size(); ++c) {
    auto& what = column_list_[c];
    if (what.kind == Column::Kind::generic && what.count < kSmallColumn) {
      if (small == UINT32_MAX) {
        small = static_cast<uint32_t>(kept.size());
        kept.push_back({Column::Kind::small});
      }
      kept[small].count += what.count;
      moved[c] = small;
    } else {
      moved[c] = static_cast<uint32_t>(kept.size());
      kept.push_back(what);
    }
  }
  column_list_ = std::move(kept);
  for (auto& c : column_of_slot_) c = moved[c];
  if (explicit_) {
    Column whole{Column::Kind::whole};
    for (size_t i = 0; i < records_.size(); ++i) whole.count += is_explicit(i);
    column_list_.push_back(whole);
  }
  // Values by column, in record order, copied while their record is at hand.
  auto for_each_value = [&](auto&& visit) {
    for (size_t i = 0; i < records_.size(); ++i) {
      auto raw = records_[i]->raw.data();
      if (is_explicit(i)) {
        visit(column_list_.size() - 1, raw, ValueRef{0, static_cast<uint32_t>(records_[i]->raw.size())});
        continue;
      }
      auto s = shape_of_[i];
      auto columns = column_of_slot_.data() + column_at_[s];
      auto values = values_.data() + values_at_[i];
      for (uint32_t v = 0, n = shapes[s].values; v < n; ++v) visit(columns[v], raw, values[v]);
    }
  };
  for_each_value([&](size_t c, const char*, const ValueRef& value) { column_list_[c].bytes += value.length; });
  size_t total = 0, total_bytes = 0;
  struct Next {
    size_t value, byte;
    bool is_time;
  };
  std::vector<Next> next;
  for (auto& c : column_list_) {
    c.at = total;
    bool is_time = c.kind == Column::Kind::time;
    next.push_back({total, total_bytes, is_time});
    total += c.count;
    if (!is_time) total_bytes += c.bytes;
  }
  grouped_.resize(total);
  bytes_.reset(new char[total_bytes + kValueSlack]);
  for_each_value([&](size_t c, const char* raw, const ValueRef& value) {
    auto& to = next[c];
    if (to.is_time) {
      grouped_[to.value++] = value;
      return;
    }
    grouped_[to.value++] = {static_cast<uint32_t>(to.byte), value.length};
    if (value.length > 0) std::memcpy(bytes_.get() + to.byte, raw + value.at, value.length);
    to.byte += value.length;
  });
  std::memset(bytes_.get() + total_bytes, 0, kValueSlack);
}

void BlockBuilder::write_structure(std::string& out) {
  put_text(out, context_.log);
  put_text(out, context_.node);
  auto& parsed = context_.parsed;
  put_varint(out, parsed.contexts.size());
  for (auto& context : parsed.contexts) {
    put_text(out, context.parser_digest);
    put_text(out, context.timezone);
    put_text(out, context.charset);
    put_varint(out, context.engine);
  }
  put_varint(out, parsed.changes.size());
  uint32_t last = 0;
  for (auto& change : parsed.changes) {
    put_varint(out, change.record - last);
    put_varint(out, change.context);
    last = change.record;
  }
  put_varint(out, explicit_ ? 1 : 0);
  // Constants' fields may not be among the captures' yet.
  for (auto kind : kinds_)
    for (auto& constant : kind->constants) fields_.number(constant.field);
  put_varint(out, fields_.fields().size());
  for (auto field : fields_.fields()) {
    put_text(out, field->name);
    out.push_back(static_cast<char>(static_cast<unsigned>(field->type) << 2 | (field->list ? 2 : 0) |
                                    (field->id != kDynamicField ? 1 : 0)));
  }
  put_varint(out, kinds_.size());
  for (auto kind : kinds_) {
    put_text(out, kind->parser);
    put_text(out, kind->pattern);
    put_text(out, kind->dataset);
    put_varint(out, kind->constants.size());
    for (auto& constant : kind->constants) {
      put_varint(out, fields_.number(constant.field));
      put_text(out, constant.value);
    }
  }
  put_varint(out, splitter_.formats().size());
  for (auto& format : splitter_.formats()) {
    out.push_back(static_cast<char>(format.form));
    out.push_back(static_cast<char>(format.digits));
    out.push_back(static_cast<char>(format.style));
    put_signed(out, format.zone_minutes);
  }
}

void BlockBuilder::write_shapes(std::string& out) {
  std::string numbers, text;
  for (auto s : shape_by_rank_) {
    auto& shape = shapes_.shapes()[s];
    auto& meta = shape.meta;
    numbers.push_back(static_cast<char>(meta.flags));
    numbers.push_back(static_cast<char>(meta.digits));
    numbers.push_back(static_cast<char>(meta.inferred));
    numbers.push_back(static_cast<char>(meta.marks));
    numbers.push_back(static_cast<char>(meta.unit));
    put_varint(numbers, meta.kind);
    put_varint(numbers, meta.priority == Record::kNoPriority ? 0 : meta.priority + 1u);
    put_varint(numbers, meta.message_slot);
    put_varint(numbers, meta.message_fixed);
    put_varint(numbers, meta.tail);
    put_varint(numbers, shape.slots);
    auto slots = shapes_.slots(shape);
    auto column = column_of_slot_.data() + column_at_[s];
    size_t in_slots = 0;
    for (uint32_t i = 0; i < shape.slots; ++i) {
      auto& slot = slots[i];
      numbers.push_back(static_cast<char>(slot.kind << 2 | slot.escape));
      put_varint(numbers, slot.fixed);
      in_slots += slot.fixed;
      auto kind = static_cast<SlotKind>(slot.kind);
      if (kind == SlotKind::fixed_capture) in_slots += slot.extra;
      if (kind != SlotKind::generic) put_varint(numbers, slot.number);
      if (kind == SlotKind::fixed_capture || kind == SlotKind::time || kind == SlotKind::time_same)
        put_varint(numbers, slot.extra);
      if (kind == SlotKind::generic || kind == SlotKind::capture || kind == SlotKind::time)
        put_varint(numbers, *column++);
    }
    put_varint(numbers, shape.fixed - in_slots);
    text.append(shapes_.fixed(shape));
  }
  put_varint(out, shape_by_rank_.size());
  sections_.add(StreamKind::structure, numbers);
  sections_.add(StreamKind::text, text);
  std::vector<uint16_t> ranks(records_.size());
  for (size_t i = 0; i < records_.size(); ++i) ranks[i] = rank_of_shape_[shape_of_[i]];
  columns_.write_ranks(ranks);
}

void BlockBuilder::write_origins(std::string& out) {
  std::map<std::tuple<std::string_view, std::string_view, uint8_t>, uint64_t> senders;
  std::vector<const Origin*> sender_list;
  std::map<std::string_view, uint64_t> next_seq;
  std::vector<uint64_t> lengths, received, commits, sender_of, seqs;
  const Origin* last = nullptr;
  uint64_t expected = 0;
  uint64_t* next = nullptr;
  for (auto record : records_) {
    auto origin = record->origin;
    if (last != nullptr && record->source_seq == expected &&
        (origin == last ||
         (origin->received_ns == last->received_ns && origin->commit == last->commit &&
          origin->transport == last->transport && origin->source == last->source && origin->address == last->address))) {
      ++lengths.back();
      *next = ++expected;
      continue;
    }
    auto [sender, new_sender] = senders.try_emplace(
        {origin->source, origin->address, static_cast<uint8_t>(origin->transport)}, sender_list.size());
    if (new_sender) sender_list.push_back(origin);
    next = &next_seq.try_emplace(origin->source, 0).first->second;
    lengths.push_back(1);
    received.push_back(static_cast<uint64_t>(origin->received_ns));
    commits.push_back(origin->commit);
    sender_of.push_back(sender->second);
    seqs.push_back(zigzag(static_cast<int64_t>(record->source_seq - *next)));
    *next = expected = record->source_seq + 1;
    last = origin;
  }
  put_varint(out, sender_list.size());
  for (auto origin : sender_list) {
    put_text(out, origin->source);
    put_text(out, origin->address);
    out.push_back(static_cast<char>(origin->transport));
    tokens_.text(origin->source);
    tokens_.value(origin->address, ecs::log_source_address, Escape::none);
    tokens_.text(transport_name(origin->transport));
  }
  columns_.write_integers(lengths, out);
  columns_.write_integers(received, out);
  columns_.write_integers(commits, out);
  columns_.write_integers(sender_of, out);
  columns_.write_integers(seqs, out);

  summary_.received_from_ns = INT64_MAX;
  summary_.received_to_ns = INT64_MIN;
  for (auto r : received) {
    summary_.received_from_ns = std::min(summary_.received_from_ns, static_cast<int64_t>(r));
    summary_.received_to_ns = std::max(summary_.received_to_ns, static_cast<int64_t>(r));
  }
  if (received.empty()) summary_.received_from_ns = summary_.received_to_ns = 0;
  for (auto& [source, seq] : next_seq) summary_.sources.emplace_back(source);
}

void BlockBuilder::write_times(std::string& out) {
  std::vector<uint64_t> times[kUnitReceived];
  std::vector<int64_t> all;
  all.reserve(records_.size());
  for (size_t i = 0; i < records_.size(); ++i) {
    auto ns = records_[i]->event_ns;
    all.push_back(ns);
    auto unit = is_explicit(i) ? uint8_t{kUnitNano} : shapes_.shapes()[shape_of_[i]].meta.unit;
    if (unit != kUnitReceived) times[unit].push_back(static_cast<uint64_t>(ns / kUnitNs[unit]));
  }
  for (auto& values : times) columns_.write_integers(values, out);
  summary_.event_times = cut_times(std::move(all));
}

void BlockBuilder::write_odd() {
  std::string out;
  for (size_t i = 0; i < records_.size(); ++i) {
    auto& record = *records_[i];
    auto flags = shapes_.shapes()[shape_of_[i]].meta.flags;
    if (is_explicit(i)) {
      put_varint(out, kind_number(record.kind));
      out.push_back(static_cast<char>(record.event_digits));
      out.push_back(static_cast<char>(record.time_inferred));
      out.push_back(static_cast<char>(record.marks));
      put_varint(out, record.captures.size());
      uint32_t pos = 0;
      for (auto& capture : record.captures) {
        put_varint(out, capture.begin - pos);
        put_varint(out, capture.length);
        put_varint(out, fields_.number(capture.field));
        out.push_back(static_cast<char>(capture.escape));
        pos = capture.end();
      }
      flags = kShapeHasPart | kShapeOddMessage | kShapeOddPriority;
    }
    if (flags & kShapeHasPart) {
      tokens_.text(std::to_string(record.part));
      tokens_.text(std::to_string(record.part_of));
      put_varint(out, record.part);
      put_varint(out, record.part_of);
    }
    if (flags & kShapeOddMessage) {
      put_varint(out, record.message_begin);
      put_varint(out, record.message_length);
    }
    if (flags & kShapeOddPriority) put_varint(out, record.priority == Record::kNoPriority ? 0 : record.priority + 1u);
  }
  sections_.add(StreamKind::structure, out);
}

void BlockBuilder::write_columns(std::string& out) {
  put_varint(out, column_list_.size());
  std::vector<uint64_t> differences;
  for (auto& column : column_list_) {
    auto values = grouped_.data() + column.at;
    put_varint(out, column.count);
    if (column.kind == Column::Kind::time) {
      differences.clear();
      for (size_t i = 0; i < column.count; ++i)
        differences.push_back(zigzag(static_cast<int64_t>(uint64_t{values[i].length} << 32 | values[i].at)));
      // The finest unit that all of them have.
      uint64_t scale = 1;
      while (scale < 1'000'000'000 &&
             std::all_of(differences.begin(), differences.end(),
                         [&](uint64_t d) { return unzigzag(d) % static_cast<int64_t>(scale * 1000) == 0; }))
        scale *= 1000;
      for (auto& d : differences) d = zigzag(unzigzag(d) / static_cast<int64_t>(scale));
      put_varint(out, scale);
      columns_.write_integers(differences, out);
      continue;
    }
    put_varint(out, 0);
    columns_.write(bytes_.get(), values, column.count, out);
    const Field* field = column.kind == Column::Kind::capture ? fields_.fields()[column.field] : nullptr;
    auto escape = static_cast<Escape>(column.escape);
    for (auto& value : columns_.distinct()) tokens_.value({bytes_.get() + value.at, value.length}, field, escape);
  }
}

// Beside the columns' values: fixed texts, times, borders, and what the records' kinds and origins say.
void BlockBuilder::gather_tokens() {
  tokens_.text(context_.log);
  tokens_.text(context_.node);
  for (auto kind : kinds_) {
    tokens_.text(kind->dataset);
    for (auto& constant : kind->constants) tokens_.value(constant.value, constant.field, Escape::none);
  }
  for (auto text : {"year", "zone", "all", "true"}) tokens_.text(text);

  auto& shapes = shapes_.shapes();
  // A slot needs a look at each record when its text may go on beyond it.
  enum Look : uint8_t { kLeft = 1, kRight = 2, kTime = 4 };
  std::vector<uint8_t> look_at;          // of each slot of ShapeTable
  std::vector<uint32_t> look_until(shapes.size());  // of each shape: slots up to the last that needs a look
  std::vector<size_t> looks_from(shapes.size());
  std::vector<bool> priorities(Record::kNoPriority + size_t{1});
  for (auto s : shape_by_rank_) {
    auto& shape = shapes[s];
    if (!(shape.meta.flags & kShapeOddPriority) && !priorities[shape.meta.priority]) {
      priorities[shape.meta.priority] = true;
      tokens_.priority(shape.meta.priority);
    }
    auto fixed = shapes_.fixed(shape);
    auto slots = shapes_.slots(shape);
    looks_from[s] = look_at.size();
    size_t run = 0, at = 0;  // fixed text since the last value
    bool after_value = false;
    size_t before = SIZE_MAX;  // the slot whose right side has not been seen
    auto fixed_ends = [&](size_t end, bool at_value) {
      tokens_.text(fixed.substr(run, end - run));
      if (before != SIZE_MAX && end > run && is_word_byte(fixed[run])) look_at[before] |= kRight;
      if (!at_value) return uint8_t{0};
      return static_cast<uint8_t>((end > run ? is_word_byte(fixed[end - 1]) : after_value) ? kLeft : 0);
    };
    for (uint32_t i = 0; i < shape.slots; ++i) {
      auto& slot = slots[i];
      at += slot.fixed;
      if (static_cast<SlotKind>(slot.kind) == SlotKind::fixed_capture) {
        tokens_.value(fixed.substr(at, slot.extra), fields_.fields()[slot.number], static_cast<Escape>(slot.escape));
        at += slot.extra;
        look_at.push_back(0);
        continue;
      }
      auto look = fixed_ends(at, true);
      auto kind = static_cast<SlotKind>(slot.kind);
      if (kind == SlotKind::time || kind == SlotKind::time_same) look |= kTime;
      before = look_at.size();
      look_at.push_back(look);
      run = at;
      after_value = true;
    }
    fixed_ends(fixed.size(), false);
    for (size_t i = look_at.size(); i > looks_from[s] && look_until[s] == 0; --i)
      if (look_at[i - 1] != 0) look_until[s] = static_cast<uint32_t>(i - looks_from[s]);
  }

  std::string last_time;
  char text[64];
  std::vector<TimeWriter> writers;
  std::vector<std::string> last_times(splitter_.formats().size());
  for (auto& format : splitter_.formats()) writers.emplace_back(format);
  for (size_t i = 0; i < records_.size(); ++i) {
    auto& record = *records_[i];
    if (record.charset != Charset::utf8) tokens_.decoded(record);
    if (is_explicit(i)) {
      for (auto& capture : record.captures) {
        tokens_.border(records_[i]->raw, capture.begin);
        tokens_.value(record.text(capture), capture.field, static_cast<Escape>(capture.escape));
      }
      if (!priorities[record.priority]) {
        priorities[record.priority] = true;
        tokens_.priority(record.priority);
      }
      continue;
    }
    auto s = shape_of_[i];
    auto& shape = shapes[s];
    if ((shape.meta.flags & kShapeOddPriority) && !priorities[record.priority]) {
      priorities[record.priority] = true;
      tokens_.priority(record.priority);
    }
    auto slots = shapes_.slots(shape);
    auto values = values_.data() + values_at_[i];
    auto line = records_[i]->raw;
    size_t at = 0;
    for (uint32_t k = 0; k < look_until[s]; ++k) {
      auto& slot = slots[k];
      at += slot.fixed;
      size_t length;
      auto kind = static_cast<SlotKind>(slot.kind);
      if (kind == SlotKind::fixed_capture) {
        at += slot.extra;
        continue;
      }
      if (kind == SlotKind::time || kind == SlotKind::time_same) {
        auto difference = kind == SlotKind::time ? uint64_t{values->length} << 32 | values->at : 0;
        if (kind == SlotKind::time) ++values;
        length = writers[slot.extra].write(
            static_cast<int64_t>(static_cast<uint64_t>(record.event_ns) + difference), text);
        // Of two times one after the other only the last word differs.
        std::string_view now(text, length);
        auto& last = last_times[slot.extra];
        size_t same = 0;
        auto most = std::min(last.size(), now.size());
        while (same < most && last[same] == now[same]) ++same;
        while (same > 0 && is_word_byte(now[same - 1])) --same;
        tokens_.text(now.substr(same));
        last.assign(now);
      } else {
        length = values->length;
        ++values;
      }
      auto look = look_at[looks_from[s] + k];
      if (look & kLeft) tokens_.border(line, at);
      if (look & kRight) tokens_.border(line, at + length);
      at += length;
    }
  }
}

SealedBlock BlockBuilder::build() {
  summary_.first_index = records_.empty() ? 0 : records_[0]->index;
  summary_.records = static_cast<uint32_t>(records_.size());
  for (size_t i = 0; i < records_.size(); ++i)
    YUSHI_ASSERT(records_[i]->index == summary_.first_index + i, "record %zu of a block has a gap before it", i);
  auto& parsed = context_.parsed;
  YUSHI_ASSERT(!parsed.contexts.empty() && parsed.contexts.size() <= kParseContextsMax &&
                   (parsed.changes.empty() || parsed.changes.back().record < records_.size()),
               "%zu contexts and %zu changes for %zu records", parsed.contexts.size(), parsed.changes.size(),
               records_.size());
  count();
  cut();
  rank_shapes();
  choose_columns();
  std::string structure;
  write_structure(structure);
  write_shapes(structure);
  write_origins(structure);
  write_times(structure);
  write_odd();
  write_columns(structure);
  gather_tokens();
  sections_.add(StreamKind::structure, structure);
  SealedBlock sealed;
  sealed.bytes = sections_.finish({summary_.first_index, summary_.records, summary_.raw_bytes, captures_});
  summary_.token_filter = tokens_.filter();
  sealed.summary = std::move(summary_);
  return sealed;
}

}  // namespace

SealedBlock build_block(const BlockContext& context, const std::vector<const Record*>& records) {
  return BlockBuilder(context, records).build();
}

}  // namespace yushi
