// Input of syslog over TCP (RFC 6587): one acceptor deals connections to the ingest threads in turn.
#pragma once

#include <memory>

#include "ingest/input.h"

namespace yushi::ingest {

Result<std::unique_ptr<Input>> bind_tcp_input(const InputSettings& settings);

}  // namespace yushi::ingest
