// Numbers for origins: a list of networks, and of names that certificates prove, of which the first that matches gives
// the number; 0 for all others.
//
// Threads  Immutable once built: any number of readers.
// Cost     At most 32 (IPv4) or 128 steps through a binary tree, however long the list.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/record/record.h"

namespace yushi::ingest {

// An address as IPv6, IPv4 mapped (::ffff:a.b.c.d).
using Address = std::array<uint8_t, 16>;

class OriginMap {
 public:
  OriginMap();

  // Adds "10.1.0.0/16", "2001:db8::/32" or a single address behind those already there. invalid: it is no network, or
  // bits are set behind its prefix.
  [[nodiscard]] Result<void> add(std::string_view cidr, uint32_t number);

  // By the name that a client's certificate proves: "log.finance.example", or "*.finance.example" for all below it.
  // invalid: a `*` stands elsewhere.
  [[nodiscard]] Result<void> add_name(std::string_view pattern, uint32_t number);

  // The first that was added and matches; 0: none. `name`: what the sender's certificate proves, if it has one.
  uint32_t find(const Address& address, std::string_view name = {}) const;
  bool empty() const { return rules_.empty(); }

  // Whether each address of the network has a number already, so that add() of it would change no answer. False when it
  // is no network.
  bool covers(std::string_view cidr) const;

 private:
  static constexpr uint32_t kNone = 0xffffffff;
  struct Node {
    uint32_t child[2] = {kNone, kNone};
    uint32_t rule = kNone;  // the first that ends here
  };
  static constexpr uint32_t kIpv4Root = 0, kIpv6Root = 1;

  // Where a network stands in the tree: the bits [from, until) of its address below a root.
  struct Place {
    Address address;
    uint32_t root;
    unsigned from, until;
  };
  static Result<Place> place_of(std::string_view cidr);
  bool covers_all_below(uint32_t node) const;

  std::vector<Node> nodes_;
  std::vector<uint32_t> rules_;
  std::vector<std::pair<std::string, uint32_t>> names_;  // and their rule
};

}  // namespace yushi::ingest
