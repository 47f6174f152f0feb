#include "core/record/ecs_json.h"

#include <algorithm>

#include "core/base/bytes.h"
#include "core/base/text.h"
#include "core/record/ecs_object.h"
#include "core/record/lookups.h"

namespace yushi {

struct EcsJsonWriter::State {
  Scratch scratch;
  EcsObject object;
  LookupsInUse lookups;
  std::vector<Lookups::Found> found;
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
  for (const Field* field : options.fields) {
    struct Said {
      std::vector<EcsObject::Item>& items;
      const Field* field;
      uint8_t digits;
    } said{items, field, field == ecs::timestamp ? record.event_digits : uint8_t{0}};
    visit_field(
        record, field, field->name, state.scratch,
        [](void* context, const Value& value) {
          auto& to = *static_cast<Said*>(context);
          to.items.push_back({to.field, value, to.digits});
        },
        &said);
  }
  if (!options.fields.empty()) return state.object.write(out);
  for_each_field(record, state.scratch, [&](const Field& field, const Value& value) {
    if (&field == ecs::event_id && !options.event_id) return;
    if (&field == ecs::event_created && !options.event_created) return;
    uint8_t digits = &field == ecs::timestamp ? record.event_digits : 0;
    items.push_back({&field, value, digits});
  });
  if (const Lookups* lookups = state.lookups.current()) {
    state.found.clear();
    for (auto& item : items) lookups->look_up(*item.field, item.value, state.scratch, state.found);
    for (auto& found : state.found)  // what the record says itself stands
      if (std::none_of(items.begin(), items.end(), [&](auto& item) { return item.field->name == found.field->name; }))
        items.push_back({found.field, found.value});
  }
  if (!is_utf8(record.raw)) [[unlikely]] {
    Value value;
    value.text = state.keep(to_base64(record.raw));
    items.push_back({state.raw_base64, value});
  }
  state.object.write(out);
}

}  // namespace yushi
