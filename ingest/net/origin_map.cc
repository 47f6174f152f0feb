#include "ingest/net/origin_map.h"

#include <algorithm>
#include <charconv>

namespace yushi::ingest {
namespace {

constexpr unsigned kMappedBits = 96;

bool is_mapped_ipv4(const Address& address) {
  static constexpr uint8_t kPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(kPrefix, kPrefix + 12, address.begin());
}

unsigned bit(const Address& address, unsigned at) { return address[at / 8] >> (7 - at % 8) & 1; }

}  // namespace

OriginMap::OriginMap() : nodes_(2) {}

Result<OriginMap::Place> OriginMap::place_of(std::string_view cidr) {
  const auto bad = [&](const char* why) {
    return fail(Code::invalid, "network \"" + std::string(cidr) + "\": " + why);
  };
  const size_t slash = cidr.find('/');
  const std::string_view text = cidr.substr(0, slash);
  Address address;
  if (!parse_ip(text, &address)) return bad("not an IPv4 or IPv6 address; write it as in 10.1.0.0/16 or 2001:db8::/32");
  const bool ipv4 = text.find(':') == text.npos;
  const unsigned bits_max = ipv4 ? 32 : 128;
  unsigned bits = bits_max;
  if (slash != cidr.npos) {
    const std::string_view number = cidr.substr(slash + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), bits);
    if (error != std::errc() || end != number.data() + number.size() || bits > bits_max) {
      return bad(ipv4 ? "the prefix length is a number from 0 to 32" : "the prefix length is a number from 0 to 128");
    }
  }
  // Senders are always looked up in IPv4 form where they have one.
  const unsigned from = ipv4 ? kMappedBits : 0;
  const unsigned until = from + bits;
  for (unsigned i = until; i < 128; ++i) {
    if (bit(address, i)) return bad("bits are set behind the prefix; set them to 0 or make the prefix longer");
  }
  if (!ipv4 && until >= kMappedBits && is_mapped_ipv4(address)) return Place{address, kIpv4Root, kMappedBits, until};
  return Place{address, ipv4 ? kIpv4Root : kIpv6Root, from, until};
}

Result<void> OriginMap::add(std::string_view cidr, uint32_t number) {
  auto place = YUSHI_TRY(place_of(cidr));
  uint32_t node = place.root;
  for (unsigned at = place.from; at < place.until; ++at) {
    const unsigned side = bit(place.address, at);
    if (nodes_[node].child[side] == kNone) {
      nodes_[node].child[side] = static_cast<uint32_t>(nodes_.size());
      nodes_.emplace_back();
    }
    node = nodes_[node].child[side];
  }
  nodes_[node].rule = std::min(nodes_[node].rule, static_cast<uint32_t>(rules_.size()));
  rules_.push_back(number);
  return {};
}

bool OriginMap::covers(std::string_view cidr) const {
  auto place = place_of(cidr);
  if (!place) return false;
  uint32_t node = place->root;
  for (unsigned at = place->from; at < place->until && nodes_[node].rule == kNone; ++at) {
    node = nodes_[node].child[bit(place->address, at)];
    if (node == kNone) return false;
  }
  return covers_all_below(node);
}

// At most 128 deep, and no node twice.
bool OriginMap::covers_all_below(uint32_t node) const {
  if (nodes_[node].rule != kNone) return true;
  return std::all_of(std::begin(nodes_[node].child), std::end(nodes_[node].child),
                     [this](uint32_t child) { return child != kNone && covers_all_below(child); });
}

Result<void> OriginMap::add_name(std::string_view pattern, uint32_t number) {
  const auto star = pattern.rfind('*');
  if (pattern.empty() || (star != pattern.npos && (star != 0 || !pattern.starts_with("*.")))) {
    return fail(Code::invalid, "name \"" + std::string(pattern) +
                                   "\": write a name, or * for what stands before its first dot and all below, as in "
                                   "*.finance.example");
  }
  names_.emplace_back(pattern, static_cast<uint32_t>(rules_.size()));
  rules_.push_back(number);
  return {};
}

uint32_t OriginMap::find(const Address& address, std::string_view name) const {
  const bool ipv4 = is_mapped_ipv4(address);
  uint32_t node = ipv4 ? kIpv4Root : kIpv6Root;
  uint32_t rule = nodes_[node].rule;
  for (unsigned i = ipv4 ? kMappedBits : 0; i < 128; ++i) {
    node = nodes_[node].child[bit(address, i)];
    if (node == kNone) break;
    rule = std::min(rule, nodes_[node].rule);
  }
  if (!name.empty()) {
    for (auto& [pattern, its_rule] : names_) {
      const bool fits = pattern[0] == '*' ? name.ends_with(std::string_view(pattern).substr(1)) : name == pattern;
      if (fits) rule = std::min(rule, its_rule);
    }
  }
  return rule == kNone ? 0 : rules_[rule];
}

}  // namespace yushi::ingest
