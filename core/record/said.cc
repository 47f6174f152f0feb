#include "core/record/said.h"

#include <algorithm>

#include "core/base/url_text.h"
#include "core/record/url_fields.h"

namespace yushi {
namespace {

// False when the text is no value of the field.
bool value_of(const Field& field, std::string_view text, Scratch& scratch, Value* out) {
  // The target of a request to a proxy is a whole URL: the path in it is the path.
  if (&field == url_fields().path && !text.starts_with('/') && text.find("://") != text.npos)
    if (auto parts = split_url(text); !parts.scheme.empty()) text = parts.path.empty() ? "/" : parts.path;
  if (!read_value(text, field.type, out)) return false;
  // IPv4 can be written in one way only; all else is equal by value, so it is by text too.
  if (out->type == Value::Type::ip && text.find(':') != text.npos) {
    char* room = scratch.allocate(kIpTextMax);
    out->written = text;
    out->text = {room, format_ip(out->address, room)};
  }
  return true;
}

// Where Said has the last of this field; of a later part of a message it is not asked.
struct LastSaid {
  const Capture* capture = nullptr;
  const ConstantField* constant = nullptr;
};
LastSaid last_said(const Record& record, const Field* field, std::string_view name) {
  const auto is_it = fields_of(field, name);
  size_t at = record.captures.size();
  while (at > 0 && !is_it(record.captures[at - 1].field)) --at;
  const Capture* const capture = at > 0 ? &record.captures[at - 1] : nullptr;
  if (capture && capture->end() > record.message_begin) return {capture, nullptr};
  if (record.kind)
    for (size_t i = record.kind->constants.size(); i > 0; --i)
      if (const auto& constant = record.kind->constants[i - 1]; is_it(constant.field)) return {nullptr, &constant};
  return {capture, nullptr};  // of the header
}

}  // namespace

bool value_of(const Record& record, const Capture& capture, Scratch& scratch, Value* out) {
  auto text = text_of(record, record.text(capture), scratch);
  if (capture.escape != static_cast<uint32_t>(Escape::none))
    text = decode_escape(text, static_cast<Escape>(capture.escape), scratch);
  return value_of(*capture.field, text, scratch, out);
}

bool value_of(const ConstantField& constant, Scratch& scratch, Value* out) {
  return value_of(*constant.field, constant.value, scratch, out);
}

Plainly said_plainly(const Record& record, const Field* field, std::string_view name, Scratch& scratch, Value* value) {
  if (record.part_head) return Plainly::unknown;
  const auto [capture, constant] = last_said(record, field, name);
  if (!capture && !constant) return Plainly::absent;
  // Of a list all count, and of what is no value of its field the one before.
  if ((capture ? capture->field : constant->field)->list) return Plainly::unknown;
  return (capture ? value_of(record, *capture, scratch, value) : value_of(*constant, scratch, value))
             ? Plainly::said
             : Plainly::unknown;
}

std::string_view said_text(const Said& said, const Field* field, Scratch& scratch) {
  Value value;
  for (size_t i = said.size(); i-- > 0;)
    if (said.field(i) == field && said.value(i, scratch, &value)) return value.text;
  return {};
}

bool is_said_later(const Said& said, size_t i, Scratch& scratch) {
  const Field* field = said.field(i);
  if (field->list) return false;
  for (size_t k = i + 1; k < said.size(); ++k) {
    Value later;
    if (same_field(said.field(k), field) && said.value(k, scratch, &later)) return true;
  }
  return false;
}

std::vector<bool> shadowed(const Said& said, Scratch& scratch) {
  std::vector<uint32_t> order;
  for (size_t i = 0; i < said.size(); ++i) {
    Value value;
    if (!said.field(i)->list && said.value(i, scratch, &value)) order.push_back(static_cast<uint32_t>(i));
  }
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const Field *x = said.field(a), *y = said.field(b);
    if (int c = x->name.compare(y->name)) return c < 0;
    return x->id != y->id ? x->id < y->id : a < b;
  });
  std::vector<bool> out(said.size());
  for (size_t k = 0; k + 1 < order.size(); ++k)
    if (same_field(said.field(order[k]), said.field(order[k + 1]))) out[order[k]] = true;
  return out;
}

}  // namespace yushi
