#include "storage/block/builder.h"

namespace yushi::storage {

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
  std::vector<uint8_t> look_at;                     // of each slot of ShapeTable
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
        length =
            writers[slot.extra].write(static_cast<int64_t>(static_cast<uint64_t>(record.event_ns) + difference), text);
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

}  // namespace yushi::storage
