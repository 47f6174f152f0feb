// What a request's target says: its parts, and the one plain text that its escapes stand for.
//
// Logs hold targets in every form: `/a?b`, `http://h:8080/a?b` (to a proxy), `h:443` (CONNECT), `GET /a HTTP/1.1`,
// `//a`, and what no browser would send. The parts of a record's URL are derived from it and stored nowhere
// (core/record/url_fields.h).
//
// Threads  Pure functions.
#pragma once

#include <cstddef>
#include <string_view>

namespace yushi {

// Views into the text; empty where there is none. By RFC 3986 as far as the text allows, and forgiving beyond: whatever
// stands behind the authority is path and query. `//a` is a path, as in a request line, not an authority.
struct UrlParts {
  std::string_view scheme, domain, port, path, query;
  std::string_view extension() const;  // of the path's last segment, without the dot
};
UrlParts split_url(std::string_view text);

// The text that is meant: `%41` and `%u0041` are A, also escaped once more (`%2541`, three rounds), a UTF-8 sequence
// that is longer than it need be (`%c0%af`) is its character, `+` behind the first `?` is a blank. Bytes that are no
// UTF-8 become U+FFFD. A text with neither `%` nor `+` is itself, raw bytes and all. `out` has room for
// url_decoded_bytes_max(); gives the length.
size_t decode_url(std::string_view text, char* out);
constexpr size_t url_decoded_bytes_max(size_t bytes) { return 3 * bytes; }

// Of bytes that were put together of escapes: overlong sequences as their characters, what is no UTF-8 as U+FFFD. In
// place; `room` is at least three times the size. Gives the new one.
size_t mend_utf8(char* text, size_t size, size_t room);

// The last segment of a path of either kind: "/usr/sbin/sshd", "C:\Windows\cmd.exe". Empty when there is none.
std::string_view last_segment(std::string_view path);

}  // namespace yushi
