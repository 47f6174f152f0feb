// What a record's captures and constants say of a field. Of core/record alone.
//
// They have three sorts, and later ones take the place of earlier ones:
//   1. the header's captures (before `message`)   2. the constants of its kind   3. the captures in `message`
// List fields collect instead. What is no value of its field does not count.
//
// Memory  Views into the record and the scratch: they must live as long.
// Cost    Nothing is allocated but in the scratch, and by shadowed().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/record/record.h"
#include "core/record/value.h"

namespace yushi {

inline bool same_field(const Field* a, const Field* b) {
  return a == b || (a->id == kDynamicField && b->id == kDynamicField && a->name == b->name);
}

// False when the text is no value of the field.
bool value_of(const Record& record, const Capture& capture, Scratch& scratch, Value* out);
bool value_of(const ConstantField& constant, Scratch& scratch, Value* out);

// The record's captures and constants in order of precedence, as one sequence 0..size()-1. Of a later part of a message
// what it inherits of the first stands before them.
struct Said {
  explicit Said(const Record& record) : of(record) {
    if (auto* head = record.part_head) [[unlikely]] {
      for (auto& [field, text] : {std::pair(ecs::host_name, head->host), std::pair(ecs::process_name, head->program),
                                  std::pair(ecs::process_pid, head->pid)})
        if (!text.empty()) inherited[inherits++] = {field, text};
    }
    header = 0;
    while (header < of.captures.size() && of.captures[header].end() <= of.message_begin) ++header;
    constants = of.kind ? of.kind->constants.size() : 0;
  }
  size_t size() const { return inherits + of.captures.size() + constants; }
  const Field* field(size_t i) const { return i < inherits ? inherited[i].field : own_field(i - inherits); }
  bool value(size_t i, Scratch& scratch, Value* out) const {
    if (i < inherits) [[unlikely]]
      return read_value(inherited[i].text, inherited[i].field->type, out);
    return own_value(i - inherits, scratch, out);
  }
  // The last before `i` whose field is wanted; SIZE_MAX: none. Most fields are asked of records that do not have them.
  template <class Wanted>
  size_t last_before(size_t i, const Wanted& wanted) const {
    const size_t in_message = inherits + header + constants;
    for (; i > in_message; --i)
      if (wanted(of.captures[i - 1 - inherits - constants].field)) return i - 1;
    for (; i > inherits + header; --i)
      if (wanted(of.kind->constants[i - 1 - inherits - header].field)) return i - 1;
    for (; i > inherits; --i)
      if (wanted(of.captures[i - 1 - inherits].field)) return i - 1;
    for (; i > 0; --i)
      if (wanted(inherited[i - 1].field)) return i - 1;
    return SIZE_MAX;
  }
  const Record& of;

 private:
  const ConstantField* constant(size_t i) const {
    return i >= header && i - header < constants ? &of.kind->constants[i - header] : nullptr;
  }
  const Capture& capture(size_t i) const { return of.captures[i < header ? i : i - constants]; }
  const Field* own_field(size_t i) const {
    auto* c = constant(i);
    return c ? c->field : capture(i).field;
  }
  bool own_value(size_t i, Scratch& scratch, Value* out) const {
    const auto* said = constant(i);
    return said ? value_of(*said, scratch, out) : value_of(of, capture(i), scratch, out);
  }

  struct Inherited {
    const Field* field;
    std::string_view text;
  };

  size_t header;  // captures before the message
  size_t constants;
  std::array<Inherited, 3> inherited;
  size_t inherits = 0;
};

// Whether a field is the one that is asked for. Of another type than today's (field.h) or dynamic, it is another Field.
inline auto fields_of(const Field* field, std::string_view name) {
  const bool by_name = !field || !is_fixed_field(*field);
  return [=](const Field* other) {
    return other == field || ((by_name || other->id == kDynamicField) && other->name == name);
  };
}

// What most records say of most fields: nothing, or one value. `unknown`: ask Said.
enum class Plainly : uint8_t { unknown, absent, said };
Plainly said_plainly(const Record& record, const Field* field, std::string_view name, Scratch& scratch, Value* value);

// What the record says of a field that has one value; empty when nothing.
std::string_view said_text(const Said& said, const Field* field, Scratch& scratch);

// A scalar that is said again later, as a valid value, is not given.
bool is_said_later(const Said& said, size_t i, Scratch& scratch);
// The same for all fields at once, by sorting, which no choice of names can slow down.
std::vector<bool> shadowed(const Said& said, Scratch& scratch);

}  // namespace yushi
