// Record -> Alert: Sigma rules and the baselines of administrators, in commit order.
//
// Stateless matching (RuleMatcher) runs next to the parser on the ingest threads; everything with a memory
// (correlations, the detectors of detect/behaviours/detectors.h) runs in the committer, and its alerts go into the same
// atomic commit as the records.
//
// Invariants  Two inputs only: records in commit order, and ticks. No clock is read: windows and hours count in event
//             time, so a replay of the same commits gives the same alerts, with the same ids.
// Memory      Bounded: accounts, windows and groups per tenant have limits, and all that is remembered has one
//             (detect/memory/room.h); the least recently seen goes first.
// Threads     A RuleSet is immutable and shared; a RuleMatcher belongs to one thread. An Engine belongs to the
//             committer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/data_file.h"
#include "core/base/result.h"
#include "core/base/time_text.h"
#include "core/event/alert.h"
#include "core/event/own_record.h"
#include "core/record/batch.h"
#include "detect/memory/room.h"
#include "detect/rules/log_source.h"

namespace yushi::detect {

struct RuleFile {
  std::string name;
  std::string path;
  std::string text;
};
// Every *.yml and *.yaml below each directory, sorted by name (the path below the directory); later directories win.
// io when a directory cannot be read, or when a file cannot be taken (read_data_file); with `left_out` such a file is
// put there instead. A directory that is not there has no rules.
Result<std::vector<RuleFile>> read_rule_directories(const std::vector<std::string>& directories,
                                                    std::vector<FileLeftOut>* left_out = nullptr);

// One line of `yushi rules list`.
struct RuleSummary {
  std::string id, title, level, path;
  int line = 0;
  // As those that count have seen it: what matched, raised or not; when the last of it was received, 0: nothing did;
  // and the time in its filter, by samples (a correlation has none).
  uint64_t hits = 0;
  int64_t last_ns = 0;
  uint64_t cost_ns = 0;
  std::string used_by;  // the correlation through which alone it speaks; empty: it raises alerts itself
};

// Matches the batches of one thread, and remembers what it has learned of their message kinds: these must live as long
// as the matcher, as the kinds of one ParserSet do. Those of a batch read from the store live with the batch:
// RuleSet::match().
class RuleMatcher {
 public:
  virtual ~RuleMatcher() = default;
  // Appends a hit for each stateless rule (or base rule of a correlation) that each record matches, but for the lines
  // of an event: that is a record of its own.
  virtual void match(const Batch& batch, Scratch& scratch, std::vector<RuleHit>& hits) = 0;
};

// `files` may repeat a name: the later one wins. load() fails (invalid) with every problem of every file, one a line as
// `path:line:column: message`. A rule may name fields of ECS and of parsers (may_be_field), so the parsers are loaded
// before it; any other name is an error. A rule that is right Sigma but more than we can do exactly is left out and
// listed.
// `sources` say where a Sigma rule looks; without any, `product: yushi` is all there is.
class RuleSet {
 public:
  static Result<std::shared_ptr<const RuleSet>> load(std::vector<RuleFile> files, const LogSources& sources = {});
  virtual ~RuleSet() = default;
  // Which the set must outlive. One that counts says what it has seen in list().
  virtual std::unique_ptr<RuleMatcher> matcher(bool counts = false) const = 0;
  // Counts of rules that were in `before` too, by their ids, go on from there. Before anybody matches.
  virtual void count_on_from(const RuleSet& before) const = 0;
  virtual void forget_counts() const = 0;
  // One batch, of whatever kinds: nothing is remembered.
  void match(const Batch& batch, Scratch& scratch, std::vector<RuleHit>& hits) const {
    matcher()->match(batch, scratch, hits);
  }
  virtual const std::vector<RuleFile>& files() const = 0;
  virtual std::vector<RuleSummary> list() const = 0;
  virtual const std::vector<std::string>& unsupported() const = 0;  // path:line:column: unsupported: construct
  virtual const std::vector<std::string>& passed_over() const = 0;  // path:line:column: of documents that are no rules
};

class ExceptionSet;  // detect/alerts/exceptions.h
class Lists;

// A point on the earth: of an address, by whoever knows.
struct PlaceOnEarth {
  std::string name;
  double latitude = 0, longitude = 0;
};

struct DetectOptions {
  // Hours of the day count in the zone of the tenant whose log this is.
  std::function<std::shared_ptr<const Zone>(std::string_view log)> zone_of = [](auto) { return Zone::utc(); };
  int64_t learning_ns = 14 * kDay;  // event time from an account's first record on
  // Where an address is that no list places (detect/lists/lists.h); what it says stands in the finding's baseline.
  std::function<std::optional<PlaceOnEarth>(std::string_view address)> place_of = [](auto) { return std::nullopt; };
  std::shared_ptr<const Lists> lists;       // nullptr: none
  uint64_t memory_bytes = Room::kBytesMax;  // for all that is remembered
};

class Engine {
 public:
  Engine(std::shared_ptr<const RuleSet> rules, DetectOptions options);
  ~Engine();

  // Records must have index and origin->log. An event joined of several lines comes in their place, when it is closed,
  // and its alerts name them all. Alerts are appended in order; one that is repeated, or beyond its sender's
  // share, is only counted (detect/alerts/folds.h).
  void observe(const Batch& batch, std::vector<Alert>& alerts) { observe(batch, 0, batch.records.size(), alerts); }
  // The same for records number `begin` to `end` of it, in that order.
  void observe(const Batch& batch, size_t begin, size_t end, std::vector<Alert>& alerts);
  // Once a second of receipt time, after the records of a commit. A replay must show it again in its place.
  void tick(uint64_t commit, int64_t received_ns, std::vector<Alert>& alerts);
  // As if every window that is waited for were over, as at the end of a rule's test.
  void close_windows(std::vector<Alert>& alerts);
  // From the next record on these lists hold.
  void use(std::shared_ptr<const Lists> lists);
  // Takes new rules over, keeping baselines; correlations whose rule is unchanged keep their windows.
  void reload(std::shared_ptr<const RuleSet> rules);
  // From now on what these hold for is not raised.
  void except(std::shared_ptr<const ExceptionSet> exceptions);
  // Of an acknowledgement that teaches: in commit order, after the records and the tick of its commit.
  void teach(const AlertAct& act);
  // What was held back and is to be told in `_audit`, with the commit that it came of (detect/alerts/held_back.h).
  std::vector<OwnRecord> take_told();
  // What is remembered, as of the last tick; and what was forgotten and is to be told.
  const Room& room() const;
  // The bytes of what is remembered of this account, in the logs of which `sees` says yes.
  uint64_t bytes_of(std::string_view account, const std::function<bool(std::string_view log)>& sees);
  std::vector<Forgotten> take_forgotten();

  // State as of the last observed record; load() restores exactly that, but for a part of a version that is not ours:
  // whose it is learns anew, and is named in the answer. corrupt when the bytes are damaged or none of a state; then
  // nothing is loaded.
  std::string save() const;
  Result<std::vector<std::string>> load(std::string_view state);

 private:
  struct Memory;
  struct State;
  Result<std::vector<std::string>> load_parts(std::string_view state);

  std::unique_ptr<State> state_;
};

}  // namespace yushi::detect
