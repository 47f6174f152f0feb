#include "detect/memory/places.h"

#include <algorithm>
#include <array>
#include <bit>

#include "core/ledger/sha256.h"
#include "core/record/record.h"
#include "detect/memory/state.h"

namespace yushi::detect {
namespace {

bool is_ipv4(const std::array<uint8_t, 16>& address) {
  static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(kMapped, kMapped + 12, address.begin());
}

}  // namespace

std::string network_of(std::string_view address) {
  std::array<uint8_t, 16> bytes;
  if (!parse_ip(address, &bytes)) return std::string(address);
  const bool ipv4 = is_ipv4(bytes);
  std::fill(bytes.begin() + (ipv4 ? 15 : 8), bytes.end(), uint8_t{0});
  char text[kIpTextMax];
  const size_t length = format_ip(bytes, text);
  return std::string(text, length) + (ipv4 ? "/24" : "/64");
}

bool is_private(std::string_view address) {
  std::array<uint8_t, 16> ip;
  if (!parse_ip(address, &ip)) return false;
  if (!is_ipv4(ip)) return (ip[0] & 0xfe) == 0xfc;
  const uint8_t first = ip[12], second = ip[13];
  return first == 10 || (first == 172 && second >> 4 == 1) || (first == 192 && second == 168);
}

uint64_t hash_of(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

uint64_t sure_hash_of(std::string_view text) { return get_be64(as_bytes(sha256(text)).data()); }

ShortName::ShortName(std::string_view name) : view_(name) {
  if (name.size() <= kBytesMax) return;
  constexpr size_t kHashLetters = 16;
  kept_ = name.substr(0, kBytesMax - kHashLetters - 1);
  kept_ += '~' + to_hex(as_bytes(sha256(name))).substr(0, kHashLetters);
  view_ = kept_;
}

std::string Places::packed(std::string_view full_name) {
  std::array<uint8_t, 16> address;
  if (parse_ip(full_name, &address)) {
    char text[kIpTextMax];
    // Any other text of it could not be given back.
    if (std::string_view(text, format_ip(address, text)) == full_name) {
      const size_t bytes = full_name.find(':') == full_name.npos ? 4 : address.size();
      std::string out(1, static_cast<char>(kIsAddress | bytes));
      return out.append(reinterpret_cast<const char*>(address.data()) + address.size() - bytes, bytes);
    }
  }
  const ShortName name(full_name);
  std::string out(1, static_cast<char>(std::string_view(name).size()));
  return out += std::string_view(name);
}

std::string_view Places::name_at(size_t at, char* room) const {
  const char* const begin = packed_.data() + at + 1;
  const size_t bytes = length_at(at);
  if ((static_cast<uint8_t>(packed_[at]) & kIsAddress) == 0) return {begin, bytes};
  std::array<uint8_t, 16> address{};
  if (bytes == 4) address[10] = address[11] = 0xff;
  std::copy(begin, begin + bytes, address.end() - static_cast<ptrdiff_t>(bytes));
  return {room, format_ip(address, room)};
}

size_t Places::find(std::string_view packed_name) const {
  size_t at = 0;
  while (at < packed_.size() && packed_.compare(at, packed_name.size(), packed_name) != 0) at = next(at);
  return at;
}

bool Places::has(std::string_view name) const { return !packed_.empty() && find(packed(name)) < packed_.size(); }

size_t Places::size() const {
  size_t out = 0;
  for (size_t at = 0; at < packed_.size(); at = next(at)) ++out;
  return out;
}

bool Places::full() const {
  constexpr size_t kOfAName = 1 + 15 + kNumbersBytes;
  return size() >= kNamesMax || packed_.size() + kOfAName > kBytesMax;
}

bool Places::forget_oldest(size_t least) {
  if (size() <= least) return false;
  size_t oldest = 0;
  for (size_t one = 0; one < packed_.size(); one = next(one))
    if (when_at(one) < when_at(oldest)) oldest = one;
  packed_.erase(oldest, next(oldest) - oldest);
  return true;
}

void Places::add(std::string_view full_name, uint64_t when, uint64_t count) {
  if (full_name.empty()) return;
  const std::string name = packed(full_name);
  const auto put = [](uint64_t value, size_t bytes, char* to) {
    for (; bytes > 0; --bytes, value >>= 8) to[bytes - 1] = static_cast<char>(value & 0xff);
  };
  size_t at = find(name);
  if (at == packed_.size()) {
    const size_t bytes = name.size() + kNumbersBytes;
    while ((packed_.size() + bytes > kBytesMax || size() >= kNamesMax) && forget_oldest()) {
    }
    at = packed_.size();
    packed_ += name;
    packed_.append(kNumbersBytes, '\0');
  }
  const uint64_t counted = std::min<uint64_t>(count_at(at) + std::min<uint64_t>(count, UINT16_MAX), UINT16_MAX);
  const uint64_t last = std::max<uint64_t>(std::min<uint64_t>(when, UINT32_MAX), when_at(at));
  put(counted, 2, packed_.data() + next(at) - kNumbersBytes);
  put(last, 4, packed_.data() + next(at) - 4);
}

void Places::save(std::string& out) const {
  put_varint(out, size());
  for (size_t at = 0; at < packed_.size(); at = next(at)) {
    char room[kNameBytesMax];
    put_text(out, name_at(at, room));
    put_varint(out, count_at(at));
    put_varint(out, when_at(at));
  }
}

bool Places::load(Reader& in) {
  packed_.clear();
  uint64_t names = in.varint();
  if (names > kNamesMax) return false;
  for (; names > 0 && in.ok(); --names) {
    const std::string_view name = in.text();
    const uint64_t count = in.varint();
    add(name, in.varint(), count);
  }
  return in.ok();
}

void Novelty::add(bool is_new) {
  news = news << 1 | (is_new ? 1 : 0);
  logins = std::min(logins + 1, kRemembered);
}

bool Novelty::can_be_odd() const {
  return logins >= kLoginsMin && static_cast<uint32_t>(std::popcount(news)) * kNewOneIn <= logins;
}

void Novelty::save(std::string& out) const {
  put_varint(out, news);
  put_varint(out, logins);
}

void Novelty::load(Reader& in) {
  news = load_number<uint32_t>(in);
  logins = std::min(load_number<uint32_t>(in), kRemembered);
}

std::string Novelty::numbers() const { return std::to_string(std::popcount(news)) + "/" + std::to_string(logins); }

}  // namespace yushi::detect
