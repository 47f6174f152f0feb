#include "detect/behaviours/services.h"

#include <algorithm>
#include <bit>
#include <cctype>

#include "core/base/calendar.h"
#include "detect/behaviours/actors.h"
#include "detect/behaviours/silence.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr FindingKind kLeft{
    "service.left-stopped", "Service stopped and not started again", 2, "attack.t1489", "服务停止后未恢复",
    "attack.impact"};
constexpr FindingKind kLogging{"service.logging-left-stopped",
                               "Logging stopped and not started again",
                               2,
                               "attack.t1562.001",
                               "日志服务停止后未恢复",
                               "attack.defense-evasion"};
constexpr FindingKind kJustStopped{
    "service.log-service-stopped", "Log service stopped", 1, "attack.t1562.001", "日志服务停止",
    "attack.defense-evasion"};
constexpr size_t kUnitBytesMax = 128;
constexpr std::string_view kSomebody = "somebody";  // of a command that does not say whose it is
constexpr int64_t kSameStopNs = 30 * kSecond;       // a command, and what the init system says of it
constexpr int kUnitDays = 64;

// What writes or forwards logs, by the names of its service, of its program and of its description.
struct Alias {
  std::string_view part, name;
};
constexpr Alias kWritesLogs[] = {
    {"rsyslog", "rsyslog"},
    {"system logging service", "rsyslog"},
    {"syslog-ng", "syslog-ng"},
    {"system logger daemon", "syslog-ng"},
    {"auditd", "auditd"},
    {"security auditing service", "auditd"},
    {"security audit logging", "auditd"},
    {"systemd-journald", "journald"},
    {"journal service", "journald"},
    {"yushid", "yushid"},
    {"syslogd", "rsyslog"},
    {"filebeat", "filebeat"},
    {"auditbeat", "auditbeat"},
    {"fluentd", "fluentd"},
    {"fluent-bit", "fluent-bit"},
    {"td-agent", "td-agent"},
    {"nxlog", "nxlog"},
    {"promtail", "promtail"},
};
constexpr std::string_view kProtects[] = {"firewalld", "nftables", "iptables", "ufw",   "fail2ban", "apparmor",
                                          "clamav",    "clamd",    "wazuh",    "ossec", "falco",    "crowdsec",
                                          "osquery",   "aide",     "selinux",  "sysmon"};
// Of a person's session, not of the host; and what stops when nobody asks for it.
constexpr std::string_view kSessionUnits[] = {
    "user@",    "user-runtime-dir@", "session-", "user manager for", "user runtime dir",
    "session ", "run-user-",         "/run/user"};

std::string lower_case(std::string_view text) {
  std::string out(text.substr(0, kUnitBytesMax));
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// One name for a service, whoever names it: `nginx` of nginx.service, /etc/init.d/nginx and Nginx; instances count as
// their template. Empty: it is none that is waited for.
std::string unit_name(std::string_view service) {
  service = service.substr(service.rfind('/') + 1);
  std::string out = lower_case(service);
  for (std::string_view kind : {".service", ".socket", ".target", ".timer", ".scope", ".slice", ".mount"})
    if (out.ends_with(kind)) {
      if (kind != ".service") return {};
      out.resize(out.size() - kind.size());
    }
  for (auto of_session : kSessionUnits)
    if (out.starts_with(of_session)) return {};
  for (auto& alias : kWritesLogs)
    if (out.find(alias.part) != std::string::npos) return std::string(alias.name);
  if (auto at = out.find('@'); at != std::string::npos) out.resize(at + 1);
  return out;
}

// `nginx` and `the nginx http and reverse proxy server` are one.
bool is_same(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return false;
  if (a == b) return true;
  if (a.size() > b.size()) std::swap(a, b);
  return a.size() >= 4 && b.find(a) != std::string_view::npos;
}

bool writes_logs(std::string_view name) {
  return std::any_of(std::begin(kWritesLogs), std::end(kWritesLogs), [&](auto& one) { return one.name == name; });
}
bool protects(std::string_view name) {
  return std::any_of(std::begin(kProtects), std::end(kProtects),
                     [&](auto one) { return name.find(one) != std::string_view::npos; });
}

// What a command does to services.
struct Command {
  enum class Does : uint8_t { nothing, stop, start, end_host } does = Does::nothing;
  std::vector<std::string_view> services;
};

class CommandReader {
 public:
  explicit CommandReader(std::string_view line) {
    constexpr std::string_view kBlanks = " \t\"'()";
    while (words_.size() < kWordsMax) {
      const auto begin = line.find_first_not_of(kBlanks);
      if (begin == std::string_view::npos) break;
      const auto end = std::min(line.find_first_of(kBlanks, begin), line.size());
      words_.push_back(line.substr(begin, end - begin));
      line.remove_prefix(end);
    }
  }

  Command read() {
    for (at_ = 0; at_ < words_.size(); ++at_) {
      const auto name = words_[at_].substr(words_[at_].rfind('/') + 1);
      if (name == "systemctl") return systemctl();
      if (name == "supervisorctl" || name == "initctl" || name == "svcadm") return verb_first();
      if (name == "service" || name == "rc-service" || name == "invoke-rc.d") return name_first();
      if (words_[at_].find("/init.d/") != std::string_view::npos && at_ + 1 < words_.size())
        return of(words_[at_ + 1], {name});
      if (at_ > 0) continue;
      if (name == "reboot" || name == "poweroff" || name == "halt" || name == "shutdown" || name == "telinit")
        return {Command::Does::end_host, {}};
      if (name == "init" && words_.size() > 1 && (words_[1] == "0" || words_[1] == "6"))
        return {Command::Does::end_host, {}};
    }
    return {};
  }

 private:
  static constexpr size_t kWordsMax = 32;

  static Command of(std::string_view verb, std::vector<std::string_view> services) {
    if (verb == "stop" || verb == "kill" || verb == "disable-now") return {Command::Does::stop, std::move(services)};
    if (verb == "start" || verb == "restart" || verb == "reload-or-restart" || verb == "try-restart" ||
        verb == "force-reload" || verb == "enable-now" || verb == "condrestart")
      return {Command::Does::start, std::move(services)};
    return {};
  }

  // `kill -s HUP` and the like have a service open its files again, or read its config: nothing ends by it.
  bool is_other_signal() const {
    for (size_t i = at_ + 1; i < words_.size(); ++i) {
      std::string_view signal = words_[i];
      if (signal == "&&" || signal == "||" || signal == "|" || signal == ";") return false;
      if (i > at_ + 1 && words_[i - 1].ends_with(';')) return false;
      if ((signal == "-s" || signal == "--signal") && i + 1 < words_.size())
        signal = words_[i + 1];
      else if (signal.starts_with("--signal="))
        signal.remove_prefix(9);
      else if (signal.starts_with("-s") && signal.size() > 2)
        signal.remove_prefix(2);
      else
        continue;
      if (signal.ends_with(';')) signal.remove_suffix(1);
      if (signal.starts_with("SIG")) signal.remove_prefix(3);
      for (std::string_view harmless : {"HUP", "USR1", "USR2", "CONT", "WINCH", "0", "1", "10", "12", "18", "28"})
        if (signal == harmless) return true;
      return false;
    }
    return false;
  }

  // The words behind this one that are no options, to the end of the command.
  std::vector<std::string_view> rest(bool* now = nullptr) const {
    std::vector<std::string_view> out;
    for (size_t i = at_ + 1; i < words_.size(); ++i) {
      auto word = words_[i];
      if (word == "&&" || word == "||" || word == "|" || word == ";") break;
      bool last = word.ends_with(';');
      if (last) word.remove_suffix(1);
      if (now && word == "--now") *now = true;
      if (!last && (word == "-s" || word == "--signal") && i + 1 < words_.size())
        last = words_[++i].ends_with(';');  // its name is no service's
      if (!word.starts_with('-') && !word.empty()) out.push_back(word);
      if (last) break;
    }
    return out;
  }
  Command systemctl() {
    bool now = false;
    auto words = rest(&now);
    if (words.empty()) return {};
    const auto verb = words[0];
    words.erase(words.begin());
    if (verb == "kill" && is_other_signal()) return {};
    if (verb == "reboot" || verb == "poweroff" || verb == "halt" || verb == "kexec" || verb == "rescue" ||
        verb == "isolate")
      return {Command::Does::end_host, {}};
    if (now && (verb == "disable" || verb == "mask")) return of("disable-now", std::move(words));
    if (now && verb == "enable") return of("enable-now", std::move(words));
    return of(verb, std::move(words));
  }
  Command verb_first() {
    auto words = rest();
    if (words.empty()) return {};
    const auto verb = words[0] == "disable" ? std::string_view("stop") : words[0] == "enable" ? "start" : words[0];
    words.erase(words.begin());
    return of(verb, std::move(words));
  }
  Command name_first() {
    auto words = rest();
    return words.size() < 2 ? Command{} : of(words[1], {words[0]});
  }

  std::vector<std::string_view> words_;
  size_t at_ = 0;
};

// Most commands are none of ours, and cost this look.
bool may_be_about_services(std::string_view line) {
  for (std::string_view part : {"ctl", "service", "init", "svcadm", "rc.d", "reboot", "shutdown", "poweroff", "halt"})
    if (line.find(part) != std::string_view::npos) return true;
  return false;
}

}  // namespace

bool Services::wants(const EventKind& kind) const {
  for (std::string_view name : {"service-stopped", "service-started", "audit-stopped", "audit-started", "host-stopped",
                                "host-started", "command", "process-started"})
    if (kind.name == name) return true;
  return false;
}

void Services::observe(const Event& event, std::vector<Finding>& findings) {
  const Record& record = event.record;
  Scratch scratch;
  Value value;
  const auto text = [&](const Field* field) {
    scratch.clear();
    return first_value(record, field, scratch, &value) ? std::string(value.text) : std::string();
  };
  static const Field* const kCommandLine = find_field("process.command_line");
  static const Field* const kService = find_field("service.name");
  static const Field* const kProcess = find_field("process.name");
  const std::string_view kind = event.kind.name;
  Command command;
  std::string line;
  if (kind == "command" || kind == "process-started") {
    scratch.clear();
    if (!first_value(record, kCommandLine, scratch, &value) || !may_be_about_services(value.text)) return;
    line = value.text;
    if (event.kind.outcome == "failure") return;
    command = CommandReader(line).read();
    if (command.does == Command::Does::nothing) return;
  }
  const std::string_view host_name = event.host.substr(0, kUnitBytesMax);
  if (host_name.empty()) return;
  Log& log = by_log_.use(event.log, event.counted.at_ns);
  if (kind == "host-stopped" || kind == "host-started" || command.does == Command::Does::end_host) {
    Host& host = log.hosts.use(host_name);
    host.going_down_ns = event.counted.at_ns;
    std::erase_if(host.stops, [&](auto& stop) { return event.counted.at_ns - stop.at_ns < kGoingDownNs; });
    return;
  }
  if (command.does != Command::Does::nothing) {
    std::string_view actor;
    if (const auto* actors = surroundings_.detectors.find<Actors>()) actor = actors->of(event);
    for (auto service : command.services) {
      if (command.does == Command::Does::stop)
        stopped(log, event, host_name, service, actor.empty() ? kSomebody : actor, findings);
      else
        started(log, event, host_name, service, findings);
    }
    return;
  }
  std::string service = text(kService);
  if (service.empty()) service = text(kProcess);
  if (kind == "service-started" || kind == "audit-started") {
    started(log, event, host_name, service, findings);
    return;
  }
  // What only ended, as a job does, or lost some records, is not stopped.
  const std::string action = event.kind.action.empty() ? text(ecs::event_action) : std::string(event.kind.action);
  if (action.find("lost") != std::string::npos || action.starts_with("finished") || action.starts_with("deactivated"))
    return;
  stopped(log, event, host_name, service, {}, findings);
}

void Services::stopped(Log& log, const Event& event, std::string_view host_name, std::string_view service,
                       std::string_view actor, std::vector<Finding>& findings) const {
  std::string name = unit_name(service);
  if (name.empty()) return;
  const int64_t at_ns = event.counted.at_ns;
  Host& host = log.hosts.use(host_name);
  if (host.going_down_ns != 0 && at_ns - host.going_down_ns < kGoingDownNs) return;
  if (const Unit* unit = log.units.peek(std::string(host_name) + "\n" + name)) {
    const int64_t since = at_ns - unit->started_ns;
    if (unit->started_ns != 0 && (since <= 0 || (actor.empty() && since < kJobNs && !writes_logs(name)))) return;
  }
  for (auto& stop : host.stops) {
    const bool same = is_same(stop.name, name) || is_same(stop.also, name);
    // Who is not named by it stopped what a command of just before named otherwise.
    const bool told_otherwise =
        !same && stop.also.empty() && stop.actor.empty() != actor.empty() && std::abs(at_ns - stop.at_ns) < kSameStopNs;
    if (!same && !told_otherwise) continue;
    if (told_otherwise) stop.also = name;
    if (stop.actor.empty()) stop.actor = actor.substr(0, kUnitBytesMax);
    return;
  }
  Stop stop;
  stop.writes_logs = writes_logs(name);
  stop.protects = protects(name);
  // A command has its own rule.
  if (stop.writes_logs && actor.empty() && at_ns - surroundings_.silence.oldest_of(event.log, host_name) < kNewNs) {
    Finding finding;
    finding.kind = &kJustStopped;
    finding.key = printable(host_name) + " " + printable(name);
    finding.reason = "a log service was stopped on " + printable(host_name) + ", or is being restarted (" +
                     printable(service) +
                     "); look whether it started again: while it is down this host leaves no trace";
    finding.reason_zh = "主机 " + printable(host_name) + " 上的日志服务停止，或正在重启（" + printable(service) +
                        "）；请确认是否已恢复，停止期间该主机不留痕迹";
    finding.records = {event.record.index};
    findings.push_back(std::move(finding));
  }
  stop.name = std::move(name);
  stop.actor = actor.substr(0, kUnitBytesMax);
  stop.at_ns = at_ns;
  stop.received_ns = event.record.origin->received_ns;
  stop.index = event.record.index;
  if (host.stops.size() == kStopsMax) host.stops.erase(host.stops.begin());
  host.stops.push_back(std::move(stop));
}

void Services::started(Log& log, const Event& event, std::string_view host_name, std::string_view service,
                       std::vector<Finding>& findings) const {
  const std::string name = unit_name(service);
  if (name.empty()) return;
  const int64_t at_ns = event.counted.at_ns;
  log.units.use(std::string(host_name) + "\n" + name).started_ns = at_ns;
  if (Host* host = log.hosts.find(host_name))
    std::erase_if(host->stops, [&](auto& stop) {
      if (!is_same(stop.name, name) && !is_same(stop.also, name)) return false;
      // Where a log is read in later nobody looked meanwhile.
      if (at_ns - stop.at_ns >= (stop.writes_logs ? kWaitForLogsNs : kWaitNs))
        tell(log, event.log, host_name, stop, findings);
      return true;
    });
}

bool Services::is_left(std::string_view log, std::string_view host, const Stop& stop, int64_t received_ns) const {
  const int64_t wait = stop.writes_logs ? kWaitForLogsNs : kWaitNs;
  if (surroundings_.silence.newest_of(log, host) - stop.at_ns >= wait) return true;
  return stop.writes_logs &&
         (surroundings_.silence.now_of(log) - stop.at_ns >= wait || received_ns - stop.received_ns >= wait);
}

void Services::tick(const Tick& tick, std::vector<Finding>& findings) {
  for (auto& [log_name, log] : by_log_) {
    log.hosts.change_each([&, &name = log_name, &of = log](std::string_view host_name, Host& host) {
      return std::erase_if(host.stops, [&](Stop& stop) {
        if (!is_left(name, host_name, stop, tick.received_ns)) return false;
        tell(of, name, host_name, stop, findings);
        return true;
      });
    });
  }
}

void Services::tell(Log& log, std::string_view log_name, std::string_view host, Stop& stop,
                    std::vector<Finding>& findings) const {
  Unit& unit = log.units.use(std::string(host) + "\n" + stop.name);
  const int64_t day = floor_div(stop.at_ns, kDay), gone = day - unit.last_day;
  if (gone > 0) {
    unit.days = gone < kUnitDays ? unit.days << gone : 0;
    unit.last_day = day;
  }
  const int other_days = std::popcount(unit.days & ~uint64_t{1});
  unit.days |= 1;
  const bool young = log.is_younger(kUsualDays, stop.at_ns);
  if (other_days >= kUsualDays || (young && stop.actor.empty() && !stop.writes_logs)) return;
  const std::string shown = printable(stop.name) + (stop.also.empty() ? "" : " (" + printable(stop.also) + ")");
  Finding finding;
  finding.kind = stop.writes_logs ? &kLogging : &kLeft;
  finding.severity = stop.writes_logs || stop.protects ? Severity::high : Severity::medium;
  finding.score = stop.writes_logs || stop.protects ? 75 : 50;
  finding.key = printable(host) + " " + printable(stop.name);
  finding.fold_ns = kDay;
  finding.log = log_name;
  finding.at_ns = stop.at_ns;
  finding.reason = shown + " on " + printable(host) + " was stopped at " + time_text_utc(stop.at_ns) +
                   (stop.actor.empty() ? "" : " by " + printable(stop.actor)) + " and not started again within " +
                   duration_text(stop.writes_logs ? kWaitForLogsNs : kWaitNs) +
                   (stop.writes_logs ? ": while it is down this host leaves no trace" : "");
  finding.reason_zh = "主机 " + printable(host) + " 上的" + (stop.writes_logs ? "日志服务 " : "服务 ") +
                      printable(stop.name) + (stop.also.empty() ? " " : "（" + printable(stop.also) + "）") + "于 " +
                      time_text_utc(stop.at_ns) +
                      (stop.actor.empty()        ? " "
                       : stop.actor == kSomebody ? " 被人以命令"
                                                 : " 被 " + printable(stop.actor) + " ") +
                      "停止，" + duration_text(stop.writes_logs ? kWaitForLogsNs : kWaitNs, Lang::zh) + "内未重新启动" +
                      (stop.writes_logs ? "，停止期间该主机不留痕迹" : "");
  finding.fields = {{"host.name", printable(host)}};
  if (!stop.actor.empty() && stop.actor != kSomebody) finding.fields.emplace_back("user.name", printable(stop.actor));
  finding.baseline = "left_on_other_days=" + std::to_string(other_days);
  finding.records = {stop.index};
  findings.push_back(std::move(finding));
}

void Services::save(std::string& out) const {
  save_logs(by_log_, out, [&out](const Log& log) {
    save_entries(log.hosts, out, [&out](const Host& host) {
      put_signed(out, host.going_down_ns);
      save_list(host.stops, out, [&out](const Stop& stop) {
        put_text(out, stop.name);
        put_text(out, stop.also);
        put_text(out, stop.actor);
        put_signed(out, stop.at_ns);
        put_signed(out, stop.received_ns);
        put_varint(out, stop.index);
      });
    });
    save_entries(log.units, out, [&out](const Unit& unit) {
      put_signed(out, unit.started_ns);
      put_signed(out, unit.last_day);
      put_varint(out, unit.days);
    });
  });
}

bool Services::load(Reader& in) {
  const auto load_stop = [&in](Stop& stop) {
    stop.name = in.text();
    stop.also = in.text();
    stop.actor = in.text();
    stop.at_ns = load_time(in);
    stop.received_ns = load_time(in);
    stop.index = in.varint();
    stop.writes_logs = writes_logs(stop.name);
    stop.protects = protects(stop.name);
  };
  const auto load_host = [&](Host& host) {
    host.going_down_ns = load_time(in);
    return load_list(host.stops, kStopsMax, in, load_stop);
  };
  const auto load_unit = [&in](Unit& unit) {
    unit.started_ns = load_time(in);
    unit.last_day = load_day(in);
    unit.days = in.varint();
  };
  return load_logs(by_log_, in, [&](Log& log) {
    return load_entries(log.hosts, in, load_host) && load_entries(log.units, in, load_unit);
  });
}

}  // namespace yushi::detect
