// Where somebody comes from, as detectors compare it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace yushi::detect {

// The first 24 bits of an IPv4 address, 64 of an IPv6 one: 203.0.113.0/24, 2001:db8:0:1::/64. The text itself when it
// is no address.
std::string network_of(std::string_view address);

// FNV-1a: the same on every machine, unlike std::hash.
uint64_t hash_of(std::string_view text);

// How often something new comes. A new one is odd only where new ones are rare: of kLoginsMin and more that came
// before, at most 1 in kNewOneIn of the last kRemembered was new.
struct Novelty {
  static constexpr uint32_t kLoginsMin = 5;
  static constexpr uint32_t kRemembered = 32;
  static constexpr uint32_t kNewOneIn = 4;

  uint32_t news = 0;    // the newest is bit 0
  uint32_t logins = 0;  // up to kRemembered

  void add(bool is_new);
  bool can_be_odd() const;
  std::string numbers() const;  // "2/32", for a baseline
};

}  // namespace yushi::detect
