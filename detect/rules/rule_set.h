// The rules of a site: files read, checked and loaded, and what asks records for them on the ingest threads.
//
// What a record matched stands in its batch (Batch::hits); the engine (detect/engine.h) makes alerts of it.
//
// Threads  A RuleSet is immutable and shared; a RuleMatcher belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/data_file.h"
#include "core/base/result.h"
#include "core/record/batch.h"
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

}  // namespace yushi::detect
