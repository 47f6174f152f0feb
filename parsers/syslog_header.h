// The syslog header, scanned by hand: RFC 5424, RFC 3164 and its many dialects, or none.
//
// First step of understanding a RawMessage. The fields it finds are captures (spans of raw) like those of the parsers:
// log.syslog.priority, @timestamp, host.name, process.name, process.pid, log.syslog.msgid, structured data.
//
// Errors   None: a message without a header is a message; all of raw is then `message`.
// Threads  Pure function.
// Cost     One pass over the header; no allocation but for structured data's dynamic field names.
#pragma once

#include <vector>

#include "core/base/arena.h"
#include "core/base/time_text.h"
#include "core/record/record.h"

namespace yushi {

// Fills event_ns, event_digits, time_inferred, priority and message_* of `record`, and appends its captures (ascending)
// to `captures`. Without a time, event_ns is origin->received_ns and time_inferred has kAllInferred. `zone` is the tenant's.
void read_syslog_header(Record& record, const Zone& zone, Arena& arena, std::vector<Capture>& captures);

}  // namespace yushi
