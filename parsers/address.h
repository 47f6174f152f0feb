// What stands where a parser expects an address.
//
// A zone (fe80::1%eth0) is no part of an address, nor is what IPv6 puts before one of IPv4 (::ffff:10.0.0.1): the
// capture is made the address alone. What is no address at all is kept as text, in the field beside (source.ip ->
// source.address), where ECS has one.
//
// Cost  4 ns for IPv4.
#pragma once

#include <string_view>

#include "core/record/record.h"

namespace yushi::parsers {

// `text` is that of the capture, whose field is of type ip.
void settle_address(std::string_view text, Capture& capture);

// Whether settle_address() finds a place for the text: an address, or a field beside `ip` that takes any text.
bool can_settle_address(std::string_view text, const Field* ip);

}  // namespace yushi::parsers
