// The addresses that a command line calls.
//
// Who only speaks of an address calls none: he blocks it, looks it up, searches for it in logs. Some programs do both:
// `dig -x 198.51.100.9` asks about it, `dig @198.51.100.9 example.org` asks it. Which program does what stands in one
// table; what is put before another command (`sudo`, `timeout 5`, `docker exec web`) in a second. Neither knows
// quotes: process.command_line has none where the kernel's audit tells of it.
//
// Threads  Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace yushi::detect {

std::vector<std::string> addresses_called_by(std::string_view command_line);

}  // namespace yushi::detect
