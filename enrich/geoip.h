// The land, the town and the network of an address, by a MaxMind database (MaxMind DB file format, version 2).
//
// source.ip gives source.geo.* and source.as.*; so do destination, client and server. Which of them depends on what the
// database has: a City database gives places, an ASN one networks. An address that stands in none, as all private ones,
// gives nothing.
//
// Memory   The file is mapped: replace it by renaming another over it and send a HUP, never write into it.
// Cost     1 to 2 µs an address.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/record/lookups.h"

namespace yushi::enrich {

Result<std::unique_ptr<const Lookups>> open_geoip(const std::string& path);

}  // namespace yushi::enrich
