// Writes tiny MaxMind databases (MaxMind DB file format 2.0): a search tree over IPv4 with records of 24 bits.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace yushi::enrich {

// The data section's values, as bytes.
inline std::string mmdb_head(unsigned type, size_t size) {
  std::string out;
  const auto control = static_cast<unsigned char>((type <= 7 ? type << 5 : 0) | (size < 29 ? size : 29));
  out += static_cast<char>(control);
  if (type > 7) out += static_cast<char>(type - 7);
  if (size >= 29) out += static_cast<char>(size - 29);  // up to 284
  return out;
}
inline std::string mmdb_text(const std::string& text) { return mmdb_head(2, text.size()) + text; }
inline std::string mmdb_uint32(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8)
    if (!bytes.empty() || value >> shift) bytes += static_cast<char>(value >> shift & 0xff);
  return mmdb_head(6, bytes.size()) + bytes;
}
inline std::string mmdb_double(double value) {
  uint64_t bits;
  static_assert(sizeof bits == sizeof value);
  __builtin_memcpy(&bits, &value, 8);
  std::string out = mmdb_head(3, 8);
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(bits >> shift & 0xff);
  return out;
}
inline std::string mmdb_map(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string out = mmdb_head(7, entries.size());
  for (auto& [key, value] : entries) out += mmdb_text(key) + value;
  return out;
}
inline std::string mmdb_array(const std::vector<std::string>& items) {
  std::string out = mmdb_head(11, items.size());
  for (auto& item : items) out += item;
  return out;
}

// The whole file; each address (of all its 32 bits) has its data.
inline std::string mmdb_file(const std::map<uint32_t, std::string>& addresses) {
  struct Node {
    int64_t child[2] = {-1, -1};  // node number; -1 nothing; data from kData on
  };
  constexpr int64_t kData = int64_t{1} << 40;
  std::vector<Node> nodes(1);
  std::string data;
  for (auto& [address, value] : addresses) {
    size_t at = 0;
    for (int bit = 31; bit > 0; --bit) {
      auto side = address >> bit & 1;
      if (nodes[at].child[side] < 0) {
        nodes[at].child[side] = static_cast<int64_t>(nodes.size());
        nodes.emplace_back();
      }
      at = static_cast<size_t>(nodes[at].child[side]);
    }
    nodes[at].child[address & 1] = kData + static_cast<int64_t>(data.size());
    data += value;
  }
  std::string out;
  const auto count = static_cast<int64_t>(nodes.size());
  for (auto& node : nodes)
    for (auto child : node.child) {
      const auto record = child < 0 ? count : child >= kData ? child - kData + count + 16 : child;
      for (int shift = 16; shift >= 0; shift -= 8) out += static_cast<char>(record >> shift & 0xff);
    }
  out += std::string(16, '\0') + data + "\xab\xcd\xefMaxMind.com";
  const auto uint16 = [](unsigned value) { return mmdb_head(5, 1) + static_cast<char>(value); };
  out += mmdb_map({{"binary_format_major_version", uint16(2)},
                   {"binary_format_minor_version", uint16(0)},
                   {"build_epoch", mmdb_head(9, 4) + std::string("\x6a\x00\x00\x00", 4)},
                   {"database_type", mmdb_text("Test")},
                   {"description", mmdb_map({{"en", mmdb_text("made by a test")}})},
                   {"ip_version", uint16(4)},
                   {"languages", mmdb_array({mmdb_text("en")})},
                   {"node_count", mmdb_uint32(static_cast<uint32_t>(nodes.size()))},
                   {"record_size", uint16(24)}});
  return out;
}

}  // namespace yushi::enrich
