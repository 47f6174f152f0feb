#include "core/record/record.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/text.h"

namespace yushi {

char* Scratch::allocate(size_t bytes) {
  while (next_ < blocks_.size()) {
    if (blocks_[next_].size() - used_ >= bytes) {
      char* at = blocks_[next_].data() + used_;
      used_ += bytes;
      return at;
    }
    ++next_;
    used_ = 0;
  }
  blocks_.emplace_back(std::max<size_t>(bytes, 4096));
  used_ = bytes;
  return blocks_.back().data();
}

std::string_view decode_part(const Record& record, std::string_view part, Scratch& scratch) {
  if (is_ascii(part)) return part;
  char* out = scratch.allocate(decoded_bytes_max(part.size()));
  return {out, decode_into(record.charset, part, out)};
}

PartHead part_head_of(const Record& first, Arena& arena) {
  PartHead head;
  Scratch scratch;
  for (auto& [field, text] : {std::pair(ecs::host_name, &head.host), std::pair(ecs::process_name, &head.program),
                              std::pair(ecs::process_pid, &head.pid)}) {
    Value value;
    if (first_value(first, field, scratch, &value)) *text = arena.copy(value.text);
  }
  head.first_seq = first.source_seq;
  head.event_ns = first.event_ns;
  head.event_digits = first.event_digits;
  head.time_inferred = first.time_inferred;
  head.priority = first.priority;
  return head;
}

std::string_view transport_name(Transport transport) {
  static constexpr std::string_view kNames[] = {"udp",  "tcp",      "tls",  "relp",  "unix",
                                                "file", "journald", "http", "kafka", "internal"};
  auto at = static_cast<size_t>(transport);
  YUSHI_ASSERT(at < std::size(kNames), "transport %zu", at);
  return kNames[at];
}

std::string_view facility_name(int code) {
  static constexpr std::string_view kNames[] = {"kern",   "user",   "mail",   "daemon", "auth",     "syslog",
                                                "lpr",    "news",   "uucp",   "cron",   "authpriv", "ftp",
                                                "ntp",    "audit",  "alert",  "clock",  "local0",   "local1",
                                                "local2", "local3", "local4", "local5", "local6",   "local7"};
  return code >= 0 && code < 24 ? kNames[code] : std::string_view();
}

std::string_view severity_name(int code) {
  static constexpr std::string_view kNames[] = {"Emergency", "Alert",  "Critical",      "Error",
                                                "Warning",   "Notice", "Informational", "Debug"};
  return code >= 0 && code < 8 ? kNames[code] : std::string_view();
}

}  // namespace yushi
