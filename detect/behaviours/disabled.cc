#include "detect/behaviours/disabled.h"

#include <algorithm>

#include "core/base/text.h"
#include "detect/behaviours/actors.h"
#include "detect/behaviours/change_words.h"
#include "detect/memory/places.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr FindingKind kUsed{"account.disabled-used", "Disabled account used", 1,
                            "attack.t1078",          "已停用的账号被使用",    "attack.initial-access"};

// Wrong passwords lock an account for a while, and that is no decision of anybody's.
bool is_automatic(std::string_view action) {
  const std::string words = folded(action);
  for (auto part : {"locked-out", "lockout", "lock.limit", "temporar", "locked_out", "account_locked"})
    if (words.find(part) != words.npos) return true;
  return false;
}

}  // namespace

bool Disabled::wants(const EventKind& kind) const {
  return kind.login != EventKind::Login::none || kind.shows_key || kind.is_command() || kind.name == "login-refused" ||
         kind.name == "privilege-used" || kind.name == "account-locked" || kind.name == "account-unlocked" ||
         kind.name == "account-deleted" || kind.name == "account-created";
}

// Whether the event disables or enables an account.
bool Disabled::take_switch(const Event& event) {
  static const Field *const kTarget = find_field("user.target.name"), *const kCommandLine =
                                                                          find_field("process.command_line");
  Scratch scratch;
  const auto& name = event.kind.name;
  AccountSwitch what;
  if (event.kind.is_command()) {
    Value value;
    if (!first_value(event.record, kCommandLine, scratch, &value)) return false;
    what = account_switch_of(value.text);
  } else if (name.starts_with("account-")) {
    what.account = first_text(event.record, kTarget, scratch, kNameBytesMax);
    // Of a database's statement it is known who gave it, not of whom it speaks.
    if (what.account.empty() && !event.kind.has_category("database"))
      what.account = first_text(event.record, ecs::user_name, scratch, kNameBytesMax);
    what.disables = name == "account-locked" || name == "account-deleted";
    if (name == "account-locked" &&
        is_automatic(first_text(event.record, find_field("event.action"), scratch, kNameBytesMax)))
      return true;
  }
  if (what.account.empty() || what.account.size() > kNameBytesMax) return name.starts_with("account-");
  if (first_text(event.record, ecs::event_outcome, scratch, kNameBytesMax) == "failure") return true;
  // The audit system's word for a command may come after what was done since.
  Account* known = accounts_.find(event.log, what.account);
  if (known && known->at_ns > event.counted.at_ns) return true;
  if (what.disables)
    accounts_.use(event.log, what.account) = {std::string(ShortName(event.host)), event.counted.at_ns,
                                              event.record.index, true};
  else if (known)
    known->at_ns = event.counted.at_ns, known->is_disabled = false;
  return true;
}

void Disabled::observe(const Event& event, std::vector<Finding>& findings) {
  if (take_switch(event) || accounts_.is_empty() || event.kind.name == "process-started") return;

  Scratch scratch;
  std::string who;
  const bool is_login = event.kind.login != EventKind::Login::none || event.kind.name == "login-refused";
  bool failed = event.kind.name == "login-refused";
  if (event.login) {
    who = event.login->user.substr(0, kNameBytesMax);
    failed = !event.login->success;
  } else if (event.kind.name == "login-refused") {
    who = first_text(event.record, ecs::user_name, scratch, kNameBytesMax);
  } else if (!is_login) {
    const auto* actors = surroundings_.detectors.find<Actors>();
    if (actors) who = actors->of(event);
    failed = first_text(event.record, ecs::event_outcome, scratch, kNameBytesMax) == "failure";
  }
  Account* account = who.empty() ? nullptr : accounts_.find(event.log, who);
  // A job of old may still be told after the act.
  if (!account || !account->is_disabled || event.counted.at_ns < account->at_ns) return;
  const std::string_view host = event.host.substr(0, kNameBytesMax);
  const bool is_there = account->host == std::string_view(ShortName(event.host));
  Finding finding;
  finding.kind = &kUsed;
  finding.severity = failed ? Severity::low : is_there ? Severity::high : Severity::medium;
  finding.score = failed ? 35 : is_there ? 75 : 60;
  finding.key = printable(who) + " on " + printable(host) + (failed ? " failed" : "");
  finding.fold_ns = kDay;
  finding.reason = printable(who) +
                   (is_login ? failed ? " tried to log in" : " logged in"
                    : failed ? " tried to act"
                             : " was active") +
                   (host.empty() ? "" : " on " + printable(host)) +
                   (event.login && !event.login->source.empty() ? " from " + printable(event.login->source) : "") +
                   ", but was disabled" + (account->host.empty() ? "" : " on " + printable(account->host)) + " at " +
                   time_text_utc(account->at_ns) + " and not enabled since";
  finding.reason_zh = "账号 " + printable(who) +
                      (event.login && !event.login->source.empty() ? " 从 " + printable(event.login->source) : "") +
                      (host.empty() ? " " : " 在主机 " + printable(host) + " 上") +
                      (is_login ? failed ? "尝试登录，未成功" : "登录成功"
                       : failed ? "尝试操作，未成功"
                                : "有操作") +
                      "，而该账号已于 " + time_text_utc(account->at_ns) +
                      (account->host.empty() ? " " : " 在主机 " + printable(account->host) + " 上") +
                      "被停用，此后未再启用";
  finding.baseline = "disabled_ns=" + std::to_string(account->at_ns) + " same_host=" + std::to_string(is_there);
  finding.records = {account->index, event.record.index};
  findings.push_back(std::move(finding));
}

void Disabled::save(std::string& out) const {
  accounts_.save(out, [&out](const Account& account) {
    put_text(out, account.host);
    put_signed(out, account.at_ns);
    put_varint(out, account.index);
    put_varint(out, account.is_disabled);
  });
}

bool Disabled::load(Reader& in) {
  return accounts_.load(in, [&in](Account& account) {
    account.host = ShortName(in.text());
    account.at_ns = load_time(in);
    account.index = in.varint();
    account.is_disabled = in.varint() != 0;
  });
}

}  // namespace yushi::detect
