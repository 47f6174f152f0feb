#include "core/record/derived.h"

#include <algorithm>
#include <charconv>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/name.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/base/url_text.h"
#include "core/record/odd_request.h"
#include "core/record/url_fields.h"

namespace yushi {
namespace {

const Field* process_executable() {
  static const Field* const field = find_field("process.executable");
  return field;
}

// Which related.* a field belongs to, by its name: user.name and user.target.name, source.user.name; each address;
// host.name, observer.hostname, destination.domain, but no domain of users or of certificates.
Derived related_by_name(const Field& field) {
  const auto name = field.name;
  const auto has = [&](std::string_view part) { return name.find(part) != name.npos; };
  if (name.starts_with("related.") || name.starts_with("yushi.")) return Derived::none;
  if (field.type == FieldType::ip) return Derived::related_ip;
  if (name.ends_with("user.name") ||
      (has("user.") &&
       (name.ends_with(".target.name") || name.ends_with(".effective.name") || name.ends_with(".changes.name"))))
    return Derived::related_user;
  if (name == "host.name" || name.ends_with(".hostname")) return Derived::related_hosts;
  for (auto side : {"source.domain", "destination.domain", "client.domain", "server.domain", "url.domain"})
    if (name == side) return Derived::related_hosts;
  return Derived::none;
}

Value true_value() {
  Value value = text_value("true");
  value.type = Value::Type::boolean;
  value.integer = 1;
  return value;
}

Value integer_value(int64_t number, Scratch& scratch) {
  Value value;
  value.type = Value::Type::integer;
  value.integer = number;
  char* at = scratch.allocate(20);
  value.text = {at, static_cast<size_t>(std::to_chars(at, at + 20, number).ptr - at)};
  return value;
}

Value date_value(int64_t unix_ns) {
  Value value;
  value.type = Value::Type::date;
  value.integer = unix_ns;
  return value;
}

// The tenant of a log's name: "finance", "finance:topic:0" and "finance@2" are all finance's. `_audit` is nobody's.
std::string_view tenant_of(std::string_view log) {
  const auto tenant = log.substr(0, log.find_first_of("@:"));
  return tenant == kAuditLog ? std::string_view() : tenant;
}

// The values of related.*, each once: of a field that is said several times, the one that counts.
void gather_related(const Said& said, Derived which, Scratch& scratch, const Give& give) {
  RelatedSeen seen;
  bool has_domain = false;
  for (size_t i = 0; i < said.size(); ++i) {
    const Field* field = said.field(i);
    if (related_of(*field, role(*field)) != which) continue;
    has_domain |= field == url_fields().domain;
    Value value;
    if (said.value(i, scratch, &value) && !is_said_later(said, i, scratch) && seen.take(value.text)) give(value);
  }
  if (which == Derived::related_hosts && !has_domain)
    if (auto domain = url_part(SplitUrl(said, scratch), Derived::url_domain); seen.take(domain))
      give(text_value(domain));
}

}  // namespace

Value text_value(std::string_view text) {
  Value value;
  value.text = text;
  return value;
}

Roles::Roles() {
  auto set = [this](const Field* field, Derived derived) {
    YUSHI_ASSERT(field && field->id < kStaticIdsMax, "field table outgrew kStaticIdsMax");
    by_id[field->id] = derived;
  };
  set(ecs::timestamp, Derived::timestamp);
  for (auto* part : {ecs::timestamp_date, ecs::timestamp_time, ecs::timestamp_zone}) set(part, Derived::timestamp_part);
  set(ecs::event_created, Derived::event_created);
  set(ecs::event_id, Derived::event_id);
  set(ecs::event_original, Derived::event_original);
  set(ecs::event_dataset, Derived::event_dataset);
  set(ecs::observer_name, Derived::observer_name);
  set(ecs::log_source_address, Derived::log_source_address);
  set(ecs::organization_name, Derived::organization_name);
  set(ecs::yushi_time_inferred, Derived::time_inferred);
  set(ecs::yushi_part, Derived::part);
  set(ecs::yushi_part_of, Derived::part_of);
  set(ecs::yushi_lines, Derived::lines);
  set(ecs::yushi_truncated, Derived::truncated);
  set(ecs::yushi_host_unconfirmed, Derived::host_unconfirmed);
  set(ecs::yushi_masked, Derived::masked);
  set(ecs::yushi_transport, Derived::transport);
  set(find_field("yushi.raw_base64"), Derived::raw_base64);
  set(ecs::yushi_tenant, Derived::tenant);
  set(ecs::message, Derived::message);
  set(ecs::process_name, Derived::process_name);
  set(url_fields().decoded, Derived::url_decoded);
  set(find_field("yushi.url.plain"), Derived::url_plain);
  set(find_field("yushi.request.plain"), Derived::request_plain);
  set(find_field("yushi.request.sql"), Derived::request_sql);
  set(find_field("yushi.request.script"), Derived::request_script);
  set(find_field("yushi.request.command"), Derived::request_command);
  set(url_fields().original, Derived::url_original);
  for (auto& [derived, field] : url_parts()) set(*field, derived);
  set(related_fields().user, Derived::related_user);
  set(related_fields().ip, Derived::related_ip);
  set(related_fields().hosts, Derived::related_hosts);
  set(ecs::syslog_priority, Derived::priority);
  set(ecs::syslog_facility_code, Derived::facility_code);
  set(ecs::syslog_facility_name, Derived::facility_name);
  set(ecs::syslog_severity_code, Derived::severity_code);
  set(ecs::syslog_severity_name, Derived::severity_name);
  for_each_field_name([&](std::string_view name) {
    if (auto* field = find_field(name); field && is_fixed_field(*field))
      related_by_id[field->id] = related_by_name(*field);
  });
}

void derive(const Record& record, Derived derived, Scratch& scratch, const Give& give) {
  const Origin* origin = record.origin;
  switch (derived) {
    case Derived::timestamp:
      give(date_value(record.event_ns));
      break;
    case Derived::event_created:
      if (origin) give(date_value(origin->received_ns));
      break;
    case Derived::event_id:
      if (origin && !origin->log.empty()) {
        char* at = scratch.allocate(origin->log.size() + 21);
        char* end = std::copy(origin->log.begin(), origin->log.end(), at);
        *end++ = '/';
        end = std::to_chars(end, end + 20, record.index).ptr;
        give(text_value({at, static_cast<size_t>(end - at)}));
      }
      break;
    case Derived::event_original:
      // Behind the lines of a joined event stands what was put together of them.
      give(text_value(text_of(
          record,
          record.lines.empty() ? record.raw : record.raw.substr(0, record.message_begin + record.message_length),
          scratch)));
      break;
    case Derived::event_dataset:
      if (record.kind && !record.kind->dataset.empty()) give(text_value(record.kind->dataset));
      break;
    case Derived::observer_name:
      if (origin && !origin->node.empty()) give(text_value(origin->node));
      break;
    case Derived::log_source_address:
      if (origin && !origin->address.empty()) give(text_value(origin->address));
      break;
    case Derived::organization_name:
      if (origin)
        if (auto tenant = tenant_of(origin->log); !tenant.empty()) give(text_value(tenant));
      break;
    case Derived::time_inferred:
      if (record.time_inferred & kYearInferred) give(text_value("year"));
      if (record.time_inferred & kZoneInferred) give(text_value("zone"));
      if (record.time_inferred & kAllInferred) give(text_value("all"));
      if (record.time_inferred & kDateInferred) give(text_value("date"));
      if (record.time_inferred & kClockInferred) give(text_value("clock"));
      break;
    case Derived::part:
      if (record.part) give(integer_value(record.part, scratch));
      break;
    case Derived::part_of:
      if (record.part_of) give(integer_value(record.part_of, scratch));
      break;
    case Derived::lines:
      for (auto line : record.lines) give(integer_value(static_cast<int64_t>(line), scratch));
      break;
    case Derived::truncated:
      if (record.marks & kTruncated) give(true_value());
      break;
    case Derived::host_unconfirmed:
      if (record.marks & kHostUnconfirmed) give(true_value());
      break;
    case Derived::masked:
      if (record.marks & kMaskedSecrets) give(true_value());
      break;
    case Derived::transport:
      if (origin) give(text_value(transport_name(origin->transport)));
      break;
    case Derived::message:
      give(text_value(text_of(record, record.message(), scratch)));
      break;
    case Derived::priority:
      if (record.priority != Record::kNoPriority) give(integer_value(record.priority, scratch));
      break;
    case Derived::facility_code:
      if (record.priority != Record::kNoPriority) give(integer_value(record.priority >> 3, scratch));
      break;
    case Derived::severity_code:
      if (record.priority != Record::kNoPriority) give(integer_value(record.priority & 7, scratch));
      break;
    case Derived::facility_name:
      if (auto name = facility_name(record.priority >> 3); !name.empty()) give(text_value(name));
      break;
    case Derived::severity_name:
      if (record.priority != Record::kNoPriority) give(text_value(severity_name(record.priority & 7)));
      break;
    case Derived::url_original:
      if (auto url = url_original(record, scratch); !url.empty()) give(text_value(url));
      break;
    case Derived::url_decoded: {
      const auto text = whole_url(Said(record), scratch);
      if (text.empty()) break;
      if (text.find_first_of("%+") == text.npos) break;
      char* to = scratch.allocate(url_decoded_bytes_max(text.size()));
      if (const std::string_view decoded(to, decode_url(text, to)); decoded != text) give(text_value(decoded));
      break;
    }
    case Derived::url_plain:
    case Derived::request_plain:
    case Derived::request_sql:
    case Derived::request_script:
    case Derived::request_command:
      derive_of_request(record, derived, scratch, give);
      break;
    case Derived::process_name:
      if (auto name = last_segment(said_text(Said(record), process_executable(), scratch)); !name.empty())
        give(text_value(name));
      break;
    case Derived::url_scheme:
    case Derived::url_domain:
    case Derived::url_port:
    case Derived::url_path:
    case Derived::url_query:
    case Derived::url_extension:
      give_url_part(SplitUrl(Said(record), scratch), derived, give);
      break;
    case Derived::related_user:
    case Derived::related_ip:
    case Derived::related_hosts:
      gather_related(Said(record), derived, scratch, give);
      break;
    case Derived::none:
    case Derived::timestamp_part:
    case Derived::tenant:
      break;
    case Derived::raw_base64:
      if (!is_utf8(record.raw)) {
        auto base64 = to_base64(record.raw);
        char* at = scratch.allocate(base64.size());
        give(text_value({at, base64.copy(at, base64.size())}));
      }
      break;
  }
}

std::span<const DerivedField> derived_fields() {
  static constexpr DerivedField kDerivedFields[] = {
      {Derived::timestamp, &ecs::timestamp},
      {Derived::event_created, &ecs::event_created},
      {Derived::event_id, &ecs::event_id},
      {Derived::event_original, &ecs::event_original},
      {Derived::event_dataset, &ecs::event_dataset},
      {Derived::observer_name, &ecs::observer_name},
      {Derived::log_source_address, &ecs::log_source_address},
      {Derived::organization_name, &ecs::organization_name},
      {Derived::time_inferred, &ecs::yushi_time_inferred},
      {Derived::part, &ecs::yushi_part},
      {Derived::part_of, &ecs::yushi_part_of},
      {Derived::lines, &ecs::yushi_lines},
      {Derived::truncated, &ecs::yushi_truncated},
      {Derived::host_unconfirmed, &ecs::yushi_host_unconfirmed},
      {Derived::masked, &ecs::yushi_masked},
      {Derived::transport, &ecs::yushi_transport},
      {Derived::priority, &ecs::syslog_priority},
      {Derived::facility_code, &ecs::syslog_facility_code},
      {Derived::facility_name, &ecs::syslog_facility_name},
      {Derived::severity_code, &ecs::syslog_severity_code},
      {Derived::severity_name, &ecs::syslog_severity_name},
  };
  return kDerivedFields;
}

bool is_derived_field(const Field& field) { return role(field) != Derived::none; }

std::optional<std::vector<std::string>> fields_behind(std::string_view name) {
  std::vector<std::string> out{std::string(name)};
  const Field* field = find_field(name);
  switch (field ? role(*field) : Derived::none) {
    case Derived::event_original:
    case Derived::lines:
    case Derived::raw_base64:
    case Derived::url_decoded:
    case Derived::url_plain:
    case Derived::request_plain:
    case Derived::request_sql:
    case Derived::request_script:
    case Derived::request_command:
    case Derived::message:
    case Derived::url_original:
    case Derived::url_scheme:
    case Derived::url_domain:
    case Derived::url_port:
    case Derived::url_path:
    case Derived::url_query:
    case Derived::url_extension:
    case Derived::related_user:
    case Derived::related_ip:
    case Derived::related_hosts:
      return std::nullopt;
    case Derived::process_name:
      out.emplace_back(process_executable()->name);
      return out;
    default:
      return out;
  }
}

ToldBy told_by(std::string_view name) {
  const Field* field = find_field(name);
  switch (field ? role(*field) : Derived::none) {
    case Derived::timestamp:
      return ToldBy::time;
    case Derived::event_created:
    case Derived::log_source_address:
    case Derived::transport:
      return ToldBy::origin;
    case Derived::event_id:
      return ToldBy::record;
    default:
      return ToldBy::captures;
  }
}

bool is_told_by_kind(std::string_view name) {
  const Field* field = find_field(name);
  const Derived derived = field ? role(*field) : Derived::none;
  return derived == Derived::none || derived == Derived::event_dataset || derived >= Derived::priority;
}

}  // namespace yushi
