// Records for tests, made by hand: fields are found by their text in raw.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "core/record/batch.h"

namespace yushi {

struct Sample {
  Origin origin;
  MessageKind kind;
  std::deque<Field> dynamic;
  std::deque<std::string> names;
  std::vector<Capture> captures;
  std::string raw;
  Record record;

  explicit Sample(std::string text, size_t message_begin = 0) : raw(std::move(text)) {
    origin.received_ns = 1793491200'123456789;
    origin.address = "10.0.0.7";
    origin.log = "finance";
    origin.node = "log-01";
    record.raw = raw;
    record.origin = &origin;
    record.event_ns = 1793491200'000000000;
    record.event_digits = 0;
    record.message_begin = static_cast<uint32_t>(message_begin);
    record.message_length = static_cast<uint32_t>(raw.size() - message_begin);
    record.index = 7;
  }
  Sample(const Sample&) = delete;

  const Field* field(const std::string& name, FieldType type = FieldType::keyword) {
    if (const Field* known = find_field(name)) return known;
    names.push_back(name);
    return &dynamic.emplace_back(Field{names.back(), type, kDynamicField, false});
  }
  Sample& capture(const std::string& name, std::string_view text, Escape escape = Escape::none) {
    size_t from = captures.empty() ? 0 : captures.back().end();
    captures.push_back({static_cast<uint32_t>(raw.find(text, from)), static_cast<uint32_t>(text.size()) & 0xffffff,
                        static_cast<uint32_t>(escape) & 0xff, field(name)});
    record.captures = captures;
    return *this;
  }
  Sample& constant(const std::string& name, std::string value) {
    kind.constants.push_back({field(name), std::move(value)});
    record.kind = &kind;
    return *this;
  }
  std::vector<std::string> asked(const std::string& name) {
    std::vector<std::string> out;
    Scratch scratch;
    visit_field(
        record, find_field(name), name, scratch,
        [](void* to, const Value& value) { static_cast<std::vector<std::string>*>(to)->emplace_back(value.text); },
        &out);
    return out;
  }
  // Both ways to read a record must say the same.
  std::vector<std::string> values(const std::string& name) {
    std::vector<std::string> out = asked(name), all;
    Scratch scratch;
    for_each_field(record, scratch, [&](const Field& each, const Value& value) {
      if (each.name == name) all.emplace_back(value.text);
    });
    if (all != out) out = {"visit_field and for_each_field differ"};
    return out;
  }
};

}  // namespace yushi
