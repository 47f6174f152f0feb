#include "detect/behaviours/listed.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "core/base/calendar.h"
#include "detect/behaviours/actors.h"
#include "detect/behaviours/called_addresses.h"
#include "detect/behaviours/change_words.h"
#include "detect/behaviours/service_accounts.h"
#include "detect/behaviours/site.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr FindingKind kLeaver{
    "list.leaver",          "Somebody who has left is active", 2, "attack.t1078", "离职人员账号仍在使用",
    "attack.initial-access"};
constexpr FindingKind kServiceAccount{"list.service-account",
                                      "Service account used otherwise than it should be",
                                      2,
                                      "attack.t1078",
                                      "服务账号未按规定使用",
                                      "attack.initial-access"};
constexpr FindingKind kRound{"list.round-the-bastion", "Login round the bastion", 2,
                             "attack.t1021",           "绕过堡垒机登录",          "attack.lateral-movement"};
constexpr FindingKind kNoAdmin{"list.no-administrator",  "Root without being an administrator", 2, "attack.t1548",
                               "非管理员使用 root 权限", "attack.privilege-escalation"};
// A tactic, where no technique says it.
constexpr FindingKind kChange{"list.change", "Change outside the window or without a ticket", 3, "attack.impact",
                              "变更窗口外或无工单的变更"};
constexpr FindingKind kProvider{"list.provider-staff", "Provider's staff at a unit's machine", 2,
                                "attack.t1199",        "云服务商人员操作租户单位的主机",       "attack.initial-access"};
constexpr FindingKind kDenied{"list.denied", "What is on a deny list", 2, "attack.initial-access", "命中禁止清单"};

constexpr size_t kShownBytesMax = 200;

// What a person does; whoever serves requests or opens connections is none.
constexpr std::string_view kOfPersons[] = {
    "privilege-used",    "command",           "command-refused",    "process-started",  "session-opened",
    "account-created",   "account-changed",   "account-deleted",    "account-locked",   "account-unlocked",
    "password-changed",  "group-created",     "group-changed",      "group-deleted",    "privilege-granted",
    "privilege-revoked", "credential-issued", "credential-revoked", "job-changed",      "file-permission-changed",
    "transfer",          "package-installed", "package-changed",    "package-removed",  "service-stopped",
    "time-changed",      "config-changed",    "policy-changed",     "resource-created", "resource-changed",
    "resource-deleted",  "log-cleared",       "audit-stopped",      "api-call",         "query",
    "module-loaded",     "change-approved"};
// Of these, what changes a machine by itself; a command has to be looked at.
constexpr std::string_view kChanges[] = {
    "account-created",   "account-changed",  "account-deleted",   "account-locked",  "account-unlocked",
    "password-changed",  "group-created",    "group-changed",     "group-deleted",   "privilege-granted",
    "privilege-revoked", "job-changed",      "package-installed", "package-changed", "package-removed",
    "service-stopped",   "time-changed",     "config-changed",    "policy-changed",  "resource-created",
    "resource-changed",  "resource-deleted", "log-cleared",       "audit-stopped",   "module-loaded"};

template <size_t N>
bool is_one_of(std::string_view name, const std::string_view (&all)[N]) {
  return std::find(std::begin(all), std::end(all), name) != std::end(all);
}

std::string entry_text(std::string_view entry) {
  std::string out = printable(entry);
  std::replace(out.begin(), out.end(), '"', '\'');
  return out;
}

}  // namespace

struct Listed::Act {
  const Event& event;
  const Surroundings& surroundings;
  const Lists& lists = surroundings.options.lists->of(event.log);
  Scratch scratch{};
  std::optional<std::string> actor{};

  std::string text(const Field* field) {
    Value value;
    scratch.clear();
    return field && first_value(event.record, field, scratch, &value) ? std::string(value.text.substr(0, kNameBytesMax))
                                                                      : std::string();
  }
  std::string text(const char* name) { return text(find_field(name)); }
  // A field of the parser's own, as `sshd.method`.
  std::string own(const char* name) { return text(find_field(event.kind.message->dataset + name)); }
  std::string command() {
    static const Field* const kCommandLine = find_field("process.command_line");
    Value value;
    scratch.clear();
    return first_value(event.record, kCommandLine, scratch, &value) ? std::string(value.text) : std::string();
  }
  std::string host() const { return std::string(event.host.substr(0, kNameBytesMax)); }
  bool failed() { return text(ecs::event_outcome) == "failure" || event.kind.outcome == "failure"; }

  const std::string& who() {
    if (!actor) {
      actor.emplace();
      if (const auto* actors = surroundings.detectors.find<Actors>()) actor = actors->of(event);
    }
    return *actor;
  }

  // An account is made, changed, deleted or put into a group, and nobody is named but itself (docs/events.md).
  bool is_done_to_who() {
    const auto& kind = event.kind.name;
    const bool is_of_group = kind == "privilege-granted" || kind == "privilege-revoked";
    return (kind.starts_with("account-") || kind == "password-changed" ||
            (is_of_group && !text("group.name").empty() && text(ecs::source_ip).empty())) &&
           text("user.target.name").empty() && own(".auid").empty();
  }
  // A part of Kubernetes itself, or what runs in it.
  bool is_machine() { return who().starts_with("system:") && !who().starts_with("system:anonymous"); }

  std::string on() {
    const auto name = host();
    return name.empty() ? "" : " on " + printable(name);
  }
  std::string on_zh() {
    const auto name = host();
    return name.empty() ? "" : "在主机 " + printable(name) + " 上";
  }
  // What it is, in words.
  std::string what() {
    if (auto line = command(); !line.empty()) return printable(line.substr(0, kShownBytesMax));
    auto action = text("event.action");
    return printable(action.empty() ? event.kind.name : std::string_view(action));
  }

  Finding finding(const FindingKind& kind, Severity severity, uint32_t score, std::string key) const {
    Finding out;
    out.kind = &kind;
    out.severity = severity;
    out.score = score;
    out.key = std::move(key);
    // Who comes from elsewhere than he that was told of is another one.
    if (event.login && event.login->success && out.key.find(event.login->source) == out.key.npos)
      out.key += " from " + printable(event.login->source);
    out.fold_ns = kDay;  // a list that lacks an entry would tell of it each hour
    out.records = {event.record.index};
    return out;
  }
};

bool Listed::wants(const EventKind& kind) const {
  const Lists& lists = *surroundings_.options.lists;  // whoever's
  if (!lists.deny_addresses.empty()) return true;
  // Tickets may come in records.
  if (lists.empty())
    return kind.name == "change-approved" || kind.name == "command" || kind.name == "process-started" ||
           is_one_of(kind.name, kChanges);
  return kind.login != EventKind::Login::none || kind.name == "login-refused" || is_one_of(kind.name, kOfPersons);
}

void Listed::observe(const Event& event, std::vector<Finding>& findings) {
  Log& log = by_log_.use(event.log);
  if (event.kind.name == "change-approved") take_ticket(event, log);
  Act act{event, surroundings_};
  if (act.lists.empty() && log.tickets.size() == 0) return;
  judge_addresses(act, findings);
  judge_called_addresses(act, findings);
  if (event.kind.login != EventKind::Login::none) return judge_login(act, findings);
  const bool is_refused = event.kind.name == "login-refused";
  if (!is_refused && !is_one_of(event.kind.name, kOfPersons)) return;
  if (act.who().empty() || act.is_done_to_who()) return;
  judge_leaver(act, act.who(), is_refused, is_refused || act.failed(), findings);
  if (is_refused) return;
  if (const auto* denied = act.lists.deny_commands.empty() ? nullptr : act.lists.deny_commands.find(act.command())) {
    Finding finding = act.finding(kDenied, Severity::high, 75, act.who() + " " + *denied + act.on());
    finding.reason =
        printable(act.who()) + " ran what is on the list of denied commands" + act.on() + ": " + act.what();
    finding.reason_zh = "账号 " + printable(act.who()) + " " + act.on_zh() + "执行了禁止清单中的命令：" + act.what();
    finding.baseline = act.lists.baseline("deny_commands", entry_text(*denied));
    findings.push_back(std::move(finding));
  }
  if (act.failed()) return;
  judge_becoming_root(act, findings);
  judge_provider(act, log, findings);
  judge_change(act, log, findings);
}

// ------------------------------------------------------------------------------------------------ addresses and logins

void Listed::judge_addresses(Act& act, std::vector<Finding>& findings) const {
  if (act.lists.deny_addresses.empty()) return;
  for (bool comes : {true, false}) {
    static const Field* const kDestination = find_field("destination.ip");
    const std::string address = act.text(comes ? ecs::source_ip : kDestination);
    const auto* entry = act.lists.deny_addresses.find(address);
    if (!entry) continue;
    const bool got_in = comes && act.event.login && act.event.login->success;
    Finding finding =
        act.finding(kDenied,
                    got_in  ? Severity::critical
                    : comes ? Severity::medium
                            : Severity::high,
                    got_in ? 95 : 60,
                    printable(address) + (got_in  ? " got in as " + printable(act.event.login->user) + act.on()
                                          : comes ? ""
                                                  : " called" + act.on()));
    finding.reason =
        "address " + printable(address) + ", which is on the list of denied addresses, " +
        (got_in  ? (act.event.login->by_act ? "acted as " : "logged in as ") + printable(act.event.login->user)
         : comes ? "was heard of"
                 : "was called") +
        act.on();
    finding.reason_zh =
        "禁止清单中的地址 " + printable(address) + " " + act.on_zh() +
        (got_in ? "以账号 " + printable(act.event.login->user) + (act.event.login->by_act ? " 操作" : " 登录成功")
         : comes ? "出现"
                 : "被访问");
    finding.baseline = act.lists.baseline("deny_addresses", entry_text(entry->text));
    findings.push_back(std::move(finding));
  }
}

void Listed::judge_called_addresses(Act& act, std::vector<Finding>& findings) const {
  if (act.lists.deny_addresses.empty()) return;
  const auto command = act.command();
  if (command.empty()) return;
  for (const auto& address : addresses_called_by(command)) {
    const auto* entry = act.lists.deny_addresses.find(address);
    if (!entry || address == act.text("destination.ip")) continue;
    const auto who = act.who();
    Finding finding = act.finding(kDenied, act.failed() ? Severity::medium : Severity::high, act.failed() ? 55 : 70,
                                  (who.empty() ? "" : printable(who) + " ") + address + " in a command" + act.on() +
                                      (act.failed() ? " failed" : ""));
    finding.reason = (who.empty() ? "somebody" : printable(who)) + (act.failed() ? " tried" : " ran") +
                     " a command that calls address " + address + ", which is on the list of denied addresses," +
                     act.on() + ": " + act.what();
    finding.reason_zh =
        (who.empty() ? "有人" : "账号 " + printable(who)) + " " + act.on_zh() +
        (act.failed() ? "尝试执行命令（未成功），命令访问禁止清单中的地址 " : "执行的命令访问禁止清单中的地址 ") +
        address + "：" + act.what();
    finding.baseline = act.lists.baseline("deny_addresses", entry_text(entry->text));
    findings.push_back(std::move(finding));
  }
}

void Listed::judge_leaver(Act& act, std::string_view account, bool is_login, bool failed,
                          std::vector<Finding>& findings) const {
  for (bool left : {true, false}) {
    const AccountList& list = left ? act.lists.leavers : act.lists.deny_accounts;
    const auto* entry = list.find(account);
    if (!entry) continue;
    if (act.event.counted.at_ns < entry->since.at(*surroundings_.options.zone_of(act.event.log))) continue;
    Finding finding = act.finding(left ? kLeaver : kDenied, failed ? Severity::medium : Severity::critical,
                                  failed ? 60 : 90, printable(account) + act.on() + (failed ? " failed" : ""));
    finding.reason = printable(account) + (left ? ", who has left, " : ", who is on the list of denied accounts, ") +
                     (!is_login ? std::string(failed ? "tried: " : "did: ") + act.what()
                      : failed  ? std::string("tried to log in")
                                : std::string("logged in")) +
                     act.on();
    finding.reason_zh = (left ? "离职人员账号 " : "禁止清单中的账号 ") + printable(account);
    if (act.event.login && !act.event.login->source.empty()) {
      finding.reason += " from " + printable(act.event.login->source);
      finding.reason_zh += " 从 " + printable(act.event.login->source);
    }
    finding.reason_zh += " " + act.on_zh() +
                         (is_login ? failed ? std::string("尝试登录，未成功") : "登录成功"
                                   : (failed ? "尝试操作，未成功：" : "执行了操作：") + act.what());
    finding.baseline = act.lists.baseline(left ? "leavers" : "deny_accounts", entry_text(entry->text));
    findings.push_back(std::move(finding));
  }
}

void Listed::judge_login(Act& act, std::vector<Finding>& findings) const {
  const LoginEvent* login = act.event.login;
  if (!login || login->user.empty()) return;
  judge_leaver(act, login->user.substr(0, kNameBytesMax), true, !login->success, findings);
  if (!login->success) return;
  judge_service_account(act, findings);
  static const Field* const kProcess = find_field("process.name");
  static const Field* const kExecutable = find_field("process.executable");
  if (lets_people_in(act.text(kProcess)) || lets_people_in(act.text(kExecutable)) || act.own(".logon_type") == "10") {
    judge_bastion(act, findings);
    judge_becoming_root(act, findings);
  }
}

void Listed::judge_bastion(Act& act, std::vector<Finding>& findings) const {
  const Origins& bastions = act.lists.bastions;
  const LoginEvent& login = *act.event.login;
  if (bastions.addresses.empty() || login.host.empty() || bastions.names.matches(login.host) ||
      bastions.has(login.source))
    return;
  if (bastions.addresses.find(act.event.record.origin->address)) return;  // the bastion's own words
  if (login.source == login.host || login.source == "localhost" || login.source.starts_with("127.") ||
      login.source == "::1")
    return;
  const auto* service = act.lists.service_accounts.find(login.user);
  if (service && (service->from.empty() || service->from.has(login.source))) return;
  // Where the list has no bastion by name, a host is behind one when people come to it from there.
  const auto* site = surroundings_.detectors.find<Site>();
  const bool is_behind = site && site->comes_from(act.event.log, login.host, [&](std::string_view network) {
    return bastions.addresses.touches(network);
  });
  if (bastions.names.empty() && !is_behind) return;
  Finding finding = act.finding(kRound, Severity::high, 75, printable(login.user) + act.on());
  finding.reason = printable(login.user) + " logged in" + act.on() + " from " + printable(login.source) +
                   ", which is none of the bastions: it was passed by";
  finding.reason_zh = "账号 " + printable(login.user) + " 从 " + printable(login.source) + " 登录主机 " +
                      printable(login.host) + "，来源不是任何一台堡垒机：绕过了堡垒机";
  finding.baseline = act.lists.baseline("bastions", "") + " behind=" + std::to_string(is_behind);
  findings.push_back(std::move(finding));
}

void Listed::judge_service_account(Act& act, std::vector<Finding>& findings) const {
  const LoginEvent& login = *act.event.login;
  const auto* entry = act.lists.service_accounts.find(login.user);
  if (!entry) return;
  const std::string method = act.own(".method"), type = act.own(".logon_type");
  std::string why, why_zh;
  if (!entry->from.empty() && !entry->from.has(login.source)) {
    why = "from " + printable(login.source) + ", from where it never should";
    why_zh = "来源不在该账号允许的范围内";
  } else if (!entry->hosts.empty() && !entry->hosts.matches(login.host)) {
    why = "where it has no business";
    why_zh = "该账号不应登录此主机";
  } else if (is_typed(method, type)) {
    why = "with a typed password from " + printable(login.source) + ": a person is at it";
    why_zh = "使用手工输入的口令，说明由人员操作";
  }
  if (why.empty()) return;
  Finding finding = act.finding(kServiceAccount, Severity::high, 75, printable(login.user) + act.on());
  finding.reason = "service account " + printable(login.user) + " logged in" + act.on() + " " + why;
  finding.reason_zh =
      "服务账号 " + printable(login.user) + " 从 " + printable(login.source) + " " + act.on_zh() + "登录，" + why_zh;
  finding.baseline = act.lists.baseline("service_accounts", entry_text(entry->text));
  findings.push_back(std::move(finding));
}

// --------------------------------------------------------------------------------------------------------------- acts

void Listed::judge_becoming_root(Act& act, std::vector<Finding>& findings) const {
  static const Field* const kAs = find_field("user.effective.name");
  const LoginEvent* login = act.event.login;
  const bool is_su = !login && (act.event.kind.name == "privilege-used" || act.event.kind.name == "command");
  const std::string as = is_su ? act.text(kAs) : "";
  if (is_su && !as.empty() && act.who() != as)
    if (const auto* service = act.lists.service_accounts.find(as);
        service && !act.lists.service_accounts.find(act.who())) {
      Finding finding =
          act.finding(kServiceAccount, Severity::medium, 55, printable(as) + " by " + act.who() + act.on());
      finding.reason =
          printable(act.who()) + " acted as service account " + printable(as) + act.on() + ": " + act.what();
      finding.reason_zh = "账号 " + printable(act.who()) + " " + act.on_zh() + "以服务账号 " + printable(as) +
                          " 的身份操作：" + act.what();
      finding.baseline = act.lists.baseline("service_accounts", entry_text(service->text));
      findings.push_back(std::move(finding));
    }
  const AccountList& admins = act.lists.admins;
  if (admins.empty()) return;
  std::string who, how, how_zh;
  if (login) {
    if (login->user != "root") return;
    who = "root";
    how = "logged in as root" + act.on() + " from " + printable(login->source) + ", directly";
    how_zh = "有人从 " + printable(login->source) + " " + act.on_zh() + "以 root 直接登录";
  } else {
    if (!is_su || as != "root" || act.who() == "root" || act.who().empty() || act.who().starts_with("uid ")) return;
    who = act.who();
    how = "became root" + act.on() + ": " + act.what();
    how_zh = "账号 " + printable(who) + " " + act.on_zh() + "取得 root 权限（" + act.what() + "）";
  }
  const auto* entry = admins.find(who);
  const bool right_host = entry && (entry->hosts.empty() || entry->hosts.matches(act.host()));
  const bool right_source = !login || (entry && (entry->from.empty() || entry->from.has(login->source)));
  if (right_host && right_source) return;
  if (!login && act.lists.service_accounts.find(who)) return;
  Finding finding = act.finding(kNoAdmin, Severity::high, login ? 75 : 65, printable(who) + act.on());
  finding.reason = (login ? std::string("somebody ") : printable(who) + " ") + how +
                   (!entry       ? (login ? "; root is not on the list of administrators"
                                          : "; the list of administrators has no such account")
                    : right_host ? "; it may not from there"
                                 : "; it may not on this host");
  finding.reason_zh = how_zh + (!entry ? (login ? "，而 root 不在管理员清单中" : "，而该账号不在管理员清单中")
                                : right_host ? "，管理员清单不允许其从该来源登录"
                                             : "，管理员清单不允许其管理此主机");
  finding.baseline = act.lists.baseline("admins", entry ? entry_text(entry->text) : "");
  findings.push_back(std::move(finding));
}

void Listed::judge_provider(Act& act, const Log& log, std::vector<Finding>& findings) const {
  const auto* entry = act.lists.provider_staff.find(act.who());
  if (!entry) return;
  const auto command = act.command();
  if (!command.empty() && !is_tool_for_machines(command)) return;
  const auto words = command.empty()
                         ? act.text("event.action") + " " + act.text("event.code") + " " + act.own(".detail") + " " +
                               act.own(".task") + " " + act.text("orchestrator.resource.type")
                         : command;
  const VirtualAct did = virtual_act_of(words);
  bool self_approved = false;
  if (did == VirtualAct::none || ticket_of(act, log, &self_approved)) return;
  const auto resource = act.text("orchestrator.resource.name");
  const std::string what = did == VirtualAct::deletes      ? "deleted a machine, its disk or its backup"
                           : did == VirtualAct::copies_out ? "handed a machine's disk or snapshot out"
                           : did == VirtualAct::enters     ? "opened a machine's console or ran commands in it"
                                                           : "took a snapshot or image of a machine";
  const auto [did_zh, what_zh] = did == VirtualAct::deletes      ? std::pair("删除了", "主机、磁盘或备份")
                                 : did == VirtualAct::copies_out ? std::pair("导出了", "主机磁盘或快照")
                                 : did == VirtualAct::enters ? std::pair("通过控制台或命令进入了", "主机")
                                                             : std::pair("制作了", "主机快照或镜像");
  Finding finding = act.finding(kProvider, did == VirtualAct::copies ? Severity::medium : Severity::high,
                                did == VirtualAct::deletes ? 85 : 75,
                                printable(act.who()) + " " + what + " " + printable(resource) + act.on());
  finding.reason = printable(act.who()) + " of the provider's staff " + what + " of " + printable(act.event.log) +
                   (resource.empty() ? "" : ", " + printable(resource)) + ": " + act.what() +
                   (self_approved ? "; its ticket was approved by who asked for it" : "");
  finding.reason_zh = "云服务商人员 " + printable(act.who()) + " " + did_zh + "租户 " + printable(act.event.log) +
                      " 的" + what_zh + (resource.empty() ? "" : "（" + printable(resource) + "）") + "：" +
                      act.what() + (self_approved ? "；其工单的申请人与批准人为同一账号" : "");
  finding.baseline = act.lists.baseline("provider_staff", entry_text(entry->text)) +
                     " tickets=" + std::to_string(log.tickets.size() + act.lists.tickets.size());
  findings.push_back(std::move(finding));
}

void Listed::take_ticket(const Event& event, Log& log) const {
  Act act{event, surroundings_};
  Ticket ticket;
  ticket.id = act.own(".id");
  ticket.approver = act.text(ecs::user_name);
  ticket.requester = act.text("user.target.name");
  ticket.account = act.own(".account");
  ticket.hosts = act.own(".hosts");
  for (auto [text, moment] : {std::pair(act.own(".from"), &ticket.from), std::pair(act.own(".until"), &ticket.until)})
    if (auto read = read_moment(text)) *moment = *read;
  if (ticket.id.empty()) ticket.id = "record " + std::to_string(event.record.index);
  if (act.failed()) return;
  // Nobody can give leave afterwards.
  if (ticket.from.ns == INT64_MIN) ticket.from = {event.counted.at_ns, false};
  const std::string id = ticket.id;
  log.tickets.use(id) = std::move(ticket);
}

const Ticket* Listed::ticket_of(Act& act, const Log& log, bool* self_approved) const {
  const auto zone = surroundings_.options.zone_of(act.event.log);
  const Ticket* found = nullptr;
  const auto host = act.host();
  const auto look = [&](const Ticket& ticket) {
    if (found || !ticket.covers(act.who(), host, act.event.counted.at_ns, *zone)) return;
    if (ticket.is_self_approved())
      *self_approved = true;
    else
      found = &ticket;
  };
  for (const auto& ticket : act.lists.tickets) look(ticket);
  log.tickets.for_each([&](std::string_view, const Ticket& ticket) { look(ticket); });
  return found;
}

void Listed::judge_change(Act& act, Log& log, std::vector<Finding>& findings) {
  const bool asks_for_tickets = act.lists.has("tickets");
  if (act.lists.change_windows.empty() && !asks_for_tickets && log.tickets.size() == 0) return;
  const auto& name = act.event.kind.name;
  if (act.event.kind.is_command() ? !changes_a_machine(act.command()) : !is_one_of(name, kChanges)) return;
  const std::string& who = act.who();
  if (act.lists.service_accounts.find(who) || act.is_machine()) return;
  // What the system does for itself as root, at no terminal.
  if (who == "root" || who == "uid 0") {
    const auto terminal = act.own(".tty");
    if (terminal.empty() || terminal == "(none)" || terminal == "?") return;
  }
  const auto host = act.host();
  const int64_t at_ns = act.event.counted.at_ns;
  const auto zone = surroundings_.options.zone_of(act.event.log);
  const int64_t local = local_time(at_ns, *zone).seconds;

  const ChangeWindow* open = nullptr;
  std::string shut;
  for (const auto& window : act.lists.change_windows) {
    if (!window.concerns(host)) continue;
    if (window.is_open(local))
      open = &window;
    else
      shut += (shut.empty() ? "" : ", ") + window.text;
  }
  bool self_approved = false;
  const Ticket* ticket = ticket_of(act, log, &self_approved);

  // Where tickets come by records alone it is asked whether they are usual.
  const bool were_usual = log.without.can_be_odd();
  const int64_t day = floor_div(local, kDaySeconds);
  if (log.tickets.size() > 0) {
    int64_t& last = days_.use(act.event.log, who);
    if (last != day) log.without.add(ticket == nullptr);
    last = day;
  }
  const bool needs_ticket = asks_for_tickets || (log.tickets.size() > 0 && were_usual);
  const bool is_outside = !open && !shut.empty();
  if (ticket || (!is_outside && !needs_ticket)) return;

  Finding finding = act.finding(kChange, is_outside ? Severity::high : Severity::medium, is_outside ? 70 : 55,
                                printable(who) + act.on() + (is_outside ? " outside" : ""));
  const int64_t minute = (local - floor_div(local, kDaySeconds) * kDaySeconds) / 60;
  char clock[16];
  std::snprintf(clock, sizeof clock, "%02d:%02d", static_cast<int>(minute / 60), static_cast<int>(minute % 60));
  const std::string zone_name(zone->name());
  finding.reason = printable(who) + " changed something" + act.on() +
                   (is_outside ? " at " + std::string(clock) + " " + zone_name + ", outside the change window (" +
                                     printable(shut) + ")"
                               : "") +
                   (is_outside && needs_ticket ? " and" : "") + (needs_ticket ? " without a ticket" : "") + ": " +
                   act.what() + (self_approved ? "; its ticket was approved by who asked for it" : "");
  finding.reason_zh =
      "账号 " + printable(who) + " " + act.on_zh() + "进行了变更，" +
      (is_outside ? "时间为 " + std::string(clock) + "（" + zone_name + "），不在变更窗口（" + printable(shut) + "）内"
                  : "") +
      (is_outside && needs_ticket ? "，且" : "") + (needs_ticket ? "没有工单" : "") + "：" + act.what() +
      (self_approved ? "；其工单的申请人与批准人为同一账号" : "");
  if (!act.lists.change_windows.empty())
    finding.baseline = act.lists.baseline("change_windows", open ? entry_text(open->text) : "");
  if (asks_for_tickets) finding.baseline += (finding.baseline.empty() ? "" : " ") + act.lists.baseline("tickets", "");
  finding.baseline += std::string(finding.baseline.empty() ? "" : " ") +
                      "tickets=" + std::to_string(log.tickets.size() + act.lists.tickets.size()) +
                      " without_of_last=" + log.without.numbers();
  findings.push_back(std::move(finding));
}

// -------------------------------------------------------------------------------------------------------------- state

void Listed::save(std::string& out) const {
  save_logs(by_log_, out, [&out](const Log& log) {
    log.without.save(out);
    put_varint(out, log.tickets.size());
    log.tickets.for_each([&out](std::string_view, const Ticket& ticket) {
      for (auto* text : {&ticket.id, &ticket.account, &ticket.requester, &ticket.approver, &ticket.hosts})
        put_text(out, *text);
      for (auto* moment : {&ticket.from, &ticket.until}) {
        put_signed(out, moment->ns);
        put_varint(out, moment->is_local);
      }
    });
  });
  days_.save(out, [&out](int64_t day) { put_signed(out, day); });
}

bool Listed::load(Reader& in) {
  const auto load_log = [&in](Log& log) {
    log.without.load(in);
    for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
      Ticket ticket;
      for (auto* text : {&ticket.id, &ticket.account, &ticket.requester, &ticket.approver, &ticket.hosts})
        *text = in.text();
      for (auto* moment : {&ticket.from, &ticket.until}) {
        moment->ns = in.signed_varint();
        moment->is_local = in.varint() != 0;
      }
      const std::string id = ticket.id;
      log.tickets.use(id) = std::move(ticket);
    }
    return in.ok();
  };
  return load_logs(by_log_, in, load_log) && days_.load(in, [&in](int64_t& day) { day = load_day(in); });
}

}  // namespace yushi::detect
