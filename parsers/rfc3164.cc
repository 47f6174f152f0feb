// RFC 3164 and what is sent in its name: `Mmm dd hh:mm:ss host tag[pid]: message` with any of its parts missing.
#include "parsers/header_scan.h"
#include "parsers/network_tag.h"

namespace yushi {
namespace {

inline const char* skip_blanks(const char* at, const char* end) {
  while (at < end && *at == ' ') ++at;
  return at;
}

inline bool starts_with(const HeaderScan& scan, const char* at, std::string_view text) {
  return scan.rest(at).substr(0, text.size()) == text;
}

// Words in capitals that stand where a host would in the logs of programs: "2026-11-01 08:00:00 INFO [main] …".
bool is_level_word(std::string_view word) {
  for (std::string_view level : {"INFO", "WARN", "WARNING", "ERROR", "DEBUG", "TRACE", "FATAL", "NOTICE", "CRITICAL"})
    if (word == level) return true;
  return false;
}

// The end of a host name or an address that a blank closes; nullptr when the word is none.
const char* host_end(const char* at, const char* end) {
  const char* from = at;
  while (at < end && is_class(*at, kHostByte)) ++at;
  if (at < end && *at == ':') {  // an IPv6 address has two colons at least; "sshd:" is a tag
    const char* to = from;
    unsigned colons = 0;
    for (; to < end && *to != ' '; ++to) {
      const char lower = static_cast<char>(*to | 0x20);
      if (*to == ':')
        ++colons;
      else if (!is_class(*to, kDigit) && (lower < 'a' || lower > 'f') && *to != '.')
        return nullptr;
      if (to - from > 45) return nullptr;
    }
    if (colons < 2) return nullptr;
    at = to;
  }
  if (at == from || at == end || *at != ' ' || static_cast<size_t>(at - from) > kHeaderWordMax) return nullptr;
  if (at - from <= 8 && is_class(*from, kLetter) && is_level_word({from, static_cast<size_t>(at - from)}))
    return nullptr;
  return at;
}

// `tag: `, `tag[pid]: `, `su(pam_unix)[12]: ` or, when not strict, `tag `. Returns where the message begins, nullptr
// when no tag stands there.
const char* read_tag(HeaderScan& scan, const char* at, bool strict) {
  const char* end = scan.end;
  if (at < end && *at == '%') {
    if (const char* after = read_network_tag(scan, at)) return after;
  }
  const char* from = at;
  uint8_t seen = 0;
  while (at < end && is_class(*at, kTagByte)) seen |= kHeaderClass[static_cast<unsigned char>(*at++)];
  // A number or an IPv4 address is no program ("#001" is the tag of old Snare agents).
  if (at == from || (!(seen & kLetter) && *from != '#') || static_cast<size_t>(at - from) > kHeaderWordMax)
    return nullptr;
  if (at < end && *at == '(') {
    const char* inner = at + 1;
    while (inner < end && is_class(*inner, kHostByte)) ++inner;
    if (inner == end || *inner != ')') return nullptr;
    at = inner + 1;
  }
  const char* name_to = at;
  const char* pid = nullptr;
  const char* pid_to = nullptr;
  if (at < end && *at == '[') {
    pid = ++at;
    while (at < end && is_class(*at, kWordByte) && *at != ']' && *at != '[' && at - pid < 64) ++at;
    if (at == end || *at != ']') return nullptr;
    pid_to = at++;
  }
  if (at < end && *at == ':') {
    ++at;
    // "http://", "C:\", "std::string": the colon belongs to the text.
    if (at < end && !pid && (*at == '/' || *at == '\\' || *at == ':')) return nullptr;
    const std::string_view name(from, static_cast<size_t>(name_to - from));
    if (at < end && is_class(*at, kDigit) && !pid && (name == "CEF" || name == "LEEF")) return nullptr;
  } else if (at < end && (*at == ' ' || *at == '\t')) {
    if (strict && !pid) return nullptr;
    if (end - at > 2 && at[1] == ':' && at[2] == ' ') at += 2;  // "SSHD_[65780] : text"
  } else if (at < end || !pid) {
    return nullptr;
  }
  scan.capture(ecs::process_name, from, name_to);
  if (pid && pid_to > pid) scan.take_procid(pid, pid_to);
  return at < end && (*at == ' ' || *at == '\t') ? at + 1 : at;
}

inline bool is_repetition(const HeaderScan& scan, const char* at) {
  return starts_with(scan, at, "last message repeated ") || starts_with(scan, at, "last message buffered ");
}

// The host, if one stands there; the byte behind its blank.
const char* read_host(HeaderScan& scan, const char* at) {
  const char* end = scan.end;
  if (at == end || is_repetition(scan, at)) return at;
  if (*at == '[') {  // [fe80::1]
    const char* to = at + 1;
    while (to < end && to - at < 48 && (is_class(*to, kHostByte) || *to == ':')) ++to;
    if (end - to < 2 || *to != ']' || to[1] != ' ' || std::memchr(at, ':', static_cast<size_t>(to - at)) == nullptr)
      return at;
    scan.capture(ecs::host_name, at + 1, to);
    return to + 2;
  }
  if (starts_with(scan, at, "Message forwarded from ")) {  // AIX
    const char* from = at + 23;
    const char* to = from;
    while (to < end && is_class(*to, kHostByte)) ++to;
    if (to == from || end - to < 2 || *to != ':') return at;
    scan.capture(ecs::host_name, from, to);
    return to + (to[1] == ' ' ? 2 : 1);
  }
  const char* to = host_end(at, end);
  if (!to) return at;
  if (to - at != 1 || *at != '-') scan.capture(ecs::host_name, at, to);
  return to + 1;
}

// Undoes what was captured since `before`; the time too.
bool give_back(HeaderScan& scan, size_t before) {
  scan.captures.resize(before);
  scan.record.event_ns = scan.record.origin->received_ns;
  scan.record.event_digits = 9;
  scan.record.time_inferred = kAllInferred;
  return false;
}

}  // namespace

void read_rfc3164_body(HeaderScan& scan, const char* at, bool strict) {
  const char* end = scan.end;
  if (at < end && *at == ':') ++at;  // "Nov  1 08:00:00: %ASA-6-…"
  at = skip_blanks(at, end);
  const char* after_host = read_host(scan, at);
  if (after_host != at) {
    at = after_host;
    if (end - at >= 2 && *at == ':' && at[1] == ' ') at += 2;  // "asa1 : %ASA-6-…"
    if (at < end && is_class(*at, kDigit)) {
      if (const char* message = read_network_head(scan, at)) return scan.take_message(message);
    }
    if (starts_with(scan, at, "Message forwarded from ")) {
      scan.captures.pop_back();
      at = read_host(scan, at);
    }
  }
  if (is_repetition(scan, at)) return scan.take_message(at);
  const char* message = read_tag(scan, at, strict);
  scan.take_message(message ? message : at);
}

bool read_rfc3164(HeaderScan& scan, const char* at, bool has_pri) {
  const char* end = scan.end;
  const size_t before = scan.captures.size();
  const char* text = skip_blanks(at, end);
  const auto read = read_time(scan.rest(text), scan.record.origin->received_ns, scan.zone);
  if (!read || read->time.form == TimeForm::epoch) {
    if (const char* message = read_network_head(scan, text)) {
      scan.take_message(message);
      return true;
    }
    if (!has_pri) return give_back(scan, before);
    // No time: "<15> openvpn[2499]: text".
    const char* message = read_tag(scan, text, true);
    if (!message) return give_back(scan, before);
    scan.take_message(message);
    return true;
  }
  const char* after = text + read->length;
  if (has_pri) {
    scan.take_time(text, *read);
    read_rfc3164_body(scan, after, false);
    return true;
  }

  // A bare line that begins with a time may be of any log: here a header must look like one in full.
  const bool month_first =
      is_class(*text, kLetter) && text[3] == ' ';
  const bool iso = is_class(*text, kDigit) && read->length >= 19 && text[10] == 'T';
  const bool cisco = *text == '*' || *text == '.';
  if (!(month_first || iso || cisco) || after == end || (*after != ' ' && *after != ':')) return false;
  if (month_first && is_class(text[4], kLetter)) return false;  // "Sun Nov  1 …"
  scan.take_time(text, *read);
  const size_t with_time = scan.captures.size();
  read_rfc3164_body(scan, after, true);
  bool tag = false;
  for (size_t i = with_time; i < scan.captures.size(); ++i)
    tag |= scan.captures[i].field == ecs::process_name || scan.captures[i].field == network_appname();
  const bool host = scan.captures.size() > with_time;
  if (tag || (month_first && (host || is_repetition(scan, scan.begin + scan.record.message_begin)))) return true;
  return give_back(scan, before);
}

}  // namespace yushi
