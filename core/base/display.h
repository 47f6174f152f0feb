// Text from strangers on a terminal: how many columns it takes, and how to show it without obeying it.
//
// Log text may hold escape sequences that recolour, retitle or rewrite an auditor's terminal, and characters that make
// two names look the same. Nothing of these is ever sent there as it is. What is printed passes here, whatever its
// form: tables, CSV on a terminal, JSON, errors, the daemon's log. `-o raw` alone does not: it gives the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace yushi {

// Columns of `text` on a terminal, as append_printable() would show it.
size_t display_columns(std::string_view text);

// Bytes of the first character where it shows nothing: a blank of any kind, one that append_printable() would escape,
// or a byte that is not UTF-8. 0 where it is seen, or `text` is empty.
size_t leading_unseen(std::string_view text);

// Appends `text` with every character that cannot be seen, or that changes how others are shown, and every byte that is
// not UTF-8 as \n, \t, \x1b, \u202e or \U000e0041: controls (C0, DEL, C1), format characters (bidi, zero width, tags),
// default ignorables, fillers, noncharacters, and blanks but U+0020 and U+3000, which Chinese text is full of. At most
// `columns_max` columns are taken; text that is longer ends in `…`. Returns the columns taken.
size_t append_printable(std::string& out, std::string_view text, size_t columns_max = ~size_t{0});

// The same of a text of several lines: its line feeds stay, and the last line ends in one.
void append_printable_lines(std::string& out, std::string_view text);

// Appends one line of JSON with the same characters as JSON escapes, which changes no value in it. Bytes that are not
// UTF-8, of which JSON has none, become \ufffd.
void append_printable_json(std::string& out, std::string_view json);

}  // namespace yushi
