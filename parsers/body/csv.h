// A line of columns -> pairs named by the file's `columns:`; a column without a name there is `column_7` (from 1).
//
// Quotes as in RFC 4180: a value that begins with `"` ends at the quote before a separator, `""` is a quote in it
// (Escape::quotes). Where the file names no separator, the one of `, ; | tab ^ ~` that stands most often outside of
// quotes is taken; of two, the earlier in this list.
//
// Cost  One pass, two where the separator is found.
#pragma once

#include <string>
#include <vector>

#include "parsers/body/body_pairs.h"

namespace yushi::parsers {

struct CsvShape {
  std::vector<std::string> columns;  // empty: the value is left out
  std::string separator;             // empty: found
};

// Returns how many columns there were. Offsets count from text's beginning.
size_t read_csv(std::string_view text, size_t begin, size_t end, const CsvShape& shape, BodyPairs& pairs);

}  // namespace yushi::parsers
