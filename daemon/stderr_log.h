// yushid's own log: lines on standard error, for journald or a terminal.
#pragma once

namespace yushi::daemon {

// From now on spdlog writes there. Once a process.
void log_to_stderr();

}  // namespace yushi::daemon
