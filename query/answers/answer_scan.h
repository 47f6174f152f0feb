// What the answers that go through stored records share: what of the store, with which bounds, and how they end.
//
// Threads  As query/answers/answer.h.
// Errors   Of reading the store. Logs whose days cannot be listed are no error: they stand in `missing`.
#pragma once

#include <optional>

#include "query/answers/answer.h"
#include "query/scan/scan.h"

namespace yushi::query {

ScanOptions scan_options(const Asked& asked, const Filter::Times& times, std::optional<uint64_t> limit);

struct ScanPlan {
  std::vector<UnitGroup> groups;
  std::vector<std::string> missing;
};

// Of these logs: the days of their blocks, and their tails. The view must live as long as they.
Result<ScanPlan> plan_scan(const storage::StoreView& view, const std::vector<std::string>& logs);

AnswerEnd end_of(const ScanReport& report, std::vector<std::string> missing);

}  // namespace yushi::query
