// Hosts that fall silent: a machine whose logs stop while the others' go on has a fault, or somebody who wants no
// trace.
//
// Of each host of a log it is known how long its longest pause of the last kPauses days was. It is silent when it has
// sent nothing for kTimes that long, and no less than kLeastNs. Now is what the middle one of the hosts' newest times
// says, so that neither a clock that is wrong nor a log that is read in later makes a silence; a log of one host has no
// now.
//
// Invariants  Integers only, event time, in commit order, no clock: a replay finds the same.
// Memory      Per log kHostsMax hosts, the one not heard of for longest goes.
// Threads     One owner.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/time_text.h"
#include "core/record/record.h"
#include "detect/finding.h"
#include "detect/lru.h"

namespace yushi::detect {

class Silence {
 public:
  static constexpr size_t kHostsMax = 16'384;
  static constexpr int kPauses = 14;
  static constexpr int64_t kTimes = 3;
  static constexpr int64_t kLeastNs = int64_t{3600} * kSecond;
  static constexpr int64_t kKnownNs = int64_t{3} * 86'400 * kSecond;  // a younger host is not judged
  static constexpr size_t kHostsAtLeast = 3;                          // of a log

  // Findings name their log: they are not about this record.
  void observe(const Record& record, int64_t at_ns, Scratch& scratch, std::vector<Finding>& findings);

  void save(std::string& out) const;
  bool load(Reader& in);

 private:
  struct Host {
    int64_t first_ns = 0, last_ns = 0;
    uint64_t last_index = 0;
    std::array<int64_t, kPauses> pauses{};  // the longest of a day, by the day's number
    int64_t pauses_day = 0;
    bool told = false;
    int64_t longest_pause() const;
  };
  struct Log {
    LruMap<Host> hosts{kHostsMax};
    int64_t next_ns = 0;  // hosts are judged when a record of this time comes, …
    uint64_t seen = 0;    // … and not before as many came as there are hosts
  };
  void judge(std::string_view name, Log& log, std::vector<Finding>& findings) const;

  std::map<std::string, Log, std::less<>> by_log_;
};

}  // namespace yushi::detect
