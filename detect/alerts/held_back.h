// What is found and not raised, because somebody said so: what was acknowledged as usual for a time, and exceptions.
//
// Usual is the same finding (log, rule, key). Of a rule that looks at single records, whose key may be the host alone,
// it is that only for the same account, host and address as those of the alert that was acknowledged, each where that
// alert has one: another account's is news. What a detector or a correlation found is about its key. What is held back
// is counted and told in `_audit`: the first at once, what comes after it once an hour, and the end of it. The counts
// are part of the detectors' state, so that each is told once, over a crash too.
//
// Invariants  In commit order, by receipt, which no sender chooses: the same commits hold back the same.
// Memory      kUsualMax acknowledgements, of which the one that ends first goes; a count for each exception.
// Threads     One owner.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/event/alert.h"
#include "core/event/own_record.h"
#include "detect/alerts/exceptions.h"

namespace yushi::detect {

class HeldBack {
 public:
  static constexpr size_t kUsualMax = 4096;

  // Of an acknowledgement that teaches, from here on.
  void teach(const AlertAct& act);
  // Whether something of this rule and key is usual, whoever's it is: then the alert is made, to ask is_usual().
  bool knows(std::string_view log, std::string_view rule, std::string_view key) const;
  // True: it is counted.
  bool is_usual(std::string_view log, const Alert& alert, int64_t received_ns, bool of_single_records);
  void count(const Exception& exception);
  void tick(int64_t received_ns, const ExceptionSet* exceptions);

  // For `_audit`, since it was asked last.
  std::vector<OwnRecord> take_told() { return std::exchange(told_, {}); }

  void save(std::string& out) const;
  bool load(Reader& in);

 private:
  struct Count {
    uint64_t untold = 0, all = 0;
    int64_t told_hour = 0;
    bool is_due(int64_t received_ns) const;
  };
  struct Usual {
    std::string alert, tenant;
    uint64_t index = 0;
    int64_t until_ns = 0;
    Count count;
  };
  struct Excepted {
    ExceptionUse use;  // but for its counts
    Count count;
  };
  void tell(const Usual& usual, bool ends);
  void tell(Excepted& excepted, int64_t received_ns);

  std::map<std::string, Usual, std::less<>> usual_;        // by log, rule, key, account, host, address
  std::map<std::string, Excepted, std::less<>> excepted_;  // by digest
  int64_t ticked_ns_ = 0;
  std::vector<OwnRecord> told_;  // no part of the state: it is written with the commit that made it
};

}  // namespace yushi::detect
