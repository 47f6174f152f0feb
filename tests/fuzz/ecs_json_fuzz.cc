// Any bytes as raw, as captures of any field and escape, and as names of dynamic fields: JSON comes out, balanced and
// without control characters, the same from a fresh plan and from a remembered one.
#include <cstdlib>
#include <deque>

#include "core/base/text.h"
#include "core/record/ecs_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace yushi;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string_view names = bytes.substr(0, size / 2), raw = bytes.substr(size / 2);
  Origin origin;
  origin.log = "t";
  Record record;
  record.raw = raw;
  record.origin = &origin;
  record.message_length = static_cast<uint32_t>(raw.size());
  std::deque<Field> fields;
  std::vector<Capture> captures;
  static const Field* const known[] = {ecs::process_pid, ecs::source_ip, ecs::event_category, ecs::message,
                                       ecs::event_id};
  uint32_t at = 0;
  while (!names.empty() && at < raw.size()) {
    uint32_t length = static_cast<unsigned char>(names[0]) % 16;
    uint32_t escape = static_cast<unsigned char>(names[0]) / 16 % 4;
    if (length > raw.size() - at) length = static_cast<uint32_t>(raw.size()) - at;
    size_t end = names.find(' ');
    std::string_view name = names.substr(0, end);
    names.remove_prefix(end == names.npos ? names.size() : end + 1);
    const Field* field = name.size() == 1 ? known[static_cast<unsigned char>(name[0]) % std::size(known)]
                                          : &fields.emplace_back(Field{name, FieldType::keyword, kDynamicField, false});
    captures.push_back({at, length & 0xffffff, escape & 0xff, field});
    at += length + 1;
  }
  record.captures = captures;
  static EcsJsonWriter writer;
  std::string first, second;
  record.charset = charset_of(raw, Charset::gb18030);
  writer.write(record, {}, first);
  writer.write(record, {}, second);
  if (first != second || !is_utf8(first)) std::abort();
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < first.size(); ++i) {
    char c = first[i];
    if (static_cast<unsigned char>(c) < 0x20) std::abort();
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth < 0) {
      std::abort();
    }
  }
  if (depth || in_string) std::abort();
  return 0;
}
