// Input of syslog over a unix datagram socket, as /dev/log: each datagram one message, source `unix:<path>`.
#pragma once

#include <memory>

#include "ingest/net/datagram_socket.h"

namespace yushi::ingest {

Result<std::unique_ptr<Input>> bind_unix_input(const DatagramSettings& settings);

}  // namespace yushi::ingest
