// What the CLI knows of where it runs: the caller's zone, the terminal, and times as people read them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/time_text.h"

namespace yushi::cli {

// $TZ, /etc/localtime, /etc/timezone; UTC when none of them names a zone. A TZ that names none is said on stderr, once.
std::shared_ptr<const Zone> local_zone();
bool is_terminal(int descriptor);
size_t terminal_columns();  // of stdout; 80 when it is none

// "2026-11-01 08:00:00.123"
std::string local_time_text(int64_t unix_ns, const Zone& zone, bool with_milliseconds = true);
// The same of an RFC 3339 text, which is returned as it is when it is none.
std::string local_time_text(std::string_view rfc3339, const Zone& zone, bool with_milliseconds = true);

}  // namespace yushi::cli
