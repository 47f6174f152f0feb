#include "enrich/geoip.h"

#include <maxminddb.h>
#include <netinet/in.h>

#include <charconv>
#include <cmath>
#include <cstring>

namespace yushi::enrich {
namespace {

// What a side's address gives. The fields of the table are found by name; a point is of two fields that ECS has as one.
struct Side {
  explicit Side(const std::string& side)
      : ip(find_field(side + ".ip")),
        continent(find_field(side + ".geo.continent_code")),
        country_code(find_field(side + ".geo.country_iso_code")),
        country(find_field(side + ".geo.country_name")),
        region_code(find_field(side + ".geo.region_iso_code")),
        region(find_field(side + ".geo.region_name")),
        city(find_field(side + ".geo.city_name")),
        timezone(find_field(side + ".geo.timezone")),
        number(find_field(side + ".as.number")),
        organization(find_field(side + ".as.organization.name")),
        latitude_name(side + ".geo.location.lat"),
        longitude_name(side + ".geo.location.lon") {}
  Side(const Side&) = delete;

  const Field *ip, *continent, *country_code, *country, *region_code, *region, *city, *timezone, *number, *organization;
  std::string latitude_name, longitude_name;
  Field latitude{latitude_name, FieldType::real, kDynamicField, false};
  Field longitude{longitude_name, FieldType::real, kDynamicField, false};
};

const Side* side_of(const Field& field) {
  static const Side sides[] = {Side("source"), Side("destination"), Side("client"), Side("server")};
  if (field.type != FieldType::ip) return nullptr;
  for (auto& side : sides)
    if (side.ip == &field) return &side;
  return nullptr;
}

class GeoIp final : public Lookups {
 public:
  GeoIp() = default;
  ~GeoIp() override {
    if (opened_) MMDB_close(&database_);
  }

  Result<void> open(const std::string& path) {
    const int status = MMDB_open(path.c_str(), MMDB_MODE_MMAP, &database_);
    if (status != MMDB_SUCCESS)
      return fail(
          status == MMDB_FILE_OPEN_ERROR ? Code::io : Code::invalid,
          "opening the GeoIP database " + path + ": " + MMDB_strerror(status) + "; name a MaxMind DB file (.mmdb)");
    opened_ = true;
    return {};
  }

  void look_up(const Field& field, const Value& value, Scratch& scratch, std::vector<Found>& out) const override {
    const Side* side = side_of(field);
    if (!side || value.type != Value::Type::ip) return;
    auto found = find(value.address);
    if (!found.found_entry) return;
    const auto text = [&](const Field* to, auto... path) { give_text(found.entry, to, scratch, out, path...); };
    constexpr const char* kEnd = nullptr;
    text(side->continent, "continent", "code", kEnd);
    text(side->country_code, "country", "iso_code", kEnd);
    text(side->country, "country", "names", "en", kEnd);
    text(side->region, "subdivisions", "0", "names", "en", kEnd);
    text(side->city, "city", "names", "en", kEnd);
    text(side->timezone, "location", "time_zone", kEnd);
    text(side->organization, "autonomous_system_organization", kEnd);
    give_region_code(found.entry, *side, scratch, out);
    give_number(found.entry, &side->latitude, scratch, out, "location", "latitude", kEnd);
    give_number(found.entry, &side->longitude, scratch, out, "location", "longitude", kEnd);
    give_number(found.entry, side->number, scratch, out, "autonomous_system_number", kEnd);
  }

 private:
  MMDB_lookup_result_s find(const std::array<uint8_t, 16>& address) const {
    static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    int error = MMDB_SUCCESS;
    MMDB_lookup_result_s result{};
    if (std::memcmp(address.data(), kMapped, sizeof kMapped) == 0) {
      sockaddr_in v4{};
      v4.sin_family = AF_INET;
      std::memcpy(&v4.sin_addr, address.data() + 12, 4);
      result = MMDB_lookup_sockaddr(&database_, reinterpret_cast<const sockaddr*>(&v4), &error);
    } else {
      sockaddr_in6 v6{};
      v6.sin6_family = AF_INET6;
      std::memcpy(&v6.sin6_addr, address.data(), 16);
      result = MMDB_lookup_sockaddr(&database_, reinterpret_cast<const sockaddr*>(&v6), &error);
    }
    if (error != MMDB_SUCCESS) result.found_entry = false;  // a damaged file, or IPv6 in a database of IPv4
    return result;
  }

  template <class... Path>
  static bool get(MMDB_entry_s entry, MMDB_entry_data_s* data, Path... path) {
    return MMDB_get_value(&entry, data, path...) == MMDB_SUCCESS && data->has_data;
  }

  static void give(const Field* to, std::string_view text, Value value, Scratch& scratch, std::vector<Found>& out) {
    if (!to || text.empty()) return;
    char* at = scratch.allocate(text.size());
    text.copy(at, text.size());
    value.text = {at, text.size()};
    out.push_back({to, value});
  }

  template <class... Path>
  static void give_text(const MMDB_entry_s& entry, const Field* to, Scratch& scratch, std::vector<Found>& out,
                        Path... path) {
    MMDB_entry_data_s data;
    if (get(entry, &data, path...) && data.type == MMDB_DATA_TYPE_UTF8_STRING)
      give(to, {data.utf8_string, data.data_size}, {}, scratch, out);
  }

  // ISO 3166-2, as ECS has it: "CN-GD" of "CN" and "GD".
  static void give_region_code(const MMDB_entry_s& entry, const Side& side, Scratch& scratch, std::vector<Found>& out) {
    MMDB_entry_data_s country, region;
    constexpr const char* kEnd = nullptr;
    if (!get(entry, &country, "country", "iso_code", kEnd) || country.type != MMDB_DATA_TYPE_UTF8_STRING) return;
    if (!get(entry, &region, "subdivisions", "0", "iso_code", kEnd) || region.type != MMDB_DATA_TYPE_UTF8_STRING)
      return;
    give(side.region_code,
         std::string(country.utf8_string, country.data_size) + "-" + std::string(region.utf8_string, region.data_size),
         {}, scratch, out);
  }

  template <class... Path>
  static void give_number(const MMDB_entry_s& entry, const Field* to, Scratch& scratch, std::vector<Found>& out,
                          Path... path) {
    MMDB_entry_data_s data;
    if (!get(entry, &data, path...)) return;
    Value value;
    char text[32];
    char* end = text;
    if (data.type == MMDB_DATA_TYPE_UINT32 || data.type == MMDB_DATA_TYPE_UINT16) {
      value.type = Value::Type::integer;
      value.integer = data.type == MMDB_DATA_TYPE_UINT32 ? static_cast<int64_t>(data.uint32) : data.uint16;
      end = std::to_chars(text, text + sizeof text, value.integer).ptr;
    } else if (data.type == MMDB_DATA_TYPE_DOUBLE && std::isfinite(data.double_value)) {
      value.type = Value::Type::real;
      value.real = data.double_value;
      end = std::to_chars(text, text + sizeof text, value.real).ptr;
    }
    give(to, {text, static_cast<size_t>(end - text)}, value, scratch, out);
  }

  MMDB_s database_{};
  bool opened_ = false;
};

}  // namespace

Result<std::unique_ptr<const Lookups>> open_geoip(const std::string& path) {
  auto out = std::make_unique<GeoIp>();
  YUSHI_TRY(out->open(path));
  return std::unique_ptr<const Lookups>(std::move(out));
}

}  // namespace yushi::enrich
