// Bytes in fixed order: big-endian keys, varints, hex, base64, and a Reader that never runs past its end.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace yushi {

inline void put_be64(std::string& out, uint64_t value) {
  char b[8];
  for (int i = 7; i >= 0; --i, value >>= 8) b[i] = static_cast<char>(value & 0xff);
  out.append(b, 8);
}
inline void put_be32(std::string& out, uint32_t value) {
  char b[4];
  for (int i = 3; i >= 0; --i, value >>= 8) b[i] = static_cast<char>(value & 0xff);
  out.append(b, 4);
}
inline uint64_t get_be64(const char* at) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | static_cast<unsigned char>(at[i]);
  return value;
}
inline uint32_t get_be32(const char* at) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(at[i]);
  return value;
}
inline uint64_t get_le64(const char* at) { return __builtin_bswap64(get_be64(at)); }
inline uint32_t get_le32(const char* at) { return __builtin_bswap32(get_be32(at)); }

// LEB128.
inline void put_varint(std::string& out, uint64_t value) {
  char b[10];
  int n = 0;
  while (value >= 0x80) {
    b[n++] = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  b[n++] = static_cast<char>(value);
  out.append(b, n);
}
// Small negative numbers stay small.
inline uint64_t zigzag(int64_t value) { return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63); }
inline int64_t unzigzag(uint64_t value) { return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1); }
inline void put_signed(std::string& out, int64_t value) { put_varint(out, zigzag(value)); }
// A length and the bytes.
inline void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out.append(text);
}

// Reads what the put_ functions wrote, from bytes that may be damaged: past the end every read gives zero or empty and
// ok() turns false for good. Check ok() once at the end, but before trusting a count for an allocation.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) return broken();
      auto byte = static_cast<unsigned char>(*at_++);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return broken();
  }
  int64_t signed_varint() { return unzigzag(varint()); }
  std::string_view text() { return take(varint()); }
  std::string_view take(uint64_t bytes) {
    if (bytes > left()) {
      broken();
      return {};
    }
    std::string_view out(at_, bytes);
    at_ += bytes;
    return out;
  }
  uint8_t byte() {
    auto b = take(1);
    return b.empty() ? 0 : static_cast<uint8_t>(b[0]);
  }
  uint64_t be64() {
    auto b = take(8);
    return b.empty() ? 0 : get_be64(b.data());
  }
  uint32_t be32() {
    auto b = take(4);
    return b.empty() ? 0 : get_be32(b.data());
  }

  size_t left() const { return static_cast<size_t>(end_ - at_); }
  bool ok() const { return ok_; }

 private:
  uint64_t broken() {
    ok_ = false;
    at_ = end_;
    return 0;
  }
  const char* at_;
  const char* end_;
  bool ok_ = true;
};

std::string to_hex(std::string_view bytes);                     // lower case
std::optional<std::string> from_hex(std::string_view text);     // either case
std::string to_base64(std::string_view bytes);                  // RFC 4648 section 4, with padding
std::optional<std::string> from_base64(std::string_view text);  // strict: padding demanded, no white space

}  // namespace yushi
