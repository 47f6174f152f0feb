// What the readers of RFC 5424 and RFC 3164 headers share: the record under work and how a span becomes a capture.
//
// Private to parsers/. Pointers run over record.raw; `end` is without the final CR.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "core/base/arena.h"
#include "core/base/time_text.h"
#include "core/record/record.h"
#include "parsers/header/syslog_header.h"

namespace yushi::parsers {

constexpr size_t kHeaderWordMax = 255;  // bytes of a host, app name, …; longer is no such thing

// Bits of kHeaderClass.
enum HeaderClass : uint8_t {
  kDigit = 1,
  kLetter = 2,
  kHostByte = 4,   // letters, digits, . _ - @
  kTagByte = 8,    // letters, digits, _ . / # % @ - +
  kWordByte = 16,  // anything but control characters, blank and DEL
};

inline constexpr auto kHeaderClass = [] {
  std::array<uint8_t, 256> table{};
  for (int c = 0; c < 256; ++c) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    uint8_t bits = 0;
    if (digit) bits |= kDigit;
    if (letter) bits |= kLetter;
    if (digit || letter || c == '.' || c == '_' || c == '-' || c == '@') bits |= kHostByte | kTagByte;
    if (c == '/' || c == '#' || c == '%' || c == '+') bits |= kTagByte;
    if (c > 0x20 && c != 0x7f) bits |= kWordByte;
    table[static_cast<size_t>(c)] = bits;
  }
  return table;
}();

inline bool is_class(char c, uint8_t bits) { return kHeaderClass[static_cast<unsigned char>(c)] & bits; }

inline const char* skip_blanks(const char* at, const char* end) {
  while (at < end && *at == ' ') ++at;
  return at;
}

struct HeaderScan {
  Record& record;
  const Zone& zone;
  Arena& arena;
  std::vector<Capture>& captures;
  const char* begin;
  const char* end;
  unsigned headers = 1;                         // that stand one behind the other, this one too
  size_t first = 0;                             // the capture with which this header begins
  size_t parameters_left = kStructuredDataMax;  // of structured data, that may become fields
  bool capped = false;                          // there were more

  std::string_view rest(const char* at) const { return {at, static_cast<size_t>(end - at)}; }

  void capture(const Field* field, const char* from, const char* to, Escape escape = Escape::none) {
    Capture made;
    made.begin = static_cast<uint32_t>(from - begin);
    made.length = static_cast<uint32_t>(to - from) & 0xffffff;
    made.escape = static_cast<uint32_t>(escape) & 0xff;
    made.field = field;
    captures.push_back(made);
  }

  // A host that the sender speaks for: its word counts when it may do so, or when it names no host of its own.
  void capture_relayed_host(const char* from, const char* to) {
    const auto earlier = std::find_if(captures.begin() + static_cast<std::ptrdiff_t>(first), captures.end(),
                                      [](const Capture& capture) { return capture.field == ecs::host_name; });
    if (earlier != captures.end()) {
      if (!(record.marks & kByRelay)) return;
      captures.erase(earlier);
    }
    capture(ecs::host_name, from, to);
  }

  // A time that we cannot hold is not believed: receipt counts, as if none stood there.
  void take_time(const char* at, const ReadTime& read) {
    if (read.time.form == TimeForm::none) return;
    capture(ecs::timestamp, at, at + read.length);
    record.event_ns = read.time.unix_ns;
    record.event_digits = read.time.digits;
    record.time_inferred = read.time.inferred;
  }

  // Did this header give the field?
  bool has(const Field* field) const {
    for (size_t i = first; i < captures.size(); ++i)
      if (captures[i].field == field) return true;
    return false;
  }

  // A number is process.pid, any other text log.syslog.procid.
  void take_procid(const char* from, const char* to) {
    bool number = to - from <= 18;
    for (const char* at = from; number && at < to; ++at) number = is_class(*at, kDigit);
    static const Field* const kProcid = find_field("log.syslog.procid");
    capture(number ? ecs::process_pid : kProcid, from, to);
  }

  // The rest is `message`, without a byte order mark.
  void take_message(const char* at) {
    if (end - at >= 3 && std::memcmp(at, "\xEF\xBB\xBF", 3) == 0) at += 3;
    record.message_begin = static_cast<uint32_t>(at - begin);
    record.message_length = static_cast<uint32_t>(end - at);
  }
};

// "<0>" … "<191>": the byte after, with record.priority and its capture; or nullptr.
const char* read_priority(HeaderScan& scan, const char* at);

// At the version behind "<PRI>". False when what follows shows that the number is none ("5 users logged in"): then
// nothing is captured.
bool read_rfc5424(HeaderScan& scan, const char* at);

// Where a tag would stand: a second header, which a relay has put its own before, `<38>Nov  1 08:00:01 inner sshd[3]:
// …` also without the PRI. False, and nothing captured, when none stands there. Otherwise its program, its message, its
// time and its PRI take the place of what was read before it; its host does so only of a sender that may speak for
// others. Never ask where a program has been named: what stands behind that is the program's text, and anybody's.
bool read_second_header_here(HeaderScan& scan, const char* at);
inline bool read_second_header(HeaderScan& scan, const char* at) {
  if (scan.end - at < 5) return false;
  const bool may = *at == '<' || is_class(*at, kDigit) || (is_class(*at, kLetter) && at[3] == ' ');
  return may && read_second_header_here(scan, at);
}

// "CEF:0|", "LEEF:2.0|", "CEF: 0|": the text is of this form from its first byte on, the word before the colon no
// program.
bool is_event_format(std::string_view text);

// Behind "<PRI>", or at the first byte when there is none. False when nothing but text stands there: the captures are
// then as before, and the caller takes the message.
bool read_rfc3164(HeaderScan& scan, const char* at, bool has_pri);

// Host, tag and message behind the time of an RFC 3164 header. `strict`: a tag needs a colon or [pid].
void read_rfc3164_body(HeaderScan& scan, const char* at, bool strict);

}  // namespace yushi::parsers
