// The `stats` stage: records -> one row for each group.
//
// Invariants  Order of records and number of threads do not change the answer (sums of real numbers aside, in the last
//             bits).
// Memory      At most that of the StatsRoom, counted roughly; more groups or distinct values than that fail the
//             query with `exhausted`, they are never left out silently.
// Threads     One thread fills one Stats; merge() joins them.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"
#include "core/filter/secret_mask.h"
#include "query/pipe/query.h"
#include "query/pipe/row.h"
#include "storage/block/block.h"

namespace yushi::query {

// What all Stats of one query may hold together.
struct StatsRoom {
  explicit StatsRoom(size_t most) : bytes_max(most) {}
  bool is_exhausted() const { return bytes > bytes_max; }
  const size_t bytes_max;
  std::atomic<size_t> bytes{0};
};

class Stats {
 public:
  Stats(const StatsStage& stage, std::shared_ptr<const Zone> zone, std::shared_ptr<StatsRoom> room);

  // Whether a stage asks for @timestamp, and if so, whether for no more than which bins it is in, the first and the
  // last.
  enum class TimeAsked : uint8_t { no, by_span, each };
  static TimeAsked time_asked(const StatsStage& stage);

  // What was found of a unit; with times, when they are asked for.
  void add(const storage::BlockRows& found, SecretMask& mask, Scratch& scratch);
  void merge(Stats&& other);
  // Columns are the keys, then the functions; rows ascend by their keys, what is missing last.
  Result<Table> finish();
  // What the asker should know of columns that stay empty; ask before finish().
  std::vector<std::string> notes() const;

 private:
  struct Sum {
    int64_t count = 0;  // of values taken in
    __int128 integers = 0;
    double reals = 0;
    bool has_reals = false;
    Cell least, greatest;
    std::set<std::string> distinct;
  };
  struct Group {
    Row key;
    std::vector<Sum> sums;
  };
  // `count` records like this one. 0: no more than its least and its greatest values are taken in.
  void add(const Record& record, uint64_t count, Scratch& scratch);
  std::pair<int64_t, int64_t> span_around(int64_t event_ns) const;
  Group* known_group(const Record& record, Scratch& scratch);
  void add_to(Group& group, const Record& record, uint64_t count, Scratch& scratch);
  Cell result(const Aggregate& aggregate, const Sum& sum) const;

  StatsStage stage_;
  std::vector<const Field*> key_fields_, value_fields_;
  std::shared_ptr<const Zone> zone_;
  std::unordered_map<std::string, Group> groups_;
  // Of a record whose keys have a value each, or none: by these as they stand in it. Most records are of a group that
  // was met before, and its cells need not be made again.
  std::unordered_map<std::string, Group*> by_values_;
  std::string values_;  // of the record in hand; empty: some key has several
  static constexpr size_t kKnownValuesMax = 65'536;
  TimeAsked time_asked_ = TimeAsked::no;
  std::vector<std::pair<int64_t, int64_t>> bins_;  // of each key: what is known to be of the bin met last
  std::shared_ptr<StatsRoom> room_;
  std::vector<char> has_other_values_;  // of each function: sum and avg came upon what is no number
};

// All values of a field of a record.
Cell cell_of(const Record& record, const Field* field, std::string_view name, Scratch& scratch);
// The begin of the span of `bin_ns` that holds an instant. Spans shorter than a day count from each midnight of `zone`,
// in time that passes, and the last of a day ends at the next; longer ones are of the calendar. So no two overlap, also
// where the clock is changed.
int64_t bin_start(int64_t unix_ns, int64_t bin_ns, const Zone& zone);

}  // namespace yushi::query
