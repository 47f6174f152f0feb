#include "query/scan/arrivals.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace yushi::query {

Arrivals::Arrivals(const storage::StoreView& view, const Filter& filter, const ScanOptions& options, size_t bytes_max,
                   const std::atomic<bool>& cancelled)
    : view_(view), filter_(filter), options_(options), bytes_max_(bytes_max), cancelled_(cancelled) {
  auto times = filter.times();
  from_ns_ = std::max(times.from_ns, options.from_ns);
  to_ns_ = std::min(times.to_ns, options.to_ns);
}

void Arrivals::add(const std::string& log, uint64_t from_index) {
  auto head = view_.head(log);
  if (!head) {
    missing_.push_back("log " + log + ": " + head.error().message);
    return;
  }
  Log added;
  added.name = log;
  added.next = from_index;
  added.size = head->size;
  logs_.push_back(std::move(added));
}

const Record* Arrivals::next() {
  Log* first = nullptr;
  for (Log& log : logs_) {
    if (!log.found) find(log);
    if (cancelled_) return nullptr;
    if (log.found && (!first || std::tie(log.commit, log.name) < std::tie(first->commit, first->name))) first = &log;
  }
  if (!first) return nullptr;
  first->found = false;
  if (!first->batch && !read(*first)) {  // it was let go, and cannot be had again
    first->next = first->segment->summary.first_index + first->segment->summary.records;
    return next();
  }
  return &first->batch->records[first->next++ - first->segment->summary.first_index];
}

void Arrivals::let_go() {
  for (Log& log : logs_) {
    log.batch.reset();
    log.bytes = 0;
  }
}

// The next record of the log that matches, and its commit.
void Arrivals::find(Log& log) {
  while (log.next < log.size && !cancelled_) {
    auto end = log.segment ? log.segment->summary.first_index + log.segment->summary.records : 0;
    if (log.next >= end) {
      log.batch.reset();
      log.bytes = 0;
      log.segment.reset();
      auto segment = view_.segment_at(log.name, log.next);
      if (!segment || !*segment) {
        missing_.push_back("log " + log.name + " from record " + std::to_string(log.next) +
                           " on: " + (segment ? "it is not in the store" : segment.error().message));
        log.next = log.size;
        return;
      }
      log.segment = std::move(**segment);
      ++blocks_;
      end = log.segment->summary.first_index + log.segment->summary.records;
      if (!storage::overlaps(log.segment->summary.event_times, from_ns_, to_ns_) ||
          !may_hold_match(view_.token_filter(*log.segment), filter_)) {
        log.next = end;
        continue;
      }
    }
    if (!log.batch && !read(log)) {
      log.next = end;
      continue;
    }
    for (; log.next < std::min(end, log.size) && !cancelled_; ++log.next) {
      auto& record = log.batch->records[log.next - log.segment->summary.first_index];
      if (!is_wanted(record)) continue;
      log.found = true;
      log.commit = record.origin->commit;
      return;
    }
  }
}

bool Arrivals::read(Log& log) {
  ReadTurn turn(options_.pool, [this] { return cancelled_.load(); });
  if (cancelled_) return false;
  auto batch = view_.read(*log.segment);
  if (batch && (*batch)->records.size() != log.segment->summary.records) {
    batch = fail(Code::corrupt, "it has another number of records than its summary says");
  }
  if (!batch) {
    missing_.push_back(log.name + "/" + std::to_string(log.segment->summary.first_index) + ": " +
                       batch.error().message);
    return false;
  }
  log.batch = std::move(*batch);
  log.bytes = log.batch->bytes + log.batch->arena.bytes() + log.batch->records.size() * sizeof(Record);
  ++blocks_read_;
  make_room(log);
  return true;
}

// What comes last is let go first.
void Arrivals::make_room(const Log& kept) {
  size_t bytes = 0;
  for (Log& log : logs_) bytes += log.bytes;
  while (bytes > bytes_max_) {
    Log* last = nullptr;
    for (Log& log : logs_) {
      if (&log != &kept && log.batch && (!last || log.commit > last->commit)) last = &log;
    }
    if (!last) return;
    bytes -= last->bytes;
    last->batch.reset();
    last->bytes = 0;
  }
}

bool Arrivals::is_wanted(const Record& record) {
  scratch_.clear();
  return record.event_ns >= from_ns_ && record.event_ns <= to_ns_ && filter_.matches(record, scratch_);
}

}  // namespace yushi::query
