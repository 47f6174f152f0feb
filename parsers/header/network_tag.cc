#include "parsers/header/network_tag.h"

#include <algorithm>

namespace yushi::parsers {
namespace {

// ASA also writes "%ASA-session-6-302013".
inline bool is_facility(char c) { return is_class(c, kLetter | kDigit) || c == '_'; }

inline bool is_severity(char c) { return c >= '0' && c <= '7'; }

const Field* event_code() {
  static const Field* const kField = find_field("event.code");
  return kField;
}
const Field* event_severity() {
  static const Field* const kField = find_field("event.severity");
  return kField;
}
const Field* event_sequence() {
  static const Field* const kField = find_field("event.sequence");
  return kField;
}

// SHELL/5/SHELL_LOGIN(l)[123]: text. DPtech: IPS/DEVM/4/SYSLOG(l): text
const char* read_comware(HeaderScan& scan, const char* at) {
  const char* end = scan.end;
  const char* module = at;
  while (at < end && (is_class(*at, kHostByte)) && *at != '.') ++at;
  if (end - at > 1 && *at == '/' && is_class(at[1], kLetter) && at > module)
    for (++at; at < end && is_class(*at, kHostByte) && *at != '.';) ++at;
  const char* module_to = at;
  if (at == module || end - at < 4 || *at != '/' || !is_severity(at[1]) || at[2] != '/') return nullptr;
  const char* code = at += 3;
  while (at < end && is_class(*at, kHostByte) && *at != '.') ++at;
  const char* code_to = at;
  if (code == code_to) return nullptr;
  for (char open : {'(', '['}) {  // the log's type, its number
    if (at == end || *at != open) continue;
    const char close = open == '(' ? ')' : ']';
    const char* to = at;
    while (to < end && *to != close && to - at < 24) ++to;
    if (to == end || *to != close) return nullptr;
    at = to + 1;
  }
  if (at == end || *at != ':') return nullptr;
  scan.capture(network_appname(), module, module_to);
  scan.capture(event_severity(), module_to + 1, module_to + 2);
  scan.capture(event_code(), code, code_to);
  ++at;
  return at < end && *at == ' ' ? at + 1 : at;
}

// What IOS writes when its clock was never set: "00:00:45", "*2d03h", "2y10w".
const char* uptime_end(const char* at, const char* end) {
  if (at < end && (*at == '*' || *at == '.')) ++at;
  const char* from = at;
  bool clock = false, unit = false;
  for (; at < end && at - from < 24; ++at) {
    if (is_class(*at, kDigit)) continue;
    if (*at == ':' && end - at > 1 && is_class(at[1], kDigit))
      clock = true;
    else if (*at == 'y' || *at == 'w' || *at == 'd' || *at == 'h' || *at == 'm')
      unit = true;
    else if (*at != '.')
      break;
  }
  return at > from && is_class(*from, kDigit) && (clock || unit) && at < end && *at == ':' ? at : nullptr;
}

}  // namespace

const Field* network_appname() {
  static const Field* const kField = find_field("log.syslog.appname");
  return kField;
}

const char* read_network_tag(HeaderScan& scan, const char* at) {
  const char* end = scan.end;
  if (end - at < 5 || *at != '%') return nullptr;
  if (*++at == '%') {  // Comware and VRP put a number before the module; DPtech two dashes or nothing
    const char* module = skip_blanks(at + 1, end);
    if (end - module < 6) return nullptr;
    const bool number = is_class(module[0], kDigit) && is_class(module[1], kDigit);
    if (number || (module[0] == '-' && module[1] == '-'))
      module = skip_blanks(module + 2, end);
    else if (!is_class(*module, kLetter))
      return nullptr;
    return read_comware(scan, module);
  }
  if (*at == '$') {  // NX-OS: "%$VDC-1%$ %ETHPORT-5-IF_UP: "
    const auto close = scan.rest(at).substr(0, 40).find("%$ %");
    if (close == std::string_view::npos) return nullptr;
    at += close + 4;
  }
  const char* facility = at;
  const char* severity = nullptr;  // of "SECURITY-SSHD-6-INFO": the first digit between two dashes
  for (; at < end && at - facility < 64 && (is_facility(*at) || *at == '-'); ++at) {
    if (*at == '-' && end - at > 3 && is_severity(at[1]) && at[2] == '-' && at > facility) {
      severity = at;
      break;
    }
  }
  if (!severity) return nullptr;
  const char* code = at = severity + 3;
  while (at < end && (is_class(*at, kHostByte)) && *at != '.') ++at;
  const char* code_to = at;
  if (code == code_to || static_cast<size_t>(code_to - code) > kHeaderWordMax) return nullptr;
  if (end - at > 1 && *at == ' ' && at[1] == ':') ++at;  // IOS XR: "%SECURITY-SSHD-6-INFO_GENERAL : text"
  if (at == end || *at != ':') return nullptr;
  scan.capture(network_appname(), facility, severity);
  scan.capture(event_severity(), severity + 1, severity + 2);
  scan.capture(event_code(), code, code_to);
  ++at;
  return at < end && *at == ' ' ? at + 1 : at;
}

const char* read_comware_tag(HeaderScan& scan, const char* at) { return read_comware(scan, at); }

const char* read_network_head(HeaderScan& scan, const char* at) {
  const char* end = scan.end;
  const size_t before = scan.captures.size();
  const auto is_time = [](const Capture& capture) { return capture.field == ecs::timestamp; };
  const auto none = [&]() -> const char* {
    scan.captures.resize(before);
    return nullptr;
  };
  if (at < end && *at == ':') ++at;  // NX-OS: "<189>: 2026 Nov  1 …"
  bool timed = false, sequence = false, host = scan.has(ecs::host_name);
  const char* time_at = nullptr;
  std::optional<ReadTime> time;
  for (int part = 0; part < 6; ++part) {
    while (at < end && *at == ' ') ++at;
    if (at == end) return none();
    if (*at == '%') {
      if (!timed && !sequence && !host) return none();  // a bare tag is for the caller
      const char* message = read_network_tag(scan, at);
      if (!message) return none();
      if (time) {
        // Now that all is known: the time goes to its place, in ascending order, and an earlier one goes away.
        auto& captures = scan.captures;
        const auto first = captures.begin() + static_cast<std::ptrdiff_t>(scan.first);
        captures.erase(std::remove_if(first, captures.end(), is_time), captures.end());
        scan.take_time(time_at, *time);
        std::sort(captures.begin() + static_cast<std::ptrdiff_t>(scan.first), captures.end(),
                  [](const Capture& a, const Capture& b) { return a.begin < b.begin; });
      }
      return message;
    }
    if (!timed) {
      time = read_time(scan.rest(at), scan.record.origin->received_ns, scan.zone);
      if (time && (time->time.form == TimeForm::rfc3164 || time->time.form == TimeForm::rfc3339 ||
                   (time->time.form == TimeForm::other && !is_class(*at, kDigit)))) {
        timed = true;
        time_at = at;
        at += time->length;
        if (at < end && *at == ' ') {  // a zone that we do not know: "local", "gmt"
          const char* word = at + 1;
          while (word < end && is_class(*word, kLetter) && word - at < 7) ++word;
          if (word < end && *word == ':') at = word;
        }
        while (at < end && *at == ' ') ++at;
        if (at == end || *at != ':') return none();
        ++at;
        continue;
      }
      time.reset();
      if (const char* to = uptime_end(at, end)) {
        timed = true;
        at = to + 1;
        continue;
      }
    }
    // A label: sequence number, host, node of a chassis ("RP/0/RSP0/CPU0"), or after the time a process
    // ("SSHD_[65780]").
    // of a wireless controller: "*spamApTask0: "
    const bool task = *at == '*' && end - at > 1 && is_class(at[1], kLetter);
    if (task) ++at;
    const char* from = at;
    bool digits = true;
    for (; at < end && (is_class(*at, kHostByte) || *at == '/'); ++at) digits &= is_class(*at, kDigit);
    const char* to = at;
    if (to == from || static_cast<size_t>(to - from) > kHeaderWordMax) return none();
    const char* pid = nullptr;
    if (timed && !digits && at < end && *at == '[') {
      pid = ++at;
      while (at < end && is_class(*at, kDigit)) ++at;
      if (at == pid || at == end || *at != ']') return none();
      scan.capture(ecs::process_name, from, to);
      scan.capture(ecs::process_pid, pid, at);
      ++at;
    }
    while (at < end && *at == ' ') ++at;
    if (at == end || *at != ':') return none();
    ++at;
    if (pid) continue;
    if (task) {
      scan.capture(ecs::process_name, from, to);
      continue;
    }
    if (digits && to - from <= 18) {
      if (sequence) {  // the message count, then the sequence number: the later is the device's own
        const auto is_sequence = [](const Capture& capture) { return capture.field == event_sequence(); };
        auto& captures = scan.captures;
        captures.erase(
            std::remove_if(captures.begin() + static_cast<std::ptrdiff_t>(before), captures.end(), is_sequence),
            captures.end());
      }
      sequence = true;
      scan.capture(event_sequence(), from, to);
    } else if (!digits && !host && !timed) {
      host = true;
      scan.capture(ecs::host_name, from, to);
    }
  }
  return none();
}

}  // namespace yushi::parsers
