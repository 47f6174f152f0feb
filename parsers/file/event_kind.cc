#include "parsers/file/event_kind.h"

#include <algorithm>

#include "core/base/nearest_name.h"

namespace yushi::parsers {
namespace {

constexpr std::string_view kWho =
    "user.name|user.id|user.email|user.full_name|source.ip|source.address|source.domain|client.user.name";
constexpr std::string_view kLogin =
    "event.outcome user.name|user.id|user.email|user.full_name|source.ip|source.address|source.domain|client.user.name";
constexpr std::string_view kOnWhom =
    "user.target.name|user.target.id|user.target.email|user.name|user.id|user.effective.name|group.name|group.id";
constexpr std::string_view kCommand = "process.command_line|process.args|process.executable|process.name|process.title";
constexpr std::string_view kFile = "file.path|file.name|file.inode";
constexpr std::string_view kService = "service.name|process.name|process.executable";
constexpr std::string_view kPeers =
    "source.ip|source.address|source.domain|client.ip|client.address|destination.ip|destination.address|destination."
    "domain|server.ip|server.address|"
    "source.mac|destination.mac|network.protocol|observer.ingress.interface.name|observer.egress.interface.name";
constexpr std::string_view kUrl = "url.original|url.path|url.full|http.request.method|http.response.status_code";
constexpr std::string_view kPackage = "package.name";

constexpr EventKind kKinds[] = {
    // Who is it?
    {"login", "authentication", "start", kLogin, true, "somebody asks to be let in, with what came of it"},
    {"logout", "authentication", "end", kWho, true, "somebody leaves"},
    {"session-opened", "session", "start", "", true, "a session, tunnel or VPN stands"},
    {"session-closed", "session", "end", "", true, "it ended"},
    {"login-refused", "authentication", "denied", kWho, true,
     "not even asked: locked, expired, from a wrong place, too many tries"},
    {"credential-used", "authentication", "info", kWho, true, "a ticket, token or key was shown, without a login"},
    {"credential-issued", "iam", "creation", kWho, true, "a key, token, ticket or certificate was given"},
    {"credential-revoked", "iam", "deletion", "", true, "and taken back"},
    // Accounts and rights
    {"account-created", "iam", "user creation", kOnWhom, true, ""},
    {"account-changed", "iam", "user change", kOnWhom, true, ""},
    {"account-deleted", "iam", "user deletion", kOnWhom, true, ""},
    {"account-locked", "iam", "user change", kOnWhom, true, "locked, disabled or expired"},
    {"account-unlocked", "iam", "user change", kOnWhom, true, "unlocked or enabled again"},
    {"password-changed", "iam", "user change", kOnWhom, true, "by its owner or by somebody else"},
    {"group-created", "iam", "group creation", "", true, "a group or role"},
    {"group-changed", "iam", "group change", "", true, "its name or settings"},
    {"group-deleted", "iam", "group deletion", "", true, ""},
    {"privilege-granted", "iam", "admin change", "", true, "a right, a role or membership of a group"},
    {"privilege-revoked", "iam", "admin change", "", true, ""},
    {"change-approved", "configuration", "allowed", kWho, true,
     "somebody gives another leave for a change: a ticket, a work order"},
    {"privilege-used", "process", "start", kWho, true, "somebody acts as another: su, sudo, runas, assume-role"},
    // What is done
    {"command", "process", "start", kCommand, true, "a person's command, with the line as far as the log tells it"},
    {"command-refused", "process", "denied", "", true, "a command that its asker may not run"},
    {"process-started", "process", "start", kCommand, true, ""},
    {"process-ended", "process", "end", "", true, ""},
    {"process-crashed", "process", "error", "", true, "fault, abort, out of memory"},
    {"process-accessed", "process", "access", "", true, "one process reads, writes or traces another"},
    {"module-loaded", "driver", "start", "", true, "a kernel module, driver or library"},
    {"job-run", "process", "start", "", true, "cron, a task, a timer"},
    {"job-changed", "configuration", "change", "", true, "a crontab, task or timer was written"},
    {"file-read", "file", "access", kFile, true, ""},
    {"file-created", "file", "creation", kFile, true, ""},
    {"file-changed", "file", "change", kFile, true, "content or name"},
    {"file-deleted", "file", "deletion", kFile, true, ""},
    {"file-permission-changed", "file", "change", kFile, true, "owner, mode, access list"},
    {"transfer", "file network", "access", "", true, "a file goes from one machine to another: scp, FTP, rz, a share"},
    {"registry-changed", "registry", "change", "registry.path|registry.key", true, ""},
    {"registry-read", "registry", "access", "registry.path|registry.key", true, ""},
    {"package-installed", "package", "installation", kPackage, true, ""},
    {"package-changed", "package", "change", kPackage, true, "upgraded, configured"},
    {"package-removed", "package", "deletion", kPackage, true, ""},
    // The machine and what runs on it
    {"service-started", "process", "start", kService, true, ""},
    {"service-stopped", "process", "end", kService, true, ""},
    {"service-failed", "process", "error", "", true, ""},
    {"host-started", "host", "start", "", true, ""},
    {"host-stopped", "host", "end", "", true, ""},
    {"time-changed", "configuration", "change", "", true, "the clock was set"},
    {"device-attached", "host", "change", "", true, "a disk, USB stick, card or interface came or went"},
    {"resource-exhausted", "host", "error", "", true, "memory, disk, connections, licences are used up"},
    {"health-changed", "host", "change", "", true, "a node, link, peer or part became worse or better"},
    // Settings, and the watchers themselves
    {"config-changed", "configuration", "change", "", true, ""},
    {"config-read", "configuration", "access", "", true, "shown or exported"},
    {"policy-changed", "configuration", "change", "", true, "a rule of a firewall, of access, of audit"},
    {"resource-created", "configuration", "creation", "", true, "a machine, disk, network, volume, object of a cloud"},
    {"resource-changed", "configuration", "change", "", true, ""},
    {"resource-deleted", "configuration", "deletion", "", true, ""},
    {"log-cleared", "configuration", "deletion", "", true, "logs or audit trails were emptied or cut"},
    {"audit-started", "configuration", "start", "", true, "logging or auditing begins"},
    {"audit-stopped", "configuration", "end", "", true, "logging or auditing ends or loses records"},
    // The network
    {"connection", "network", "connection", kPeers, true, "one line for all of it, or a state between"},
    {"connection-opened", "network", "connection start", kPeers, true, ""},
    {"connection-closed", "network", "connection end", kPeers, true, ""},
    {"policy-allowed", "network", "allowed connection", kPeers, true, "a rule let it through"},
    {"policy-denied", "network", "denied connection", kPeers, true, "a rule stopped it"},
    {"access-denied", "configuration", "denied", "", true, "SELinux, AppArmor, a right that is missing"},
    {"name-lookup", "network", "protocol", "dns.question.name|source.ip|source.address", true, "DNS"},
    {"address-leased", "network", "protocol", "", true, "DHCP: given, renewed, given back"},
    {"request", "web", "access", kUrl, true, "HTTP, with what was answered"},
    {"request-refused", "web", "denied", "", true, "a proxy's, gateway's or web firewall's no"},
    {"api-call", "api", "access", "event.action", false, "a cloud's or program's interface; the call is event.action"},
    {"query", "database", "access", "", true, "a statement to a database"},
    {"query-failed", "database", "error", "", true, ""},
    {"mail-accepted", "email", "info", "", true, "taken, sent or delivered"},
    {"mail-refused", "email", "denied", "", true, "rejected, bounced or held"},
    // Found by others
    {"attack", "intrusion_detection", "info", "", true, "an IDS, WAF or honeypot names one"},
    {"attack-blocked", "intrusion_detection", "denied", "", true, "and stopped it"},
    {"malware", "malware", "info", "", true, "a scanner found one"},
    {"vulnerability", "vulnerability", "info", "", true, ""},
    {"anomaly", "threat", "indicator", "", true, "odd, by somebody's judgement"},
    // No event of its own
    {"error", "", "error", "", false, "something went wrong, and the line says no more of whom"},
    {"message", "", "info", "", false, "a line of the program's log"},
};

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = std::min(text.find(at), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

std::span<const EventKind> event_kinds() { return kKinds; }

const EventKind* find_event_kind(std::string_view name) {
  const auto* at =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const EventKind& kind) { return kind.name == name; });
  return at == std::end(kKinds) ? nullptr : at;
}

std::string event_kind_suggestion(std::string_view name) {
  NearestName nearest(name);
  for (auto& kind : kKinds) nearest.offer(kind.name);
  return nearest.suggestion();
}

std::vector<ConstantField> constants_of(const EventKind& kind) {
  std::vector<ConstantField> out;
  for (auto word : split(kind.categories, ' ')) out.push_back({ecs::event_category, std::string(word)});
  for (auto word : split(kind.types, ' ')) out.push_back({ecs::event_type, std::string(word)});
  if (kind.has_action) out.push_back({ecs::event_action, std::string(kind.name)});
  out.push_back({ecs::yushi_event, std::string(kind.name)});
  return out;
}

std::string missing_of(const EventKind& kind, const std::function<bool(std::string_view field)>& has) {
  for (auto need : split(kind.needs, ' ')) {
    const auto any = split(need, '|');
    if (std::none_of(any.begin(), any.end(), has)) return std::string(need);
  }
  return {};
}

}  // namespace yushi::parsers
