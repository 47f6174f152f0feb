#include "daemon/geo_places.h"

#include <vector>

#include "core/record/lookups.h"

namespace yushi::daemon {

std::optional<detect::PlaceOnEarth> place_by_geoip(std::string_view address) {
  static thread_local LookupsInUse in_use;
  const Lookups* lookups = in_use.current();
  Value value;
  if (!lookups || !parse_ip(address, &value.address)) return {};
  value.type = Value::Type::ip;
  value.text = address;
  Scratch scratch;
  std::vector<Lookups::Found> found;
  lookups->look_up(*ecs::source_ip, value, scratch, found);
  detect::PlaceOnEarth out;
  int coordinates = 0;
  for (const auto& [field, said] : found) {
    if (field->name == "source.geo.city_name" || (out.name.empty() && field->name == "source.geo.country_name"))
      out.name = said.text;
    if (field->name == "source.geo.location.lat") out.latitude = said.real, ++coordinates;
    if (field->name == "source.geo.location.lon") out.longitude = said.real, ++coordinates;
  }
  return coordinates == 2 ? std::optional(out) : std::nullopt;
}

}  // namespace yushi::daemon
