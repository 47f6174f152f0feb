// Which alerts are raised, and the count of those that are not.
//
// An alert is not raised when
//   it is a repetition    one of the same rule and key was raised within the rule's fold, in event time
//   its host is a flood   a host, as its sender names it, has kHostBurst alerts of a rule, then one a kHostEveryNs of
//                         event time
//   its rule is a flood   the senders of a log share kRuleBurst alerts of a rule, then one a kRuleEveryNs of receipt
//                         time. Where these are used up each sender still has kSenderBurst and one a
//                         kSenderEveryNs of its own: no sender's flood hides another's alert
// Hosts and event times are the sender's word, so the first two keep alerts readable; the third bounds what a sender
// can cost. It counts receipt, which a sender cannot choose, and which is written with the record: a replay gives the
// same.
//
// What is not raised is counted, and the count is told once: by the next alert of the same key, or by an alert that is
// a summary. Of a log and rule the alerts that are no summary and all counts together are the hits, over a crash too:
// the counts are part of the detectors' state.
//
// Invariants  In commit order, no clock; ticks only tell what was counted, they never decide about a hit.
// Memory      Per log kFoldsMax keys, kHostsMax hosts and kSendersMax senders. A key that goes is told before. Of
//             senders only one that has all of its share again goes; when there is none, the new sender is one of those
//             that share one entry a rule.
// Threads     One owner.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/time_text.h"
#include "core/event/alert.h"
#include "detect/memory/state.h"
#include "detect/rules/rule_file.h"

namespace yushi::detect {

class Folds {
 public:
  static constexpr size_t kFoldsMax = 16'384;
  static constexpr size_t kHostsMax = 4096;
  static constexpr size_t kSendersMax = 4096;
  static constexpr int64_t kHostBurst = 10, kHostEveryNs = kMinute;
  static constexpr int64_t kRuleBurst = 5000, kRuleEveryNs = 6 * kSecond;
  static constexpr int64_t kSenderBurst = 10, kSenderEveryNs = kMinute;

  // A rule's or a detector's hit. Views into the record.
  struct Hit {
    std::string_view log, sender, host;
    uint64_t index = 0;
    int64_t at_ns = 0;  // event time as the engine counts it
    int64_t received_ns = 0;
    bool is_of_single_records = false;  // of a rule that looks at each by itself; to held_back.h
  };

  // False: the hit is counted, its rule and sender have nothing left. Needs no host; asked before costly words are
  // made.
  bool has_share(const RuleHead& rule, const Hit& hit);
  // What is known of the alerts of a key that were raised before: how many; and of the last of them its event time and
  // the repetitions that are to be told with the next.
  struct Before {
    uint64_t alerts = 0, repeated = 0;
    int64_t last_ns = 0;
  };
  // After has_share(). True: raise it now. Appends a summary when a key had to go.
  bool admit(const RuleHead& rule, std::string_view key, const Hit& hit, int64_t fold_ns, Before* before,
             std::vector<Alert>& alerts);
  // Once a minute of receipt time: tells what was counted, of repetitions only those that no next alert will tell.
  void tick(int64_t received_ns, std::vector<Alert>& alerts);

  // Of what save() writes; 1 has no titles in Chinese, 2 does not count the alerts before.
  static constexpr uint32_t kVersion = 3;
  void save(std::string& out) const;
  static bool knows(uint32_t version) { return version >= 1 && version <= kVersion; }
  bool load(Reader& in, uint32_t version);

 private:
  struct Count {
    uint64_t hits = 0;
    uint64_t first = 0, last = 0;       // index of the first and of the last record
    int64_t first_ns = 0, last_ns = 0;  // least and greatest event time
    void add(const Hit& hit);
  };
  struct Fold {
    int64_t raised_ns = 0;  // event time of the alert that stands for the others
    int64_t due_ns = 0;     // receipt time from which on the count is told by a summary
    Count repeated;
    uint64_t before = 0;  // alerts of this key that were raised before that one
  };
  struct Sender {
    int64_t used_ns = 0;  // see has_token()
    Count counted;
    std::string host;  // of all that was counted; empty when they differ or have none
    auto parts() { return std::tie(host); }
  };
  struct Log {
    LruMap<Fold> folds{kFoldsMax};                      // rule, key
    LruMap<Sender> senders{kSendersMax};                // rule, sender
    LruMap<int64_t> hosts{kHostsMax};                   // rule, sender, host -> used_ns
    std::map<std::string, int64_t, std::less<>> rules;  // id -> used_ns
    std::map<std::string, Sender, std::less<>> others;  // by rule: senders for which there was no room
  };

  Sender& sender_of(Log& log, const RuleHead& rule, const Hit& hit);
  void count(Log& log, const RuleHead& rule, const Hit& hit);
  void remember(const RuleHead& rule);
  Alert summary(std::string_view log, std::string_view rule_id, const Count& count, int64_t received_ns) const;
  Alert summary_of_fold(std::string_view log, std::string_view name, const Fold& fold, int64_t received_ns) const;
  Alert summary_of_sender(std::string_view log, std::string_view rule_id, std::string_view name, const Sender& sender,
                          int64_t received_ns) const;
  static void put_count(std::string& out, const Count& count);
  static Count read_count(Reader& in);
  static void put_sender(std::string& out, const Sender& sender);
  static Sender read_sender(Reader& in);

  ByLog<Log> by_log_;
  std::map<std::string, RuleHead, std::less<>> rules_;  // by id: those of which something is counted
  int64_t told_minute_ = 0;
};

}  // namespace yushi::detect
