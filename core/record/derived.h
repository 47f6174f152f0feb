// What of a record is no capture and no constant, but said by what we know of it, or made of what it says: @timestamp,
// organization.name, event.id, parts of a URL, related.*. Of core/record alone.
//
// No capture can take the place of what we know ourselves, or a sender could write "organization.name" into his JSON.
// `message`, the parts of a URL and process.name alone yield to a capture, and what PRI says yields to nothing but its
// absence. related.* gathers: all final values of the fields of users, addresses and hosts.
//
// A new one is a line in Derived, in Roles and in derive(); in told_by() and fields_behind() where more than captures
// tell it; in kDerivedFields when every record has it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "core/record/record.h"
#include "core/record/said.h"

namespace yushi {

enum class Derived : uint8_t {
  none = 0,
  timestamp,
  timestamp_part,  // of @timestamp.date and its like: event_ns says it all
  event_created,
  event_id,
  event_original,
  event_dataset,
  observer_name,
  log_source_address,
  organization_name,
  time_inferred,
  part,
  part_of,
  lines,
  truncated,
  host_unconfirmed,
  masked,
  transport,
  raw_base64,   // when asked; the JSON writer writes its own. No sender may claim it
  tenant,       // of our own records only
  url_decoded,  // yushi.url.decoded
  // When asked: rules do, and who searches; no record's JSON has them.
  url_plain,  // yushi.url.plain, yushi.request.*
  request_plain,
  request_sql,
  request_script,
  request_command,
  // Of these a capture takes the place.
  message,
  process_name,  // of process.executable
  url_original,  // of url.path and url.query, where a parser captured the two parts of one text
  url_scheme,    // these of url.original or url.full, or of a url.path that is a whole URL
  url_domain,
  url_port,
  url_path,
  url_query,
  url_extension,  // of the path
  // These gather what stands in others.
  related_user,
  related_ip,
  related_hosts,
  // Of PRI: derived only when the record has one.
  priority,
  facility_code,
  facility_name,
  severity_code,
  severity_name,
};

// Role by FieldId; declared fields have higher ids than all of these, dynamic ones 0.
struct Roles {
  static constexpr size_t kStaticIdsMax = 2048;
  std::array<Derived, kStaticIdsMax> by_id{};
  std::array<Derived, kStaticIdsMax> related_by_id{};
  Roles();
};
inline const Roles& roles() {
  static const Roles all;
  return all;
}
inline Derived role(const Field& field) {
  return field.id < Roles::kStaticIdsMax ? roles().by_id[field.id] : Derived::none;
}
// The related.* that takes the field's values: of its own name, or of what it gathers.
inline Derived related_of(const Field& field, Derived role_of_field) {
  if (role_of_field >= Derived::related_user && role_of_field <= Derived::related_hosts) return role_of_field;
  return field.id < Roles::kStaticIdsMax ? roles().related_by_id[field.id] : Derived::none;
}

// Derived only when nothing was said: the record's own words come first.
inline bool yields(Derived derived) { return derived >= Derived::message && derived < Derived::related_user; }

// True when a capture or constant of this field does not count.
inline bool is_ours(const Record& record, Derived derived) {
  if (derived == Derived::none || yields(derived)) [[likely]]
    return false;
  if (derived == Derived::tenant) return !record.origin || record.origin->transport != Transport::internal;
  if (derived >= Derived::priority) return derived == Derived::priority || record.priority != Record::kNoPriority;
  return true;
}

// Takes values, one after the other. A view: what it calls must live as long.
class Give {
 public:
  using Visit = void (*)(void* context, const Value& value);
  Give(Visit visit, void* context) : visit_(visit), context_(context) {}
  template <class Take>
  requires(!std::is_same_v<std::remove_cv_t<Take>, Give>) explicit Give(Take& take)
      : visit_([](void* context, const Value& value) { (*static_cast<Take*>(context))(value); }),
        context_(const_cast<void*>(static_cast<const void*>(&take))) {}
  void operator()(const Value& value) const { visit_(context_, value); }

 private:
  Visit visit_;
  void* context_;
};

// Each value of one derived field; none where the record has none of it.
void derive(const Record& record, Derived derived, Scratch& scratch, const Give& give);

// Those that every record may have, whatever it says.
struct DerivedField {
  Derived derived;
  const Field* const* field;
};
std::span<const DerivedField> derived_fields();

struct RelatedFields {
  const Field* user = find_field("related.user");
  const Field* ip = find_field("related.ip");
  const Field* hosts = find_field("related.hosts");
};
inline const RelatedFields& related_fields() {
  static const RelatedFields fields;
  return fields;
}

// Values of one record in related.user and its like; what comes beyond is left out.
constexpr size_t kRelatedMax = 64;

// What was given for one of related.*.
class RelatedSeen {
 public:
  // Whether the value is to be given: each once.
  bool take(std::string_view text) {
    if (text.empty() || count_ == kRelatedMax) return false;
    for (size_t i = 0; i < count_; ++i)
      if (std::string_view(seen_[i].at, seen_[i].size) == text) return false;
    seen_[count_++] = {text.data(), text.size()};
    return true;
  }

 private:
  struct Text {
    const char* at;
    size_t size;
  };
  std::array<Text, kRelatedMax> seen_;  // made anew for each record, so not cleared
  size_t count_ = 0;
};

Value text_value(std::string_view text);

}  // namespace yushi
