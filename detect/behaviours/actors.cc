#include "detect/behaviours/actors.h"

#include <algorithm>

#include "detect/behaviours/accounts.h"

namespace yushi::detect {
namespace {

// What no login stands behind: a daemon's own act.
constexpr std::string_view kUnset[] = {"4294967295", "-1", "unset"};

bool is_unset(std::string_view number) {
  for (auto unset : kUnset)
    if (number == unset) return true;
  return number.empty();
}

std::string key_of(std::string_view host, std::string_view number) {
  std::string out(host.substr(0, kNameBytesMax));
  out += ' ';
  return out += number;
}

}  // namespace

bool Actors::wants(const EventKind& kind) const {
  return kind.name == "account-created" || kind.name == "session-opened" || kind.name == "login" ||
         kind.name == "command" || kind.name == "process-started";
}

void Actors::observe(const Event& event, std::vector<Finding>&) {
  Scratch scratch;
  static const Field *const kUserId = find_field("user.id"), *const kExecutable = find_field("process.executable"),
                            *const kProgram = find_field("process.name");
  if (event.kind.name == "command" || event.kind.name == "process-started") return note_command(event, scratch);
  const std::string name(first_text(event.record, ecs::user_name, scratch, kNameBytesMax));
  if (is_unset(name)) return;
  if (const std::string session(first_text(event.record, event.kind.session, scratch, kNameBytesMax)); !session.empty())
    sessions_.use(event.log, kSessionsMax).use(key_of(event.host, session)) = name;
  const bool is_made = event.kind.name == "account-created", is_of_audit = event.kind.login_number != nullptr;
  const std::string number(
      first_text(event.record, is_of_audit && !is_made ? event.kind.login_number : kUserId, scratch, kNameBytesMax));
  if (is_unset(number)) return;
  if (!is_made &&
      !lets_people_in(first_text(event.record, is_of_audit ? kExecutable : kProgram, scratch, kNameBytesMax)))
    return;
  auto& names = by_log_.use(event.log, kNamesMax);
  const std::string key = key_of(event.host, number);
  // What only a line of syslog says, which anybody may write, changes nothing that is known.
  if (is_made || is_of_audit || !names.peek(key)) names.use(key) = name;
}

void Actors::note_command(const Event& event, Scratch& scratch) {
  static const Field* const kRootName = find_field("user.effective.name");
  static const Field* const kRootId = find_field("user.effective.id");
  if (event.host.empty() || (first_text(event.record, kRootName, scratch, kNameBytesMax) != "root" &&
                             first_text(event.record, kRootId, scratch, kNameBytesMax) != "0"))
    return;
  const std::string& who = of(event);
  if (who.empty()) return;
  Doer& doer = doers_.use(event.log, kHostsMax).use(event.host.substr(0, kNameBytesMax));
  if (doer.name != who) {
    doer.others_ns = doer.at_ns;
    doer.name = who;
  }
  doer.at_ns = event.counted.at_ns;
}

std::string Actors::doer_of(const Record& record, Scratch& scratch) const {
  const auto* hosts = doers_.find(record.origin->log);
  const Doer* doer = hosts ? hosts->peek(host_of(record, scratch).substr(0, kNameBytesMax)) : nullptr;
  if (!doer) return {};
  const int64_t at_ns = counted_time(record).at_ns;
  return std::abs(at_ns - doer->at_ns) <= kDoerNs && at_ns - doer->others_ns > kDoerNs ? doer->name : std::string();
}

const Actors::LoginFields& Actors::login_fields(const std::string& dataset) const {
  const size_t mixed = dataset.empty() ? 0 : dataset.size() * 7 + static_cast<uint8_t>(dataset.back());
  LoginFields& known = login_fields_[mixed % login_fields_.size()];
  if (known.dataset != dataset)
    known = {dataset, find_field(dataset + ".auid"), find_field(dataset + ".auid_name"), find_field(dataset + ".ses")};
  return known;
}

bool Actors::of(const Record& record, Scratch& scratch, std::string* actor) const {
  static const Field* const kNames[] = {ecs::user_name, find_field("user.email"),
                                        find_field("user.full_name")};  // a cloud may know only the others
  if (record.kind) {
    const LoginFields& fields = login_fields(record.kind->dataset);
    const std::string number(first_text(record, fields.number, scratch, kNameBytesMax));
    if (!number.empty()) return of_login(record, fields, number, scratch, actor);
  }
  for (const Field* field : kNames) {
    *actor = first_text(record, field, scratch, kNameBytesMax);
    if (actor->empty()) continue;
    if (*actor == "root")
      if (const auto tag = tag_of_history(record, scratch); !tag.empty()) *actor = tag;
    return true;
  }
  return false;
}

// Who logged in, as logger has it for a tag of what root types; empty: it is no history's, or nobody's name.
std::string_view Actors::tag_of_history(const Record& record, Scratch& scratch) const {
  static const Field* const kTag = find_field("process.name");
  const auto is_hearsay = [](const ConstantField& one) { return one.field == ecs::yushi_hearsay; };
  if (!record.kind || std::none_of(record.kind->constants.begin(), record.kind->constants.end(), is_hearsay)) return {};
  const auto tag = first_text(record, kTag, scratch, kNameBytesMax);
  const auto* accounts = surroundings_.detectors.find<Accounts>();
  return accounts && !tag.empty() && accounts->knows(record.origin->log, tag) ? tag : std::string_view();
}

const std::string& Actors::of(const Event& event) const {
  if (event.actor) return *event.actor;
  Scratch scratch;
  std::string& actor = event.actor.emplace();
  if (!of(event.record, scratch, &actor)) actor.clear();
  return actor;
}

bool Actors::is_of_login(const Event& event) const {
  Scratch scratch;
  return !is_unset(first_text(event.record, event.kind.login_number, scratch, kNameBytesMax));
}

bool Actors::of_login(const Record& record, const LoginFields& fields, std::string_view number, Scratch& scratch,
                      std::string* actor) const {
  if (is_unset(number)) return false;
  *actor = first_text(record, fields.name, scratch, kNameBytesMax);
  if (!is_unset(*actor)) return true;
  actor->assign("uid ").append(number);
  const auto* names = by_log_.find(record.origin->log);
  const auto* name = names ? names->peek(key_of(host_of(record, scratch), number)) : nullptr;
  const auto* sessions = name ? nullptr : sessions_.find(record.origin->log);
  if (sessions) {
    const std::string session(first_text(record, fields.session, scratch, kNameBytesMax));
    if (!is_unset(session)) name = sessions->peek(key_of(host_of(record, scratch), session));
  }
  if (name) *actor = *name;
  return true;
}

void Actors::save(std::string& out) const {
  save_by_log(by_log_, out, [&out](const std::string& name) { put_text(out, name); });
  save_by_log(sessions_, out, [&out](const std::string& name) { put_text(out, name); });
  save_by_log(doers_, out, [&out](const Doer& doer) {
    put_text(out, doer.name);
    put_signed(out, doer.at_ns);
    put_signed(out, doer.others_ns);
  });
}

bool Actors::load(Reader& in) {
  return load_by_log(by_log_, kNamesMax, in, [&in](std::string& name) { name = in.text(); }) &&
         load_by_log(sessions_, kSessionsMax, in, [&in](std::string& name) { name = in.text(); }) &&
         load_by_log(doers_, kHostsMax, in, [&in](Doer& doer) {
           doer.name = in.text();
           doer.at_ns = bounded_time(in.signed_varint());
           doer.others_ns = bounded_time(in.signed_varint());
         });
}

}  // namespace yushi::detect
