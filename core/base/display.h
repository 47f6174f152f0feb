// Text from strangers on a terminal: how many columns it takes, and how to show it without obeying it.
//
// Log text may hold escape sequences that recolour, retitle or rewrite an auditor's terminal. Nothing of it is ever
// sent there as it is: control characters become visible ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace yushi {

// Columns of `text` on a terminal, as append_printable() would show it.
size_t display_columns(std::string_view text);

// Appends `text` with every control character (C0, DEL, C1), line and direction mark (U+2028, U+2029, U+200E, U+200F,
// U+202A to U+202E, U+2066 to U+2069, U+FEFF) and byte that is not UTF-8 shown as \n, \t, \x1b or \u202e. At most
// `columns_max` columns are taken; text that is longer ends in `…`. Returns the columns taken.
size_t append_printable(std::string& out, std::string_view text, size_t columns_max = ~size_t{0});

}  // namespace yushi
