// What a client sent in a request, as the program that it was meant for would read it.
//
// Attacks are written so that whoever looks for their words does not see them: percent encoding, several times over;
// `%u0027`; HTML entities; `\x27` and `\u0027`, as a log writes what is no plain sign too; UTF-8 that is longer than it
// need be; full-width letters; comments and odd blanks between the words. decode_request() undoes the writing,
// plain_request() what only divides words. Both err towards reading too much: their texts are for rules, never shown as
// what was sent.
//
// Threads  Pure functions.
// Cost     is_odd_target() and is_odd_header() about 0.5 ns a byte: they are asked of every request, the others of odd
//          ones. All are linear in the text.
#pragma once

#include <cstddef>
#include <string_view>

namespace yushi {

// Whether a target, or a part of one, may hold more than names and values: quotes, brackets, escapes of ASCII signs,
// blanks, `..`, `;` or `:` in the query. False for most requests of people and programs, also for those with Chinese
// text in them.
// `in_query`: the text stands behind a target's `?`.
bool is_odd_target(std::string_view target, bool in_query = false);
// The same for a header's text, as User-Agent, in which brackets, blanks and `;` are usual.
bool is_odd_header(std::string_view header);

// The text that is meant, up to kDecodeRounds escapes deep. `plus`: `+` is a blank. UTF-8; blanks stay as they are.
// `out` has room for request_bytes_max(); gives the length.
constexpr int kDecodeRounds = 5;
size_t decode_request(std::string_view text, bool plus, char* out);
constexpr size_t request_bytes_max(size_t bytes) { return 3 * bytes; }

// Of a decoded text: ASCII in lower case, blanks and controls of any kind and comments (`/* … */`) as one blank, what
// MySQL runs of a comment (`/*!50000select*/`) bare. No longer than the text; gives the length.
size_t plain_request(std::string_view decoded, char* out);

}  // namespace yushi
