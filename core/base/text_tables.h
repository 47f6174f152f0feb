// Unicode tables behind text.h and display.h, in two stages: a page of 256 code points, then the entry.
//
// Made by scripts/make-text-tables. Stored token filters depend on them: see there before changing one.
#pragma once

#include <cstdint>

namespace yushi::text_tables {

constexpr uint32_t kFoldEnd = 0x1ea00;  // no code point from here on folds
extern const uint8_t kFoldPage[];
extern const int32_t kFoldDelta[];
extern const uint8_t kClassPage[];
// bits 0-1: 0 separates, 1 in a word, 2 a token by itself; bits 2-3: columns on a terminal
extern const uint8_t kClass[];

inline uint32_t fold(uint32_t code) {
  if (code >= kFoldEnd) return code;
  return code + static_cast<uint32_t>(kFoldDelta[kFoldPage[code >> 8] << 8 | (code & 0xff)]);
}
inline uint8_t entry(uint32_t code) { return kClass[kClassPage[code >> 8] << 8 | (code & 0xff)]; }
inline int token_class(uint32_t code) { return entry(code) & 3; }
inline int columns(uint32_t code) { return entry(code) >> 2 & 3; }

}  // namespace yushi::text_tables
