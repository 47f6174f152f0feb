// HTTP over the daemon's unix socket, NDJSON line by line as it comes.
//
// Threads  One owner. One connection, kept between questions.
#pragma once

#include <memory>
#include <string>

#include "cli/asker.h"

namespace yushi::cli {

Result<std::unique_ptr<Asker>> make_client(const std::string& socket_path);

}  // namespace yushi::cli
