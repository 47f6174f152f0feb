// Single records by their ids. Who asks for many asks in the order of a log, either way: those of one segment are
// decoded once.
//
// Memory   One decoded segment.
// Threads  One owner.
// Errors   not_found: the record is not in the store. corrupt: as StoreView's, and for all records of the segment.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "storage/read/view.h"

namespace yushi::storage {

class RecordReader {
 public:
  // The view must outlive it.
  explicit RecordReader(const StoreView& view) : view_(view) {}

  // Good until the next call.
  Result<const Record*> read(const std::string& log, uint64_t index);
  uint64_t blocks_read() const { return blocks_read_; }

 private:
  const StoreView& view_;
  std::optional<Segment> segment_;  // that was read last
  Result<std::unique_ptr<Batch>> batch_;
  uint64_t blocks_read_ = 0;
};

}  // namespace yushi::storage
