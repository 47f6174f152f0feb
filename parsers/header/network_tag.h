// The headers of network devices: Cisco IOS, NX-OS, IOS XR and ASA, H3C Comware, Huawei VRP.
//
// Private to parsers/. They write `%SYS-5-CONFIG_I:` or `%%10SHELL/5/SHELL_LOGIN(l):` where others write a tag, and IOS
// puts a sequence number and a host, each with a colon, before the time.
#pragma once

#include "parsers/header/header_scan.h"

namespace yushi::parsers {

const Field* network_appname();  // log.syslog.appname

// At `%`: log.syslog.appname, event.severity and event.code. Where the message begins, or nullptr.
const char* read_network_tag(HeaderScan& scan, const char* at);

// At a module, as Comware writes its tags without `%%10` before them: `SHELL/5/SHELL_LOGIN(l)[123]: `. As above.
const char* read_comware_tag(HeaderScan& scan, const char* at);

// `123: host: *Mar  1 18:46:11.123 UTC: %SYS-5-CONFIG_I: text`, any part before `%` may be missing. Where the message
// begins, or nullptr with the captures as before. A time that stands there takes the place of a relay's before it.
const char* read_network_head(HeaderScan& scan, const char* at);

}  // namespace yushi::parsers
