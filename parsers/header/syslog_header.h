// The syslog header, scanned by hand: RFC 5424, RFC 3164 and its many dialects, or none.
//
// First step of understanding a RawMessage. The fields it finds are captures (spans of raw) like those of the parsers:
//   log.syslog.priority   the digits of PRI, 0..191; anything else in `<…>` is no PRI and the whole is message
//   log.syslog.version    RFC 5424 only
//   @timestamp, host.name, log.syslog.msgid
//   process.name          app-name or tag ("postfix/smtpd")
//   process.pid           procid or [pid] when it is a number; else log.syslog.procid
//   log.syslog.structured_data.<SD-ID>.<name>; an SD-ELEMENT without parameters is <SD-ID> with an empty value. Said
//                         twice, it is a list
//   log.level             the severity that devices write before the program ("info sshd[12]: ", "auth.info sshd[12]:
//   ")
// Cisco's %FACILITY-SEVERITY-MNEMONIC and Comware's and Huawei's %%10MODULE/SEVERITY/MNEMONIC name no process:
//   log.syslog.appname    the facility or module ("SYS", "ASA", "SHELL")
//   event.severity        the digit between, 0 to 7
//   event.code            the mnemonic ("CONFIG_I", "302013"), as Elastic has it
//   event.sequence        the sequence number that IOS writes before the time
//
// A word after the host is a tag also without a colon, as rsyslog and syslog-ng take it, but a word without a letter
// ("1234", "127.0.0.1") is none. Where no PRI or no time says that this is syslog, a tag needs its colon or [pid], and
// a line that begins with a time alone stays whole: it is a bare line of some log, and its own parser reads it.
//
// Relays put a header of their own before the one that they received. Where no program has been named yet, a second
// header gives program, message, time and PRI; its host counts only with the mark kByRelay, else the first one's stays.
// So it is with the host of AIX's "Message forwarded from h2: ". Behind a program there is no header: that is the
// program's text.
//
// Errors   None: a message without a header is a message; all of raw is then `message`. What is broken behind a good
//          PRI and version keeps what was understood so far; the rest, from the broken part on, is `message`.
// Memory   Dynamic fields go to the arena; of one message at most kStructuredDataMax.
// Threads  Pure function.
// Cost     One pass over the header; no allocation but for structured data's dynamic field names. bench/header_bench.cc
#pragma once

#include <vector>

#include "core/base/arena.h"
#include "core/base/time_text.h"
#include "core/record/record.h"

namespace yushi::parsers {

// Parameters of structured data that become fields; what a sender gives beyond stays in raw only, so that 64 KiB of
// `a=""` cannot take megabytes.
constexpr size_t kStructuredDataMax = 1024;

// Fills event_ns, event_digits, time_inferred, priority and message_* of `record`, and appends its captures (ascending)
// to `captures`. Without a time, or with one before 1678 or after 2261, which 64 bits of ns cannot hold, event_ns is
// origin->received_ns and time_inferred has kAllInferred. `zone` is the tenant's. True when there were more parameters
// than kStructuredDataMax.
bool read_syslog_header(Record& record, const Zone& zone, Arena& arena, std::vector<Capture>& captures);

}  // namespace yushi::parsers
