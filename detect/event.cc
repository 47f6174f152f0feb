#include "detect/event.h"

#include <algorithm>

#include "core/base/calendar.h"
#include "core/base/time_text.h"
#include "detect/finding.h"
#include "detect/memory/state.h"

namespace yushi::detect {
namespace {

// A sender's clock may be ahead by a wrong zone; beyond that its time is not believed.
constexpr int64_t kAheadMaxNs = kDay;

using Login = EventKind::Login;

// The audit system tells of one login in up to five records, and of services and jobs in the same ones: what each of
// these steps is worth. The login itself is of the kind `login`, but may give the account by number only.
struct Step {
  std::string_view action;
  Login login;
};
constexpr Step kSteps[] = {
    {"authenticated", Login::failure},       {"error", Login::failure},
    {"was-authorized", Login::admitted},     {"acquired-credentials", Login::none},
    {"disposed-credentials", Login::none},   {"refreshed-credentials", Login::none},
    {"authenticated-to-group", Login::none}, {"crypto-officer-logged-in", Login::none},
    {"changed-login-id-to", Login::none},
};

// Of the category authentication too, but by somebody who is already in, or on the way out; rules look after them.
constexpr std::string_view kOfSessions[] = {"privilege-used", "command", "command-refused", "logout"};

// Acts for which a key is shown, where they name an address.
constexpr std::string_view kWithKey[] = {"api-call",         "query",           "config-read", "resource-created",
                                         "resource-changed", "resource-deleted"};

bool is_with_key(std::string_view name) {
  return std::find(std::begin(kWithKey), std::end(kWithKey), name) != std::end(kWithKey);
}

// A field of the parser's own, as `sshd.repeated`; nullptr: it has none.
const Field* own_field(const MessageKind& kind, const char* name) { return find_field(kind.dataset + "." + name); }

}  // namespace

bool lets_people_in(std::string_view executable) {
  const auto name = executable.substr(executable.rfind('/') + 1);
  return name == "sshd" || name == "sshd-session" || name == "login";
}

bool EventKind::has_category(std::string_view category) const {
  return std::any_of(message->constants.begin(), message->constants.end(), [&](const ConstantField& constant) {
    return constant.field == ecs::event_category && constant.value == category;
  });
}

EventKind event_kind_of(const MessageKind& kind) {
  static const Field* const kObserverType = find_field("observer.type");
  static const Field* const kCloudProvider = find_field("cloud.provider");
  EventKind out;
  out.message = &kind;
  for (const auto& constant : kind.constants) {
    if (constant.field == ecs::yushi_event) out.name = constant.value;
    if (constant.field == ecs::event_action) out.action = constant.value;
    if (constant.field == ecs::event_outcome) out.outcome = constant.value;
    if (constant.field == kCloudProvider) out.is_of_cloud = true;
    if (constant.field == kObserverType) out.is_of_bastion = constant.value == "bastion";
  }
  out.is_of_bastion &= out.name == "session-opened";
  out.login_number = own_field(kind, "auid");
  out.login_name = own_field(kind, "auid_name");
  out.counted_in = own_field(kind, "channel");
  if (out.login_number || out.counted_in) out.serial = own_field(kind, out.login_number ? "sequence" : "record");
  if (out.name == "session-opened") out.session = own_field(kind, "session");
  out.terminal = own_field(kind, "tty");
  out.method = own_field(kind, "method");
  out.logon_type = own_field(kind, "logon_type");
  // Whatever categories a product's documents have for it, what its parser calls a login is one.
  if (!out.has_category("authentication") && out.name != "login" && out.name != "login-refused") {
    out.is_on_a_host = out.has_category("database");
    out.is_of_who_is_in = is_with_key(out.name);
    out.way = kind.pattern;
    out.shows_key = !out.is_of_bastion && (out.has_category("api") || out.is_on_a_host || out.is_of_who_is_in);
    return out;
  }
  if (std::find(std::begin(kOfSessions), std::end(kOfSessions), out.name) != std::end(kOfSessions)) return out;
  out.login = out.name == "login-refused" ? Login::failure : Login::whole;
  out.way = kind.pattern;
  for (const auto& step : kSteps)
    if (step.action == out.action) out.login = step.login, out.way = out.action;
  if (const Field* own = own_field(kind, "event"))
    for (const auto& constant : kind.constants)
      if (constant.field == own) out.way = constant.value;
  out.repeated = own_field(kind, "repeated");
  return out;
}

CountedTime counted_time(const Record& record) {
  const int64_t received = record.origin->received_ns;
  const bool believed = record.event_ns <= received || record.event_ns - received <= kAheadMaxNs;
  return {bounded_time(believed ? record.event_ns : received), !believed || (record.time_inferred & kAllInferred) != 0};
}

namespace {

// What both a login and an act with a key say; views into `scratch`.
LoginEvent login_with(const Event& event, const Field* other_source, Scratch& scratch) {
  scratch.clear();
  Value value;
  LoginEvent out;
  if (first_value(event.record, ecs::user_name, scratch, &value)) out.user = value.text;
  if (first_value(event.record, ecs::source_ip, scratch, &value) ||
      (other_source && first_value(event.record, other_source, scratch, &value)))
    out.source = value.text;
  out.at_ns = event.counted.at_ns;
  out.of_receipt = event.counted.of_receipt;
  out.index = event.record.index;
  out.way = event.kind.way;
  out.teller = event.kind.message->dataset;
  return out;
}

std::optional<LoginEvent> login_by_act(const Event& event, Scratch& scratch) {
  LoginEvent out = login_with(event, nullptr, scratch);
  // Who is not known to the teller is nobody; and of other acts than these it must be said that they succeeded: whoever
  // knocks may be named by a message.
  if (out.user.empty() || out.source.empty() || out.user.ends_with("anonymous")) return {};
  Value outcome;
  const bool is_said = first_value(event.record, ecs::event_outcome, scratch, &outcome);
  if (is_said ? outcome.text != "success" : !event.kind.is_of_who_is_in) return {};
  out.success = out.by_act = true;
  if (event.kind.is_on_a_host) out.host = event.host;
  return out;
}

}  // namespace

std::optional<LoginEvent> login_of(const Event& event, Scratch& scratch) {
  const Record& record = event.record;
  const EventKind& kind = event.kind;
  if (kind.shows_key) return login_by_act(event, scratch);
  static const Field* const kSourceDomain = find_field("source.domain");  // where addresses are told by name
  LoginEvent out = login_with(event, kSourceDomain, scratch);
  if (!kind.is_of_cloud) out.host = event.host;
  Value value;
  std::string_view outcome = kind.outcome;
  if (outcome.empty() && first_value(record, ecs::event_outcome, scratch, &value)) outcome = value.text;
  if (outcome != "success" && outcome != "failure") return {};
  out.success = outcome == "success";
  if (kind.login == Login::failure && out.success) return {};
  if (kind.login == Login::admitted) {
    static const Field* const kExecutable = find_field("process.executable");
    if (!out.success || !first_value(record, kExecutable, scratch, &value) || !lets_people_in(value.text)) return {};
  }
  if (!out.success && kind.repeated && first_value(record, kind.repeated, scratch, &value))
    out.times = static_cast<uint64_t>(std::max<int64_t>(value.integer, 1));
  // Sessions that PAM opens for jobs and the like name no address: they are not logins of a person.
  if (out.success && (out.user.empty() || out.source.empty())) return {};
  return out;
}

LocalTime local_time(int64_t at_ns, const Zone& zone) {
  int64_t seconds = floor_div(at_ns, kSecond);
  seconds += zone.offset_seconds_at(seconds);
  const int64_t day = floor_div(seconds, kDaySeconds);
  return {seconds, day, static_cast<int>((seconds - day * kDaySeconds) / 3600)};
}

std::string_view first_text(const Record& record, const Field* field, Scratch& scratch, size_t bytes_max) {
  Value value;
  scratch.clear();
  return field && first_value(record, field, scratch, &value) ? value.text.substr(0, bytes_max) : std::string_view();
}

std::string kept_text(const Record& record, const Field* field, size_t bytes_max) {
  Scratch scratch;
  return std::string(first_text(record, field, scratch, bytes_max));
}

std::string_view host_of(const Record& record, Scratch& scratch) { return first_text(record, ecs::host_name, scratch); }

}  // namespace yushi::detect
