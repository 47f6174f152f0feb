// parsers/unknown: the forms of what no product's parser understood.
#include <mutex>

#include "query/answer.h"
#include "query/answer_scan.h"
#include "query/query.h"
#include "query/unknown_lines.h"

namespace yushi::query {
namespace {

constexpr size_t kRowsByDefault = 100;

}  // namespace

Result<void> answer_unknown(const Asked& asked) {
  Parameters parameters(asked.question);
  if (auto allowed = parameters.allow({"since", "until", "zone", "limit", "tenant"}); !allowed) return allowed;
  auto clock = YUSHI_TRY(parameters.clock());
  auto times = YUSHI_TRY(parameters.times(clock));
  auto limit = YUSHI_TRY(parameters.number("limit"));
  auto logs = YUSHI_TRY(parameters.logs(asked.view));
  auto filter = YUSHI_TRY(Filter::parse_kql(unknown_filter(), clock));
  auto found = YUSHI_TRY(segments_of(asked.view, logs));

  SecretMask mask(asked.secrets);
  UnknownLines lines;  // one for all threads: forms of the same kind must meet
  std::mutex mutex;
  auto report = scan_unordered(
      found.segments, filter, scan_options(asked, times, std::nullopt),
      [&](size_t, const std::vector<const Record*>& records) {
        std::lock_guard lock(mutex);
        for (auto* record : records) lines.add(mask.mask(*record));
        return !asked.cancelled.load();
      },
      asked.cancelled);
  if (!report) return tl::unexpected(report.error());
  if (asked.cancelled) return {};
  auto rows = lines.rows(limit.value_or(kRowsByDefault));
  for (auto& row : rows)
    if (!asked.say(row)) return {};
  auto end = end_of(*report, found.missing);
  end.records = rows.size();
  end.more["lines"] = lines.lines();
  if (lines.rare()) end.notes.push_back(std::to_string(lines.rare()) + " lines of rare forms are not shown");
  say_end(asked, end);
  return {};
}

}  // namespace yushi::query
