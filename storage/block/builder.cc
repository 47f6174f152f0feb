#include "storage/block/builder.h"

#include <algorithm>

#include "core/base/assert.h"

namespace yushi::storage {
namespace {

constexpr uint32_t kSmallColumn = 64;  // generic columns of fewer values share one

bool same_kind(const MessageKind& a, const MessageKind& b) {
  return a.pattern == b.pattern && a.parser == b.parser && a.dataset == b.dataset &&
         std::equal(a.constants.begin(), a.constants.end(), b.constants.begin(), b.constants.end(),
                    [](auto& x, auto& y) { return x.field == y.field && x.value == y.value; });
}

}  // namespace

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
    values_at_[i] = static_cast<uint32_t>(values_.size());
    shape_of_[i] = splitter_.split(record, kind_number(record.kind), how);
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
        case SlotKind::fixed_capture:
          at += slot.extra;
          continue;
        case SlotKind::time_same:
          continue;
        case SlotKind::generic:
          key = before << 2;
          break;
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

SealedBlock build_block(const BlockHead& context, const std::vector<const Record*>& records) {
  return BlockBuilder(context, records).build();
}

}  // namespace yushi::storage
