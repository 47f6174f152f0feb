// Between the committer's records and the detectors: lines of one event are judged as that event, when it is closed.
//
// Invariants  The order of what the engine is shown depends on the records and their receipt alone; a tick only shows
//             sooner what no later record could change. Open events are saved with the engine's state, and a replay
//             takes them up.
// Threads     One owner, the committer; open() and cut() may be read by any through the pipeline's counters.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "detect/engine.h"
#include "parsers/joiner.h"

namespace yushi::judge {

using ZoneOfLog = std::function<std::shared_ptr<const Zone>(std::string_view log)>;

class EventJudge {
 public:
  EventJudge(std::shared_ptr<const parsers::ParserSet> parsers, std::shared_ptr<const detect::RuleSet> rules,
             detect::DetectOptions options, ZoneOfLog zone_of);
  EventJudge(const EventJudge&) = delete;
  EventJudge& operator=(const EventJudge&) = delete;

  // The batch's hits are those of these rules. Of a line of an event they do not count: the event is matched anew.
  void observe(const Batch& batch, std::vector<Alert>& alerts) { observe(batch, 0, batch.records.size(), alerts); }
  // The same for records number `begin` to `end` of it, in that order.
  void observe(const Batch& batch, size_t begin, size_t end, std::vector<Alert>& alerts);
  // As Engine::tick() has it; events that nothing can be added to are judged too.
  void tick(uint64_t commit, int64_t received_ns, std::vector<Alert>& alerts);
  // Open events are closed, and judged by the rules of before.
  void reload(std::shared_ptr<const parsers::ParserSet> parsers, std::shared_ptr<const detect::RuleSet> rules,
              ZoneOfLog zone_of, std::vector<Alert>& alerts);

  void use(std::shared_ptr<const detect::Lists> lists) { engine_.use(std::move(lists)); }

  // State as of the last observed record. load() takes it over, and says what of it is not known here: that begins
  // anew. Then the records from wanted_from() on are given to restore(), as far as they were observed before the state
  // was saved, and restored() is called.
  std::string save() const;
  std::vector<std::string> load(Reader& in);
  uint64_t wanted_from(std::string_view log) const { return joiner_->wanted_from(log); }
  void restore(const Record& record) { joiner_->restore(record, zone_of_(record.origin->log)); }
  void restored() { joiner_->restored(); }

  detect::Engine& engine() { return engine_; }
  size_t open() const { return joiner_->open(); }
  int64_t waits_since() const { return joiner_->waits_since(); }
  uint64_t cut() const { return cut_before_ + joiner_->cut(); }

 private:
  void judge_closed(std::vector<Alert>& alerts);

  std::shared_ptr<const parsers::ParserSet> parsers_;
  std::shared_ptr<const detect::RuleSet> rules_;
  ZoneOfLog zone_of_;
  const bool counts_;
  detect::Engine engine_;
  std::unique_ptr<parsers::Joiner> joiner_;
  std::unique_ptr<detect::RuleMatcher> matcher_;  // of joined events: their kinds live with the joiner
  uint64_t cut_before_ = 0;                       // by joiners before the last reload
  Batch events_;                                  // those that just closed; empty between two calls
  Scratch scratch_;
};

}  // namespace yushi::judge
