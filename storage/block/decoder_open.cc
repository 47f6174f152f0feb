#include "storage/block/decoder.h"

#include <algorithm>
#include <map>

namespace yushi::storage {
namespace {

bool is_wanted(const ReadSlot& slot, const std::vector<bool>& wanted) {
  return slot.kind != SlotKind::generic && wanted[slot.field_number];
}

}  // namespace

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

}  // namespace yushi::storage
