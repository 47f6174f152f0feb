// The daemon balances its books: what each source sent in a minute = what was committed + what was refused, with
// reason.
//
// Each minute becomes records of the log `_audit`: one of the node, always, and one for each tenant in which something
// moved. A source not named in a minute said nothing; the node record says whether we listened. So "is anything
// missing?" is answered by arithmetic, over crashes too: what a crash kept from being booked is counted from the store
// at the next start.
//
// Threads  Belongs to the committer.
// Memory   One row for each source that moved in the minute; limits.connections and limits.sources bound them.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/event/own_record.h"
#include "core/record/batch.h"
#include "storage/store/known_logs.h"
#include "storage/tail/chunk.h"

namespace yushi::daemon {

class MinuteBook {
 public:
  void count(const storage::PreparedBatch& batch);  // notes and committed records

  struct Committed {
    uint64_t records = 0, bytes = 0;
  };
  using Key = std::pair<LogId, std::string>;
  // At the start of a store that has been written to: the first minute reaches back to the last one booked, and all of
  // it is a gap. `unbooked` is what was committed after that one; how much was read for it, nobody knows any more.
  void resume(std::map<Key, Committed> unbooked);

  // The records of the minute that ends at `to_ns`, and begins the next. `from_ns` is 0 when the store is new.
  std::vector<OwnRecord> close_minute(int64_t from_ns, int64_t to_ns, uint64_t commit, const storage::KnownLogs& logs);

  uint64_t kernel_drops() const { return kernel_drops_; }  // all that were counted, as source_drops()
  uint64_t source_drops() const { return source_drops_; }
  int64_t connections_open() const { return connections_open_; }

 private:
  struct Row {
    Counts notes{};
    Committed committed;
  };
  std::map<Key, Row> rows_, before_crash_;
  bool resumed_ = false;
  std::map<std::string, Row> inputs_;  // what speaks of an input alone
  std::set<std::string> inputs_up_;
  int64_t connections_open_ = 0;
  uint64_t kernel_drops_ = 0, source_drops_ = 0;
};

}  // namespace yushi::daemon
