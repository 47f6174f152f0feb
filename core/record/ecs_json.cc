#include "core/record/ecs_json.h"

#include "core/base/bytes.h"
#include "core/base/text.h"
#include "core/record/ecs_object.h"

namespace yushi {

struct EcsJsonWriter::State {
  Scratch scratch;
  EcsObject object;
  const Field* raw_base64 = find_field("yushi.raw_base64");

  std::string_view keep(std::string_view text) {
    char* at = scratch.allocate(text.size());
    text.copy(at, text.size());
    return {at, text.size()};
  }
};

EcsJsonWriter::EcsJsonWriter() : state_(std::make_unique<State>()) {}
EcsJsonWriter::~EcsJsonWriter() = default;
EcsJsonWriter::EcsJsonWriter(EcsJsonWriter&&) noexcept = default;
EcsJsonWriter& EcsJsonWriter::operator=(EcsJsonWriter&&) noexcept = default;

void EcsJsonWriter::write(const Record& record, const JsonOptions& options, std::string& out) {
  State& state = *state_;
  state.scratch.clear();
  auto& items = state.object.items();
  items.clear();
  for_each_field(record, state.scratch, [&](const Field& field, const Value& value) {
    if (&field == ecs::event_id && !options.event_id) return;
    if (&field == ecs::event_created && !options.event_created) return;
    uint8_t digits = &field == ecs::timestamp ? record.event_digits : 0;
    items.push_back({&field, value, digits});
  });
  if (!is_utf8(record.raw)) [[unlikely]] {
    Value value;
    value.text = state.keep(to_base64(record.raw));
    items.push_back({state.raw_base64, value});
  }
  state.object.write(out);
}

}  // namespace yushi
