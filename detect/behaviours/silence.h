// Hosts that fall silent, or say far less than they are wont to: a machine whose logs stop while the others' go on has
// a fault, or somebody who wants no trace.
//
// Of each host of a log it is known how long its longest pause of the last kPauses days was. It is silent when it has
// sent nothing for kTimes that long, and no less than kLeastNs; of a host that rests for kRestNs and is known for less
// than kWeekNs no less than kWeekendNs, since nobody has seen yet what it does on weekends. Now is what the middle one
// of the hosts' newest times says, so that neither a clock that is wrong nor a log that is read in later makes a
// silence; a log of one host has no now. Hosts that came on one day alone, or are known to be silent, are not asked:
// they would hold back the middle one. When that one was away twice as long as ever, the site was, not the hosts: each
// that is not back then has as long again as its longest pause, and of a pause that held the outage the outage is taken
// off. Not while the site has another pause of half that length: then it is wont to rest, as on weekends.
//
// Of each host, and of the log, it is also known how many records an hour of the week is wont to bring: the fewest that
// came, at most doubled from week to week; before there were two such weeks the fewest of this hour of any day, before
// there were four no more than the day before or the day after brought. A host is far below when the last 3, 12 or 24
// full hours brought less than a kFewOf-th of that, while the rest of the log is not below half of its own, and at most
// one other host in kOthersOf is: a holiday sends home those who work on many.
//
// Invariants  Integers only, event time, in commit order, no clock: a replay finds the same.
// Memory      Per log kHostsMax hosts of 1 KiB, the one not heard of for longest goes.
// Threads     One owner.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/time_text.h"
#include "core/record/record.h"
#include "detect/finding.h"
#include "detect/memory/room.h"
#include "detect/memory/state.h"

namespace yushi::detect {

class Silence {
 public:
  static constexpr size_t kHostsMax = 16'384;
  static constexpr int kPauses = 14;
  static constexpr int64_t kTimes = 3;
  static constexpr int64_t kLeastNs = kHour;
  static constexpr int64_t kKnownNs = int64_t{3} * 86'400 * kSecond;  // a younger host is not judged
  static constexpr int64_t kWeekNs = int64_t{8} * 86'400 * kSecond, kWeekendNs = kWeekNs / 2;
  static constexpr int64_t kRestNs = 6 * kHour;
  static constexpr size_t kHostsAtLeast = 3;  // of a log
  static constexpr uint64_t kFewOf = 5, kOthersOf = 8;
  static constexpr uint64_t kRateAtLeast = 60;  // fewer records than so many are no rate

  // Findings name their log: they are not about this record.
  void observe(const Record& record, std::string_view host_name, int64_t at_ns, std::vector<Finding>& findings);

  // When the host's oldest and newest record count, and the middle one of all hosts' newest; long ago when there is
  // none.
  int64_t oldest_of(std::string_view log, std::string_view host) const;
  int64_t newest_of(std::string_view log, std::string_view host) const;
  int64_t now_of(std::string_view log) const;

  void hold(Holdings& out) {
    for (auto& [name, log] : by_log_) out.push_back({name, Kept::hosts, &log.hosts});
  }
  void save(std::string& out) const;
  bool load(Reader& in);

 private:
  static constexpr int64_t kNoDay = INT64_MIN;
  static constexpr int kHoursOfDay = 24, kHoursOfWeek = 7 * kHoursOfDay, kHoursKept = 24;

  // Records by the hour.
  struct Rate {
    int64_t first_hour = 0, hour = 0;                       // since the epoch; `hour` is the one that goes on
    uint32_t count = 0;                                     // of it
    std::array<uint32_t, kHoursKept> counts{}, expected{};  // of the hours before, and what was usual then
    std::array<uint32_t, kHoursOfWeek> usual{};

    void add(int64_t now);  // another record
    // Of the last hours that are over.
    uint64_t sent_in(int64_t hours) const { return sum(counts, hours); }
    uint64_t expected_in(int64_t hours) const { return sum(expected, hours); }
    uint64_t sum(const std::array<uint32_t, kHoursKept>& of, int64_t hours) const;
    void save(std::string& out) const;
    void load(Reader& in);
  };
  // What speaks now and then.
  struct Speaker {
    int64_t last_ns = 0;
    std::array<int64_t, kPauses> pauses{};  // the longest of a day, by the day's number
    int64_t pauses_day = 0;
    int64_t longest_from_ns = 0, longest_to_ns = 0;  // of the longest of them all, as far as it is remembered

    void speak(int64_t at_ns);  // not before last_ns
    int64_t longest_pause() const { return longest_but_of(kNoDay); }
    int64_t longest_but_of(int64_t day) const;
    void save(std::string& out) const;
    void load(Reader& in);
  };
  struct Host : Speaker {
    int64_t first_ns = 0;
    uint64_t last_index = 0;
    bool told = false;
    Rate rate;
  };
  struct Log {
    LruMap<Host> hosts{kHostsMax};
    Rate rate;
    Speaker all;          // its now
    int64_t back_ns = 0;  // when it went on after most of its hosts were away together, …
    int64_t away_ns = 0;  // … and since when they had been
    int64_t next_ns = 0;  // hosts are judged when a record of this time comes, …
    uint64_t seen = 0;    // … and not before as many came as there are hosts
  };
  const Host* host_of(std::string_view log, std::string_view host) const;
  void judge(std::string_view name, Log& log, std::vector<Finding>& findings) const;
  static int64_t now_of(const Log& log);
  // But for an outage of the log, which is told in `less_ns`.
  static int64_t own_pause(const Log& log, const Host& host, int64_t* less_ns);
  // Whether many other hosts send less than half of what is usual, too.
  static bool is_common(const Log& log, const Host& host, int64_t hours);
  static void judge_rate(std::string_view name, const Log& log, std::string_view host_name, const Host& host,
                         std::vector<Finding>& findings);

  ByLog<Log> by_log_;
};

}  // namespace yushi::detect
