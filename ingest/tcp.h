// Input of syslog over TCP (RFC 6587): one acceptor deals connections to the ingest threads in turn.
#pragma once

#include <memory>

#include "ingest/input.h"

namespace yushi {

std::unique_ptr<Input> make_tcp_input(const InputSettings& settings, const InputContext& context);

}  // namespace yushi
