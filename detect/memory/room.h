// One bound for all that detectors remember, over all logs: what is beyond it is forgotten, and told.
//
// The detectors' maps have bounds of their own, each for one log; many logs together need another. At a tick all maps
// are counted, in bytes, and when they hold too much, what is remembered only in passing goes first, down to a quarter
// of the bound, then what habits rest on. Of either the log that holds most gives up first, down to what the next one
// holds, and so on; within a log its largest map does. Of a map the entry that was used longest ago goes. So a log that
// is flooded with names forgets its own, and of its own those of the map that is flooded.
//
// What was forgotten, for this bound or for that of a map, is counted. What habits rest on (Kept) is told for each log:
// the first at once, what comes after it once a day.
//
// Invariants  What goes depends on what is held at a tick alone, so that a replay forgets the same. Counts are part of
//             the state: each is told once.
// Memory      The bound holds at each tick; beside it stands what came since then, of which each map has its own bound.
//             The folds of alerts (detect/alerts/folds.h), which tell what they forget, are none of it.
// Threads     One owner.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "detect/memory/state.h"

namespace yushi::detect {

// What a map remembers. Of what is only in passing (tries, numbers of processes, windows of a rule) nothing is told.
enum class Kept : uint8_t { accounts, networks, hosts, habits, passing };

struct Holding {
  std::string_view log;
  Kept what;
  Remembering* map;
};
using Holdings = std::vector<Holding>;

// What was forgotten of a log, in words.
struct Forgotten {
  std::string log, en, zh;
};

class Room {
 public:
  static constexpr uint64_t kBytesMax = 64 << 20;
  static constexpr uint64_t kPassingPart = 4;  // of the bound: what is in passing keeps so much of it

  void tick(const Holdings& all, uint64_t bytes_max, int64_t received_ns);
  // Takes over what the maps have forgotten; before save(), which they do not outlive.
  void count(const Holdings& all);

  uint64_t bytes() const { return bytes_; }  // as of the last tick
  uint64_t forgotten() const { return forgotten_; }
  // Since it was asked last.
  std::vector<Forgotten> take_told() { return std::exchange(told_, {}); }

  void save(std::string& out) const;
  bool load(Reader& in);

 private:
  static constexpr size_t kTold = static_cast<size_t>(Kept::passing);  // kinds that are
  struct Log {
    std::array<uint64_t, kTold> untold{};
    int64_t told_day = 0;
  };
  void tell(const std::string& name, Log& log, uint64_t bytes_max);

  ByLog<Log> by_log_;
  uint64_t bytes_ = 0, forgotten_ = 0;
  std::vector<Forgotten> told_;  // no part of the state: it is written with the commit that made it
};

}  // namespace yushi::detect
