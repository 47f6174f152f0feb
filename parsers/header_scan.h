// What the readers of RFC 5424 and RFC 3164 headers share: the record under work and how a span becomes a capture.
//
// Private to parsers/. Pointers run over record.raw; `end` is without the final CR.
#pragma once

#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "core/base/arena.h"
#include "core/base/time_text.h"
#include "core/record/record.h"

namespace yushi {

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

struct HeaderScan {
  Record& record;
  const Zone& zone;
  Arena& arena;
  std::vector<Capture>& captures;
  const char* begin;
  const char* end;

  std::string_view rest(const char* at) const { return {at, static_cast<size_t>(end - at)}; }

  void capture(const Field* field, const char* from, const char* to, Escape escape = Escape::none) {
    Capture made;
    made.begin = static_cast<uint32_t>(from - begin);
    made.length = static_cast<uint32_t>(to - from) & 0xffffff;
    made.escape = static_cast<uint32_t>(escape) & 0xff;
    made.field = field;
    captures.push_back(made);
  }

  // A time that we cannot hold is not believed: receipt counts, as if none stood there.
  void take_time(const char* at, const ReadTime& read) {
    if (read.time.form == TimeForm::none) return;
    capture(ecs::timestamp, at, at + read.length);
    record.event_ns = read.time.unix_ns;
    record.event_digits = read.time.digits;
    record.time_inferred = read.time.inferred;
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

// Behind "<PRI>VERSION ": the whole of an RFC 5424 header. Always ends with take_message().
void read_rfc5424(HeaderScan& scan, const char* at);

// Behind "<PRI>", or at the first byte when there is none. False when nothing but text stands there: the captures are
// then as before, and the caller takes the message.
bool read_rfc3164(HeaderScan& scan, const char* at, bool has_pri);

// Host, tag and message behind the time of an RFC 3164 header. `strict`: a tag needs a colon or [pid].
void read_rfc3164_body(HeaderScan& scan, const char* at, bool strict);

}  // namespace yushi
