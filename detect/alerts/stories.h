// Which alerts belong to one incident: its story.
//
// An alert is a step of the story of whom it is about, when that one had a step within kQuietNs:
//   an attacker    the address that requests, tries or guesses come from without an account of their own; its network,
//                  once several addresses of it were told (guessing.address)
//   an account     whose act it was, behind sudo and su too where the log tells (detect/behaviours/actors.h); root of
//                  each host by itself, since it is many people, and that of a database is another one; also who
//                  fails to log in where he is wont to come from, or over a bastion: that address is no attacker's
//   a host         where nobody is named: the story of whom an alert or login put on it within kNearNs, else its own
// Whoever is met on the way is followed. An account that logs in from an attacker's address and never did before, and
// one whose guessing ended in a success, is the attacker's; so is for a while the root that it became and the account
// that it made. An alert that is about two stories makes them one: the older goes on, and the alert names the other.
//
// A story's id is that of its first alert. Its severity is that of its worst step, raised when steps of several tactics
// come together (core/event/attack.h). What a baseline finds while it learns is a step, but raises nothing.
//
// It is made here, not when somebody asks, so that an alert leaves with its story for Kafka; and since it rests on
// events that raise no alert, as a login is.
//
// Invariants  In commit order and event time, no clock: a replay gives the same stories.
// Memory      Per log kStoriesMax stories and kNamesMax names, the one not met for longest goes: some 5 MiB.
// Threads     One owner.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/time_text.h"
#include "core/event/alert.h"
#include "detect/alerts/alert_words.h"
#include "detect/event.h"
#include "detect/memory/room.h"
#include "detect/memory/state.h"

namespace yushi::detect {

class Stories {
 public:
  static constexpr size_t kStoriesMax = 4096, kNamesMax = 16'384;
  static constexpr int64_t kQuietNs = kDay;                             // without a step a story is over
  static constexpr int64_t kLongestNs = int64_t{7} * 86'400 * kSecond;  // what goes on for longer is told anew
  static constexpr int64_t kNearNs = kHour;

  // Events of such a kind say who became whom.
  static bool wants(const EventKind& kind);
  // Whether there is a story to which something may belong at this time.
  bool is_open(std::string_view log, int64_t at_ns) const;
  // A record of such a kind, before its alerts. `comes_anew`: the account of its login never came from there before,
  // and the address is not that of a bastion.
  void follow(const Event& event, FieldTexts& fields, bool comes_anew);
  // What the alert does not say of its record.
  struct Circumstances {
    bool of_database = false;       // its account is the database's
    bool from_bastion = false;      // its address is one of the list
    bool from_usual_place = false;  // its account came from its address before
  };
  // Puts the alert into its story, and the story into the alert.
  void add(Alert& alert, const Circumstances& circumstances);

  void hold(Holdings& out) {
    for (auto& [name, log] : by_log_) {
      out.push_back({name, Kept::passing, &log.stories});
      out.push_back({name, Kept::passing, &log.names});
    }
  }
  void save(std::string& out) const;
  bool load(Reader& in);

 private:
  struct Story {
    int64_t first_ns = 0, last_ns = 0;  // event time of its steps
    Severity worst = Severity::informational;
    uint32_t tactics = 0;
    std::string subject;
    std::string into;  // the story that it turned out to be a part of
    auto parts() { return std::tie(subject, into); }
  };
  struct Link {
    std::string story;
    int64_t from_ns = 0, until_ns = 0;
    // Which one's it was until then: what is told late, as a silence or an event of several lines, is a step of that.
    std::string before;
    int64_t before_until_ns = -kTimeMaxNs;
    auto parts() { return std::tie(story, before); }
  };
  struct Log {
    LruMap<Story> stories{kStoriesMax};  // by id
    LruMap<Link> names{kNamesMax};       // by kind and name: "address 203.0.113.9"
    int64_t newest_ns = 0;
  };
  struct Found {
    std::string id;
    Story* story = nullptr;
  };

  static Found find(Log& log, const std::string& name, int64_t at_ns);
  static void link(Log& log, const std::string& name, const std::string& story, int64_t at_ns, int64_t for_ns);
  static void step(Log& log, const Found& in, Alert& alert, int64_t at_ns);

  ByLog<Log> by_log_;
};

}  // namespace yushi::detect
