// The characters of GB 18030 behind charset.h.
//
// Made by scripts/make-gb18030-table. Stored token filters depend on them: see there before changing one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace yushi::gb18030_table {

constexpr uint32_t kLeads = 0xfe - 0x81 + 1;
constexpr uint32_t kTrails = 190;  // 40…7E, 80…FE
extern const char16_t kTwoBytes[kLeads * kTrails + 1];

// Four-byte codes of the basic plane, by number: runs of neighbouring characters, ascending.
struct Run {
  uint16_t number, code;
};
constexpr uint32_t kFourByteCodes = 39420;
extern const Run kFourBytes[];
extern const size_t kFourByteRuns;

}  // namespace yushi::gb18030_table
