// How readers of the store make fields of raw messages again: the parsers stand above storage, and give it a function.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

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

// The records as they came, understood again: what is derived of them comes from raw and origin alone. They take origin
// and raw's bytes from a batch of their own and of `records`, which must outlive it. An error is that of `parse`.
Result<std::unique_ptr<Batch>> parse_again(std::span<const Record> records, const ParseContext& how,
                                           const Reparse& reparse);

}  // namespace yushi::storage
