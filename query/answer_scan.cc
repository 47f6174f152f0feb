#include "query/answer_scan.h"

#include <algorithm>
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

Result<ScanPlan> plan_scan(const storage::StoreView& view, const std::vector<std::string>& logs) {
  ScanPlan out;
  for (auto& log : logs) {
    auto all = view.segments(log);
    if (!all) {
      out.missing.push_back("log " + log + ": " + all.error().message);
      continue;
    }
    for (auto& segment : *all) {
      ScanUnit unit;
      unit.log = log;
      unit.summary = segment.summary;
      if (segment.sealed) unit.open = [&view, segment] { return view.open_block(segment); };
      unit.read = [&view, segment = std::move(segment)] { return view.read(segment); };
      out.units.push_back(std::move(unit));
    }
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
