// How that what a search reads before a block lies in the store, for whoever writes a block: its head, its words, and
// what it adds to the head of its day. FORMAT.md: "Keys and values".
#pragma once

#include <cstdint>
#include <string>

#include "core/base/result.h"
#include "storage/block/block.h"
#include "storage/db/database.h"

namespace yushi::storage {

// In the write that has the block.
void put_summary(Write& write, const Database& database, uint32_t store_day, const std::string& log,
                 const BlockSummary& summary);
// The same for a block that is new: counts it into the head of its day. One block a log in one write.
Result<void> add_summary(Write& write, const Database& database, uint32_t store_day, const std::string& log,
                         const BlockSummary& summary);

}  // namespace yushi::storage
