// SHA-256 (FIPS 180-4) by libcrypto; the only hash of leaves, nodes and files. Any thread; no call fails.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace yushi {

using Hash = std::array<uint8_t, 32>;

Hash sha256(std::string_view bytes);
Hash sha256(std::string_view first, std::string_view second);  // of the two joined
// A view into `hash`: not of one that dies at the end of the line.
inline std::string_view as_bytes(const Hash& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }

}  // namespace yushi
