// Where somebody comes from, as detectors compare it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace yushi::detect {

// The first 24 bits of an IPv4 address, 64 of an IPv6 one: 203.0.113.0/24, 2001:db8:0:1::/64. The text itself when it is
// no address.
std::string network_of(std::string_view address);

// FNV-1a: the same on every machine, unlike std::hash.
uint64_t hash_of(std::string_view text);

}  // namespace yushi::detect
