// What the answers that go through stored records share: which segments, with which bounds, and how they end.
#pragma once

#include <optional>

#include "query/answer.h"
#include "query/scan.h"

namespace yushi::query {

ScanOptions scan_options(const Asked& asked, const Filter::Times& times, std::optional<uint64_t> limit);

struct Segments {
  std::vector<ScanSegment> segments;
  std::vector<std::string> missing;
};

// Of these logs; the view must live as long as they.
Result<Segments> segments_of(const storage::StoreView& view, const std::vector<std::string>& logs);

AnswerEnd end_of(const ScanReport& report, std::vector<std::string> missing);

}  // namespace yushi::query
