// Records of several logs from given indexes on, as they were committed: what `after` and following give.
//
// Order    That of the commits; within one, by log and index.
// Memory   One decoded segment, and those of other logs beside it as far as they fit into `bytes_max`; what was let go
//          is read again when its turn comes. Nothing after let_go().
// Threads  One owner. The view must outlive it.
// Errors   A segment that cannot be read is left out and stands in missing().
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/filter/filter.h"
#include "query/scan/scan.h"
#include "storage/read/view.h"

namespace yushi::query {

class Arrivals {
 public:
  // Of `options` the times and the pool are looked at.
  Arrivals(const storage::StoreView& view, const Filter& filter, const ScanOptions& options, size_t bytes_max,
           const std::atomic<bool>& cancelled);
  void add(const std::string& log, uint64_t from_index);

  // The next record that matches; valid until the next call. nullptr: there is none, or the question was cancelled.
  const Record* next();
  // Gives up what is decoded. The record that next() gave is gone too.
  void let_go();

  uint64_t blocks() const { return blocks_; }            // segments that were come by
  uint64_t blocks_read() const { return blocks_read_; }  // decoded; again counts again
  const std::vector<std::string>& missing() const { return missing_; }

 private:
  struct Log {
    std::string name;
    uint64_t next = 0, size = 0;  // index of the next record to look at; of the log in this view
    bool found = false;           // `next` is one that matches, of `commit`
    uint64_t commit = 0;
    std::optional<storage::Segment> segment;  // that holds `next`
    std::unique_ptr<Batch> batch;             // its records, or nothing
    size_t bytes = 0;                         // of the batch
  };
  void find(Log& log);
  bool read(Log& log);
  void make_room(const Log& kept);
  bool is_wanted(const Record& record);

  const storage::StoreView& view_;
  const Filter& filter_;
  const ScanOptions options_;
  const size_t bytes_max_;
  const std::atomic<bool>& cancelled_;
  int64_t from_ns_, to_ns_;
  Scratch scratch_;
  std::vector<Log> logs_;
  uint64_t blocks_ = 0, blocks_read_ = 0;
  std::vector<std::string> missing_;
};

}  // namespace yushi::query
