// The rules and parsers that run, with what they have seen, and what was left out: the daemon's lines of `rules` and
// `parsers`.
//
// Threads  Any.
#pragma once

#include <string>
#include <vector>

#include "daemon/pipeline.h"

namespace yushi::daemon {

std::vector<std::string> rule_lines(const Pipeline& pipeline);
std::vector<std::string> parser_lines(const Pipeline& pipeline);

}  // namespace yushi::daemon
