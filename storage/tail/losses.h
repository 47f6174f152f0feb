// What the numbers that senders give their messages tell of losses.
//
// Two kinds of senders number what they send: `meta sequenceId` of RFC 5424 (section 7.3.1; syslog-ng, OPNsense,
// FortiGate) and the message count that Cisco IOS writes behind the priority. A number that is not there when the next
// ones are is a message that was lost on its way here; nothing else in a message could say that.
//
// The numbers are read from raw alone, not from the parsers' fields, so that `verify` counts the same from the records
// whatever version of the parser engine it has: FORMAT.md says where they stand.
//
// A name and an address say which host counts, but not which counter: one host may have several (two destinations of
// one syslog-ng, many processes), a counter may begin anew, datagrams overtake each other. So numbers are followed as
// runs, and each number goes to the run that it fits best:
//   - it fits a run when it is at most kJumpMax ahead of the run's newest, or one of those missing among its last 64;
//   - the nearest run takes it, of equally near ones the one used last. What lies between is lost; a missing one that
//     comes after all is one loss less;
//   - a jump of 64 and more leaves its run behind and begins a new one, charged with the loss. A number that goes on
//     with the run left behind is late, and one loss less; the 64th says that these are two counters, and what is left
//     of the charge is taken back. Only a run that took 8 numbers jumps, and no run left behind does; none jumps to a
//     number that another run passed by less than 1024, for that one is late;
//   - a number that fits no run begins one, and is no loss: counting began anew, or somebody else counts. But the
//     newest number of a run said again is nothing, nor is one (1 excepted) that comes 64 to 1023 behind a run: too
//     late.
// In doubt they say too little: a loss at the very moment of a restart is not seen. Too much is said of a message that
// comes more than 63 numbers late: it stays lost.
//
// Memory   At most kRunsMax runs. When all are taken, the one that rested longest makes room if that was kRestMin
//          numbers of this source; else the host's own that rested longest; of a host that has none the numbers are not
//          judged.
// Threads  None of its own: sequence_number() is called on ingest threads, Losses belongs to the committer.
// Cost     A message without a priority and a version or count: two comparisons. With one: bench/losses_bench.cc.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/record/record.h"

namespace yushi::storage {

struct SequenceNumber {
  uint64_t host;    // XXH3-64 of its name as it stands in raw, of nothing when there is none
  uint32_t number;  // 1 .. kSequenceMax

  static constexpr uint32_t kSequenceMax = 2147483647;  // the next one is 1 again
};

// What number its sender gave this message, if any.
std::optional<SequenceNumber> sequence_number(const RawMessage& message);

// Of one source in one log.
class Losses {
 public:
  void take(const SequenceNumber& number);

  // false: this source numbers nothing, and nothing is known of its losses
  bool known() const { return numbered_ != 0; }
  uint64_t lost() const { return lost_; }

  void encode(std::string& out) const;  // nothing at all when !known()
  static std::optional<Losses> decode(Reader& in);
  bool operator==(const Losses&) const = default;

  static constexpr size_t kRunsMax = 64;
  static constexpr uint64_t kRestMin = 4096;
  static constexpr uint32_t kJumpMax = 1'000'000;  // more is no loss but another count

 private:
  struct Run {
    uint64_t host = 0;
    uint64_t used = 0;     // `numbered_` when it took a number last
    uint64_t missing = 0;  // bit i: the number i before the newest
    uint32_t newest = 0;
    uint32_t charged = 0;  // how many of those lost in the jump that began it still are
    uint32_t from = 0;     // the newest of the run that it left behind; 0 when charged is 0, as the next two
    uint8_t age = 0;       // newest - first, at most 64: bits of `missing` above it are of the jump
    uint8_t late = 0;      // numbers that went on with the run left behind
    uint8_t taken = 1;     // numbers that it took in order, at most 8
    bool left_behind = false;
    void forget_jump() { from = 0, age = 0, late = 0; }
    bool operator==(const Run&) const = default;
  };
  Run* room(uint64_t host);
  void go_on(Run& left_behind, uint32_t number, uint32_t ahead);
  void give_back(uint64_t numbers) { lost_ -= std::min(lost_, numbers); }

  uint64_t numbered_ = 0, lost_ = 0;
  std::vector<Run> runs_;
};

}  // namespace yushi::storage
