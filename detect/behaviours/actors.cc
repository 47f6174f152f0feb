#include "detect/behaviours/actors.h"

#include <algorithm>

#include "detect/behaviours/accounts.h"
#include "detect/lists/list_entries.h"

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
         kind.name == "command" || kind.name == "process-started" ||
         (kind.login_number && (kind.name == "host-started" || kind.name == "audit-started"));
}

void Actors::observe(const Event& event, std::vector<Finding>&) {
  Scratch scratch;
  static const Field *const kUserId = find_field("user.id"), *const kExecutable = find_field("process.executable"),
                            *const kProgram = find_field("process.name"),
                            *const kTargetId = find_field("user.target.id"),
                            *const kTargetName = find_field("user.target.name");
  const EventKind& kind = event.kind;
  const int64_t at_ns = event.counted.at_ns;
  if (kind.is_command()) return note_command(event, scratch);
  if (kind.name == "host-started" || kind.name == "audit-started") {
    began_.use(event.log, kHostsMax).use(event.host.substr(0, kNameBytesMax)) = at_ns;
    return;
  }
  const bool is_made = kind.name == "account-created", is_of_audit = kind.login_number != nullptr;
  const auto text = [&](const Field* field) {
    return std::string(first_text(event.record, field, scratch, kNameBytesMax));
  };
  const auto keep = [&](const std::string& number, const std::string& name) {
    if (!is_unset(number) && !is_unset(name))
      claim(names_.use(event.log, kNamesMax), key_of(event.host, number), name, at_ns, is_made ? at_ns : -kTimeMaxNs);
  };
  const std::string name = text(ecs::user_name);
  if (is_of_audit) {
    keep(text(kind.login_number), text(kind.login_name));
    if (is_made)
      keep(text(kTargetId), text(kTargetName));  // the record's own number is that of who made it
    else if (lets_people_in(text(kExecutable)))
      keep(text(kind.login_number), name);
    return;
  }
  // Who is known to have written another program's line is not heard.
  Value unconfirmed;
  scratch.clear();
  if (is_unset(name) || first_value(event.record, ecs::yushi_program_unconfirmed, scratch, &unconfirmed)) return;
  if (const std::string session = text(kind.session); !session.empty()) {
    const auto* hosts = began_.find(event.log);
    const int64_t* began = hosts ? hosts->peek(event.host.substr(0, kNameBytesMax)) : nullptr;
    claim(sessions_.use(event.log, kSessionsMax), key_of(event.host, session), name, at_ns,
          began ? *began : -kTimeMaxNs);
  }
  const std::string number = text(kUserId);
  if (!is_unset(number) && (is_made || lets_people_in(text(kProgram))))
    claim(claims_.use(event.log, kNamesMax), key_of(event.host, number), name, at_ns);
}

void Actors::claim(LruMap<Claim>& claims, const std::string& key, const std::string& name, int64_t at_ns,
                   int64_t since_ns) {
  Claim* known = claims.find(key);
  if (!known) {
    if (claims.full()) {
      const Claim& oldest = claims.oldest().second;
      if (at_ns - std::max(oldest.at_ns, oldest.other_ns) <= kClaimNs) return;
    }
    known = &claims.use(key);
  }
  if (known->name.empty() || std::max(known->at_ns, known->other_ns) < since_ns) *known = {name, "", at_ns, 0};
  if (is_same_account(known->name, name)) {
    known->at_ns = std::max(known->at_ns, at_ns);
  } else if (at_ns - known->at_ns > kClaimNs) {
    *known = {name, "", at_ns, 0};
  } else {
    known->other = name;
    known->other_ns = at_ns;
  }
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
  const std::string host(host_of(record, scratch).substr(0, kNameBytesMax));
  const Claim* claim = claim_of(record, fields, host, number);
  if (claim && !claim->is_contested())
    *actor = claim->name;
  else
    actor->assign("uid ").append(number);
  return true;
}

const Actors::Claim* Actors::claim_of(const Record& record, const LoginFields& fields, std::string_view host,
                                      std::string_view number) const {
  const std::string key = key_of(host, number);
  for (const Claims* by : {&names_, &claims_}) {
    const auto* claims = by->find(record.origin->log);
    if (const Claim* claim = claims ? claims->peek(key) : nullptr) return claim;
  }
  const auto* sessions = sessions_.find(record.origin->log);
  if (!sessions) return nullptr;
  const std::string session = kept_text(record, fields.session);
  return is_unset(session) ? nullptr : sessions->peek(key_of(host, session));
}

std::string Actors::claims_of(const Record& record) const {
  Scratch scratch;
  std::string actor;
  if (!record.kind || !of(record, scratch, &actor) || !actor.starts_with("uid ")) return {};
  const LoginFields& fields = login_fields(record.kind->dataset);
  const std::string host(host_of(record, scratch).substr(0, kNameBytesMax));
  const Claim* claim = claim_of(record, fields, host, kept_text(record, fields.number));
  return claim && claim->is_contested() ? claim->name + ", " + claim->other : std::string();
}

void Actors::save(std::string& out) const {
  for (const Claims* claims : {&names_, &claims_, &sessions_})
    save_by_log(*claims, out, [&out](const Claim& claim) {
      put_text(out, claim.name);
      put_text(out, claim.other);
      put_signed(out, claim.at_ns);
      put_signed(out, claim.other_ns);
    });
  save_by_log(began_, out, [&out](int64_t at_ns) { put_signed(out, at_ns); });
  save_by_log(doers_, out, [&out](const Doer& doer) {
    put_text(out, doer.name);
    put_signed(out, doer.at_ns);
    put_signed(out, doer.others_ns);
  });
}

bool Actors::load(Reader& in) {
  const auto load_claim = [&in](Claim& claim) {
    claim.name = in.text();
    claim.other = in.text();
    claim.at_ns = load_time(in);
    claim.other_ns = load_time(in);
  };
  return load_by_log(names_, kNamesMax, in, load_claim) && load_by_log(claims_, kNamesMax, in, load_claim) &&
         load_by_log(sessions_, kSessionsMax, in, load_claim) &&
         load_by_log(began_, kHostsMax, in, [&in](int64_t& at_ns) { at_ns = load_time(in); }) &&
         load_by_log(doers_, kHostsMax, in, [&in](Doer& doer) {
           doer.name = in.text();
           doer.at_ns = bounded_time(in.signed_varint());
           doer.others_ns = bounded_time(in.signed_varint());
         });
}

}  // namespace yushi::detect
