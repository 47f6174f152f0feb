#include "parsers/body/pair_mapper.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "core/record/value.h"
#include "parsers/address.h"

namespace yushi::parsers {
namespace {

bool is_hex(std::string_view text) {
  if (text.empty() || text.size() % 2 != 0) return false;
  for (char c : text)
    if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'))) return false;
  return true;
}

bool is_port(const Field& field) { return field.type == FieldType::integer && field.name.ends_with(".port"); }

bool has_upper(std::string_view text) {
  for (char c : text)
    if (c >= 'A' && c <= 'Z') return true;
  return false;
}

}  // namespace

void PairMapper::map(BodyPairs& pairs, const Naming& naming, Arena& arena, std::vector<Capture>& captures) {
  pairs_ = &pairs;
  naming_ = naming;
  arena_ = &arena;
  captures_ = &captures;
  first_capture_ = captures.size();
  has_address_ = false;
  has_time_ = false;
  ++mapping_;
  header_ids_ = 0;
  inferred_ = 0;
  outcomes_.assign(naming.dictionary ? naming.dictionary->words().size() : 0, RowTable::kNone);
  if ((naming.has_ecs_names && !naming.is_ours) || naming.dictionary)
    for (const Capture& of_header : captures) header_ids_ |= uint64_t{1} << of_header.field->id % 64;
  has_depths_ = false;
  if (naming.dictionary) find_depths();
  for (BodyPair& pair : pairs.list())
    if (pair.length > 0)
      take(pair);
    else if (naming.dictionary && pair.name)
      ++times_of(pair);  // the second of two names is the second though the first says nothing
  if (has_address_) settle_addresses();
}

const KeyTarget* PairMapper::target_of(const BodyPair& pair) {
  BodyName& name = *pair.name;
  const KeyTable& keys = *naming_.keys;
  if (keys.has_firsts() && pair.in_list && pair.is_first) [[unlikely]] {
    const uint32_t found = keys.find_first(name.path);
    return found == KeyTable::kNotFound ? nullptr : &keys.targets()[found];
  }
  if (name.table != &keys) {
    name.table = &keys;
    name.target = keys.find(name.path);
  }
  if (name.target != KeyTable::kNotFound) return &keys.targets()[name.target];
  return naming_.has_labels ? target_by_label(pair) : nullptr;
}

// cs1 by what cs1Label says, where the table has that.
const KeyTarget* PairMapper::target_by_label(const BodyPair& pair) {
  const std::string& path = pair.name->path;
  const char last = path.back();
  constexpr std::string_view kEnding = "Label";
  if (last < '0' || last > '9' || path.size() > 64) return nullptr;
  std::array<char, 64 + kEnding.size()> name;
  path.copy(name.data(), path.size());
  kEnding.copy(name.data() + path.size(), kEnding.size());
  std::string_view label;
  if (!pairs_->find({name.data(), path.size() + kEnding.size()}, &label) || label.empty()) return nullptr;
  const uint32_t found = naming_.keys->find(label);
  return found == KeyTable::kNotFound ? nullptr : &naming_.keys->targets()[found];
}

uint32_t& PairMapper::times_of(const BodyPair& pair) {
  BodyName& name = *pair.name;
  if (name.mapping != mapping_) {
    name.mapping = mapping_;
    name.times = 0;
    name.in_list = pair.in_list;
    name.field = name.dynamic = nullptr;
  }
  return name.times;
}

void PairMapper::take(BodyPair& pair) {
  const auto text = pairs_->value(pair);
  const KeyTable& keys = *naming_.keys;
  if (!pair.name) {
    if (auto* field = keys.word(text)) push(pair, field, Escape::none);
    return;
  }
  if (!pair.quoted && keys.is_null(text)) return;
  BodyName& name = *pair.name;
  const uint32_t time = times_of(pair)++;
  const bool is_further = time > 0 && pair.in_list && name.in_list;  // of one list
  if (const auto* target = target_of(pair)) {
    const size_t nth = target->repeats || is_further ? 0 : time;
    if (pair.quoted && text == target->quoted_null) return;
    if (target->fields.empty() && target->patterns.empty()) return;  // left out on purpose
    if (nth >= target->fields.size() && (nth > 0 || target->patterns.empty())) return;
    const Field* field = target->fields.empty() ? nullptr : target->fields[nth];
    // A field of one value has the first of a list; the others keep their name.
    if (is_further && field && !field->list && !target->repeats) return take_dynamic(pair);
    return take_target(pair, *target, field);
  }
  if (time > 0 && !is_further) return tell_repeated(pair);
  if (naming_.has_ecs_names && name.ecs && (naming_.is_ours || !name.held_back)) return take_by_ecs(pair);
  if (naming_.dictionary && take_by_dictionary(pair)) return;
  take_dynamic(pair);
}

void PairMapper::look_up(BodyName& name) const {
  if (name.is_entry_known) return;
  const auto found = naming_.dictionary->find(name.path);
  name.entry = found.entry;
  name.entry_depth = found.depth;
  name.is_entry_known = true;
}

// nullptr: not in the dictionary, or the pair says nothing. Of a list of objects the first is the event; what it does
// not say, the others do not say for it.
const DictionaryEntry* PairMapper::entry_of(const BodyPair& pair) {
  BodyName& name = *pair.name;
  look_up(name);
  if (!name.entry || name.held_back || naming_.dictionary->is_null(pairs_->value(pair))) return nullptr;
  if (pair.in_list && !pair.is_first && (name.entry->target.fields.empty() || !name.entry->target.fields[0]->list))
    return nullptr;
  return name.entry;
}

// As take_by_dictionary() will.
bool PairMapper::may_take(const BodyPair& pair, const DictionaryEntry& entry) {
  const Field* field = entry.target.fields[0];
  if (pair.is_open && !entry.is_text) return false;
  if (field->type != FieldType::ip) return fits(pair, field);
  std::array<uint8_t, 16> address;
  const auto text = pairs_->value(pair);
  return parse_ip(text.substr(0, text.find('%')), &address) ||
         std::any_of(entry.target.patterns.begin(), entry.target.patterns.end(),
                     [&](auto& one) { return one->pattern.match(text, spans_.data(), stack_); });
}

void PairMapper::find_depths() {
  for (auto& pair : pairs_->list())
    if (pair.length > 0 && pair.name) {
      look_up(*pair.name);
      has_depths_ |= pair.name->entry && pair.name->entry_depth > 0;
    }
  if (!has_depths_) return;
  // of the generic parser itself: they come before the dictionary
  const bool has_keys = !naming_.keys->targets().empty();
  const auto note = [&](std::vector<Depth>& least, size_t index, uint32_t depth) {
    if (least.size() <= index) least.resize(index + 1);
    auto& known = least[index];
    known.least = known.mapping == mapping_ ? std::min(known.least, depth) : depth;
    known.mapping = mapping_;
  };
  for (auto& pair : pairs_->list()) {
    if (pair.length == 0 || !pair.name) continue;
    const auto* entry = entry_of(pair);
    if (!entry || (has_keys && target_of(pair))) continue;
    const auto depth = pair.name->entry_depth;
    for (const uint32_t table : entry->words)
      if (naming_.dictionary->words()[table]->find(pairs_->value(pair)) != RowTable::kNone)
        note(word_depths_, table, depth);
    if (!entry->target.fields.empty() && may_take(pair, *entry))
      note(field_depths_, entry->target.fields[0]->id, depth);
  }
}

// Something less deep says it.
bool PairMapper::is_deeper(const std::vector<Depth>& least, size_t index, uint32_t depth) const {
  return has_depths_ && depth > 0 && index < least.size() && least[index].mapping == mapping_ &&
         depth > least[index].least;
}

bool PairMapper::take_by_dictionary(BodyPair& pair) {
  const auto* known = entry_of(pair);
  if (!known) return false;
  const auto& entry = *known;
  const auto depth = pair.name->entry_depth;
  const auto text = pairs_->value(pair);
  for (const uint32_t table : entry.words) {
    if (is_deeper(word_depths_, table, depth)) continue;
    auto& outcome = outcomes_[table];
    const auto said = naming_.dictionary->words()[table]->find(text);
    if (said != RowTable::kNone) ++inferred_;
    if (outcome == RowTable::kNone) outcome = said;
  }
  if (entry.target.fields.empty() || (pair.is_open && !entry.is_text)) return false;
  const Field* field = entry.target.fields[0];
  if (field_taken_.size() <= field->id) field_taken_.resize(field->id + size_t{1}, 0);
  if ((field_taken_[field->id] == mapping_ && !field->list) || is_of_header(field) ||
      is_deeper(field_depths_, field->id, depth))
    return false;
  if (field->type == FieldType::ip) {
    std::array<uint8_t, 16> address;
    if (parse_ip(text.substr(0, text.find('%')), &address))
      push(pair, field, pair.escape);
    else if (!take_patterns(pair, entry.target))
      return false;
  } else if (fits(pair, field)) {
    take_target(pair, entry.target, field);
  } else {
    return false;
  }
  field_taken_[field->id] = mapping_;
  ++inferred_;
  return true;
}

// Which name it was, as it stands in the text.
void PairMapper::tell_repeated(const BodyPair& pair) {
  if (!naming_.dictionary || pair.name_length == 0) return;
  static const Field* const kRepeatedName = find_field("yushi.repeated_name");
  captures_->push_back(
      {pair.name_begin, pair.name_length & 0xffffff, static_cast<uint32_t>(Escape::none), kRepeatedName});
}

void PairMapper::take_by_ecs(BodyPair& pair) {
  BodyName& name = *pair.name;
  if (!name.field) name.field = is_of_header(name.ecs) ? dynamic_field(pair) : name.ecs;
  if (name.field != name.ecs) return take_dynamic(pair);
  if (pair.in_list && !name.ecs->list && !naming_.is_ours && move_to_list(pair, name.ecs)) {
    name.field = dynamic_field(pair);
    return take_dynamic(pair);
  }
  if (!naming_.is_ours && !fits(pair, name.ecs)) return take_dynamic(pair);
  push(pair, name.ecs, pair.escape);
}

void PairMapper::take_target(BodyPair& pair, const KeyTarget& target, const Field* field) {
  if (!target.is_plain()) {
    if (!target.patterns.empty() && take_patterns(pair, target)) return;
    if (field && target.split != '\0') return take_parts(pair, target, field);
  }
  if (!field || !fits(pair, field)) return take_dynamic(pair);
  auto escape = pair.escape;
  const auto text = pairs_->value(pair);
  if (target.hex && !pair.quoted && is_hex(text)) escape = Escape::hex;
  if (target.lower && escape == Escape::none && has_upper(text)) escape = Escape::lower;
  push(pair, field, escape);
}

bool PairMapper::take_patterns(const BodyPair& pair, const KeyTarget& target) {
  const bool is_escaped = unescaped_.read(pairs_->value(pair), pair.escape);
  const auto text = is_escaped ? unescaped_.text() : pairs_->value(pair);
  for (auto& one : target.patterns) {
    if (!one->pattern.match(text, spans_.data(), stack_)) continue;
    for (size_t i = 0; i < one->captures.size(); ++i) {
      uint32_t begin = spans_[2 * i], end = spans_[2 * i + 1];
      if (begin == PatternProgram::kUnset || begin == end) continue;
      const bool has_escapes = is_escaped && unescaped_.written(end) - unescaped_.written(begin) != end - begin;
      if (is_escaped) begin = unescaped_.written(begin), end = unescaped_.written(end);
      BodyPair part = pair;
      part.begin += begin;
      part.length = end - begin;
      const auto& to = one->captures[i];
      if (fits(part, to.field))
        push(part, to.field, has_escapes ? pair.escape : to.escape);
      else
        take_dynamic(part);
    }
    return true;
  }
  return false;
}

void PairMapper::take_parts(const BodyPair& pair, const KeyTarget& target, const Field* field) {
  const auto text = pairs_->value(pair);
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  for (size_t at = 0; at <= text.size();) {
    size_t to = std::min(text.find(target.split, at), text.size());
    BodyPair part = pair;
    size_t from = at, last = to;
    while (from < last && is_blank(text[from])) ++from;
    while (last > from && is_blank(text[last - 1])) --last;
    part.begin += static_cast<uint32_t>(from);
    part.length = static_cast<uint32_t>(last - from);
    at = to + 1;
    if (part.length == 0) continue;
    const bool is_lower = target.lower && part.escape == Escape::none && has_upper(pairs_->value(part));
    if (fits(part, field))
      push(part, field, is_lower ? Escape::lower : part.escape);
    else
      take_dynamic(part);
  }
}

void PairMapper::take_dynamic(const BodyPair& pair) { push(pair, dynamic_field(pair), pair.escape); }

// One for the name, as long as its values are of one type.
const Field* PairMapper::dynamic_field(const BodyPair& pair) {
  BodyName& name = *pair.name;
  if (name.dynamic && name.dynamic->type == pair.type && name.dynamic->list == pair.in_list) return name.dynamic;
  std::string_view full;
  if (name.dynamic) {
    full = name.dynamic->name;
  } else {
    const std::string_view prefix = naming_.is_ours ? std::string_view() : naming_.keys->prefix();
    // cef.name under cef. is cef.name.
    if (!prefix.empty() && name.path[0] == prefix[0] && std::string_view(name.path).starts_with(prefix)) {
      full = arena_->copy(name.path);
    } else {
      char* to = arena_->allocate(prefix.size() + name.path.size(), 1);
      if (!prefix.empty()) std::memcpy(to, prefix.data(), prefix.size());
      std::memcpy(to + prefix.size(), name.path.data(), name.path.size());
      full = {to, prefix.size() + name.path.size()};
    }
  }
  return name.dynamic = arena_->make(Field{full, pair.type, kDynamicField, pair.in_list});
}

void PairMapper::push(const BodyPair& pair, const Field* field, Escape escape) {
  captures_->push_back({pair.begin, pair.length & 0xffffff, static_cast<uint32_t>(escape) & 0xff, field});
  has_address_ |= field->type == FieldType::ip;
  if (field == ecs::timestamp) {
    has_time_ = true;
    time_pair_ = pair;
  }
}

// Addresses are settled at the end, when it is known which of them are lists.
bool value_fits(std::string_view text, const Field* field) {
  switch (field->type) {
    case FieldType::integer:
    case FieldType::real:
    case FieldType::boolean: {
      Value value;
      return read_value(text, field->type, &value) &&
             (!is_port(*field) || (value.integer >= 0 && value.integer <= 65535));
    }
    case FieldType::ip:
      return can_settle_address(text, field);
    default:
      return true;
  }
}

void PairMapper::settle_addresses() {
  for (size_t i = first_capture_; i < captures_->size(); ++i) {
    auto& capture = (*captures_)[i];
    if (capture.field->type == FieldType::ip)
      settle_address(pairs_->text().substr(capture.begin, capture.length), capture);
  }
}

// A further value of an array for a field of one value: the first goes where this one will go, under the prefix.
bool PairMapper::move_to_list(const BodyPair& pair, const Field* scalar) {
  bool is_further = false;
  for (size_t i = first_capture_; i < captures_->size(); ++i) {
    auto& before = (*captures_)[i];
    if (before.field != scalar) continue;
    before.field = dynamic_field(pair);
    is_further = true;
  }
  return is_further;
}

// What the header gave the sender's own program cannot say otherwise: a line that is anybody's text would rename its
// host, its program or its time. Our own records have no header but what we gave them.
bool PairMapper::is_of_header(const Field* field) const {
  // A part of a time moves it as the whole does.
  if (field == ecs::timestamp_date || field == ecs::timestamp_time || field == ecs::timestamp_zone)
    field = ecs::timestamp;
  if (!(header_ids_ >> field->id % 64 & 1)) return false;
  for (size_t i = 0; i < first_capture_; ++i)
    if ((*captures_)[i].field == field) return true;
  return false;
}

bool PairMapper::keep_as_text(Capture& capture, Arena& arena) {
  if (!has_time_ || capture.begin != time_pair_.begin) return false;
  arena_ = &arena;
  capture.field = dynamic_field(time_pair_);
  return true;
}

}  // namespace yushi::parsers
