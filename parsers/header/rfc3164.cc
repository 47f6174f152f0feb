// RFC 3164 and what is sent in its name: `Mmm dd hh:mm:ss host tag[pid]: message` with any of its parts missing.
#include <algorithm>
#include <initializer_list>
#include <utility>

#include "core/base/time_any.h"
#include "parsers/header/header_scan.h"
#include "parsers/header/network_tag.h"

namespace yushi::parsers {
namespace {

constexpr unsigned kHeadersMax = 4;  // one relay behind the other; what stands behind is text

inline bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }

// A time as headers have it, so that its first word is neither host nor program: "Nov  1 08:00:01",
// "2026-11-01T08:00:01Z".
bool begins_with_time(const HeaderScan& scan, const char* at) {
  if (scan.end - at < 15) return false;
  const bool month = is_class(*at, kLetter) && at[3] == ' ';
  const bool year =
      is_class(*at, kDigit) && ((at[4] == '-' && at[10] == 'T') || (at[4] == ' ' && is_class(at[5], kLetter)));
  return (month || year) && read_time(scan.rest(at), scan.record.origin->received_ns, scan.zone);
}

inline bool starts_with(const HeaderScan& scan, const char* at, std::string_view text) {
  return scan.rest(at).substr(0, text.size()) == text;
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> known) {
  return std::any_of(known.begin(), known.end(), [word](std::string_view each) {
    return std::equal(word.begin(), word.end(), each.begin(), each.end(),
                      [](char a, char b) { return (a | 0x20) == b; });
  });
}

// What devices write between host and program (BIG-IP: "notice mcpd[5838]: …"), and programs behind a time of their own
// ("2026-11-01 08:00:00 INFO [main] …"). It names neither a host nor a program.
bool is_level_word(std::string_view word) {
  return word.size() <= 13 &&
         is_one_of(word, {"info", "notice", "warning", "warn", "err", "error", "debug", "crit", "critical", "alert",
                          "emerg", "emergency", "panic", "fatal", "trace", "informational"});
}
bool is_facility_word(std::string_view word) {
  if (word.size() == 6 && is_one_of(word.substr(0, 5), {"local"})) return word[5] >= '0' && word[5] <= '7';
  return word.size() <= 8 &&
         is_one_of(word, {"kern", "user", "mail", "daemon", "auth", "security", "syslog", "lpr", "news", "uucp", "cron",
                          "authpriv", "ftp", "ntp", "audit", "console", "clock"});
}

bool is_word_of_host(std::string_view word) {
  return std::all_of(word.begin(), word.end(), [](char c) { return is_class(c, kHostByte); });
}

// `name[pid]:` or `(name)[pid]:`, the surest sign of a program.
bool is_tag_with_pid(const char* at, const char* end) {
  const bool bracket = at < end && *at == '(';
  const char* from = at += bracket;
  uint8_t seen = 0;
  while (at < end && is_class(*at, kTagByte)) seen |= kHeaderClass[static_cast<unsigned char>(*at++)];
  if (at == from || !(seen & kLetter) || at - from > 64 || at == end) return false;
  if (bracket && *at++ != ')') return false;
  if (at == end || *at != '[') return false;
  const char* pid = ++at;
  while (at < end && is_class(*at, kDigit)) ++at;
  return at > pid && end - at >= 2 && at[0] == ']' && at[1] == ':';
}

// "Google Chrome[1]:", "Activity Monitor[77]:": macOS' programs have names of several words. Each begins with a capital
// and has letters alone, so that it is no host. Where the name ends; nullptr when there are not two words or more with
// a number behind.
const char* end_of_words(const char* at, const char* end) {
  constexpr ptrdiff_t kBytesMax = 64;
  const char* const from = at;
  for (bool one = true;; one = false) {
    if (at == end || !is_capital(*at)) return nullptr;
    while (at < end && is_class(*at, kLetter)) ++at;
    if (at == end || at - from > kBytesMax) return nullptr;
    if (*at == '[') {
      const char* to = at + 1;
      while (to < end && is_class(*to, kDigit)) ++to;
      return !one && to > at + 1 && end - to >= 2 && to[0] == ']' && to[1] == ':' ? at : nullptr;
    }
    if (*at++ != ' ') return nullptr;
  }
}

// Behind "192.0.2.7 " or "2001:db8::7 " when a program follows: relays write the sender's address behind its name. Else
// `at`.
const char* skip_address(const char* at, const char* end) {
  if (!is_class(*at, kDigit) && !is_class(*at, kLetter) && *at != ':') return at;
  const char* to = at;
  while (to < end && to - at <= 45 && (is_class(*to, kHostByte) || *to == ':')) ++to;
  std::array<uint8_t, 16> address;
  if (end - to < 2 || *to != ' ' || !parse_ip({at, static_cast<size_t>(to - at)}, &address)) return at;
  const char* tag = ++to;
  while (tag < end && is_class(*tag, kTagByte)) ++tag;
  const bool is_tag = is_tag_with_pid(to, end) ||
                      (tag > to && is_class(*to, kLetter) && end - tag >= 2 && tag[0] == ':' && tag[1] == ' ');
  return is_tag ? to : at;
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
      if (*to == '%' && colons > 1) {  // fe80::1%eth0
        while (to < end && is_class(*to, kHostByte | kTagByte)) ++to;
        break;
      }
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
  const auto size = static_cast<size_t>(at - from);
  if (size > 1 && is_capital(from[0]) && is_capital(from[1]) && is_level_word({from, size})) return nullptr;
  return at;
}

// Where a program would stand: "notice ", "auth.info ", AIX's "auth|security:info " and FreeBSD's "<auth.info> ", when
// a program does follow. The byte behind it, with the severity captured; else `at`. `with_facility`: a severity alone
// is none, for a host may be called "info".
const char* skip_level(HeaderScan& scan, const char* at, bool with_facility) {
  const char* end = scan.end;
  const char* from = at;
  const bool bracket = at < end && *at == '<';
  if (bracket) ++at;
  // Most words begin otherwise.
  constexpr auto bits = [](std::string_view initials) {
    uint32_t out = 0;
    for (char c : initials) out |= 1u << (c - 'a');
    return out;
  };
  constexpr uint32_t kFacilities = bits("kumdaslncf"), kLevels = bits("inwedcapft");
  if (at == end || !is_class(*at, kLetter)) return from;
  if (!((with_facility ? kFacilities : kFacilities | kLevels) >> ((*at | 0x20) - 'a') & 1)) return from;
  const char* word = at;
  bool facility = false;
  for (;; ++at) {
    if (at - word > 13) return from;
    if (at < end && is_class(*at, kLetter | kDigit)) continue;
    const std::string_view text(word, static_cast<size_t>(at - word));
    if (end - at > 1 && (*at == '.' || *at == ':' || *at == '|')) {
      if (!is_class(at[1], kLetter) || !is_facility_word(text)) return from;
      facility = true;
      word = at + 1;
      continue;
    }
    if ((with_facility && !facility) || at == end || (*at != ' ' && *at != '>') || !is_level_word(text)) return from;
    break;
  }
  const char* level_to = at;
  if (bracket && (at == end || *at++ != '>')) return from;
  if (at == end || *at != ' ') return from;
  while (at < end && *at == ' ') ++at;
  // Alone the word may be the first one of a text.
  const char* tag = at;
  while (tag < end && is_class(*tag, kTagByte)) ++tag;
  if (!facility && (tag == at || tag == end || (*tag != ':' && *tag != '[' && *tag != '('))) return from;
  static const Field* const kLevel = find_field("log.level");
  scan.capture(kLevel, word, level_to);
  return at;
}

// The end of a word that is a host by what follows it: a program with its number, maybe behind a level. It may have any
// signs, as "网关", "node-1(id1)", "relay/inner", `("U7PG2,001122aabbcc,v4.0.66")`; but a colon or a bracket inside it
// is a program's. `behind`: the byte behind its blank, or behind its ": " ("gw.example: sshd[3]: "); nullptr when the
// word is none.
const char* word_before_tag(HeaderScan& scan, const char* at, const char** behind) {
  const char* end = scan.end;
  const char* to = at;
  bool is_name = true, dot = false;  // of a program or a host, by its signs
  for (; to < end && is_class(*to, kWordByte) && *to != ':' && *to != '['; ++to) {
    is_name &= is_class(*to, kHostByte);
    dot |= *to == '.';
  }
  if (to == at || *at == '%' || end - to < 3 || static_cast<size_t>(to - at) > kHeaderWordMax) return nullptr;
  const bool colon = *to == ':';
  const char* tag = to + 1 + colon;
  if (colon && is_class(to[1], kDigit)) {  // 192.0.2.1:514
    while (tag < end && is_class(*tag, kDigit)) ++tag;
    std::array<uint8_t, 16> address;
    if (tag == end || *tag++ != ' ' || !parse_ip({at, static_cast<size_t>(to - at)}, &address)) return nullptr;
  } else if (*to != ' ' && !(colon && to[1] == ' ')) {
    return nullptr;
  }
  if (tag == end) return nullptr;
  if (colon && is_name && !dot) {
    // Programs end so too. Those of this machine name no host, and the kernel speaks of programs.
    if (scan.record.origin->transport == Transport::unix_socket || scan.rest(at).starts_with("kernel:")) return nullptr;
  }
  *behind = tag;
  if (is_tag_with_pid(tag, end)) return to;
  const size_t before = scan.captures.size();
  // "slot1/blade1 notice sshd[5]: text", "n9k: %AUTHPRIV-5-SYSTEM_MSG: text", "core-1&2 %%10SHELL/5/SHELL_LOGIN: text"
  const char* after = colon ? tag : skip_level(scan, tag, false);
  const bool is_network =
      *tag == '%' && (colon ? is_name : end - tag > 1 && tag[1] == '%') && read_network_tag(scan, tag);
  scan.captures.resize(before);
  if (is_network || (after != tag && is_tag_with_pid(after, end))) return to;
  // NX-OS: "n9k: 2026 Nov  1 08:00:01 UTC: %AUTHPRIV-5-SYSTEM_MSG: text"
  if (colon && is_name && (is_class(*tag, kDigit) || *tag == '*' || *tag == '.') &&
      scan.rest(tag).substr(0, 48).find(": %") != std::string_view::npos)
    return to;
  return nullptr;
}

// The end of a host's name in letters beyond ASCII before a program without a number, "政务-应用-02 audispd: text";
// nullptr when the word is none. A text may begin so too ("用户 admin: 登录"), but not with a digit or a sign of names
// in its first word.
const char* foreign_host_end(const char* at, const char* end) {
  const char* const from = at;
  bool is_foreign = false, has_sign = false;
  for (; at < end && is_class(*at, kWordByte) && *at != ':' && *at != '[' && *at != '('; ++at) {
    is_foreign |= static_cast<unsigned char>(*at) >= 0x80;
    has_sign |= is_class(*at, kDigit) || *at == '-' || *at == '_' || *at == '.';
  }
  if (!is_foreign || !has_sign || at == end || *at != ' ' || static_cast<size_t>(at - from) > kHeaderWordMax)
    return nullptr;
  const char* tag = at + 1;
  if (tag == end || !is_class(*tag, kLetter)) return nullptr;
  while (tag < end && is_class(*tag, kTagByte)) ++tag;
  return end - tag >= 2 && tag[0] == ':' && tag[1] == ' ' ? at : nullptr;
}

// `tag: `, `tag[pid]: `, `su(pam_unix)[12]: ` or, when not strict, `tag `. Returns where the message begins, nullptr
// when no tag stands there.
const char* read_tag(HeaderScan& scan, const char* at, bool strict) {
  const char* end = scan.end;
  if (at < end && *at == '%') {
    if (const char* after = read_network_tag(scan, at)) return after;
  }
  const char* from = at;
  const bool bracket = at < end && *at == '(';  // "(systemd)[5]: ", a process before its exec
  if (bracket) ++at;
  uint8_t seen = 0;
  while (at < end && is_class(*at, kTagByte)) seen |= kHeaderClass[static_cast<unsigned char>(*at++)];
  if (bracket && (at - from < 2 || end - at < 2 || *at++ != ')' || *at != '[')) return nullptr;
  // A number or an IPv4 address is no program ("#001" is the tag of old Snare agents).
  if (at == from || (!(seen & kLetter) && *from != '#') || static_cast<size_t>(at - from) > kHeaderWordMax)
    return nullptr;
  if (at < end && *at == ' ' && !bracket)
    if (const char* words_to = end_of_words(from, end)) at = words_to;
  const char* name_to = at;
  const char* pid = nullptr;
  const char* pid_to = nullptr;
  if (at < end && *at == '(') {
    const char* inner = at + 1;
    const char* to = inner;
    bool digits = true;
    for (; to < end && is_class(*to, kHostByte); ++to) digits &= is_class(*to, kDigit);
    if (to == end || *to != ')') return nullptr;
    at = to + 1;
    if (digits && to > inner && at < end && *at == ':') {  // "dropbear(12): "
      pid = inner;
      pid_to = to;
    } else {
      name_to = at;
    }
  }
  if (at < end && !pid && *at == '[') {
    pid = ++at;
    while (at < end && is_class(*at, kWordByte) && *at != ']' && *at != '[' && at - pid < 64) ++at;
    if (at == end || *at != ']') return nullptr;
    pid_to = at++;
  }
  const std::string_view name(from, static_cast<size_t>(name_to - from));
  if (at < end && *at == ':') {
    ++at;
    // "http://", "C:\", "std::string": the colon belongs to the text.
    if (at < end && !pid && (*at == '/' || *at == '\\' || *at == ':')) return nullptr;
    if (!pid && is_event_format(scan.rest(from))) return nullptr;
    if (!pid && is_capital(name[0]) && name.find('/') != std::string_view::npos) {
      if (const char* after = read_comware_tag(scan, from)) return after;
    }
  } else if (at < end && (*at == ' ' || *at == '\t')) {
    if (!pid && end - at > 3 && at[1] == '[') {  // "sshd [12]: "
      const char* to = at + 2;
      while (to < end && is_class(*to, kDigit)) ++to;
      if (to > at + 2 && end - to >= 2 && to[0] == ']' && to[1] == ':') {
        pid = at + 2;
        pid_to = to;
        at = to + 2;
      }
    }
    if (pid && end - at > 4 && at[1] == '<') {  // macOS: "sshd[12] <Notice>: "
      const char* to = at + 2;
      while (to < end && is_class(*to, kLetter)) ++to;
      if (end - to > 1 && to[0] == '>' && to[1] == ':' && is_level_word({at + 2, static_cast<size_t>(to - at - 2)}))
        at = to + 2;
    }
    if (!pid && (strict || is_level_word(name))) return nullptr;
    // A word of no kind before the program, such as another host.
    if (!pid && is_word_of_host(name) && is_tag_with_pid(at + 1, end)) return read_tag(scan, at + 1, strict);
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
  if (*at == '[') {  // [fe80::1], [192.0.2.1]
    const char* to = at + 1;
    while (to < end && to - at < 48 && (is_class(*to, kHostByte | kTagByte) || *to == ':')) ++to;
    const char* after = to + 1;  // [192.0.2.1]:514
    if (end - to > 2 && after[0] == ':' && is_class(after[1], kDigit))
      for (++after; after < end && is_class(*after, kDigit);) ++after;
    if (end - to < 2 || *to != ']' || after == end || *after != ' ') return at;
    const std::string_view inner(at + 1, static_cast<size_t>(to - at - 1));
    std::array<uint8_t, 16> address;
    const bool is_address = inner.find(':') != std::string_view::npos || parse_ip(inner, &address);
    if (!is_address && (is_level_word(inner) || !is_tag_with_pid(after + 1, end))) return at;
    scan.capture(ecs::host_name, at + 1, to);
    return after + 1;
  }
  if (const char* to = host_end(at, end)) {
    if (to - at != 1 || *at != '-') scan.capture(ecs::host_name, at, to);
    return to + 1;
  }
  const char* behind;
  const char* to = word_before_tag(scan, at, &behind);
  if (!to && (to = foreign_host_end(at, end))) behind = to + 1;
  if (!to) return at;
  const bool quoted = to - at > 4 && std::memcmp(at, "(\"", 2) == 0 && std::memcmp(to - 2, "\")", 2) == 0;
  scan.capture(ecs::host_name, quoted ? at + 2 : at, quoted ? to - 2 : to);
  return behind;
}

// AIX: "Message forwarded from h2: sshd[3]: text". The byte behind its colon; else `at`.
const char* read_forwarded(HeaderScan& scan, const char* at) {
  if (at == scan.end || *at != 'M' || !starts_with(scan, at, "Message forwarded from ")) return at;
  const char* from = at + 23;
  const char* to = from;
  while (to < scan.end && is_class(*to, kHostByte)) ++to;
  if (to == from || scan.end - to < 2 || *to != ':') return at;
  scan.capture_relayed_host(from, to);
  return to + (to[1] == ' ' ? 2 : 1);
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

bool is_event_format(std::string_view text) {
  if (!text.starts_with("CEF:") && !text.starts_with("LEEF:")) return false;
  text.remove_prefix(text.find(':') + 1);
  if (!text.empty() && text[0] == ' ') text.remove_prefix(1);
  return !text.empty() && is_class(text[0], kDigit);
}

void read_rfc3164_body(HeaderScan& scan, const char* at, bool strict) {
  const char* end = scan.end;
  if (at < end && *at == ':') ++at;  // "Nov  1 08:00:00: %ASA-6-…"
  at = skip_blanks(at, end);
  if (end - at > 2 && at[0] == ':' && at[1] == ' ') at = skip_blanks(at + 1, end);  // "2026-11-01T08:00:00Z : %FTD-6-…"
  if (read_second_header(scan, at)) return;
  at = skip_level(scan, at, true);
  const char* after_host = read_forwarded(scan, at);
  if (after_host == at) after_host = read_host(scan, at);
  if (after_host != at) {
    at = after_host;
    if (end - at >= 2 && *at == ':' && at[1] == ' ') at += 2;  // "asa1 : %ASA-6-…"
    if (at < end && is_class(*at, kDigit)) {
      if (const char* message = read_network_head(scan, at)) return scan.take_message(message);
    }
    at = read_forwarded(scan, at);
    if (read_second_header(scan, skip_blanks(at, end))) return;
    if (at < end) at = skip_address(at, end);
    at = skip_level(scan, at, false);
  }
  if (is_repetition(scan, at)) return scan.take_message(at);
  // A blank more than one is the text's, but for the surest of tags.
  if (const char* tag = skip_blanks(at, end); tag != at && is_tag_with_pid(tag, end)) at = tag;
  const char* message = begins_with_time(scan, at) ? nullptr : read_tag(scan, at, strict);
  // Another host, whose name no program would have.
  if (const char* behind; !message && at < end && !is_class(*at, kDigit) && word_before_tag(scan, at, &behind))
    message = read_tag(scan, skip_level(scan, behind, false), strict);
  scan.take_message(message ? message : at);
}

bool read_second_header_here(HeaderScan& scan, const char* at) {
  const char* end = scan.end;
  if (scan.headers == kHeadersMax) return false;
  const bool pri = *at == '<';
  const bool version = *at == '1' && end - at > 20 && at[1] == ' ';
  if (!pri && !version && !begins_with_time(scan, at)) return false;

  auto& captures = scan.captures;
  Record& record = scan.record;
  const Record outer = record;
  const size_t before = captures.size(), outer_first = std::exchange(scan.first, before);
  ++scan.headers;
  const char* body = pri ? read_priority(scan, at) : at;
  bool is_header = false;
  if (body && (pri || version)) is_header = read_rfc5424(scan, body) && (pri || scan.has(ecs::process_name));
  if (body && !is_header) {
    captures.resize(before);
    if (pri) body = read_priority(scan, at);
    // Without a PRI it must look like a header in full, as a bare line must.
    is_header = read_rfc3164(scan, body, pri) &&
                (!pri || scan.has(ecs::timestamp) || scan.has(ecs::process_name) || scan.has(network_appname()));
  }
  --scan.headers;
  scan.first = outer_first;
  if (!is_header) {
    captures.resize(before);
    record.event_ns = outer.event_ns;
    record.event_digits = outer.event_digits;
    record.time_inferred = outer.time_inferred;
    record.priority = outer.priority;
    record.message_begin = outer.message_begin;
    record.message_length = outer.message_length;
    return false;
  }
  // What both say is said once. The first header is that of the machine that speaks to us; the host of the second is
  // its word about another one.
  const auto inner = captures.begin() + static_cast<std::ptrdiff_t>(before);
  const auto is_host = [](const Capture& capture) { return capture.field == ecs::host_name; };
  const auto outer_begin = captures.begin() + static_cast<std::ptrdiff_t>(scan.first);
  if (!(record.marks & kByRelay) && std::any_of(outer_begin, inner, is_host))
    captures.erase(std::remove_if(inner, captures.end(), is_host), captures.end());
  const auto said_again = [&](const Capture& capture) {
    return std::any_of(inner, captures.end(), [&](const Capture& other) { return other.field == capture.field; });
  };
  captures.erase(std::remove_if(outer_begin, inner, said_again), inner);
  return true;
}

bool read_rfc3164(HeaderScan& scan, const char* at, bool has_pri) {
  const char* end = scan.end;
  const size_t before = scan.captures.size();
  const char* text = skip_blanks(at, end);
  // Comware's own files: "%Nov  1 08:00:00:123 2026 H3C SHELL/…"
  if (end - text > 4 && *text == '%' && text[4] == ' ') ++text;
  auto read = read_time(scan.rest(text), scan.record.origin->received_ns, scan.zone);
  if (!read || read->time.form == TimeForm::epoch) {
    if (const char* message = read_network_head(scan, text)) {
      scan.take_message(message);
      return true;
    }
    // "2026:11:28-10:20:30 utm sshd[3]: …", as Sophos UTM writes its files too
    const bool is_of_utm = end - text > 20 && text[4] == ':' && text[10] == '-' && text[19] == ' ';
    if (!has_pri && !is_of_utm) return give_back(scan, before);
    // A time of another spelling: "<6>2026/1/2 8:00:00 fw1 …", "<13>November 1 08:00:00 2026 host app: …"
    if (const auto any = read_any_time(scan.rest(text), scan.record.origin->received_ns, scan.zone);
        any && text + any->length < end && text[any->length] == ' ') {
      scan.take_time(text, *any);
      read_rfc3164_body(scan, text + any->length, !has_pri);
      return has_pri || scan.has(ecs::process_name) || give_back(scan, before);
    }
    if (!has_pri) return give_back(scan, before);
    // The host before it: "<3>ids1 2026-11-01 08:00:00 ids1 IDS/LOG_SMTP/8: …", "<142> 1 192.0.2.17 2026 Nov 01
    // 08:39:06 FW …"
    if (const char* word = end - text > 2 && *text == '1' && text[1] == ' ' ? text + 2 : text;
        const char* to = host_end(word, end)) {
      const bool year = end - to > 16 && is_class(to[1], kDigit) && is_class(to[4], kDigit) && !is_class(to[5], kDigit);
      const auto behind =
          year ? read_time(scan.rest(to + 1), scan.record.origin->received_ns, scan.zone) : std::nullopt;
      if (behind && to + 1 + behind->length < end && to[1 + behind->length] == ' ') {
        scan.capture(ecs::host_name, word, to);
        scan.take_time(to + 1, *behind);
        read_rfc3164_body(scan, to + 1 + behind->length, false);
        const auto first = scan.captures.begin() + static_cast<std::ptrdiff_t>(before) + 1;
        scan.captures.erase(
            std::remove_if(first, scan.captures.end(), [](auto& capture) { return capture.field == ecs::host_name; }),
            scan.captures.end());
        return true;
      }
    }
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
  const bool month_first = is_class(*text, kLetter) && text[3] == ' ';
  const bool iso = is_class(*text, kDigit) && read->length >= 19 && text[10] == 'T';
  const bool cisco = *text == '*' || *text == '.';
  // "2026-11-01 08:00:00 fw1 %%01SHELL/4/…": such a time stands before lines of any log, a module's tag behind it does
  // not.
  const bool module = is_class(*text, kDigit) && read->length >= 19 && text[10] == ' ' &&
                      scan.rest(after).substr(0, 80).find(" %%") != std::string_view::npos;
  if (!(month_first || iso || cisco || module) || after == end || (*after != ' ' && *after != ':')) return false;
  if (month_first && is_class(text[4], kLetter)) return false;  // "Sun Nov  1 …"
  scan.take_time(text, *read);
  read_rfc3164_body(scan, after, true);
  const char* message = scan.begin + scan.record.message_begin;
  const bool tag = scan.has(ecs::process_name) || scan.has(network_appname()) || is_event_format(scan.rest(message)) ||
                   scan.has(ecs::syslog_priority);  // of a second header
  if (module && !scan.has(network_appname())) return give_back(scan, before);
  if (tag || (month_first && (scan.has(ecs::host_name) || is_repetition(scan, message)))) return true;
  return give_back(scan, before);
}

}  // namespace yushi::parsers
