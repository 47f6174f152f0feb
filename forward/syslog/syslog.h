// `type: syslog`: alerts as RFC 5424 messages to a receiver, over TCP, TLS (RFC 5425) or UDP.
//
//   <PRI>1 TIME NODE yushid - alert - JSON
//
// The facility is 13 (log audit); the severity goes by the alert's; the message is the alert as it stands in `_audit`.
// Over a stream each is counted (RFC 6587, 3.4.1) and taken as sent when the receiver's kernel has acknowledged it:
// syslog has no answer. Over UDP it is gone when it is sent.
#pragma once

#include <memory>
#include <string>

#include "forward/route/route.h"

namespace yushi::forward {

std::string syslog_message(const Letter::Item& item, bool is_brief, const std::string& node);

std::unique_ptr<ForwarderConfig> read_syslog(Walk& walk, const YAML::Node& node);

}  // namespace yushi::forward
