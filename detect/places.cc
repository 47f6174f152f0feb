#include "detect/places.h"

#include <algorithm>
#include <array>
#include <bit>

#include "core/record/record.h"

namespace yushi::detect {

std::string network_of(std::string_view address) {
  static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  std::array<uint8_t, 16> bytes;
  if (!parse_ip(address, &bytes)) return std::string(address);
  const bool ipv4 = std::equal(kMapped, kMapped + 12, bytes.begin());
  std::fill(bytes.begin() + (ipv4 ? 15 : 8), bytes.end(), uint8_t{0});
  char text[kIpTextMax];
  const size_t length = format_ip(bytes, text);
  return std::string(text, length) + (ipv4 ? "/24" : "/64");
}

uint64_t hash_of(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

void Novelty::add(bool is_new) {
  news = news << 1 | (is_new ? 1 : 0);
  logins = std::min(logins + 1, kRemembered);
}

bool Novelty::can_be_odd() const {
  return logins >= kLoginsMin && static_cast<uint32_t>(std::popcount(news)) * kNewOneIn <= logins;
}

std::string Novelty::numbers() const { return std::to_string(std::popcount(news)) + "/" + std::to_string(logins); }

}  // namespace yushi::detect
