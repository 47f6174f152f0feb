#include "storage/block/shape.h"

#include <algorithm>
#include <bit>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/base/text.h"

namespace yushi::storage {

TimeWriter::TimeWriter(const TimeFormat& format) {
  time_.form = format.form;
  time_.digits = format.digits;
  time_.style = format.style;
  time_.zone_minutes = format.zone_minutes;
  for (int i = format.digits; i < 9; ++i) scale_ *= 10;
}

size_t TimeWriter::write(int64_t unix_ns, char* out) {
  if (unix_ns < 0 || unix_ns > INT64_MAX - kSecond) {
    time_.unix_ns = unix_ns;
    return format_time(time_, out);
  }
  int64_t second = unix_ns / kSecond;
  auto ns = static_cast<uint32_t>(unix_ns - second * kSecond);
  if (second != second_) {
    time_.unix_ns = unix_ns;
    auto length = format_time(time_, text_);
    second_ = second;
    if (length != length_) find_fraction(second);
    length_ = length;
    std::memcpy(out, text_, 48);
    return length_;
  }
  if (!fraction_known_) {
    time_.unix_ns = unix_ns;
    return format_time(time_, out);
  }
  std::memcpy(out, text_, 48);
  auto value = ns / static_cast<uint32_t>(scale_);
  for (size_t i = time_.digits; i > 0; --i, value /= 10)
    out[fraction_at_ + i - 1] = static_cast<char>('0' + value % 10);
  return length_;
}

std::optional<int64_t> TimeWriter::read(std::string_view text) const {
  if (!fraction_known_ || text.size() != length_ || second_ < 0) return std::nullopt;
  const size_t digits_end = fraction_at_ + time_.digits;
  if (std::memcmp(text.data(), text_, fraction_at_) != 0 ||
      std::memcmp(text.data() + digits_end, text_ + digits_end, length_ - digits_end) != 0)
    return std::nullopt;
  int64_t value = 0;
  for (size_t i = fraction_at_; i < digits_end; ++i) {
    const auto digit = static_cast<unsigned char>(text[i] - '0');
    if (digit > 9) return std::nullopt;
    value = value * 10 + digit;
  }
  return second_ * kSecond + value * scale_;
}

// Writes two times of one second: where nines and zeros differ, there the fraction stands. A form has its fraction in
// one place for texts of one length.
void TimeWriter::find_fraction(int64_t second) {
  char zeros[64], nines[64];
  time_.unix_ns = second * kSecond;
  auto a = format_time(time_, zeros);
  time_.unix_ns = second * kSecond + (kSecond - 1);
  auto b = format_time(time_, nines);
  fraction_at_ = 0;
  fraction_known_ = a == b;
  if (!fraction_known_) return;
  while (fraction_at_ < a && zeros[fraction_at_] == nines[fraction_at_]) ++fraction_at_;
  size_t end = a;
  while (end > fraction_at_ && zeros[end - 1] == nines[end - 1]) --end;
  fraction_known_ = end - fraction_at_ == time_.digits;
}

uint32_t FieldTable::number(const Field* field) {
  if (field->id != kDynamicField) {
    if (field->id >= by_id_.size()) by_id_.resize(field->id + size_t{1});
    auto& known = by_id_[field->id];
    if (known == 0) {
      fields_.push_back(field);
      known = static_cast<uint32_t>(fields_.size());
    }
    return known - 1;
  }
  // A parser gives the same pointer again and again.
  auto& seen = seen_[reinterpret_cast<uintptr_t>(field) / alignof(Field) % seen_.size()];
  if (seen.field == field) return seen.number;
  seen.field = field;
  auto& same_name = dynamic_[field->name];
  for (auto number : same_name)
    if (fields_[number]->type == field->type && fields_[number]->list == field->list) return seen.number = number;
  same_name.push_back(static_cast<uint32_t>(fields_.size()));
  fields_.push_back(field);
  return seen.number = same_name.back();
}

uint32_t ShapeTable::number(const ShapeMeta& meta, const std::vector<ShapeSlot>& slots, std::string_view fixed,
                            uint32_t values) {
  auto slot_bytes = slots.size() * sizeof(ShapeSlot);
  auto hash = XXH3_64bits_withSeed(fixed.data(), fixed.size(),
                                   XXH3_64bits_withSeed(slots.data(), slot_bytes, XXH3_64bits(&meta, sizeof meta)));
  if ((shapes_.size() + 1) * 2 > table_.size()) {
    table_.assign(std::max<size_t>(1024, table_.size() * 4), 0);
    for (size_t s = 0; s < shapes_.size(); ++s) {
      size_t to = hashes_[s] & (table_.size() - 1);
      while (table_[to] != 0) to = (to + 1) & (table_.size() - 1);
      table_[to] = static_cast<uint32_t>(s + 1);
    }
  }
  size_t at = hash & (table_.size() - 1);
  for (; table_[at] != 0; at = (at + 1) & (table_.size() - 1)) {
    auto number = table_[at] - 1;
    auto& shape = shapes_[number];
    if (hashes_[number] == hash && shape.slots == slots.size() && shape.fixed == fixed.size() &&
        std::memcmp(&shape.meta, &meta, sizeof meta) == 0 &&
        (slots.empty() || std::memcmp(slots_.data() + shape.slots_at, slots.data(), slot_bytes) == 0) &&
        (fixed.empty() || std::memcmp(fixed_.data() + shape.fixed_at, fixed.data(), fixed.size()) == 0)) {
      ++shape.count;
      return number;
    }
  }
  Shape shape;
  shape.meta = meta;
  shape.slots_at = static_cast<uint32_t>(slots_.size());
  shape.slots = static_cast<uint32_t>(slots.size());
  shape.fixed_at = static_cast<uint32_t>(fixed_.size());
  shape.fixed = static_cast<uint32_t>(fixed.size());
  shape.values = values;
  shape.count = 1;
  slots_.insert(slots_.end(), slots.begin(), slots.end());
  fixed_.append(fixed);
  shapes_.push_back(shape);
  hashes_.push_back(hash);
  return table_[at] = static_cast<uint32_t>(shapes_.size()), table_[at] - 1;
}

namespace {

enum CharClass : uint8_t { kWord = 1, kDigitChar = 2, kBridge = 4, kValueEnd = 8, kOpens = 16 };

constexpr auto kChars = [] {
  std::array<uint8_t, 256> table{};
  for (int i = 0; i < 256; ++i)
    if ((i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z') || i == '_' || i >= 0x80) table[i] = kWord;
  for (int c = '0'; c <= '9'; ++c) table[c] = kWord | kDigitChar;
  table['.'] = table['-'] = kBridge;
  for (char c : {' ', ',', ';', ')', ']', '}', '>', '&', '|', '\t', '\r', '\n', '"', '\'', '\0'})
    table[static_cast<unsigned char>(c)] |= kValueEnd;
  table['='] |= kOpens;
  table['"'] |= kOpens;
  return table;
}();

uint8_t char_class(char c) { return kChars[static_cast<unsigned char>(c)]; }

constexpr int64_t kZoneMax = 14 * 3600 * kSecond;
constexpr uint32_t kQuotedMax = 4096;
constexpr size_t kFixedTextsMax = 64;
constexpr size_t kFixedTextBytesMax = 32;

// Where the values end that stand between captures. A run of words, with dots and dashes between them:
uint32_t word_end(const char* bytes, uint32_t at, uint32_t end, bool* has_digit) {
  uint8_t seen = 0, c = 0;
  for (;; ++at) {
    while (at < end && ((c = char_class(bytes[at])) & kWord)) {
      seen |= c;
      ++at;
    }
    if (at + 1 >= end || !(c & kBridge) || !(char_class(bytes[at + 1]) & kWord)) break;
  }
  *has_digit = seen & kDigitChar;
  return at;
}
// What follows `=`:
uint32_t value_end(const char* bytes, uint32_t at, uint32_t end) {
  while (at < end && !(char_class(bytes[at]) & kValueEnd)) ++at;
  return at;
}
// What follows a quotation mark; UINT32_MAX when none ends it soon.
uint32_t quoted_end(const char* bytes, uint32_t at, uint32_t end) {
  auto limit = std::min(end, at - 1 + kQuotedMax);
  while (at < limit && bytes[at] != '"') at += bytes[at] == '\\' ? 2 : 1;
  return at < limit ? at : UINT32_MAX;
}

bool equal(const char* a, const char* b, size_t bytes) {
  return bytes == 0 || std::memcmp(a, b, bytes) == 0;  // an empty raw has no address
}

// Fixed text is mostly a few bytes: two numbers are compared sooner than memcmp() is called. The first bytes are the
// low ones.
constexpr uint32_t kWordBytes = std::endian::native == std::endian::little ? 8 : 0;

uint64_t word_of(const char* text, size_t bytes) {
  uint64_t word = 0;
  std::memcpy(&word, text, bytes);
  return word;
}

bool may_be_fixed(const Field* field) {
  return field == ecs::syslog_priority || field == ecs::syslog_version || field == ecs::syslog_msgid ||
         field == ecs::process_name;
}

}  // namespace

void Splitter::fixed(uint32_t begin, uint32_t end) {
  fixed_.append(bytes_ + begin, end - begin);
  pending_ += end - begin;
}

// Made in place: a copy of a struct just written by halves waits for the halves.
ShapeSlot& Splitter::slot(SlotKind kind) {
  auto& made = slots_.emplace_back();
  made.fixed = pending_;
  made.kind = static_cast<uint8_t>(kind);
  pending_ = 0;
  return made;
}

void Splitter::generic(uint32_t begin, uint32_t end) {
  slot(SlotKind::generic);
  values_.push_back({begin, end - begin});
}

void Splitter::text(uint32_t begin, uint32_t end, bool fine) {
  if (begin == end) return;
  if (!fine) {
    generic(begin, end);
    return;
  }
  uint32_t plain = begin;  // begin of the fixed text not yet copied
  uint32_t at = begin;
  while (at < end) {
    auto c = char_class(bytes_[at]);
    if (c & kWord) {
      uint32_t from = at;
      bool has_digit;
      at = word_end(bytes_, at, end, &has_digit);
      if (has_digit) {
        fixed(plain, from);
        generic(from, at);
        plain = at;
      }
      continue;
    }
    if (c & kOpens) {
      if (bytes_[at] == '=' && at > begin && (char_class(bytes_[at - 1]) & kWord)) {
        auto to = value_end(bytes_, at + 1, end);
        if (to > at + 1) {
          fixed(plain, at + 1);
          generic(at + 1, to);
          plain = at = to;
          continue;
        }
      } else if (bytes_[at] == '"' && at > begin && (bytes_[at - 1] == '=' || bytes_[at - 1] == ':')) {
        auto to = quoted_end(bytes_, at + 1, end);
        if (to != UINT32_MAX) {
          fixed(plain, at + 1);
          generic(at + 1, to);
          plain = to;
          at = to + 1;
          continue;
        }
      }
    }
    ++at;
  }
  fixed(plain, end);
}

bool Splitter::is_fixed(const Field* field, std::string_view text) {
  if (!may_be_fixed(field)) return false;
  if (text.size() > kFixedTextBytesMax) return false;
  auto& known = fixed_texts_[field == ecs::syslog_priority  ? 0
                             : field == ecs::syslog_version ? 1
                             : field == ecs::syslog_msgid   ? 2
                                                            : 3];
  auto slot = XXH3_64bits(text.data(), text.size());
  for (;; ++slot) {
    auto& number = known.table[slot % known.table.size()];
    if (number == 0) {
      if (known.texts.size() == kFixedTextsMax) return false;
      known.texts.emplace_back(text);
      number = static_cast<uint8_t>(known.texts.size());
      return true;
    }
    if (known.texts[number - 1u] == text) return true;
  }
}

bool Splitter::time(const Record& record, const Capture& capture, uint32_t field) {
  auto text = record.text(capture);
  if (text.size() < 8 || text.size() > 48) return false;
  char again[64];
  auto fits = [&](uint32_t f) {
    return writers_[f].write(record.event_ns, again) == text.size() &&
           std::memcmp(again, text.data(), text.size()) == 0;
  };
  auto kind = SlotKind::time_same;
  uint32_t format = UINT32_MAX;
  if (field >= last_formats_.size()) last_formats_.resize(field + size_t{1});
  auto& last_format = last_formats_[field];
  if (last_format < writers_.size() && fits(last_format)) format = last_format;
  int64_t difference = 0;
  if (format == UINT32_MAX) {
    auto read = parse_time(text, record.event_ns, *Zone::utc());
    if (!read || read->form == TimeForm::none || read->form == TimeForm::other) return false;
    TimeFormat wanted{read->form, read->digits, read->style, read->zone_minutes};
    // A zone that was not written may have been the tenant's: then the same value is the event's time.
    auto off = static_cast<int64_t>(static_cast<uint64_t>(read->unix_ns) - static_cast<uint64_t>(record.event_ns));
    if ((read->inferred & kZoneInferred) && off % (60 * kSecond) == 0 && off <= kZoneMax && off >= -kZoneMax) {
      wanted.zone_minutes = static_cast<int16_t>(wanted.zone_minutes + off / (60 * kSecond));
    }
    format = static_cast<uint32_t>(std::find(formats_.begin(), formats_.end(), wanted) - formats_.begin());
    if (format == formats_.size()) {
      if (formats_.size() == kTimeFormatsMax) return false;
      formats_.push_back(wanted);
      writers_.emplace_back(wanted);
    }
    if (!fits(format)) {
      difference = off;
      kind = SlotKind::time;
      if (writers_[format].write(read->unix_ns, again) != text.size() ||
          std::memcmp(again, text.data(), text.size()) != 0)
        return false;
    }
    last_format = format;
  }
  auto& made = slot(kind);
  made.number = field;
  made.extra = format;
  if (kind == SlotKind::time) push_difference(difference);
  return true;
}

void Splitter::push_difference(int64_t difference) {
  auto bits = static_cast<uint64_t>(difference);
  values_.push_back({static_cast<uint32_t>(bits), static_cast<uint32_t>(bits >> 32)});
}

void Splitter::capture(const Record& record, const Capture& capture) {
  auto field = fields_.number(capture.field);
  auto text = record.text(capture);
  if (capture.field->type == FieldType::date && capture.escape == 0 && time(record, capture, field)) return;
  bool fixed = is_fixed(capture.field, text);
  auto& made = slot(fixed ? SlotKind::fixed_capture : SlotKind::capture);
  made.number = field;
  made.escape = static_cast<uint8_t>(capture.escape);
  if (fixed) {
    made.extra = capture.length;
    fixed_.append(text);
  } else {
    values_.push_back({capture.begin, capture.length});
  }
}

size_t Splitter::known_slot(const Record& record, uint32_t kind) {
  uint64_t hash = kind * 0x9e3779b97f4a7c15 + record.priority;
  for (auto& c : record.captures) {
    hash = hash * 31 + c.field->id;
    if (c.field == ecs::process_name && c.length >= 2)
      hash += static_cast<unsigned char>(record.raw[c.begin]) * 256u +
              static_cast<unsigned char>(record.raw[c.end() - 1]) + c.length;
  }
  return (hash * 0x9e3779b97f4a7c15 >> 32) % kKnownMax;
}

// Where text() would end the value that begins there; `begin` when it would begin none.
uint32_t Splitter::generic_end(uint32_t begin, uint32_t end) const {
  char before = begin > 0 ? bytes_[begin - 1] : '\0';
  if (before == '=') return value_end(bytes_, begin, end);
  if (before == '"') {
    auto to = quoted_end(bytes_, begin, end);
    return to == UINT32_MAX ? begin : to;
  }
  bool has_digit;
  auto to = word_end(bytes_, begin, end, &has_digit);
  return has_digit ? to : begin;
}

bool Splitter::capture_as_known(const Record& record, const Capture& capture, const ShapeSlot& slot,
                                const char* fixed) {
  auto text = record.text(capture);
  char again[64];
  auto reads = [&](int64_t unix_ns) {
    return writers_[slot.extra].write(unix_ns, again) == text.size() &&
           std::memcmp(again, text.data(), text.size()) == 0;
  };
  auto is_off = [&](int64_t unix_ns) {
    push_difference(static_cast<int64_t>(static_cast<uint64_t>(unix_ns) - static_cast<uint64_t>(record.event_ns)));
    return true;
  };
  switch (static_cast<SlotKind>(slot.kind)) {
    case SlotKind::capture:
      values_.push_back({capture.begin, capture.length});
      return true;
    case SlotKind::fixed_capture:
      return text.size() == slot.extra && equal(text.data(), fixed, text.size());
    case SlotKind::time_same: {
      auto& writer = writers_[slot.extra];
      if (auto known = writer.read(text); known && record.event_ns >= 0)
        return *known == writer.as_written(record.event_ns);
      return reads(record.event_ns);
    }
    case SlotKind::time: {
      if (auto known = writers_[slot.extra].read(text)) return is_off(*known);
      auto read = parse_time(text, record.event_ns, *Zone::utc());
      return read && reads(read->unix_ns) && is_off(read->unix_ns);
    }
    case SlotKind::generic:
      break;
  }
  return false;
}

// `meta` is without what the cut finds out: message_slot, message_fixed, tail. Any cut is right (see above), so that a
// value may be another than text() would have found.
bool Splitter::cut_as_known(const Record& record, const Known& known, const ShapeMeta& meta) {
  if (known.shape == UINT32_MAX || known.fields.size() != record.captures.size()) return false;
  auto like = known.meta;
  like.message_slot = like.message_fixed = like.tail = 0;
  if (std::memcmp(&like, &meta, sizeof meta) != 0) return false;
  if (record.raw.size() - record.message_begin - record.message_length != known.meta.tail) return false;
  const char* fixed = known.fixed.data();
  const auto size = static_cast<uint32_t>(record.raw.size());
  uint32_t pos = 0, captured = 0, number = 0;
  auto begins_here = [&] {
    return number != known.meta.message_slot || record.message_begin == pos + known.meta.message_fixed;
  };
  auto is_fixed_here = [&](uint32_t bytes) {
    if (bytes > size - pos) return false;
    if (bytes - 1 < kWordBytes && size - pos >= kWordBytes)
      return (word_of(bytes_ + pos, kWordBytes) ^ known.words[number]) << (64 - 8 * bytes) == 0;
    return equal(bytes_ + pos, fixed, bytes);
  };
  for (auto& slot : known.slots) {
    if (!begins_here() || !is_fixed_here(slot.fixed)) return false;
    pos += slot.fixed;
    fixed += slot.fixed;
    ++number;
    if (static_cast<SlotKind>(slot.kind) == SlotKind::generic) {
      auto end = generic_end(pos, captured < known.fields.size() ? record.captures[captured].begin : size);
      if (end <= pos) return false;
      values_.push_back({pos, end - pos});
      pos = end;
      continue;
    }
    auto& c = record.captures[captured];
    if (c.begin != pos || c.escape != slot.escape) return false;
    if (c.field != known.fields[captured] && fields_.number(c.field) != slot.number) return false;
    if (!capture_as_known(record, c, slot, fixed)) return false;
    if (static_cast<SlotKind>(slot.kind) == SlotKind::fixed_capture) fixed += slot.extra;
    pos = c.end();
    ++captured;
  }
  auto left = static_cast<size_t>(known.fixed.data() + known.fixed.size() - fixed);
  return begins_here() && size - pos == left && equal(bytes_ + pos, fixed, left);
}

void Splitter::remember(const Record& record, const ShapeMeta& meta, uint32_t shape, Known& known) {
  if ((meta.flags & ~kShapeHasPart) != 0) return;
  size_t captured = 0;
  for (auto& slot : slots_) {
    auto kind = static_cast<SlotKind>(slot.kind);
    if (kind == SlotKind::generic) continue;
    auto field = record.captures[captured++].field;
    if (kind == SlotKind::capture && (field->type == FieldType::date || may_be_fixed(field))) return;
  }
  known.shape = shape;
  known.meta = meta;
  known.slots = slots_;
  known.words.clear();
  const char* fixed = fixed_.data();
  for (auto& slot : slots_) {
    known.words.push_back(slot.fixed <= kWordBytes ? word_of(fixed, slot.fixed) : 0);
    fixed += slot.fixed + (static_cast<SlotKind>(slot.kind) == SlotKind::fixed_capture ? slot.extra : 0);
  }
  known.fields.clear();
  for (auto& c : record.captures) known.fields.push_back(c.field);
  known.fixed = fixed_;
}

uint32_t Splitter::split(const Record& record, uint32_t kind, How how) {
  bytes_ = record.raw.data();
  slots_.clear();
  fixed_.clear();
  pending_ = 0;
  const auto values_at = values_.size();

  ShapeMeta meta;
  meta.kind = kind;
  meta.digits = record.event_digits;
  meta.inferred = record.time_inferred;
  meta.marks = record.marks;
  if (record.part != 0 || record.part_of != 0) meta.flags |= kShapeHasPart;
  if (record.event_ns == record.origin->received_ns) {
    meta.unit = kUnitReceived;
  } else {
    meta.unit = record.event_digits == 0   ? kUnitSecond
                : record.event_digits <= 3 ? kUnitMilli
                : record.event_digits <= 6 ? kUnitMicro
                                           : kUnitNano;
    if (record.event_ns % kUnitNs[meta.unit] != 0) meta.unit = kUnitNano;
  }
  // A priority that is written is in the shape with its text; else it would make many shapes of one.
  meta.priority = record.priority;

  auto& known = known_[known_slot(record, kind)];
  if (how == How::fine) {
    if (cut_as_known(record, known, meta)) {
      ++shapes_.shapes()[known.shape].count;
      return known.shape;
    }
    values_.resize(values_at);
  }
  uint32_t message = record.message_begin;
  bool marked = false;
  uint32_t pos = 0;
  auto gap = [&](uint32_t begin, uint32_t end) {
    if (!marked && message >= begin && message <= end) {
      text(begin, message, true);
      meta.message_slot = static_cast<uint32_t>(slots_.size());
      meta.message_fixed = pending_;
      marked = true;
      begin = message;
    }
    bool fine = how == How::fine || !marked || (begin == end);
    text(begin, end, fine);
  };
  for (auto& c : record.captures) {
    gap(pos, c.begin);
    capture(record, c);
    if (c.field == ecs::syslog_priority && slots_.back().kind != static_cast<uint8_t>(SlotKind::fixed_capture)) {
      meta.flags |= kShapeOddPriority;
      meta.priority = 0;
    }
    pos = c.end();
  }
  auto size = static_cast<uint32_t>(record.raw.size());
  gap(pos, size);
  auto tail = size - record.message_begin - record.message_length;
  if (!marked || tail > 8) {
    meta.flags |= kShapeOddMessage;
    meta.message_slot = meta.message_fixed = 0;
  } else {
    meta.tail = tail;
  }
  auto shape = shapes_.number(meta, slots_, fixed_, static_cast<uint32_t>(values_.size() - values_at));
  if (how == How::fine) remember(record, meta, shape, known);
  return shape;
}

}  // namespace yushi::storage
