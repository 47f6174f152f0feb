// The fields of a record have three sorts, and later ones take the place of earlier ones:
//   1. the header's captures (before `message`)   2. the constants of its kind   3. the captures in `message`
// List fields collect instead. Beside them stand the derived fields (DerivedField below): they say what we know of the
// record ourselves, so no capture can take their place, or a sender could write "organization.name" into his JSON.
// `message`, the parts of a URL and process.name alone yield to a capture, and what PRI says yields to nothing but its
// absence. related.* gathers: all final values of the fields of users, addresses and hosts.
#include "core/record/record.h"

#include <algorithm>
#include <charconv>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/name.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/base/url_text.h"
#include "core/record/value.h"
#include "core/web/command_check.h"
#include "core/web/request_text.h"
#include "core/web/script_check.h"
#include "core/web/sql_check.h"

namespace yushi {
namespace {

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
constexpr size_t kStaticIdsMax = 2048;

struct UrlFields {
  const Field* original = find_field("url.original");
  const Field* full = find_field("url.full");
  const Field* scheme = find_field("url.scheme");
  const Field* domain = find_field("url.domain");
  const Field* port = find_field("url.port");
  const Field* path = find_field("url.path");
  const Field* query = find_field("url.query");
  const Field* extension = find_field("url.extension");
  const Field* decoded = find_field("yushi.url.decoded");
  const Field* referrer = find_field("http.request.referrer");
  const Field* agent = find_field("user_agent.original");
};
const UrlFields& url() {
  static const UrlFields fields;
  return fields;
}
struct UrlPart {
  Derived derived;
  const Field* const* field;
};
const UrlPart kUrlParts[] = {{Derived::url_scheme, &url().scheme}, {Derived::url_domain, &url().domain},
                             {Derived::url_port, &url().port},     {Derived::url_path, &url().path},
                             {Derived::url_query, &url().query},   {Derived::url_extension, &url().extension}};

const Field* process_executable() {
  static const Field* const field = find_field("process.executable");
  return field;
}

struct RelatedFields {
  const Field* user = find_field("related.user");
  const Field* ip = find_field("related.ip");
  const Field* hosts = find_field("related.hosts");
};
const RelatedFields& related() {
  static const RelatedFields fields;
  return fields;
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

// Role by FieldId; declared fields have higher ids than all of these, dynamic ones 0.
struct Roles {
  std::array<Derived, kStaticIdsMax> by_id{};
  std::array<Derived, kStaticIdsMax> related_by_id{};
  Roles() {
    auto set = [this](const Field* field, Derived derived) {
      YUSHI_ASSERT(field && field->id < kStaticIdsMax, "field table outgrew kStaticIdsMax");
      by_id[field->id] = derived;
    };
    set(ecs::timestamp, Derived::timestamp);
    for (auto* part : {ecs::timestamp_date, ecs::timestamp_time, ecs::timestamp_zone})
      set(part, Derived::timestamp_part);
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
    set(url().decoded, Derived::url_decoded);
    set(find_field("yushi.url.plain"), Derived::url_plain);
    set(find_field("yushi.request.plain"), Derived::request_plain);
    set(find_field("yushi.request.sql"), Derived::request_sql);
    set(find_field("yushi.request.script"), Derived::request_script);
    set(find_field("yushi.request.command"), Derived::request_command);
    set(url().original, Derived::url_original);
    for (auto& [derived, field] : kUrlParts) set(*field, derived);
    set(related().user, Derived::related_user);
    set(related().ip, Derived::related_ip);
    set(related().hosts, Derived::related_hosts);
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
};

const Roles& roles() {
  static const Roles all;
  return all;
}
Derived role(const Field& field) { return field.id < kStaticIdsMax ? roles().by_id[field.id] : Derived::none; }
// The related.* that the field's values are of.
Derived related_role(const Field& field) {
  return field.id < kStaticIdsMax ? roles().related_by_id[field.id] : Derived::none;
}

constexpr uint32_t bit_of(Derived derived) {
  return 1u << (static_cast<unsigned>(derived) - static_cast<unsigned>(Derived::message));
}

// Derived only when nothing was said: the record's own words come first.
bool yields(Derived derived) { return derived >= Derived::message && derived < Derived::related_user; }

// True when a capture or constant of this field does not count.
bool is_ours(const Record& record, Derived derived) {
  if (derived == Derived::none || yields(derived)) [[likely]]
    return false;
  if (derived == Derived::tenant) return !record.origin || record.origin->transport != Transport::internal;
  if (derived >= Derived::priority) return derived == Derived::priority || record.priority != Record::kNoPriority;
  return true;
}

bool same_field(const Field* a, const Field* b) {
  return a == b || (a->id == kDynamicField && b->id == kDynamicField && a->name == b->name);
}

// False when the text is no value of the field.
bool value_of(const Field& field, std::string_view text, Scratch& scratch, Value* out) {
  // The target of a request to a proxy is a whole URL: the path in it is the path.
  if (&field == url().path && !text.starts_with('/') && text.find("://") != text.npos)
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
bool value_of(const Record& record, const Capture& capture, Scratch& scratch, Value* out) {
  auto text = text_of(record, record.text(capture), scratch);
  if (capture.escape != static_cast<uint32_t>(Escape::none))
    text = decode_escape(text, static_cast<Escape>(capture.escape), scratch);
  return value_of(*capture.field, text, scratch, out);
}
bool value_of(const ConstantField& constant, Scratch& scratch, Value* out) {
  return value_of(*constant.field, constant.value, scratch, out);
}

// The record's captures and constants in order of precedence, as one sequence 0..size()-1. Of a later part of a message
// what it inherits of the first stands before them.
struct Said {
  explicit Said(const Record& record) : of(record) {
    if (auto* head = record.part_head) [[unlikely]] {
      for (auto& [field, text] : {std::pair(ecs::host_name, head->host), std::pair(ecs::process_name, head->program),
                                  std::pair(ecs::process_pid, head->pid)})
        if (!text.empty()) inherited[inherits++] = {field, text};
    }
    header = 0;
    while (header < of.captures.size() && of.captures[header].end() <= of.message_begin) ++header;
    constants = of.kind ? of.kind->constants.size() : 0;
  }
  size_t size() const { return inherits + of.captures.size() + constants; }
  const Field* field(size_t i) const { return i < inherits ? inherited[i].field : own_field(i - inherits); }
  bool value(size_t i, Scratch& scratch, Value* out) const {
    if (i < inherits) [[unlikely]]
      return read_value(inherited[i].text, inherited[i].field->type, out);
    return own_value(i - inherits, scratch, out);
  }
  // The last before `i` whose field is wanted; SIZE_MAX: none. Most fields are asked of records that do not have them.
  template <class Wanted>
  size_t last_before(size_t i, const Wanted& wanted) const {
    const size_t in_message = inherits + header + constants;
    for (; i > in_message; --i)
      if (wanted(of.captures[i - 1 - inherits - constants].field)) return i - 1;
    for (; i > inherits + header; --i)
      if (wanted(of.kind->constants[i - 1 - inherits - header].field)) return i - 1;
    for (; i > inherits; --i)
      if (wanted(of.captures[i - 1 - inherits].field)) return i - 1;
    for (; i > 0; --i)
      if (wanted(inherited[i - 1].field)) return i - 1;
    return SIZE_MAX;
  }
  const Record& of;

 private:
  const ConstantField* constant(size_t i) const {
    return i >= header && i - header < constants ? &of.kind->constants[i - header] : nullptr;
  }
  const Capture& capture(size_t i) const { return of.captures[i < header ? i : i - constants]; }
  const Field* own_field(size_t i) const {
    auto* c = constant(i);
    return c ? c->field : capture(i).field;
  }
  bool own_value(size_t i, Scratch& scratch, Value* out) const {
    const auto* said = constant(i);
    return said ? value_of(*said, scratch, out) : value_of(of, capture(i), scratch, out);
  }

  struct Inherited {
    const Field* field;
    std::string_view text;
  };

  size_t header;  // captures before the message
  size_t constants;
  std::array<Inherited, 3> inherited;
  size_t inherits = 0;
};

// Whether a field is the one that is asked for. Of another type than today's (field.h) or dynamic, it is another Field.
auto fields_of(const Field* field, std::string_view name) {
  const bool by_name = !field || !is_fixed_field(*field);
  return [=](const Field* other) {
    return other == field || ((by_name || other->id == kDynamicField) && other->name == name);
  };
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

// What most records say of most fields: nothing, or one value. `unknown`: ask Said.
enum class Plainly : uint8_t { unknown, absent, said };
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

Value text_value(std::string_view text) {
  Value value;
  value.text = text;
  return value;
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

// A request's target as it was sent. Captures do not overlap, so a parser takes its two parts (they make the better
// columns), and the whole is the span over both. Empty when there is no path, or no such text around it.
std::string_view url_original(const Record& record, Scratch& scratch) {
  static const Field* const path_field = find_field("url.path");
  static const Field* const query_field = find_field("url.query");
  for (size_t i = 0; i < record.captures.size(); ++i) {
    const Capture& path = record.captures[i];
    const auto escape = static_cast<Escape>(path.escape);
    if (path.field != path_field || (escape != Escape::none && escape != Escape::json) ||
        path.end() >= record.raw.size())
      continue;
    const auto given = [&](uint32_t end, Escape how) {
      return decode_escape(text_of(record, record.raw.substr(path.begin, end - path.begin), scratch), how, scratch);
    };
    char after = record.raw[path.end()];
    if (after == ' ' || after == '"')
      return given(path.end(), escape);  // `"`: of HTTP 0.9, without a version, and of JSON
    if (after != '?') return {};
    uint32_t end = path.end() + 1;
    auto how = escape;
    if (i + 1 < record.captures.size()) {
      const Capture& query = record.captures[i + 1];
      if (query.field == query_field && query.begin == end) {
        end = query.end();
        if (query.escape != 0) how = static_cast<Escape>(query.escape);
      }
    }
    return given(end, how);
  }
  return {};
}

// What the record says of a field that has one value; empty when nothing.
std::string_view said_text(const Said& said, const Field* field, Scratch& scratch) {
  Value value;
  for (size_t i = said.size(); i-- > 0;)
    if (said.field(i) == field && said.value(i, scratch, &value)) return value.text;
  return {};
}

// The text as captured, of a path too.
std::string_view url_as_captured(const Said& said, Scratch& scratch) {
  auto text = said_text(said, url().original, scratch);
  if (text.empty()) text = said_text(said, url().full, scratch);
  if (!text.empty()) return text;
  for (const Capture& capture : said.of.captures)
    if (capture.field == url().path) {
      auto path =
          decode_escape(text_of(said.of, said.of.text(capture), scratch), static_cast<Escape>(capture.escape), scratch);
      return path.find("://") != path.npos ? path : std::string_view();
    }
  return {};
}

// What is decoded: the most that there is of it. IIS and some JSON have the query apart.
std::string_view whole_url(const Said& said, Scratch& scratch) {
  auto text = said_text(said, url().original, scratch);
  if (!text.empty()) return text;
  text = url_original(said.of, scratch);
  if (text.empty()) text = said_text(said, url().full, scratch);
  if (text.empty()) text = said_text(said, url().path, scratch);
  if (text.empty() || text.find('?') != text.npos) return text;
  const auto query = said_text(said, url().query, scratch);
  if (query.empty()) return text;
  char* to = scratch.allocate(text.size() + 1 + query.size());
  text.copy(to, text.size());
  to[text.size()] = '?';
  query.copy(to + text.size() + 1, query.size());
  return {to, text.size() + 1 + query.size()};
}

// The captured text split, and beside it the path that was captured by itself.
struct SplitUrl {
  UrlParts parts;
  std::string_view path;
  SplitUrl(const Said& said, Scratch& scratch)
      : parts(split_url(url_as_captured(said, scratch))), path(said_text(said, url().path, scratch)) {}
};

std::string_view url_part(const SplitUrl& of, Derived derived) {
  const auto& parts = of.parts;
  switch (derived) {
    case Derived::url_scheme:
      return parts.scheme;
    case Derived::url_domain:
      return parts.domain;
    case Derived::url_port:
      return parts.port;
    case Derived::url_path:
      return parts.path;
    case Derived::url_query:
      return parts.query;
    default:
      return of.path.empty() ? parts.extension() : UrlParts{{}, {}, {}, of.path, {}}.extension();
  }
}

template <class Give>
void give_url_part(const SplitUrl& of, Derived derived, Give&& give) {
  const auto part = url_part(of, derived);
  Value value;
  if (!part.empty() && read_value(part, derived == Derived::url_port ? FieldType::integer : FieldType::keyword, &value))
    give(value);
}

// A scalar that is said again later, as a valid value, is not given.
bool is_said_later(const Said& said, size_t i, Scratch& scratch) {
  const Field* field = said.field(i);
  if (field->list) return false;
  for (size_t k = i + 1; k < said.size(); ++k) {
    Value later;
    if (same_field(said.field(k), field) && said.value(k, scratch, &later)) return true;
  }
  return false;
}

constexpr size_t kRelatedMax = 64;  // values of one record in related.user and its like; what comes beyond is left out

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

// The related.* that takes the field's values: of its own name, or of what it gathers.
Derived related_of(const Field& field, Derived role_of_field) {
  return role_of_field >= Derived::related_user && role_of_field <= Derived::related_hosts ? role_of_field
                                                                                           : related_role(field);
}

// The values of related.*, each once: of a field that is said several times, the one that counts.
template <class Give>
void gather_related(const Said& said, Derived which, Scratch& scratch, Give&& give) {
  RelatedSeen seen;
  bool has_domain = false;
  for (size_t i = 0; i < said.size(); ++i) {
    const Field* field = said.field(i);
    if (related_of(*field, role(*field)) != which) continue;
    has_domain |= field == url().domain;
    Value value;
    if (said.value(i, scratch, &value) && !is_said_later(said, i, scratch) && seen.take(value.text)) give(value);
  }
  if (which == Derived::related_hosts && !has_domain)
    if (auto domain = url_part(SplitUrl(said, scratch), Derived::url_domain); seen.take(domain))
      give(text_value(domain));
}

bool is_cookie(const Field& field) { return field.name.ends_with("cookie"); }

// What a client sent, part by part, if it is odd: path, parameters, the same of the referrer, agent, cookies. Calls
// visit(decoded, value, of_target), where `value` is the end of `decoded` behind a parameter's name, and `of_target`
// says that it is of the path or parameters of what was asked for.
template <class Visit>
class OddParts {
 public:
  OddParts(Scratch& scratch, Visit visit) : scratch_(scratch), visit_(visit) {}

  void request_target(std::string_view text) {
    of_target_ = true;
    target(text);
    of_target_ = false;
  }
  void target(std::string_view text) {
    if (!is_odd_target(text)) return;
    const auto parts = split_url(text);
    if (is_odd_target(parts.path)) part({}, parts.path, false);
    for (auto rest = parts.query; !rest.empty();) {
      const auto one = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(rest.size(), one.size() + 1));
      if (!is_odd_target(one, true)) continue;
      // `'or'1'='1` is no name
      const auto equals = one.find('=');
      if (equals == one.npos || is_odd_target(one.substr(0, equals), true))
        part({}, one, true);
      else
        part(one.substr(0, equals + 1), one.substr(equals + 1), true);
    }
  }
  void header(std::string_view text) {
    if (is_odd_header(text)) part({}, text, false);
  }

 private:
  void part(std::string_view name, std::string_view value, bool plus) {
    char* to = scratch_.allocate(name.size() + request_bytes_max(value.size()));
    name.copy(to, name.size());
    const size_t size = decode_request(value, plus, to + name.size());
    visit_(std::string_view(to, name.size() + size), std::string_view(to + name.size(), size), of_target_);
  }

  bool of_target_ = false;
  Scratch& scratch_;
  Visit visit_;
};

template <class Visit>
void for_each_odd_part(const Record& record, Scratch& scratch, Visit&& visit) {
  const Said said(record);
  OddParts parts(scratch, visit);
  parts.request_target(whole_url(said, scratch));
  Value value;
  for (size_t i = 0; i < said.size(); ++i) {
    const Field* field = said.field(i);
    const bool referrer = field == url().referrer;
    if (!referrer && field != url().agent && !is_cookie(*field)) continue;
    if (!said.value(i, scratch, &value)) continue;
    if (referrer)
      parts.target(value.text);
    else
      parts.header(value.text);
  }
}

std::string_view lowered(std::string_view text, Scratch& scratch) {
  char* to = scratch.allocate(text.size());
  std::transform(text.begin(), text.end(), to,
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return {to, text.size()};
}

template <class Give>
void derive_of_request(const Record& record, Derived derived, Scratch& scratch, Give&& give) {
  if (const auto* known = scratch.odd_request; known && known->record == &record) {
    for (const auto& part : known->parts) {
      if (derived == Derived::url_plain ? part.of_target : derived == Derived::request_plain)
        give(text_value(part.plain));
      if (derived == Derived::request_sql       ? part.sql
          : derived == Derived::request_script  ? part.script
          : derived == Derived::request_command ? part.command
                                                : false)
        give(text_value(part.decoded));
    }
    return;
  }
  if (derived == Derived::url_plain || derived == Derived::request_plain)
    return for_each_odd_part(record, scratch, [&](std::string_view decoded, std::string_view, bool of_target) {
      if (derived == Derived::url_plain && !of_target) return;
      char* to = scratch.allocate(decoded.size());
      give(text_value({to, plain_request(decoded, to)}));
    });
  const auto is_attack = derived == Derived::request_sql      ? is_sql_injection
                         : derived == Derived::request_script ? is_script_injection
                                                              : is_command_injection;
  for_each_odd_part(record, scratch, [&](std::string_view decoded, std::string_view value, bool) {
    if (is_attack(lowered(value, scratch))) give(text_value(decoded));
  });
}

// Calls give(value) for each value of one derived field.
template <class Give>
void derive(const Record& record, Derived derived, Scratch& scratch, Give&& give) {
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

struct DerivedField {
  Derived derived;
  const Field* const* field;
};
constexpr DerivedField kDerivedFields[] = {
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

// Above this many fields, comparing each with each costs more than a table; a hostile JSON message has thousands.
constexpr size_t kPairwiseMax = 48;

// The same for all fields at once, by sorting, which no choice of names can slow down.
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

}  // namespace

char* Scratch::allocate(size_t bytes) {
  while (next_ < blocks_.size()) {
    if (blocks_[next_].size() - used_ >= bytes) {
      char* at = blocks_[next_].data() + used_;
      used_ += bytes;
      return at;
    }
    ++next_;
    used_ = 0;
  }
  blocks_.emplace_back(std::max<size_t>(bytes, 4096));
  used_ = bytes;
  return blocks_.back().data();
}

std::string_view decode_part(const Record& record, std::string_view part, Scratch& scratch) {
  if (is_ascii(part)) return part;
  char* out = scratch.allocate(decoded_bytes_max(part.size()));
  return {out, decode_into(record.charset, part, out)};
}

namespace record_detail {

void for_each_field(const Record& record, Scratch& scratch, VisitAny visit, void* context) {
  for (const DerivedField& each : kDerivedFields)
    derive(record, each.derived, scratch, [&](const Value& value) { visit(context, **each.field, value); });

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

  uint32_t said_roles = 0;  // bits of those that yield
  bool has_url = false, has_domain = false;
  std::string_view executable;
  std::array<RelatedSeen, 3> related_seen;
  const auto give_related = [&](Derived which, const Value& value) {
    static const Field* const kFields[] = {related().user, related().ip, related().hosts};
    const auto at = static_cast<size_t>(which) - static_cast<size_t>(Derived::related_user);
    if (related_seen[at].take(value.text)) visit(context, *kFields[at], value);
  };
  for (size_t i = 0; i < count; ++i) {
    const Field* field = count > kPairwiseMax ? said.field(i) : fields[i];
    const Derived derived = role(*field), gathered_by = related_of(*field, derived);
    const bool ours = is_ours(record, derived);
    has_domain |= field == url().domain;
    if (ours && gathered_by == Derived::none) continue;
    Value value;
    if (!said.value(i, scratch, &value) || !counts(i)) continue;
    if (gathered_by != Derived::none) give_related(gathered_by, value);
    if (ours) continue;
    if (yields(derived)) said_roles |= bit_of(derived);
    has_url |= derived == Derived::url_original || derived == Derived::url_path || field == url().full;
    if (field == process_executable()) executable = value.text;
    visit(context, *field, value);
  }
  const auto is_unsaid = [&](Derived derived) { return !(said_roles & bit_of(derived)); };
  const auto give = [&](Derived derived, const Field* field) {
    derive(record, derived, scratch, [&](const Value& value) { visit(context, *field, value); });
  };
  if (has_url) {
    const SplitUrl split(said, scratch);
    if (is_unsaid(Derived::url_original)) give(Derived::url_original, url().original);
    for (const auto& part : kUrlParts)
      if (is_unsaid(part.derived))
        give_url_part(split, part.derived, [&](const Value& value) { visit(context, **part.field, value); });
    give(Derived::url_decoded, url().decoded);
    if (!has_domain) give_related(Derived::related_hosts, text_value(url_part(split, Derived::url_domain)));
  }
  if (auto name = last_segment(executable); is_unsaid(Derived::process_name) && !name.empty())
    visit(context, *ecs::process_name, text_value(name));
  if (is_unsaid(Derived::message)) give(Derived::message, ecs::message);
}

}  // namespace record_detail

void visit_field(const Record& record, const Field* field_or_null, std::string_view name, Scratch& scratch,
                 void (*visit)(void* context, const Value& value), void* context) {
  const Field* field = field_or_null;
  Derived derived = field ? role(*field) : Derived::none;
  if (derived != Derived::none && !yields(derived)) {
    derive(record, derived, scratch, [&](const Value& value) { visit(context, value); });
    if (is_ours(record, derived)) return;
  }
  Value value;
  const auto* const places = scratch.places && scratch.places->record == &record ? scratch.places : nullptr;
  if (!places) {
    const Plainly is = said_plainly(record, field, name, scratch, &value);
    if (is == Plainly::said) return visit(context, value);
    if (is == Plainly::absent) {
      if (yields(derived)) derive(record, derived, scratch, [&](const Value& each) { visit(context, each); });
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
  if (!any && yields(derived)) derive(record, derived, scratch, [&](const Value& each) { visit(context, each); });
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

bool may_have_odd_request(const Record& record) {
  const UrlFields& of_url = url();
  for (const Capture& capture : record.captures) {
    const Field* field = capture.field;
    const auto text = record.text(capture);
    bool odd = false;
    if (capture.escape == static_cast<uint8_t>(Escape::xml) && text.find('&') != text.npos)
      odd = true;
    else if (field == of_url.query)
      odd = is_odd_target(text, true);
    else if (field == of_url.path || field == of_url.original || field == of_url.full || field == of_url.referrer)
      odd = is_odd_target(text);
    else if (field == of_url.agent || is_cookie(*field))
      odd = is_odd_header(text);
    if (odd) return true;
  }
  return false;
}

void judge_request(const Record& record, Scratch& scratch, OddRequest* out) {
  out->record = &record;
  out->parts.clear();
  for_each_odd_part(record, scratch, [&](std::string_view decoded, std::string_view value, bool of_target) {
    OddRequest::Part part;
    const auto text = lowered(value, scratch);
    part.decoded = decoded;
    part.plain.resize(decoded.size());
    part.plain.resize(plain_request(decoded, part.plain.data()));
    part.of_target = of_target;
    part.sql = is_sql_injection(text);
    part.script = is_script_injection(text);
    part.command = is_command_injection(text);
    out->parts.push_back(std::move(part));
  });
}

bool is_derived_field(const Field& field) { return role(field) != Derived::none; }

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

PartHead part_head_of(const Record& first, Arena& arena) {
  PartHead head;
  Scratch scratch;
  for (auto& [field, text] : {std::pair(ecs::host_name, &head.host), std::pair(ecs::process_name, &head.program),
                              std::pair(ecs::process_pid, &head.pid)}) {
    Value value;
    if (first_value(first, field, scratch, &value)) *text = arena.copy(value.text);
  }
  head.first_seq = first.source_seq;
  head.event_ns = first.event_ns;
  head.event_digits = first.event_digits;
  head.time_inferred = first.time_inferred;
  head.priority = first.priority;
  return head;
}

std::string_view transport_name(Transport transport) {
  static constexpr std::string_view kNames[] = {"udp",  "tcp",      "tls",  "relp",  "unix",
                                                "file", "journald", "http", "kafka", "internal"};
  auto at = static_cast<size_t>(transport);
  YUSHI_ASSERT(at < std::size(kNames), "transport %zu", at);
  return kNames[at];
}

std::string_view facility_name(int code) {
  static constexpr std::string_view kNames[] = {"kern",   "user",   "mail",   "daemon", "auth",     "syslog",
                                                "lpr",    "news",   "uucp",   "cron",   "authpriv", "ftp",
                                                "ntp",    "audit",  "alert",  "clock",  "local0",   "local1",
                                                "local2", "local3", "local4", "local5", "local6",   "local7"};
  return code >= 0 && code < 24 ? kNames[code] : std::string_view();
}

std::string_view severity_name(int code) {
  static constexpr std::string_view kNames[] = {"Emergency", "Alert",  "Critical",      "Error",
                                                "Warning",   "Notice", "Informational", "Debug"};
  return code >= 0 && code < 8 ? kNames[code] : std::string_view();
}

}  // namespace yushi
