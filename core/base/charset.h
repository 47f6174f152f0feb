// What bytes mean as text: UTF-8, or the charset in which a tenant's senders write.
//
// One rule, for fields, search, rules, output and forwarding alike: raw that is valid UTF-8, all of it, is UTF-8; any
// other raw is of the tenant's charset, all of it. The store keeps the bytes.
//
// GB 18030 takes in GBK and GB 2312. A byte that does not decode is U+FFFD, and decoding goes on behind it. Decoding
// has no state: a part of a text that is cut out between characters decodes to that part.
//
// Threads  Pure functions.
#pragma once

#include <optional>
#include <string_view>

#include "core/base/text.h"

namespace yushi {

enum class Charset : uint8_t { utf8 = 0, gb18030 };

std::string_view charset_name(Charset charset);              // as the config spells it
std::optional<Charset> find_charset(std::string_view name);  // "utf-8", "gb18030"

// The rule: of which charset `raw` is, that a sender of a tenant of this charset has written.
inline Charset charset_of(std::string_view raw, Charset of_tenant) {
  return of_tenant == Charset::utf8 || is_utf8(raw) ? Charset::utf8 : of_tenant;
}

// The code point at bytes[at], which is in range; length 0 when the byte there begins none.
CodePoint decode(Charset charset, std::string_view bytes, size_t at);

// All of `bytes` as UTF-8, with U+FFFD for each byte that does not decode. `out` has room for decoded_bytes_max();
// gives the bytes written.
size_t decode_into(Charset charset, std::string_view bytes, char* out);
constexpr size_t decoded_bytes_max(size_t bytes) { return bytes * 3; }

bool is_ascii(std::string_view text);
bool decodes_wholly(Charset charset, std::string_view bytes);  // without a U+FFFD

}  // namespace yushi
