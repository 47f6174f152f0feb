// Input of syslog over a unix datagram socket, as /dev/log: each datagram one message, source `unix:<path>`.
#pragma once

#include <memory>

#include "ingest/input.h"

namespace yushi::ingest {

Result<std::unique_ptr<Input>> bind_unix_input(const InputSettings& settings);

}  // namespace yushi::ingest
