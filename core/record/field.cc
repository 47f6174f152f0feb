#include "core/record/field.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <set>
#include <string>

#include "core/base/assert.h"
#include "core/base/mutex.h"
#include "core/base/nearest_name.h"

namespace yushi {
namespace {

// Everything static here is constant-initialised: a parser table of another translation unit may name a field before
// main(), and no order of initialisation can then give it a null.
struct Line {
  std::string_view name;
  FieldType type;
  bool list = false;
};

constexpr Line kLines[] = {
#include "core/record/ecs_fields.inc"
};
constexpr size_t kStaticFields = std::size(kLines);

constexpr auto kFields = [] {
  std::array<Field, kStaticFields> fields{};
  for (size_t i = 0; i < kStaticFields; ++i)
    fields[i] = Field{kLines[i].name, kLines[i].type, static_cast<FieldId>(i + 1), kLines[i].list};
  return fields;
}();

constexpr uint64_t name_hash(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a; the table is small and its keys are ours
  for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash ^ hash >> 32;
}

// Open hash of the static names: number of the field, 0 for an empty slot. Built by the compiler.
constexpr size_t kStaticSlots = 4096;
static_assert(kStaticFields * 2 < kStaticSlots);
constexpr auto kSlots = [] {
  std::array<uint16_t, kStaticSlots> slots{};
  for (size_t i = 0; i < kStaticFields; ++i) {
    size_t at = name_hash(kLines[i].name) % kStaticSlots;
    while (slots[at]) at = (at + 1) % kStaticSlots;
    slots[at] = static_cast<uint16_t>(i + 1);
  }
  return slots;
}();

consteval const Field* known(std::string_view name) {
  for (const Field& field : kFields)
    if (field.name == name) return &field;
  throw "ecs_fields.inc has no such field";
}

// Fields that parser files declared. Readers take no lock: a slot goes from null to its field once and stays.
constexpr size_t kNamesMax = 60'000;
constexpr size_t kDeclaredSlots = 131'072;  // 1 MiB of zero pages until used
std::atomic<const Field*> declared[kDeclaredSlots];
std::atomic<size_t> declared_count{0};
Mutex declare_mutex;
// Of files, so there are few.
std::set<std::string, std::less<>>& dynamic_prefixes() YUSHI_REQUIRES(declare_mutex) {
  static std::set<std::string, std::less<>> prefixes;
  return prefixes;
}

const Field* find_static(std::string_view name, uint64_t hash) {
  for (size_t at = hash % kStaticSlots; kSlots[at]; at = (at + 1) % kStaticSlots)
    if (kFields[kSlots[at] - 1].name == name) return &kFields[kSlots[at] - 1];
  return nullptr;
}

// The first that `fits`, or nullptr and the empty slot behind them all.
template <class Fits>
const Field* find_declared(uint64_t hash, size_t* slot, Fits&& fits) {
  for (*slot = hash % kDeclaredSlots;; *slot = (*slot + 1) % kDeclaredSlots) {
    const Field* field = declared[*slot].load(std::memory_order_acquire);
    if (!field || fits(*field)) return field;
  }
}

}  // namespace

const Field* find_field(std::string_view name) {
  uint64_t hash = name_hash(name);
  if (const Field* field = find_static(name, hash)) return field;
  if (declared_count.load(std::memory_order_acquire) == 0) return nullptr;
  size_t slot;
  return find_declared(hash, &slot, [&](const Field& field) { return field.name == name; });
}

std::vector<const Field*> fields_named(std::string_view name) {
  const uint64_t hash = name_hash(name);
  if (const Field* field = find_static(name, hash)) return {field};
  std::vector<const Field*> out;
  size_t slot;
  find_declared(hash, &slot, [&](const Field& field) {
    if (field.name == name) out.push_back(&field);
    return false;
  });
  return out;
}

void declare_dynamic_prefix(std::string_view prefix) {
  MutexLock lock(declare_mutex);
  dynamic_prefixes().emplace(prefix);
}

bool may_be_field(std::string_view name) {
  if (find_field(name)) return true;
  auto continues = [&](std::string_view prefix) { return name.size() > prefix.size() && name.starts_with(prefix); };
  if (continues("json.") || continues("kv.") || continues("labels.") || continues(kStructuredDataPrefix)) return true;
  MutexLock lock(declare_mutex);
  return std::any_of(dynamic_prefixes().begin(), dynamic_prefixes().end(), continues);
}

void for_each_field_name(const std::function<void(std::string_view name)>& visit) {
  for (const Field& field : kFields) visit(field.name);
  for (const auto& slot : declared)
    if (const Field* field = slot.load(std::memory_order_acquire)) visit(field->name);
}

std::string field_suggestion(std::string_view name) {
  NearestName nearest(name);
  for_each_field_name([&](std::string_view known) { nearest.offer(known); });
  return nearest.suggestion();
}

bool is_fixed_field(const Field& field) { return field.id != kDynamicField && field.id <= kStaticFields; }

Result<const Field*> declare_field(std::string_view name, FieldType type, bool list) {
  if (name.empty()) return fail(Code::invalid, "declaring a field: its name is empty; give it a name");
  uint64_t hash = name_hash(name);
  if (const Field* field = find_static(name, hash)) return field;
  MutexLock lock(declare_mutex);
  size_t slot;
  auto fits = [&](const Field& field) { return field.name == name && field.type == type && field.list == list; };
  if (const Field* field = find_declared(hash, &slot, fits)) return field;
  size_t count = declared_count.load(std::memory_order_relaxed);
  if (kStaticFields + count >= kNamesMax)
    return fail(Code::refused, "declaring field " + std::string(name) + ": there are 60,000 fields already; " +
                                   "remove parsers that are not used and restart");
  // Never freed: fields live as long as the process, and records of any age point at them.
  auto* copy = new char[name.size()];
  name.copy(copy, name.size());
  auto* field = new Field{{copy, name.size()}, type, static_cast<FieldId>(kStaticFields + 1 + count), list};
  declared[slot].store(field, std::memory_order_release);
  declared_count.store(count + 1, std::memory_order_release);
  return field;
}

namespace ecs {
constinit const Field* const timestamp = known("@timestamp");
constinit const Field* const timestamp_date = known("@timestamp.date");
constinit const Field* const timestamp_time = known("@timestamp.time");
constinit const Field* const timestamp_zone = known("@timestamp.zone");
constinit const Field* const message = known("message");
constinit const Field* const event_original = known("event.original");
constinit const Field* const error_message = known("error.message");
constinit const Field* const event_id = known("event.id");
constinit const Field* const event_created = known("event.created");
constinit const Field* const event_dataset = known("event.dataset");
constinit const Field* const event_category = known("event.category");
constinit const Field* const event_type = known("event.type");
constinit const Field* const event_action = known("event.action");
constinit const Field* const event_outcome = known("event.outcome");
constinit const Field* const syslog_priority = known("log.syslog.priority");
constinit const Field* const syslog_facility_code = known("log.syslog.facility.code");
constinit const Field* const syslog_facility_name = known("log.syslog.facility.name");
constinit const Field* const syslog_severity_code = known("log.syslog.severity.code");
constinit const Field* const syslog_severity_name = known("log.syslog.severity.name");
constinit const Field* const syslog_msgid = known("log.syslog.msgid");
constinit const Field* const syslog_version = known("log.syslog.version");
constinit const Field* const host_name = known("host.name");
constinit const Field* const process_name = known("process.name");
constinit const Field* const process_pid = known("process.pid");
constinit const Field* const user_name = known("user.name");
constinit const Field* const source_ip = known("source.ip");
constinit const Field* const observer_name = known("observer.name");
constinit const Field* const log_source_address = known("log.source.address");
constinit const Field* const organization_name = known("organization.name");
constinit const Field* const yushi_event = known("yushi.event");
constinit const Field* const yushi_hearsay = known("yushi.hearsay");
constinit const Field* const yushi_host_unconfirmed = known("yushi.host.unconfirmed");
constinit const Field* const yushi_inferred = known("yushi.inferred");
constinit const Field* const yushi_program_unconfirmed = known("yushi.program.unconfirmed");
constinit const Field* const yushi_time_inferred = known("yushi.time.inferred");
constinit const Field* const yushi_part = known("yushi.part");
constinit const Field* const yushi_part_of = known("yushi.part_of");
constinit const Field* const yushi_lines = known("yushi.lines");
constinit const Field* const yushi_truncated = known("yushi.truncated");
constinit const Field* const yushi_masked = known("yushi.masked");
constinit const Field* const yushi_tenant = known("yushi.tenant");
constinit const Field* const yushi_transport = known("yushi.transport");
}  // namespace ecs

}  // namespace yushi
