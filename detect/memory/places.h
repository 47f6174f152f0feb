// Names of accounts, and where they come from and go, as detectors compare and remember them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "core/base/bytes.h"

namespace yushi::detect {

// The first 24 bits of an IPv4 address, 64 of an IPv6 one: 203.0.113.0/24, 2001:db8:0:1::/64. The text itself when it
// is no address.
std::string network_of(std::string_view address);

// Of an office or a VPN, by RFC 1918 and RFC 4193: not from outside.
bool is_private(std::string_view address);

// FNV-1a: the same on every machine, unlike std::hash.
uint64_t hash_of(std::string_view text);
inline uint32_t short_hash_of(std::string_view text) { return static_cast<uint32_t>(hash_of(text)); }

// Where somebody may choose the text: nobody finds two that have one.
uint64_t sure_hash_of(std::string_view text);

// A name as it is remembered: of more than kBytesMax bytes the first ones and a hash of all, so that no two are one.
class ShortName {
 public:
  static constexpr size_t kBytesMax = 64;
  explicit ShortName(std::string_view name);
  ShortName(const ShortName&) = delete;
  ShortName& operator=(const ShortName&) = delete;
  operator std::string_view() const { return view_; }

 private:
  std::string kept_;
  std::string_view view_;
};

// Names with how often each came and when it last did, in the order in which they came first; in one text, since each
// account has its own, and addresses in their bytes. When there are kNamesMax, or they fill kBytesMax bytes, the one
// that came longest ago goes: it remembers 64 addresses in IPv4, 33 in IPv6, and 10 names of any length.
class Places {
 public:
  static constexpr size_t kNamesMax = 64, kBytesMax = 768;

  bool has(std::string_view name) const;
  // Came `count` times more, the last time then (seconds or any other count that grows).
  void add(std::string_view name, uint64_t when, uint64_t count = 1);
  void clear() { packed_.clear(); }
  size_t size() const;
  size_t bytes() const { return packed_.size(); }
  // The one that came longest ago goes; false when there are no more than `least`.
  bool forget_oldest(size_t least = 0);
  bool full() const;  // the next new one makes another go
  template <class Visit>
  void for_each(Visit&& visit) const {  // visit(name, count, when)
    for (size_t at = 0; at < packed_.size(); at = next(at)) {
      char room[kNameBytesMax];
      visit(name_at(at, room), uint64_t{count_at(at)}, uint64_t{when_at(at)});
    }
  }

  void save(std::string& out) const;
  bool load(Reader& in);
  auto parts() { return std::tie(packed_); }

 private:
  // Of each: its length in a byte, with kIsAddress where it is an address and not its text, the name, two bytes that
  // count (UINT16_MAX: so often or more), four that say when.
  static constexpr size_t kNumbersBytes = 6, kNameBytesMax = ShortName::kBytesMax;
  static constexpr uint8_t kIsAddress = 0x80;
  static std::string packed(std::string_view name);
  size_t length_at(size_t at) const { return static_cast<uint8_t>(packed_[at]) & ~kIsAddress; }
  size_t next(size_t at) const { return at + 1 + length_at(at) + kNumbersBytes; }
  std::string_view name_at(size_t at, char* room) const;
  uint32_t count_at(size_t at) const { return get_be32(packed_.data() + next(at) - kNumbersBytes - 2) & UINT16_MAX; }
  uint32_t when_at(size_t at) const { return get_be32(packed_.data() + next(at) - 4); }
  size_t find(std::string_view packed_name) const;  // where it stands; packed_.size(): nowhere

  std::string packed_;
};

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
  void save(std::string& out) const;
  void load(Reader& in);
  std::string numbers() const;  // "2/32", for a baseline
};

}  // namespace yushi::detect
