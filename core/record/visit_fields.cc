// The fields of a record, all of them or one: what it says (core/record/said.h), then what is derived where it says
// nothing (core/record/derived.h).
#include <algorithm>

#include "core/base/text.h"
#include "core/record/derived.h"
#include "core/record/said.h"
#include "core/record/url_fields.h"

namespace yushi {
namespace {

constexpr uint32_t bit_of(Derived derived) {
  return 1u << (static_cast<unsigned>(derived) - static_cast<unsigned>(Derived::message));
}

// Above this many fields, comparing each with each costs more than a table; a hostile JSON message has thousands.
constexpr size_t kPairwiseMax = 48;

}  // namespace

namespace record_detail {

void for_each_field(const Record& record, Scratch& scratch, VisitAny visit, void* context) {
  const auto derive_into = [&](Derived derived, const Field& field) {
    const auto take = [&](const Value& value) { visit(context, field, value); };
    derive(record, derived, scratch, Give(take));
  };
  for (const DerivedField& each : derived_fields()) derive_into(each.derived, **each.field);

  const Said said(record);
  const size_t count = said.size();
  std::array<const Field*, kPairwiseMax> fields;  // of few fields only
  std::vector<bool> is_shadowed;                  // of many
  if (count > kPairwiseMax) [[unlikely]]
    is_shadowed = shadowed(said, scratch);
  else
    for (size_t i = 0; i < count; ++i) fields[i] = said.field(i);
  const auto counts = [&](size_t i) {
    if (count > kPairwiseMax) [[unlikely]]
      return !is_shadowed[i];
    const Field* field = fields[i];
    if (field->list) return true;
    for (size_t k = i + 1; k < count; ++k) {
      Value later;
      if (same_field(fields[k], field) && said.value(k, scratch, &later)) return false;
    }
    return true;
  };

  const UrlFields& url = url_fields();
  static const Field* const process_executable = find_field("process.executable");
  uint32_t said_roles = 0;  // bits of those that yield
  bool has_url = false, has_domain = false;
  std::string_view executable;
  std::array<RelatedSeen, 3> related_seen;
  const auto give_related = [&](Derived which, const Value& value) {
    static const Field* const kFields[] = {related_fields().user, related_fields().ip, related_fields().hosts};
    const auto at = static_cast<size_t>(which) - static_cast<size_t>(Derived::related_user);
    if (related_seen[at].take(value.text)) visit(context, *kFields[at], value);
  };
  for (size_t i = 0; i < count; ++i) {
    const Field* field = count > kPairwiseMax ? said.field(i) : fields[i];
    const Derived derived = role(*field), gathered_by = related_of(*field, derived);
    const bool ours = is_ours(record, derived);
    has_domain |= field == url.domain;
    if (ours && gathered_by == Derived::none) continue;
    Value value;
    if (!said.value(i, scratch, &value) || !counts(i)) continue;
    if (gathered_by != Derived::none) give_related(gathered_by, value);
    if (ours) continue;
    if (yields(derived)) said_roles |= bit_of(derived);
    has_url |= derived == Derived::url_original || derived == Derived::url_path || field == url.full;
    if (field == process_executable) executable = value.text;
    visit(context, *field, value);
  }
  const auto is_unsaid = [&](Derived derived) { return !(said_roles & bit_of(derived)); };
  if (has_url) {
    const SplitUrl split(said, scratch);
    if (is_unsaid(Derived::url_original)) derive_into(Derived::url_original, *url.original);
    for (const auto& part : url_parts()) {
      const auto take = [&](const Value& value) { visit(context, **part.field, value); };
      if (is_unsaid(part.derived)) give_url_part(split, part.derived, Give(take));
    }
    derive_into(Derived::url_decoded, *url.decoded);
    if (!has_domain) give_related(Derived::related_hosts, text_value(url_part(split, Derived::url_domain)));
  }
  if (auto name = last_segment(executable); is_unsaid(Derived::process_name) && !name.empty())
    visit(context, *ecs::process_name, text_value(name));
  if (is_unsaid(Derived::message)) derive_into(Derived::message, *ecs::message);
}

}  // namespace record_detail

void visit_field(const Record& record, const Field* field_or_null, std::string_view name, Scratch& scratch,
                 void (*visit)(void* context, const Value& value), void* context) {
  const Field* field = field_or_null;
  Derived derived = field ? role(*field) : Derived::none;
  if (derived != Derived::none && !yields(derived)) {
    derive(record, derived, scratch, Give(visit, context));
    if (is_ours(record, derived)) return;
  }
  Value value;
  const auto* const places = scratch.places && scratch.places->record == &record ? scratch.places : nullptr;
  if (!places) {
    const Plainly is = said_plainly(record, field, name, scratch, &value);
    if (is == Plainly::said) return visit(context, value);
    if (is == Plainly::absent) {
      if (yields(derived)) derive(record, derived, scratch, Give(visit, context));
      return;
    }
    value = {};
  }
  Said said(record);
  const auto is_asked = fields_of(field, name);
  size_t first = 0, behind = said.size();
  if (places) {
    const size_t at = FieldPlaces::mix(field ? field->name : name);
    first = places->begin[at];
    behind = places->end[at];
  }
  bool any = false;
  for (size_t i = behind; i > first && (i = said.last_before(i, is_asked)) != SIZE_MAX;) {
    if (said.field(i)->list) {
      for (size_t k = first; k <= i; ++k)
        if (is_asked(said.field(k)) && said.value(k, scratch, &value)) visit(context, value);
      return;
    }
    if (!said.value(i, scratch, &value)) continue;
    visit(context, value);
    any = true;
    break;
  }
  if (!any && yields(derived)) derive(record, derived, scratch, Give(visit, context));
}

bool first_value(const Record& record, const Field* field, Scratch& scratch, Value* value) {
  const Derived derived = role(*field);
  if (derived == Derived::none || yields(derived)) {
    Value plain;
    const Plainly is = said_plainly(record, field, field->name, scratch, &plain);
    if (is == Plainly::said) *value = plain;
    if (is == Plainly::said || (is == Plainly::absent && derived == Derived::none)) return is == Plainly::said;
  }
  struct Found {
    Value* value;
    bool any;
  } found{value, false};
  visit_field(
      record, field, field->name, scratch,
      [](void* context, const Value& each) {
        auto* to = static_cast<Found*>(context);
        if (!to->any) *to->value = each;
        to->any = true;
      },
      &found);
  return found.any;
}

void note_fields(const Record& record, FieldPlaces* out) {
  const Said said(record);
  out->record = nullptr;
  if (said.size() >= UINT16_MAX) return;
  out->record = &record;
  out->begin.fill(0);
  out->end.fill(0);
  for (size_t i = 0; i < said.size(); ++i) {
    const size_t at = FieldPlaces::mix(said.field(i)->name);
    if (out->end[at] == 0) out->begin[at] = static_cast<uint16_t>(i);
    out->end[at] = static_cast<uint16_t>(i + 1);
  }
}

}  // namespace yushi
