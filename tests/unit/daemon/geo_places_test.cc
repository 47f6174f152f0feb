// Where detectors are told that an address is.
#include "daemon/geo_places.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "../enrich/mmdb_file.h"
#include "enrich/lookups.h"

namespace yushi::daemon {
namespace {

using namespace enrich;  // the file that a test makes

TEST(GeoPlaces, an_address_is_where_the_database_in_use_says) {
  EXPECT_FALSE(place_by_geoip("192.0.2.9"));
  const auto path =
      std::filesystem::temp_directory_path() / ("yushi-geo-places-" + std::to_string(::getpid()) + ".mmdb");
  std::ofstream(path, std::ios::binary) << mmdb_file(
      {{0xc0000209,
        mmdb_map({{"city", mmdb_map({{"names", mmdb_map({{"en", mmdb_text("Shenzhen")}})}})},
                  {"location", mmdb_map({{"latitude", mmdb_double(22.5)}, {"longitude", mmdb_double(114.25)}})}})},
       {0xc000020b, mmdb_map({{"country", mmdb_map({{"names", mmdb_map({{"en", mmdb_text("China")}})}})}})}});
  auto opened = enrich::open_lookups({path.string(), "", ""});
  std::filesystem::remove(path);
  ASSERT_TRUE(opened) << opened.error().message;
  use_lookups(*opened);
  auto place = place_by_geoip("192.0.2.9");
  ASSERT_TRUE(place);
  EXPECT_EQ(place->name, "Shenzhen");
  EXPECT_DOUBLE_EQ(place->latitude, 22.5);
  EXPECT_DOUBLE_EQ(place->longitude, 114.25);
  EXPECT_FALSE(place_by_geoip("192.0.2.11")) << "a country is no point";
  EXPECT_FALSE(place_by_geoip("203.0.113.1"));
  EXPECT_FALSE(place_by_geoip("somewhere"));
  use_lookups(nullptr);
  EXPECT_FALSE(place_by_geoip("192.0.2.9"));
}

}  // namespace
}  // namespace yushi::daemon
