#include <algorithm>
#include <cstring>

#include "storage/block/builder.h"

namespace yushi::storage {
namespace {

size_t common_prefix(std::string_view a, std::string_view b) {
  const size_t most = std::min(a.size(), b.size());
  size_t same = 0;
  while (most - same >= 8 && std::memcmp(a.data() + same, b.data() + same, 8) == 0) same += 8;
  while (same < most && a[same] == b[same]) ++same;
  return same;
}

}  // namespace

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
  // A value needs a look at each record when its text may go on beyond it, a time for its own words.
  enum Reason : uint8_t { kLeft = 1, kRight = 2, kTime = 4 };
  struct Look {
    uint32_t number;  // of a capture, or of a value of the shape that is none
    uint32_t format;  // of a time
    bool is_capture;
    uint8_t reasons;
  };
  std::vector<Look> looks;
  std::vector<size_t> looks_from(shapes.size()), looks_end(shapes.size());
  std::vector<bool> priorities(Record::kNoPriority + size_t{1});
  for (auto s : shape_by_rank_) {
    auto& shape = shapes[s];
    if (!(shape.meta.flags & kShapeOddPriority) && !priorities[shape.meta.priority]) {
      priorities[shape.meta.priority] = true;
      tokens_.priority(shape.meta.priority);
    }
    auto fixed = shapes_.fixed(shape);
    auto slots = shapes_.slots(shape);
    looks_from[s] = looks.size();
    size_t run = 0, at = 0;  // fixed text since the last value
    bool after_value = false;
    auto fixed_ends = [&](size_t end, bool at_value) {
      tokens_.text(fixed.substr(run, end - run));
      if (after_value && end > run && is_word_byte(fixed[run])) looks.back().reasons |= kRight;
      if (!at_value) return uint8_t{0};
      return static_cast<uint8_t>((end > run ? is_word_byte(fixed[end - 1]) : after_value) ? kLeft : 0);
    };
    uint32_t captures = 0, values = 0;
    for (uint32_t i = 0; i < shape.slots; ++i) {
      auto& slot = slots[i];
      at += slot.fixed;
      auto kind = static_cast<SlotKind>(slot.kind);
      if (kind == SlotKind::fixed_capture) {
        tokens_.value(fixed.substr(at, slot.extra), fields_.fields()[slot.number], static_cast<Escape>(slot.escape));
        at += slot.extra;
        ++captures;
        continue;
      }
      auto reasons = fixed_ends(at, true);
      const bool is_time = kind == SlotKind::time || kind == SlotKind::time_same;
      if (is_time) reasons |= kTime;
      const bool is_capture = kind != SlotKind::generic;
      looks.push_back({is_capture ? captures : values, is_time ? slot.extra : 0, is_capture, reasons});
      captures += is_capture;
      values += kind != SlotKind::time_same;
      run = at;
      after_value = true;
    }
    fixed_ends(fixed.size(), false);
    looks.erase(std::remove_if(looks.begin() + static_cast<ptrdiff_t>(looks_from[s]), looks.end(),
                               [](auto& look) { return look.reasons == 0; }),
                looks.end());
    looks_end[s] = looks.size();
  }

  std::vector<std::string_view> last_times(splitter_.formats().size());
  for (size_t i = 0; i < records_.size(); ++i) {
    auto& record = *records_[i];
    if (record.charset != Charset::utf8) tokens_.decoded(record);
    if (is_explicit(i)) {
      for (auto& capture : record.captures) {
        tokens_.border(record.raw, capture.begin);
        tokens_.value(record.text(capture), capture.field, static_cast<Escape>(capture.escape));
      }
      if (!priorities[record.priority]) {
        priorities[record.priority] = true;
        tokens_.priority(record.priority);
      }
      continue;
    }
    auto s = shape_of_[i];
    if ((shapes[s].meta.flags & kShapeOddPriority) && !priorities[record.priority]) {
      priorities[record.priority] = true;
      tokens_.priority(record.priority);
    }
    for (auto l = looks_from[s]; l < looks_end[s]; ++l) {
      auto& look = looks[l];
      auto value = look.is_capture ? ValueRef{record.captures[look.number].begin, record.captures[look.number].length}
                                   : values_[values_at_[i] + look.number];
      if (look.reasons & kTime) {
        // Of two times one after the other only the last word differs.
        auto now = record.raw.substr(value.at, value.length);
        auto& last = last_times[look.format];
        size_t same = common_prefix(last, now);
        while (same > 0 && is_word_byte(now[same - 1])) --same;
        if (auto rest = now.substr(same); is_in_token_filter(rest)) tokens_.text(rest);
        last = now;
      }
      if (look.reasons & kLeft) tokens_.border(record.raw, value.at);
      if (look.reasons & kRight) tokens_.border(record.raw, size_t{value.at} + value.length);
    }
  }
}

}  // namespace yushi::storage
