// Goes through units of stored records and finds those that match, in the order (@timestamp, log, index).
//
// A unit is what is read at one go: a segment of the store, or the events of some (events.h). Its summary is looked at
// first: its time ranges and then its token filter say whether it can be left alone. Units are read in the order of
// their nearest end, so that the first records can be given before the last units are read, and a search for the newest
// hundred ends early. They come in groups, of which times are known too: one is opened when the scan comes to it
// (unit_queue.h), so that nobody looks at what lies behind the hundred.
//
// Invariants  What is given is exactly what a look at every record would give; a unit that could not be read, or a
//             group that could not be opened, is named in the report, and is_complete() is then false.
// Cost        Of a sealed unit first what the filter asks for, once for records that are alike in it; then what the
//             asker asks of those that match.
// Memory      The units of open groups, one decoded unit a thread, and what was rendered but cannot be given yet,
//             packed (waiting_hits.h), up to bytes_max. Where more than that has to wait (units whose times overlap, a
//             reader that is slower than we) the furthest is let go and found again by another pass: it costs time,
//             never order and never the answer.
// Threads     scan() runs `threads` of its own; render() is called by them, take() by the caller's thread only. While a
//             thread holds a unit, and with it a place of the pool, it waits for the reader of the answer for a
//             second in all, also where he takes a hit now and then; then it lets go of the unit, to read it again
//             later.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/filter/filter.h"
#include "core/record/batch.h"
#include "query/budget.h"
#include "storage/block/block.h"

namespace yushi::query {

struct ScanUnit {
  std::string log;
  storage::BlockSummary summary;  // without its words; without times nothing is held back by it
  // Asked when time has left the unit, and before it is read. Not there, or empty: nothing is held back.
  std::function<std::string()> token_filter;
  std::function<Result<std::unique_ptr<Batch>>()> read;
  // Not there: of a tail, which is read whole.
  std::function<Result<std::unique_ptr<storage::BlockReader>>()> open;
};

// Units that are found together: those that one log sealed on one store day, or its tail.
struct UnitGroup {
  std::string name;                                     // "log finance, store day 20420"
  uint64_t units = 0;                                   // that there are
  std::vector<storage::TimeRange> event_times;          // of all of them; none: not known
  std::function<Result<std::vector<ScanUnit>>()> open;  // always the same units; on any thread, by one at a time
};

struct RecordKey {
  int64_t event_ns = 0;
  std::string log;
  uint64_t index = 0;
  auto operator<=>(const RecordKey&) const = default;
};

struct ScanOptions {
  int64_t from_ns = std::numeric_limits<int64_t>::min();  // --since; of @timestamp, both inclusive
  int64_t to_ns = std::numeric_limits<int64_t>::max();    // --until
  size_t limit = std::numeric_limits<size_t>::max();      // stop after so many
  bool newest_first = true;
  std::optional<RecordKey> begin;  // what comes before it in the scan's order is not wanted; scan() only
  int threads = 2;
  size_t bytes_max = 64 << 20;
  // What the asker looks at of each record (asked_fields.h), and whether at its @timestamp; nullopt: all of it.
  std::optional<std::vector<std::string>> fields;
  bool times = false;         // @timestamp, which need not be among them
  QueryPool* pool = nullptr;  // whose places to read are taken; none: there is always one
};

struct ScanReport {
  uint64_t blocks = 0;  // units that there are, as their groups say
  uint64_t blocks_read = 0;
  uint64_t records_found = 0;  // given; less than match when a limit stopped the scan
  size_t bytes_held_max = 0;   // of what waited to be given
  bool cancelled = false;
  std::vector<std::string> missing;  // "finance/1024: why", sorted
  bool is_complete() const { return missing.empty() && !cancelled; }
};

struct ScanHit {
  RecordKey key;
  std::string rendered;
};

// Renders a record that will probably be given; called by several threads at once, each with a Scratch of its own.
using Render = std::function<void(const Record& record, Scratch& scratch, std::string& out)>;
// Takes hits in order; false ends the scan (the asker went away, or has enough).
using TakeHit = std::function<bool(ScanHit&& hit)>;

Result<ScanReport> scan(const std::vector<UnitGroup>& groups, const Filter& filter, const ScanOptions& options,
                        const Render& render, const TakeHit& take, const std::atomic<bool>& cancelled);

// The same without an order, for stages that need none: visit() gets all matching records of a unit at once, on
// thread number 0..threads-1, those that are alike in `fields` as one row; false ends the scan. `limit` is not looked
// at.
using Visit = std::function<bool(size_t thread, const storage::BlockRows& found)>;
Result<ScanReport> scan_unordered(const std::vector<UnitGroup>& groups, const Filter& filter,
                                  const ScanOptions& options, const Visit& visit, const std::atomic<bool>& cancelled);

// Whether a unit with this token filter can hold a match at all.
bool may_hold_match(std::string_view token_filter, const Filter& filter);

}  // namespace yushi::query
