// The Lookups that the config names: GeoIP and autonomous systems by MaxMind databases, user agents by uap-core's
// rules.
//
// Errors   io: a file cannot be opened; invalid: it is none of its kind.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/record/lookups.h"

namespace yushi::enrich {

struct LookupFiles {
  std::string city;         // GeoLite2-City.mmdb or its like; each may be empty
  std::string asn;          // GeoLite2-ASN.mmdb
  std::string user_agents;  // uap-core's regexes.yaml
};

// nullptr when no file is named.
Result<std::shared_ptr<const Lookups>> open_lookups(const LookupFiles& files);

}  // namespace yushi::enrich
