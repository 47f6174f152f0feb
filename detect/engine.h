// Record -> Alert: Sigma rules and the baselines of administrators, in commit order.
//
// Stateless matching (RuleSet::match) runs next to the parser on the ingest threads; everything with a memory
// (correlations, baselines) runs in the committer, and its alerts go into the same atomic commit as the records.
//
// Invariants  Two inputs only: records in commit order, and ticks. No clock is read: windows and hours count in event
//             time, so a replay of the same commits gives the same alerts, with the same ids.
// Memory      Bounded: accounts, windows and groups per tenant have limits; the least recently seen goes first.
// Threads     A RuleSet is immutable. Its match() takes the caller's scratch. An Engine belongs to the committer.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/record/alert.h"
#include "core/record/batch.h"

namespace yushi {

struct RuleFile {
  std::string name;
  std::string path;
  std::string text;
};
Result<std::vector<RuleFile>> read_rule_directories(const std::vector<std::string>& directories);

class RuleSet {
 public:
  static Result<std::shared_ptr<const RuleSet>> load(std::vector<RuleFile> files);
  virtual ~RuleSet() = default;
  // Appends a hit for each stateless rule (or base rule of a correlation) that each record matches.
  virtual void match(const Batch& batch, Scratch& scratch, std::vector<RuleHit>& hits) const = 0;
  virtual const std::vector<RuleFile>& files() const = 0;
};

struct DetectOptions {
  int64_t learning_ns = int64_t{14} * 86400 * 1'000'000'000;  // event time from an account's first record on
};

class Engine {
 public:
  Engine(std::shared_ptr<const RuleSet> rules, DetectOptions options);
  ~Engine();

  // Records must have index and origin->log. Alerts are appended in order; a repeated one is folded (none appended)
  // within its dedup window.
  void observe(const Batch& batch, std::vector<Alert>& alerts);
  // Once a second of receipt time, between commits.
  void tick(uint64_t commit, int64_t received_ns, std::vector<Alert>& alerts);
  // Takes new rules over, keeping baselines; correlations whose rule is unchanged keep their windows.
  void reload(std::shared_ptr<const RuleSet> rules);

  // State as of the last observed record; load() restores exactly that. corrupt when the bytes are not ours.
  std::string save() const;
  Result<void> load(std::string_view state);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace yushi
