// `parser_bench --library N`: what a set of N parsers costs a line, and what it costs to load and to keep.
#pragma once

#include <cstddef>
#include <string>

// 0 parsers: all of the library, as it is. Where the library has fewer, copies of its files with other names, programs
// and beginnings make up the number. Prints what they cost over the lines of bench/flood, which are the same for each
// number, and over each known line of the parsers themselves: of a large library these find the processor's caches
// cold; false, and the reason on stderr, when the set cannot be loaded.
bool print_library_costs(const std::string& directory, size_t parsers);
