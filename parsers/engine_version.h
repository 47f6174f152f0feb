// The version of the program's own part in what a message's fields are.
//
// A record's fields depend on the parser files, which the store keeps by digest, and on this folder's code: header
// reader, readers of key=value and JSON, pattern engine, types, times, charsets. The store keeps this number beside the
// digest. `verify` gives the fields again only where the number is today's, and says what it did not compare elsewhere.
//
// RAISE IT BY ONE with every change after which any field of any message may differ though the parser files are the
// same, a repaired mistake too; also when a library below (RE2, simdjson) reads otherwise. Not for speed, for errors in
// parser files, for new syntax that was refused before. tests/unit/parsers/engine_version_test.cc holds the fields of
// many messages to it.
#pragma once

#include <cstdint>

namespace yushi::parsers {

constexpr uint32_t kParserEngine = 8;

}  // namespace yushi::parsers
