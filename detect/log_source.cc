#include "detect/log_source.h"

#include <algorithm>

#include "core/base/nearest_name.h"
#include "core/record/field.h"

namespace yushi::detect {
namespace {

// A row answers when each of its three words is empty or `*` (any) or equal, so the first that fits wins.
struct Row {
  std::string_view product, category, service;
  std::string_view table;
  std::string_view datasets;   // separated by blanks
  std::string_view processes;  // of records that no parser knew
  bool unknown = false;        // every record that no parser knew
};

// What a Linux machine itself says.
constexpr std::string_view kLinux = "sshd sudo su pam accounts cron systemd systemd-logind auditd iptables";

constexpr Row kRows[] = {
    {"linux", "process_creation", "", "process", "auditd sudo", "", false},
    {"linux", "file_event", "", "auditd", "auditd", "", false},
    {"linux", "", "auditd", "auditd", "auditd", "auditd audispd", false},
    {"linux", "", "auth", "linux", "sshd sudo su pam accounts systemd-logind",
     "sshd sshd-session sudo su login passwd useradd usermod userdel groupadd groupdel gpasswd chpasswd vsftpd", false},
    {"linux", "", "sshd", "linux", "sshd", "sshd sshd-session", false},
    {"linux", "", "sudo", "sudo", "sudo pam", "sudo", false},
    {"linux", "", "su", "linux", "su pam", "su", false},
    {"linux", "", "cron", "linux", "cron", "cron crond CRON crontab anacron", false},
    {"linux", "", "systemd", "linux", "systemd systemd-logind", "systemd systemd-logind systemd-journald", false},
    {"linux", "", "syslog", "linux", kLinux, "", true},
    {"linux", "", "clamav", "linux", "clamav", "clamd clamav freshclam clamscan", false},
    {"linux", "", "guacamole", "linux", "guacamole", "guacd", false},
    {"linux", "", "vsftpd", "linux", "vsftpd", "vsftpd", false},
    {"linux", "", "", "linux", kLinux, "", true},
    {"*", "webserver", "", "web", "nginx.access apache.access", "", false},
    {"apache", "", "", "web", "apache.access", "apache2 httpd", false},
    {"", "", "apache", "web", "apache.access", "apache2 httpd", false},
    {"nginx", "", "", "web", "nginx.access", "nginx", false},
    {"", "", "nginx", "web", "nginx.access", "nginx", false},
    {"*", "database", "", "linux", "mysql.error", "mysqld mariadbd postgres", false},
    {"mysql", "", "", "linux", "mysql.error", "mysqld mariadbd", false},
};

struct FieldRow {
  std::string_view table;  // of the log source; empty: all
  std::string_view sigma;
  std::string_view ecs;  // separated by blanks: any of them
};

constexpr FieldRow kFields[] = {
    {"web", "cs-method", "http.request.method"},
    // What was sent, and what it says when its escapes are undone.
    {"web", "cs-uri", "url.original url.path url.query yushi.url.decoded"},
    {"web", "c-uri", "url.original url.path url.query yushi.url.decoded"},
    // The published rules write whole request targets here, not only what follows the `?`.
    {"web", "cs-uri-query", "url.original url.path url.query yushi.url.decoded"},
    {"web", "c-uri-query", "url.original url.path url.query yushi.url.decoded"},
    {"web", "cs-uri-stem", "url.path"},
    {"web", "c-uri-stem", "url.path"},
    {"web", "c-uri-extension", "url.extension"},
    {"web", "sc-status", "http.response.status_code"},
    {"web", "sc-bytes", "http.response.body.bytes"},
    {"web", "cs-user-agent", "user_agent.original"},
    {"web", "c-useragent", "user_agent.original"},
    {"web", "cs-referer", "http.request.referrer"},
    {"web", "cs-host", "url.domain"},
    {"web", "cs-username", "user.name"},
    {"web", "c-ip", "source.ip"},
    {"web", "src_ip", "source.ip"},
    {"process", "CommandLine", "process.command_line"},
    {"process", "Image", "process.executable"},
    {"process", "ParentCommandLine", "process.parent.command_line"},
    {"process", "ParentImage", "process.parent.executable"},
    {"process", "User", "user.name"},
    {"process", "CurrentDirectory", "process.working_directory"},
    {"auditd", "TargetFilename", "file.path auditd.paths"},
    {"auditd", "Image", "process.executable"},
    {"auditd", "type", "auditd.record_type"},
    {"auditd", "a0", "auditd.a0"},
    {"auditd", "a1", "auditd.a1"},
    {"auditd", "a2", "auditd.a2"},
    {"auditd", "a3", "auditd.a3"},
    {"auditd", "a4", "auditd.a4"},
    {"auditd", "a5", "auditd.a5"},
    {"auditd", "a6", "auditd.a6"},
    {"auditd", "a7", "auditd.a7"},
    {"auditd", "SYSCALL", "auditd.syscall"},
    {"auditd", "syscall", "auditd.syscall"},
    {"auditd", "exe", "process.executable"},
    {"auditd", "comm", "process.name"},
    {"auditd", "key", "auditd.key"},
    {"auditd", "name", "file.path auditd.paths"},
    {"auditd", "nametype", "auditd.nametype"},
    {"auditd", "uid", "user.id"},
    {"auditd", "euid", "user.effective.id"},
    {"auditd", "cwd", "process.working_directory"},
    {"auditd", "proctitle", "process.title"},
    {"auditd", "unit", "service.name"},
    {"sudo", "USER", "user.effective.name"},
    {"sudo", "COMMAND", "process.command_line"},
    {"sudo", "PWD", "process.working_directory"},
    {"linux", "pam_user", "user.name"},
    {"linux", "pam_rhost", "source.ip source.domain source.address"},
};

bool fits(std::string_view row, std::string_view given) { return row == "*" || row == given; }

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    size_t blank = text.find(' ');
    if (blank != 0) out.emplace_back(text.substr(0, blank));
    if (blank == std::string_view::npos) break;
    text.remove_prefix(blank + 1);
  }
  return out;
}

}  // namespace

std::optional<RuleScope> find_log_source(std::string_view product, std::string_view category,
                                         std::string_view service) {
  RuleScope scope;
  if (product == "yushi" && category == "unparsed" && service.empty()) {
    scope.table = "yushi";
    scope.unknown = true;
    // Windows' own words as an agent writes them: what happened stands in the text alone.
    scope.datasets = {"windows_evtsys", "windows_snare"};
    return scope;
  }
  if (product == "yushi" && category.empty()) {
    scope.table = "yushi";
    if (service.empty()) {
      scope.all = true;
    } else {
      scope.datasets = {std::string(service)};
      scope.processes = scope.datasets;
    }
    return scope;
  }
  for (const Row& row : kRows) {
    if (!fits(row.product, product) || !fits(row.category, category) || !fits(row.service, service)) continue;
    scope.table = row.table;
    scope.datasets = split(row.datasets);
    scope.processes = split(row.processes);
    scope.unknown = row.unknown;
    return scope;
  }
  return {};
}

std::vector<std::string> find_rule_field(const RuleScope& scope, std::string_view sigma_field) {
  for (const FieldRow& row : kFields)
    if (row.sigma == sigma_field && (row.table == scope.table || row.table.empty())) return split(row.ecs);
  // ECS names, and those that a parser gives under its own name (`sshd.method`), stand for themselves.
  if (may_be_field(sigma_field)) return {std::string(sigma_field)};
  return {};
}

bool is_sigma_field(std::string_view name) {
  return std::any_of(std::begin(kFields), std::end(kFields), [&](const FieldRow& row) { return row.sigma == name; });
}

std::string own_field_suggestion(std::string_view name) {
  for (const FieldRow& row : kFields)
    if (row.sigma == name) return "; write " + std::string(row.ecs.substr(0, row.ecs.find(' ')));
  return field_suggestion(name);
}

std::string rule_field_suggestion(const RuleScope& scope, std::string_view name) {
  NearestName nearest(name);
  for (const FieldRow& row : kFields)
    if (row.table == scope.table || row.table.empty()) nearest.offer(row.sigma, true);
  for_each_field_name([&](std::string_view known) { nearest.offer(known); });
  return nearest.suggestion();
}

}  // namespace yushi::detect
