#include "core/record/charset.h"

#include <cerrno>

#include <iconv.h>
#include <strings.h>

namespace yushi {

CharsetDecoder::~CharsetDecoder() {
  if (handle_) iconv_close(handle_);
}

bool CharsetDecoder::append(std::string_view charset, std::string_view text, std::string& out) {
  if (charset != charset_) {
    if (handle_) iconv_close(handle_);
    handle_ = nullptr;
    charset_ = charset;
    if (!charset_.empty() && strcasecmp(charset_.c_str(), "utf-8") != 0 && strcasecmp(charset_.c_str(), "utf8") != 0) {
      handle_ = iconv_open("UTF-8", charset_.c_str());
      if (handle_ == reinterpret_cast<iconv_t>(-1)) handle_ = nullptr;
    }
  }
  if (!handle_) return false;
  iconv(handle_, nullptr, nullptr, nullptr, nullptr);
  char* in = const_cast<char*>(text.data());  // iconv only reads it
  size_t left = text.size();
  char buffer[1024];
  while (left) {
    char* to = buffer;
    size_t room = sizeof buffer;
    size_t result = iconv(handle_, &in, &left, &to, &room);
    int error = errno;
    out.append(buffer, to);
    if (result != static_cast<size_t>(-1) || error == E2BIG) continue;
    out += "\xef\xbf\xbd";  // EILSEQ, or EINVAL at the end
    ++in;
    --left;
  }
  return true;
}

}  // namespace yushi
