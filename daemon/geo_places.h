// Where an address is, by the GeoIP database that is in use now: what the daemon lends its detectors
// (detect/behaviours/travel.h).
//
// Threads  Any; each has a view of its own.
#pragma once

#include <optional>
#include <string_view>

#include "detect/engine.h"

namespace yushi::daemon {

// nullopt: there is no database, or it does not know.
std::optional<detect::PlaceOnEarth> place_by_geoip(std::string_view address);

}  // namespace yushi::daemon
