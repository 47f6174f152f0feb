#include "core/base/charset.h"

#include <algorithm>
#include <cstring>

#include "core/base/assert.h"
#include "core/base/gb18030_table.h"

namespace yushi {
namespace {

constexpr uint32_t kReplacement = 0xfffd;
constexpr uint32_t kSupplementary = 189000;  // number of the four-byte code 90 30 81 30, which is U+10000

CodePoint decode_four_bytes(uint32_t number) {
  namespace table = gb18030_table;
  if (number < table::kFourByteCodes) {
    auto* run = std::upper_bound(table::kFourBytes, table::kFourBytes + table::kFourByteRuns, number,
                                 [](uint32_t n, const table::Run& each) { return n < each.number; }) -
                1;
    return {run->code + (number - run->number), 4};
  }
  if (number >= kSupplementary && number - kSupplementary < 0x100000) return {0x10000 + number - kSupplementary, 4};
  return {0, 0};
}

CodePoint decode_gb18030(std::string_view bytes, size_t at) {
  auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(bytes[i])); };
  uint32_t lead = byte(at);
  if (lead < 0x80) return {lead, 1};
  if (lead == 0x80 || lead == 0xff || at + 1 >= bytes.size()) return {0, 0};
  lead -= 0x81;
  uint32_t trail = byte(at + 1);
  if (trail >= 0x40 && trail != 0x7f && trail != 0xff)
    return {gb18030_table::kTwoBytes[lead * gb18030_table::kTrails + trail - (trail < 0x7f ? 0x40 : 0x41)], 2};
  auto is_digit = [](uint32_t b) { return b >= '0' && b <= '9'; };
  if (!is_digit(trail) || bytes.size() - at < 4) return {0, 0};
  uint32_t third = byte(at + 2), fourth = byte(at + 3);
  if (third < 0x81 || third == 0xff || !is_digit(fourth)) return {0, 0};
  return decode_four_bytes(((lead * 10 + trail - '0') * 126 + third - 0x81) * 10 + fourth - '0');
}

}  // namespace

std::string_view charset_name(Charset charset) { return charset == Charset::utf8 ? "utf-8" : "gb18030"; }

std::optional<Charset> find_charset(std::string_view name) {
  for (auto charset : {Charset::utf8, Charset::gb18030})
    if (charset_name(charset) == name) return charset;
  return std::nullopt;
}

CodePoint decode(Charset charset, std::string_view bytes, size_t at) {
  YUSHI_ASSERT(at < bytes.size(), "%zu is not within %zu bytes", at, bytes.size());
  return charset == Charset::utf8 ? decode_utf8(bytes, at) : decode_gb18030(bytes, at);
}

size_t decode_into(Charset charset, std::string_view bytes, char* out) {
  char* to = out;
  for (size_t at = 0; at < bytes.size();) {
    if (static_cast<unsigned char>(bytes[at]) < 0x80) {
      *to++ = bytes[at++];
      continue;
    }
    CodePoint point = decode(charset, bytes, at);
    to += put_utf8(point.length == 0 ? kReplacement : point.code, to);
    at += std::max<size_t>(point.length, 1);
  }
  return static_cast<size_t>(to - out);
}

bool is_ascii(std::string_view text) {
  const auto word = [&](size_t at) {
    uint64_t bytes;
    std::memcpy(&bytes, text.data() + at, sizeof bytes);
    return bytes;
  };
  uint64_t all = 0;
  if (text.size() < sizeof all) {
    for (const char c : text) all |= static_cast<unsigned char>(c);
    return all < 0x80;
  }
  for (size_t at = 0; at + sizeof all <= text.size(); at += sizeof all) all |= word(at);
  all |= word(text.size() - sizeof all);  // some of them once more
  return (all & 0x8080808080808080) == 0;
}

bool decodes_wholly(Charset charset, std::string_view bytes) {
  for (size_t at = 0; at < bytes.size();) {
    CodePoint point = decode(charset, bytes, at);
    if (point.length == 0) return false;
    at += point.length;
  }
  return true;
}

}  // namespace yushi
