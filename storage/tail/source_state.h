// What a log counts of each of its sources: kept with every commit, rebuilt from the records by `verify`.
//
// Threads  Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/record/record.h"
#include "storage/tail/losses.h"

namespace yushi::storage {

// One sender as one log has seen it. Written with each commit in which it moved.
struct SourceState {
  uint64_t next_seq = 0;  // = records of this source in this log
  uint64_t raw_bytes = 0;
  int64_t first_received_ns = 0, last_received_ns = 0;
  int64_t last_event_ns = 0;  // event time of its newest record: against receipt it shows the clock's skew
  std::string address;
  uint16_t transports = 0;  // all that it was seen on: bit_of() each
  Losses losses;

  void mark_seen_on(Transport transport) { transports = static_cast<uint16_t>(transports | bit_of(transport)); }
  bool seen_on(Transport transport) const { return transports & bit_of(transport); }
  static constexpr unsigned kTransports = static_cast<unsigned>(Transport::internal) + 1;
  static unsigned bit_of(Transport transport) { return 1u << static_cast<unsigned>(transport); }
  // Counts one record, as the committer did when it came.
  void add(const Record& record);
  std::string encode() const;
  static Result<SourceState> decode(std::string_view bytes);
  bool operator==(const SourceState&) const = default;
};

}  // namespace yushi::storage
