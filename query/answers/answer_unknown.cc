// parsers/unknown: the forms of what no product's parser understood.
#include "core/base/mutex.h"
#include "query/answers/answer.h"
#include "query/answers/answer_scan.h"
#include "query/answers/unknown_lines.h"
#include "query/pipe/query.h"

namespace yushi::query {
namespace {

constexpr size_t kRowsByDefault = 100;

// One for all threads: forms of the same kind must meet.
struct Gathered {
  Mutex mutex;
  SecretMask mask YUSHI_GUARDED_BY(mutex);
  UnknownLines lines YUSHI_GUARDED_BY(mutex);
};

}  // namespace

Result<AnswerEnd> answer_unknown(const Permit& permit, const Asked& asked) {
  const auto& parameters = asked.parameters;
  auto clock = YUSHI_TRY(parameters.clock());
  auto times = YUSHI_TRY(parameters.times(clock));
  auto limit = YUSHI_TRY(parameters.number("limit"));
  auto logs = YUSHI_TRY(parameters.logs(permit, asked.view));
  auto filter = YUSHI_TRY(Filter::parse_kql(unknown_filter(), clock));
  auto found = YUSHI_TRY(plan_scan(asked.view, logs));

  Gathered gathered{{}, SecretMask(asked.secrets), {}};
  auto report = YUSHI_TRY(scan_unordered(
      found.groups, filter, scan_options(asked, times, std::nullopt),
      [&](size_t, const storage::BlockRows& lines) {
        MutexLock lock(gathered.mutex);
        for (auto row : lines.row_of) gathered.lines.add(gathered.mask.mask(lines.batch->records[row]));
        return !asked.cancelled.load();
      },
      asked.cancelled));
  if (asked.cancelled) return asked.so_far();
  MutexLock lock(gathered.mutex);  // the threads are gone
  auto rows = gathered.lines.rows(limit.value_or(kRowsByDefault));
  for (auto& row : rows)
    if (!asked.say(row)) return asked.so_far();
  auto end = end_of(report, found.missing);
  end.records = rows.size();
  end.lines = gathered.lines.lines();
  if (auto rare = gathered.lines.rare())
    end.notes.push_back(std::to_string(rare) + " lines of rare forms are not shown");
  return end;
}

}  // namespace yushi::query
