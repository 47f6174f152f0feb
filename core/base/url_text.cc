#include "core/base/url_text.h"

#include <cstdint>
#include <cstring>

#include "core/base/text.h"

namespace yushi {
namespace {

constexpr int kRoundsMax = 3;
constexpr size_t kExtensionMax = 16;

bool is_ascii_letter(char c) { return static_cast<unsigned>((c | 0x20) - 'a') < 26; }
bool is_ascii_digit(char c) { return static_cast<unsigned>(c - '0') < 10; }

unsigned hex(char c) {
  if (is_ascii_digit(c)) return static_cast<unsigned>(c - '0');
  const unsigned letter = static_cast<unsigned>((c | 0x20) - 'a');
  return letter < 6 ? letter + 10 : 16;
}

// Digits at `at`, `count` of them; UINT32_MAX when they are none.
uint32_t hex_number(std::string_view text, size_t at, size_t count) {
  if (text.size() < at + count) return UINT32_MAX;
  uint32_t value = 0;
  for (size_t i = at; i < at + count; ++i) {
    const unsigned digit = hex(text[i]);
    if (digit > 15) return UINT32_MAX;
    value = value * 16 + digit;
  }
  return value;
}

// host:port, user@host, [2001:db8::1]:80
void split_authority(std::string_view text, UrlParts& parts) {
  if (const auto at = text.rfind('@'); at != text.npos) text.remove_prefix(at + 1);
  size_t host_to = text.size();
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close != text.npos) host_to = close + 1;
  } else if (const auto colon = text.rfind(':'); colon != text.npos) {
    host_to = colon;
  }
  parts.domain = text.substr(0, host_to);
  if (parts.domain.starts_with('[') && parts.domain.ends_with(']'))
    parts.domain = parts.domain.substr(1, parts.domain.size() - 2);
  if (host_to < text.size() && text[host_to] == ':') {
    const auto port = text.substr(host_to + 1);
    if (port.size() <= 5 && port.find_first_not_of("0123456789") == port.npos) parts.port = port;
  }
}

// Before a path and without a scheme, as firewalls write URLs: `www.example.com/a`, but not `index.php/a`.
bool is_name_of_host(std::string_view text) {
  const auto dot = text.rfind('.');
  if (dot == text.npos || dot == 0) return false;
  const auto last = text.substr(dot + 1);
  for (std::string_view page :
       {"php", "html", "htm", "shtml", "asp", "aspx", "jsp",  "jspx", "do",   "action", "cgi", "pl",
        "py",  "js",   "css", "txt",   "xml", "json", "php5", "ashx", "asmx", "dll",    "exe", "sh"})
    if (last == page && !text.starts_with("www.")) return false;
  return last.size() >= 2 || is_ascii_digit(text[0]);
}

void split_path(std::string_view text, UrlParts& parts) {
  text = text.substr(0, text.find('#'));
  const auto mark = text.find('?');
  parts.path = text.substr(0, mark);
  if (mark != text.npos) parts.query = text.substr(mark + 1);
}

// One round; the length.
size_t decode_once(std::string_view text, bool plus, char* out) {
  char* to = out;
  bool query = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '?') query = true;
    if (c == '+' && plus && query) {
      *to++ = ' ';
    } else if (c != '%') {
      *to++ = c;
    } else if (const auto byte = hex_number(text, i + 1, 2); byte != UINT32_MAX) {
      *to++ = static_cast<char>(byte);
      i += 2;
    } else if (i + 1 < text.size() && (text[i + 1] | 0x20) == 'u' && hex_number(text, i + 2, 4) != UINT32_MAX) {
      uint32_t code = hex_number(text, i + 2, 4);
      i += 5;
      if (code >= 0xd800 && code < 0xdc00 && i + 2 < text.size() && text[i + 1] == '%' && (text[i + 2] | 0x20) == 'u')
        if (const auto low = hex_number(text, i + 3, 4); low >= 0xdc00 && low < 0xe000) {
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
          i += 6;
        }
      if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
      to += put_utf8(code, to);
    } else {
      *to++ = c;
    }
  }
  return static_cast<size_t>(to - out);
}

// Of the overlong sequence at `at` the character and the bytes; 0 bytes when it is none. Only ASCII is hidden so.
size_t overlong(std::string_view text, size_t at, char* c) {
  const auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u; };
  const auto is_tail = [&](size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned first = byte(0);
  if ((first == 0xc0 || first == 0xc1) && is_tail(1)) {
    *c = static_cast<char>((first & 1) << 6 | (byte(1) & 0x3f));
    return 2;
  }
  if (first == 0xe0 && (byte(1) == 0x80 || byte(1) == 0x81) && is_tail(2)) {
    *c = static_cast<char>((byte(1) & 1) << 6 | (byte(2) & 0x3f));
    return 3;
  }
  if (first == 0xf0 && byte(1) == 0x80 && (byte(2) == 0x80 || byte(2) == 0x81) && is_tail(3)) {
    *c = static_cast<char>((byte(2) & 1) << 6 | (byte(3) & 0x3f));
    return 4;
  }
  return 0;
}

// Overlong sequences as their characters, what is no UTF-8 as U+FFFD; from `text` into `out`, which is another place.
size_t as_utf8(std::string_view text, char* out) {
  char* to = out;
  for (size_t at = 0; at < text.size();) {
    char c;
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      *to++ = text[at++];
    } else if (const auto bytes = overlong(text, at, &c)) {
      *to++ = c;
      at += bytes;
    } else if (const auto point = decode_utf8(text, at); point.length != 0) {
      to += text.copy(to, point.length, at);
      at += point.length;
    } else {
      to += put_utf8(0xfffd, to);
      ++at;
    }
  }
  return static_cast<size_t>(to - out);
}

}  // namespace

std::string_view UrlParts::extension() const {
  const auto name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  const auto dot = name.rfind('.');
  if (dot == name.npos || dot == 0) return {};
  const auto out = name.substr(dot + 1);
  if (out.empty() || out.size() > kExtensionMax) return {};
  for (char c : out)
    if (!is_ascii_letter(c) && !is_ascii_digit(c)) return {};
  return out;
}

UrlParts split_url(std::string_view text) {
  UrlParts parts;
  while (text.starts_with(' ')) text.remove_prefix(1);
  // "GET /a HTTP/1.1", the request line as a whole
  size_t method = 0;
  while (method < text.size() && text[method] >= 'A' && text[method] <= 'Z' && method < 20) ++method;
  if (method >= 3 && method < text.size() && text[method] == ' ') {
    text.remove_prefix(method + 1);
    if (const auto version = text.rfind(" HTTP/"); version != text.npos) text = text.substr(0, version);
  }
  size_t scheme = 0;
  if (!text.empty() && is_ascii_letter(text[0]))
    while (scheme < text.size() && (is_ascii_letter(text[scheme]) || is_ascii_digit(text[scheme]) ||
                                    text[scheme] == '+' || text[scheme] == '.' || text[scheme] == '-'))
      ++scheme;
  if (scheme > 0 && text.substr(scheme).starts_with("://")) {
    parts.scheme = text.substr(0, scheme);
    text.remove_prefix(scheme + 3);
    const auto to = text.find_first_of("/?#\\");
    split_authority(text.substr(0, to), parts);
    if (to != text.npos) split_path(text.substr(to), parts);
    return parts;
  }
  if (text.starts_with('/') || text.starts_with('?') || text.starts_with('*')) {
    split_path(text, parts);
    return parts;
  }
  // "h.example:443" of CONNECT, "h.example/a"
  const auto to = text.find_first_of("/?#");
  const auto authority = text.substr(0, to);
  UrlParts of_host;
  split_authority(authority, of_host);
  bool is_host =
      !of_host.domain.empty() && (!of_host.port.empty() || (to != text.npos && is_name_of_host(of_host.domain)));
  for (char c : of_host.domain)
    is_host &= is_ascii_letter(c) || is_ascii_digit(c) || c == '.' || c == '-' || c == ':' || c == '_';
  if (!is_host) {
    split_path(text, parts);
    return parts;
  }
  parts = of_host;
  if (to != text.npos) split_path(text.substr(to), parts);
  return parts;
}

size_t decode_url(std::string_view text, char* out) {
  // Each round makes it no longer; U+FFFD of a byte that stood unescaped is the last one's.
  size_t size = text.copy(out, text.size());
  for (int round = 0; round < kRoundsMax; ++round) {
    if (std::memchr(out, '%', size) == nullptr && (round > 0 || std::memchr(out, '+', size) == nullptr)) break;
    const size_t now = decode_once({out, size}, round == 0, out);  // in place: it writes behind what it has read
    if (now == size && round > 0) break;
    size = now;
  }
  bool ascii = true;
  for (size_t i = 0; i < size; ++i) ascii &= static_cast<unsigned char>(out[i]) < 0x80;
  return ascii ? size : mend_utf8(out, size, url_decoded_bytes_max(text.size()));
}

size_t mend_utf8(char* text, size_t size, size_t room) {
  // The end of the room, so that the front is free to grow.
  char* behind = text + room - size;
  std::memmove(behind, text, size);
  // as_utf8() gives at most three bytes for each it reads, and reads on before it could reach them.
  return as_utf8({behind, size}, text);
}

std::string_view last_segment(std::string_view path) {
  const auto at = path.find_last_of("/\\");
  return at == path.npos ? path : path.substr(at + 1);
}

}  // namespace yushi
