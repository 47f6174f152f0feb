#include "detect/actors.h"

namespace yushi::detect {
namespace {

// What no login stands behind: a daemon's own act.
constexpr std::string_view kUnset[] = {"4294967295", "-1", "unset"};

bool is_unset(std::string_view number) {
  for (auto unset : kUnset)
    if (number == unset) return true;
  return number.empty();
}

// A field of the parser's own, as `auditd.auid`.
std::string own_text(const Record& record, const char* name, Scratch& scratch) {
  return record.kind ? first_text(record, find_field(record.kind->dataset + name), scratch, kNameBytesMax)
                     : std::string();
}
std::string login_number(const Record& record, Scratch& scratch) { return own_text(record, ".auid", scratch); }

}  // namespace

bool Actors::wants(const EventKind& kind) const {
  return kind.name == "account-created" || kind.name == "session-opened" || kind.name == "login";
}

void Actors::observe(const Event& event, std::vector<Finding>&) {
  Scratch scratch;
  std::string number = login_number(event.record, scratch);
  if (event.kind.name == "account-created") {
    number = first_text(event.record, find_field("user.id"), scratch, kNameBytesMax);
  } else {
    static const Field* const kExecutable = find_field("process.executable");
    if (is_unset(number) || !lets_people_in(first_text(event.record, kExecutable, scratch, kNameBytesMax))) return;
  }
  const std::string name = first_text(event.record, ecs::user_name, scratch, kNameBytesMax);
  if (is_unset(number) || is_unset(name)) return;
  log_of(by_log_, event.log, kNamesMax)
      .use(first_text(event.record, ecs::host_name, scratch, kNameBytesMax) + " " + number) = name;
}

bool Actors::of(const Record& record, Scratch& scratch, std::string* actor) const {
  if (!login_number(record, scratch).empty()) return of_login(record, scratch, actor);
  for (const char* field :
       {"user.name", "user.email", "user.full_name"}) {  // a cloud may know people by the others only
    *actor = first_text(record, find_field(field), scratch, kNameBytesMax);
    if (!actor->empty()) return true;
  }
  return false;
}

bool Actors::of_login(const Record& record, Scratch& scratch, std::string* actor) const {
  const std::string number = login_number(record, scratch);
  if (is_unset(number)) return false;
  *actor = own_text(record, ".auid_name", scratch);
  if (!is_unset(*actor)) return true;
  *actor = "uid " + number;
  if (auto names = by_log_.find(record.origin->log); names != by_log_.end())
    if (auto* name = names->second.peek(first_text(record, ecs::host_name, scratch, kNameBytesMax) + " " + number))
      *actor = *name;
  return true;
}

void Actors::save(std::string& out) const {
  save_by_log(by_log_, out, [&out](const std::string& name) { put_text(out, name); });
}

bool Actors::load(Reader& in) {
  return load_by_log(by_log_, kNamesMax, in, [&in](std::string& name) { name = in.text(); });
}

}  // namespace yushi::detect
