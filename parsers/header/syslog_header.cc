#include "parsers/header/syslog_header.h"

#include "parsers/header/header_scan.h"

namespace yushi::parsers {

const char* read_priority(HeaderScan& scan, const char* at) {
  const char* end = scan.end;
  if (end - at < 3 || *at != '<') return nullptr;
  const char* from = ++at;
  unsigned value = 0;
  // Leading zeros are read as rsyslog does.
  while (at < end && at - from < 3 && is_class(*at, kDigit)) value = value * 10 + static_cast<unsigned>(*at++ - '0');
  if (at == from || at == end || *at != '>' || value > 191) return nullptr;
  scan.record.priority = static_cast<uint16_t>(value);
  scan.capture(ecs::syslog_priority, from, at);
  return at + 1;
}

bool read_syslog_header(Record& record, const Zone& zone, Arena& arena, std::vector<Capture>& captures) {
  const char* begin = record.raw.data();
  const char* end = begin + record.raw.size();
  // rsyslog and syslog-ng end the message in an octet-counted frame with LF too: it is no part of `message`.
  if (end > begin && (end[-1] == '\n' || end[-1] == '\0')) --end;
  if (end > begin && end[-1] == '\r') --end;
  record.event_ns = record.origin->received_ns;
  record.event_digits = 9;
  record.time_inferred = kAllInferred;
  record.priority = Record::kNoPriority;

  HeaderScan scan{record, zone, arena, captures, begin, end};
  const char* at = begin;
  if (end - at >= 3 && std::memcmp(at, "\xEF\xBB\xBF", 3) == 0) at += 3;
  const char* body = read_priority(scan, at);
  if (!body) {
    if (!read_rfc3164(scan, at, false)) scan.take_message(at);
    return scan.capped;
  }
  // Senders that write UTF-8 text with its mark behind the priority: time and host stand behind it.
  if (end - body >= 3 && std::memcmp(body, "\xEF\xBB\xBF", 3) == 0) body += 3;
  const bool is_header = (body < end && *body == '<' && read_second_header(scan, body)) || read_rfc5424(scan, body) ||
                         read_rfc3164(scan, body, true);
  if (!is_header) scan.take_message(body);
  return scan.capped;
}

}  // namespace yushi::parsers
