// One account at two places between which nobody gets in that time: impossible travel, or an account that several
// share.
//
// A place is that of the list `networks` with its coordinates, or what GeoIP says; of two networks of the list without
// coordinates it is asked only that there are kSitesApartNs between them. Nothing is known of addresses without a
// place.
//
// Quick changes of place that are an account's habit (a VPN switched on and off) are none: told only when of its last
// 32 logins with a place at most one more was too quick, and one of the two places was new to it. Nor is a way through
// hosts: an address of a bastion (list), or of a host that the account has just logged in to, is no place of a person.
// A person has an IPv4 and an IPv6 address at once, of which GeoIP tells different towns: apart are such by
// kKilometresMixed. Machines' and services' accounts are everywhere, and root of each host is another one.
//
// Invariants  In commit order, no clock. Kilometres are rounded to whole ones before anything is judged; the
//             coordinates stand in the baseline.
// Memory      A part of the profiles of accounts (detect/memory/profiles.h).
// Threads     One owner.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "detect/behaviours/detectors.h"
#include "detect/memory/profiles.h"

namespace yushi::detect {

class Travel final : public Detector {
 public:
  explicit Travel(const Surroundings& surroundings)
      : surroundings_(surroundings), accounts_(surroundings.profiles, Part::travel) {}

  static constexpr int64_t kKilometresMin = 200;  // nearer ones are one place
  static constexpr int64_t kKilometresMixed = 1000;
  static constexpr size_t kRemembered = 8;  // of an account's places, and of the hosts that it came to
  static constexpr int64_t kKilometresAnHour = 900;
  static constexpr int64_t kSitesApartNs = 30 * kMinute;

  bool wants(const EventKind& kind) const override { return kind.login != EventKind::Login::none || kind.shows_key; }
  void observe(const Event& event, std::vector<Finding>& findings) override;

  void save(std::string& out) const override;
  bool load(Reader& in) override;

 private:
  struct Place {
    std::string name;
    bool has_point = false;
    int32_t latitude = 0, longitude = 0;  // ten-thousandths of a degree
    bool is_listed = false;
  };
  struct Account {
    int64_t at_ns = 0;
    uint64_t index = 0;
    std::string source;
    Place place;
    uint32_t quick = 0;  // a bit a login, the newest is bit 0
    // When it was there last for the first time, and nothing was told of that.
    bool came_anew = false;
    // Hashes, the one used last at the end; 0: none.
    std::array<uint32_t, kRemembered> places{};
    std::array<uint64_t, kRemembered> host_addresses{};  // sure ones
    auto parts() { return std::tie(source, place.name); }
  };
  bool place_of(const Lists& lists, std::string_view address, Place* out) const;
  static int64_t kilometres(const Place& a, const Place& b);

  const Surroundings& surroundings_;
  Parts<Account> accounts_;
};

}  // namespace yushi::detect
