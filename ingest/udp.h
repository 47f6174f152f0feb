// Input of syslog over UDP: one socket per ingest thread on the same port, each datagram one message.
#pragma once

#include <memory>

#include "ingest/input.h"

namespace yushi {

std::unique_ptr<Input> make_udp_input(const InputSettings& settings, const InputContext& context);

}  // namespace yushi
