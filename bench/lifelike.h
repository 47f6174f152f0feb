// Records of lifelike lines (bench/flood's mix), understood by our own parsers, in the order in which a committer sees
// reads of eight connections.
#pragma once

#include <cstdint>
#include <memory>

#include "core/record/batch.h"
#include "parsers/parser_set.h"

namespace yushi {

std::shared_ptr<const parsers::ParserSet> our_parsers();  // of the folder `parsers` here

// Until it holds so much of either. The same seed gives the same lines.
std::unique_ptr<Batch> lifelike_batch(const std::shared_ptr<const parsers::ParserSet>& parsers, size_t raw_bytes,
                                      size_t records, uint64_t seed = 1);

}  // namespace yushi
