#include "detect/behaviours/short_lived.h"

#include "detect/behaviours/actors.h"
#include "detect/behaviours/change_words.h"
#include "detect/memory/places.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr FindingKind kShort{"account.short-lived", "Account made, used and deleted", 2,
                             "attack.t1136",        "账号新建、使用后即被删除",       "attack.persistence"};

constexpr size_t kStatementBytesMax = 4096;

// The account that the event makes or deletes; empty: none.
std::string account_of(const Event& event, bool makes, Scratch& scratch) {
  static const Field *const kTarget = find_field("user.target.name"), *const kCommandLine =
                                                                          find_field("process.command_line");
  if (event.kind.is_command()) {
    Value value;
    scratch.clear();
    if (!first_value(event.record, kCommandLine, scratch, &value)) return {};
    return makes ? account_made_by(value.text) : account_deleted_by(value.text);
  }
  if (event.kind.name != (makes ? "account-created" : "account-deleted")) return {};
  std::string name(first_text(event.record, kTarget, scratch));
  // Of a database's statement it is known who gave it; of whom it speaks, its words say.
  if (name.empty() && event.kind.has_category("database"))
    name = account_of_statement(first_text(event.record, ecs::message, scratch, kStatementBytesMax), makes);
  else if (name.empty())
    name = first_text(event.record, ecs::user_name, scratch);
  return name;
}

}  // namespace

bool ShortLived::wants(const EventKind& kind) const {
  return kind.login != EventKind::Login::none || kind.is_command() || kind.name == "account-created" ||
         kind.name == "account-deleted";
}

void ShortLived::observe(const Event& event, std::vector<Finding>& findings) {
  Scratch scratch;
  const int64_t at_ns = event.counted.at_ns;
  const bool failed =
      event.kind.outcome == "failure" || first_text(event.record, ecs::event_outcome, scratch) == "failure";
  if (failed) return;
  if (const auto made = account_of(event, true, scratch); !made.empty()) {
    Account* known = accounts_.find(event.log, made);
    // The same told by several is one.
    if (!known || at_ns - known->made_ns > kWithinNs)
      accounts_.use(event.log, made) = {at_ns, 0, event.record.index, 0};
    return;
  }
  if (accounts_.is_empty()) return;
  if (const auto gone = account_of(event, false, scratch); !gone.empty()) {
    Account* account = accounts_.find(event.log, gone);
    if (!account) return;
    const Account was = *account;
    account->used_ns = 0;  // told once
    if (was.used_ns == 0 || at_ns - was.made_ns > kWithinNs || at_ns < was.used_ns) return;
    const std::string_view host = event.host;
    Finding finding;
    finding.kind = &kShort;
    finding.severity = Severity::high;
    finding.score = 70;
    finding.key = printable(gone);
    finding.fold_ns = kWithinNs;
    finding.reason = "account " + printable(gone) + " was deleted" + (host.empty() ? "" : " on " + printable(host)) +
                     " " + within_text(at_ns - was.made_ns) + " after it was made, and was used meanwhile";
    finding.reason_zh = "账号 " + printable(gone) + " 在新建 " + within_text(at_ns - was.made_ns, Lang::zh) + "后" +
                        (host.empty() ? "" : "于主机 " + printable(host) + " ") + "被删除，其间曾被使用";
    finding.baseline = "lived_s=" + std::to_string((at_ns - was.made_ns) / kSecond);
    for (uint64_t index : {was.made_index, was.used_index, event.record.index})
      if (finding.records.empty() || index > finding.records.back()) finding.records.push_back(index);
    findings.push_back(std::move(finding));
    return;
  }
  std::string who;
  if (event.login) {
    who = event.login->success ? event.login->user : std::string_view();
  } else if (event.kind.is_command()) {
    const auto* actors = surroundings_.detectors.find<Actors>();
    if (!actors) return;
    who = actors->of(event);
  }
  Account* account = who.empty() ? nullptr : accounts_.find(event.log, who);
  if (!account || account->used_ns != 0 || at_ns < account->made_ns) return;
  account->used_ns = at_ns;
  account->used_index = event.record.index;
}

void ShortLived::save(std::string& out) const {
  accounts_.save(out, [&out](const Account& account) {
    put_signed(out, account.made_ns);
    put_signed(out, account.used_ns);
    put_varint(out, account.made_index);
    put_varint(out, account.used_index);
  });
}

bool ShortLived::load(Reader& in) {
  return accounts_.load(in, [&in](Account& account) {
    account.made_ns = load_time(in);
    account.used_ns = load_time(in);
    account.made_index = in.varint();
    account.used_index = in.varint();
  });
}

}  // namespace yushi::detect
