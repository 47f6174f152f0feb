// Input of syslog over UDP: one socket per ingest thread on the same port, each datagram one message.
#pragma once

#include <memory>

#include "ingest/net/datagram_socket.h"

namespace yushi::ingest {

Result<std::unique_ptr<Input>> bind_udp_input(const DatagramSettings& settings, unsigned ingest_threads);

}  // namespace yushi::ingest
