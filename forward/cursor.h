// How far a forwarder has come: a map log -> next index, and the window of what is on its way.
//
// The cursor moves over what the broker has acknowledged without a gap before it, and over nothing else: a crash then
// sends some records twice and none never.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace yushi::forward {

// Durable position of one forwarder, kept in the store, and by some sinks where the messages are.
struct Cursor {
  // Drawn by lot: whose logs these are, and anew when a sink that keeps no cursor begins. One of another lot says
  // nothing.
  uint64_t store = 0;
  std::map<std::string, uint64_t> next;  // log -> index of the first record that is not known to be delivered
  uint64_t next_alert = 0;               // index in `_audit`

  std::string encode() const;
  static Result<Cursor> decode(std::string_view bytes);  // corrupt
  bool operator==(const Cursor&) const = default;
};

// One log's records between the cursor and the reader.
//
//        prefix()          end()
//   ─────────┼───────────────┼────────
//   delivered│ sent, some    │ not read yet
//            │ delivered     │
//
// Invariants  prefix() never goes back.
class DeliveryWindow {
 public:
  explicit DeliveryWindow(uint64_t next) : prefix_(next), end_(next) {}

  uint64_t prefix() const { return prefix_; }
  uint64_t end() const { return end_; }  // where to read on

  // Takes the next record from the reader; `index` >= end(). Indexes between are counted as gone. False when it needs
  // no sending because it was delivered before a rewind.
  bool take(uint64_t index);
  void delivered(uint64_t index);
  void skipped(uint64_t index) { delivered(index); }  // not selected
  // The producer died: all that is not delivered must be read and sent again.
  void rewind() { end_ = prefix_; }

 private:
  void advance();
  uint64_t prefix_;
  uint64_t end_;
  std::deque<bool> done_;  // from prefix_ on; may reach past end_ after a rewind
};

}  // namespace yushi::forward
