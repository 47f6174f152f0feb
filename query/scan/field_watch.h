// Which of the fields that a question names no record has: what tells a misspelt name from nothing found.
//
// Looks along with the scan: a tail that is read is looked through for the fields not seen yet, and of a sealed block
// the names of its fields are looked at. What the scan had no reason to read is looked at when the answer is there, and
// only for fields that nobody saw; of many units the newest. A note says no more than was looked at.
//
// Threads  The readers that watch() puts into units may run on any thread; notes() when they are done.
// Memory   The names of the question (at most 64 are watched) and a few words each.
// Cost     Of a field that is there, a look at the first records that lack it. Of one that is in no record, a visit of
//          each record read, about 50 ns, and one answer of field_names() for each of at most 64 units.
#pragma once

#include <atomic>
#include <deque>
#include <string>
#include <vector>

#include "core/base/mutex.h"
#include "core/base/nearest_name.h"
#include "query/pipe/query.h"
#include "query/scan/scan.h"

namespace yushi::query {

class FieldWatch {
 public:
  // `options` says the time asked; a filter's own is added. `place`: "tenant finance" where not all were asked, else
  // empty.
  FieldWatch(const Query& query, const ScanOptions& options, std::string place);

  // Lets the readers of the groups' units look along. Both must live until notes() was called.
  void watch(std::vector<UnitGroup>& groups);

  // In words, one for each field. A name that no record can have (may_be_field) is always told, and one that a pipe
  // asks for; one of the filter's only when it found nothing.
  std::vector<std::string> notes(const std::vector<UnitGroup>& groups, bool found_nothing,
                                 const std::atomic<bool>& cancelled);

 private:
  struct Watched {
    explicit Watched(std::string of, bool by_pipe);
    const std::string name;
    const Field* const field;
    const bool is_known;
    const bool is_of_pipe;
    std::atomic<bool> seen{false};
  };
  void add(const std::string& name, bool is_of_pipe);
  void add_all(const Expression& expression, bool is_of_pipe);
  struct UnitId {
    size_t group, number;
    uint64_t records;  // that may lie in the time asked
  };
  void watch(ScanUnit& unit, UnitId id);
  void look(const UnitId& unit, const Batch& batch) YUSHI_EXCLUDES(mutex_);
  void look(const UnitId& unit, const std::vector<std::string>& names) YUSHI_EXCLUDES(mutex_);
  void look_at(const UnitId& unit) YUSHI_REQUIRES(mutex_);
  void offer(const std::vector<std::string>& names) YUSHI_EXCLUDES(mutex_);  // what a misspelt name may have meant

  int64_t from_ns_, to_ns_;
  bool all_times_;
  std::string place_;
  std::deque<Watched> watched_;
  Mutex mutex_;
  std::vector<NearestName> nearest_ YUSHI_GUARDED_BY(mutex_);  // by watched_
  // By group.
  struct Looked {
    std::vector<bool> units;  // by number
    uint64_t count = 0;
  };
  std::vector<Looked> looked_ YUSHI_GUARDED_BY(mutex_);
  uint64_t records_looked_at_ YUSHI_GUARDED_BY(mutex_) = 0;
};

}  // namespace yushi::query
