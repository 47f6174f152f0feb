// yushid, from its config to its last commit: start-up and teardown as named steps.
//
// Threads  run() owns the main thread: it waits for signals (SIGTERM and SIGINT stop, SIGHUP reloads) and feeds the
//          watchdog.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "daemon/config.h"

namespace yushi::daemon {

// Exit code of the process: 0; 2 for a wrong config; 3 when the store cannot be opened; 1 when it failed later.
int run_daemon(const Config& config, const std::string& config_path);
// A new key takes over from the node's, in a store that no yushid runs on. The same exit codes.
int rotate_key(const Config& config);

}  // namespace yushi::daemon
