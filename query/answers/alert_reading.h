// What the answers about alerts and about stories have in common.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/result.h"
#include "core/event/alert.h"
#include "query/answers/answer.h"
#include "storage/read/record_reader.h"

namespace yushi::query {

constexpr size_t kAlertsMissingMax = 1000;  // that could not be read, each named in the answer

// Of the parameter `severity`.
Result<Severity> least_severity(const Parameters& parameters);

// The alert that an entry of the index names; corrupt when the record there is none.
Result<Alert> read_alert(storage::RecordReader& reader, uint64_t index, std::string_view* raw);

// No alert before this index of `_audit` was raised after `from_ns`.
uint64_t first_index_of(const storage::StoreView& view, int64_t from_ns);

}  // namespace yushi::query
