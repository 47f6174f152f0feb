// ECS fields: their names, types and small numbers. One table for parsers, filters, rules, blocks and JSON.
//
// A Field is known by pointer. Static ones (ECS, our own `yushi.*`, and those that a parser file declares under its own
// name) are interned once for the life of the process, so that two equal names are the same pointer and have a FieldId.
// But versions of a parser may give one name several types, and a record keeps the type that it had at commit: then
// there is a Field for each, and who looks for a name finds all of them (visit_field()).
// Dynamic ones (keys of key=value and JSON messages, structured data) come from hostile bytes: they live in the arena
// of their Batch, have FieldId 0 and are compared by name, so that a sender cannot fill a table of ours.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace yushi {

enum class FieldType : uint8_t { keyword, text, integer, real, boolean, ip, date };

using FieldId = uint16_t;
constexpr FieldId kDynamicField = 0;

struct Field {
  std::string_view name;  // dotted ECS name, "source.ip"
  FieldType type;
  FieldId id;
  bool list;  // ECS gives it as a list (event.category, host.ip): JSON writes one even for one value
};

// The interned field of this name, of several the first declared; nullptr when it is neither ECS nor declared. Any
// thread.
const Field* find_field(std::string_view name);

// All fields of this name: one of each type that was declared, and as a list or not. Any thread.
std::vector<const Field*> fields_named(std::string_view name);

// Declares a parser's own field (name begins with `<parser>.`), or returns the one of this name, type and list; a fixed
// field is returned as it is. Any thread. For names from files we loaded only, never for names from messages. refused
// after 60,000 fields.
// `list`: its values collect instead of the last one counting.
Result<const Field*> declare_field(std::string_view name, FieldType type, bool list = false);

// Is it of the fixed table (ECS and our own yushi.*), not declared by a parser file and not dynamic?
bool is_fixed_field(const Field& field);

// Says that a parser gives fields of any name that begins with `prefix` ("auditd."): the keys of its messages. Any
// thread.
void declare_dynamic_prefix(std::string_view prefix);

// Whether a record can have a field of this name: it is in the table, declared, or begins as dynamic ones do (json.*,
// kv.*, structured data and the prefixes of parsers). Any thread. For names from queries and files, to tell a misspelt
// one.
bool may_be_field(std::string_view name);

// Calls visit(name) for each name of the table and each declared one; a name of several types comes several times.
void for_each_field_name(const std::function<void(std::string_view name)>& visit);

// "; did you mean user.name?" with the known name that is nearest to a misspelt one; empty when none is near.
std::string field_suggestion(std::string_view name);

// The fields that the code itself speaks of.
namespace ecs {
extern const Field* const timestamp;       // @timestamp
extern const Field* const timestamp_date;  // @timestamp.date and the next two: what a parser says of it in parts
extern const Field* const timestamp_time;
extern const Field* const timestamp_zone;
extern const Field* const message;         // text
extern const Field* const event_original;  // text
extern const Field* const error_message;   // text
extern const Field* const event_id;
extern const Field* const event_created;
extern const Field* const event_dataset;
extern const Field* const event_category;
extern const Field* const event_type;
extern const Field* const event_action;
extern const Field* const event_outcome;
extern const Field* const syslog_priority;  // log.syslog.priority
extern const Field* const syslog_facility_code;
extern const Field* const syslog_facility_name;
extern const Field* const syslog_severity_code;
extern const Field* const syslog_severity_name;
extern const Field* const syslog_msgid;
extern const Field* const syslog_version;
extern const Field* const host_name;
extern const Field* const process_name;
extern const Field* const process_pid;
extern const Field* const user_name;
extern const Field* const source_ip;
extern const Field* const observer_name;
extern const Field* const log_source_address;
extern const Field* const organization_name;
extern const Field* const yushi_event;
extern const Field* const yushi_hearsay;
extern const Field* const yushi_host_unconfirmed;
extern const Field* const yushi_inferred;
extern const Field* const yushi_program_unconfirmed;
extern const Field* const yushi_time_inferred;
extern const Field* const yushi_part;
extern const Field* const yushi_part_of;
extern const Field* const yushi_lines;
extern const Field* const yushi_truncated;
extern const Field* const yushi_masked;
extern const Field* const yushi_tenant;
extern const Field* const yushi_transport;
}  // namespace ecs

// Prefix of the names of structured data: log.syslog.structured_data.<SD-ID>.<name>
constexpr std::string_view kStructuredDataPrefix = "log.syslog.structured_data.";

}  // namespace yushi
