// Bytes of a tenant's charset -> UTF-8, for what people read; the store keeps the bytes.
//
// Threads  One owner. Errors: none; a byte that does not decode becomes U+FFFD.
#pragma once

#include <string>
#include <string_view>

namespace yushi {

class CharsetDecoder {
 public:
  CharsetDecoder() = default;
  ~CharsetDecoder();
  CharsetDecoder(const CharsetDecoder&) = delete;
  CharsetDecoder& operator=(const CharsetDecoder&) = delete;

  // Appends `text` decoded; false, and nothing appended, when `charset` is UTF-8, empty or unknown to libc.
  bool append(std::string_view charset, std::string_view text, std::string& out);

 private:
  std::string charset_;      // that of handle_, which may be none
  void* handle_ = nullptr;   // iconv_t
};

}  // namespace yushi
