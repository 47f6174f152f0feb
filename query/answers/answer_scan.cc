#include "query/answers/answer_scan.h"

#include <algorithm>
#include <memory>
#include <thread>

namespace yushi::query {

ScanOptions scan_options(const Asked& asked, const Filter::Times& times, std::optional<uint64_t> limit) {
  ScanOptions options;
  options.pool = &asked.budget.pool();
  options.from_ns = times.from_ns;
  options.to_ns = times.to_ns;
  options.threads = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, 8u));
  if (limit) options.limit = static_cast<size_t>(*limit);
  return options;
}

namespace {

using Segments = std::shared_ptr<const std::vector<storage::Segment>>;

ScanUnit unit_of(const storage::StoreView& view, const Segments& segments, size_t i) {
  const auto& segment = (*segments)[i];
  ScanUnit unit;
  unit.log = segment.log;
  unit.summary = segment.summary;
  unit.read = [&view, segments, i] { return view.read((*segments)[i]); };
  if (!segment.sealed) return unit;
  unit.token_filter = [&view, segments, i] { return view.token_filter((*segments)[i]); };
  unit.open = [&view, segments, i] { return view.open_block((*segments)[i]); };
  return unit;
}

std::vector<ScanUnit> units_of(const storage::StoreView& view, const Segments& segments) {
  std::vector<ScanUnit> out;
  for (size_t i = 0; i < segments->size(); ++i) out.push_back(unit_of(view, segments, i));
  return out;
}

}  // namespace

Result<ScanPlan> plan_scan(const storage::StoreView& view, const std::vector<std::string>& logs) {
  ScanPlan out;
  for (auto& log : logs) {
    auto outline = view.outline(log);
    if (!outline) {
      out.missing.push_back("log " + log + ": " + outline.error().message);
      continue;
    }
    for (auto& [day, head] : outline->days) {
      auto open = [&view, log, day = day]() -> Result<std::vector<ScanUnit>> {
        auto blocks = YUSHI_TRY(view.blocks(log, day));
        return units_of(view, std::make_shared<const std::vector<storage::Segment>>(std::move(blocks)));
      };
      out.groups.push_back(
          {"log " + log + ", store day " + std::to_string(day), head.blocks, head.event_times, std::move(open)});
    }
    if (outline->tail.empty()) continue;
    auto tail = std::make_shared<const std::vector<storage::Segment>>(std::move(outline->tail));
    out.groups.push_back({"the tail of log " + log, tail->size(), {}, [&view, tail]() -> Result<std::vector<ScanUnit>> {
                            return units_of(view, tail);
                          }});
  }
  return out;
}

AnswerEnd end_of(const ScanReport& report, std::vector<std::string> missing) {
  AnswerEnd end;
  end.records = report.records_found;
  end.blocks = report.blocks;
  end.blocks_read = report.blocks_read;
  end.missing = report.missing;
  end.missing.insert(end.missing.end(), missing.begin(), missing.end());
  return end;
}

}  // namespace yushi::query
