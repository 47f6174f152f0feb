// How readers of the store make fields of raw messages again: the parsers stand above storage, and give it a function.
#pragma once

#include <cstdint>
#include <functional>

#include "core/base/result.h"
#include "core/record/batch.h"
#include "storage/block/parse_context.h"

namespace yushi::storage {

// Parses the records of a batch again, with the version and zone they were committed with. Any thread.
// Of a context of another engine the fields are those that `engine` gives: not always the same.
struct Reparse {
  uint32_t engine = 0;  // version of the parser engine behind `parse`
  std::function<Result<void>(Batch&, const ParseContext&)> parse;
};

}  // namespace yushi::storage
