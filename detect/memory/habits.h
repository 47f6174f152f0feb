// What is usual: who does what on how many days, and at which hours.
//
// A rule that tells of an act which is some people's daily work (a job that writes sudoers each night, an office that
// makes accounts) names in `habit` the fields that say whose act it is: `habit: [user.name, host.name]`. A hit of such
// a rule is judged against the earlier hits of the same values, then added to them. It is usual when there were hits on
// kUsualDays other days of the last kDays, at this hour or within kHoursAround of it. The very same act, in the words
// of the rule's reason but for the host and numbers, is told once if it weighs less than high: when it comes again on
// another day it was told, and nobody minded.
//
// Of a habit of fewer than kHoursDays days nobody knows the hours yet: then the account's own hours of work count
// (detect/behaviours/accounts.h), and of what weighs little nothing but that it logged in a while ago, since that hour
// was judged.
//
// Who does it on kHostsForAll hosts and more, on kOfficeDays days and more, does so by office (configuration
// management, an administrator's root shell), and a further host is no news: beside the habit on each host the one over
// all hosts is kept and asked. Below high one other day is enough when it came to kHostsAtOnce hosts: nobody does that
// by hand. Of what weighs little one other host and kUsualDays are enough. On fewer days it may be one story: who
// weakens a third machine must not be silent because two were told of.
//
// Of a log that is younger than kYoungDays nothing can be usual: what begins with the log is taken for a habit, and
// only rules of level high and above speak, of the same act on one day.
//
// Invariants  Integers only, in commit order, event time, no clock: a replay judges the same.
// Memory      A part of the profile of whose act it is (detect/memory/profiles.h) with kHabitsMax habits of 32 bytes,
//             or as many as there is room for; per log kOthersMax of nobody. The one not used for longest goes.
// Threads     One owner.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/time_text.h"
#include "detect/memory/profiles.h"
#include "detect/memory/room.h"
#include "detect/memory/state.h"
#include "detect/words.h"

namespace yushi::detect {

class Habits {
 public:
  explicit Habits(Profiles& profiles) : accounts_(profiles, Part::habits) {}

  static constexpr size_t kHabitsMax = 48, kOthersMax = 8192;
  static constexpr int kDays = 64;  // bits of Habit::days
  static constexpr uint32_t kUsualDays = 2, kYoungDays = 3;
  static constexpr int kHoursAround = 3;
  static constexpr int kHostsForAll = 2;
  static constexpr uint32_t kOfficeDays = 3;
  static constexpr int kHostsAtOnce = 4;
  static constexpr uint32_t kHoursDays = 8;

  // What was known when a hit came.
  struct Known {
    uint32_t days = 0;      // other days of the last kDays with hits
    uint32_t hours = 0;     // bits: the hours of the day, in the tenant's zone, that had hits on other days
    uint32_t log_days = 0;  // since the first record of the log
    int hour = 0;           // of this hit
    bool at_its_hour = false;
    int hosts = 0;              // on the other days, of a habit over all hosts; at least so many
    bool is_by_office = false;  // usual by the habit over all hosts
    uint32_t usual_days = kUsualDays;

    bool usual() const { return is_by_office || (days >= usual_days && at_its_hour); }
    bool knows_hours() const { return days >= kHoursDays; }
    bool too_young() const { return log_days < kYoungDays; }
    // "never before in the 23 days that are remembered", "on 2 other days of the last 64, but never between …"
    std::string words(Lang lang) const;
    std::string numbers() const;  // for the baseline
  };

  // Every log's first record: the age of a log counts from it, in event time.
  void begin(std::string_view log, int64_t at_ns);
  // `subject`: the rule and whose act it is, of `account`, or of nobody. Of a habit over all hosts `host` is where this
  // hit was.
  Known add(std::string_view log, std::string_view account, std::string_view subject, int64_t at_ns, const Zone& zone,
            std::string_view host = {});
  // What would be known of a hit of this subject, without adding one.
  Known known(std::string_view log, std::string_view account, std::string_view subject, int64_t at_ns,
              const Zone& zone) const;

  void hold(Holdings& out) {
    for (auto& [name, log] : by_log_) out.push_back({name, Kept::habits, &log.others});
  }
  void save(std::string& out) const;
  bool load(Reader& in);

 private:
  struct Habit {
    uint64_t subject = 0;  // a hash that nobody can find another text for
    uint64_t days = 0;     // bit n: n days before last_day
    int32_t last_day = 0;
    uint32_t hours = 0;  // of all days before last_day
    uint32_t hours_of_last_day = 0;
    uint16_t hosts = 0, hosts_of_last_day = 0;  // a bit for each, by its hash
  };
  struct Account {
    std::vector<Habit> habits;  // the one used last at the end
    auto parts() { return std::tie(habits); }
    bool give_up(bool much);
  };
  static constexpr size_t kHabitsMin = 4;  // that are not given up
  struct Day {
    int64_t number = 0;
    int hour = 0;
  };
  static Day day_of(int64_t at_ns, const Zone& zone);
  static Known judge(Habit& habit, const Day& day);  // with its days moved on

  struct Log : AgedLog {
    using AgedLog::AgedLog;
    LruMap<Habit> others{kOthersMax};  // by the subject's hash
  };
  Habit& use(Log& log, std::string_view log_name, std::string_view account, std::string_view subject);
  static void save_habit(const Habit& habit, std::string& out);
  static void load_habit(Habit& habit, Reader& in);

  ByLog<Log> by_log_;
  Parts<Account> accounts_;
};

}  // namespace yushi::detect
