// `yushi rules check` and `yushi rules test`: what is wrong with rule files, and do their own cases hold.
//
// detect/ knows no parsers: the caller has loaded them, so that their fields are known, and lends the function that
// understands messages (parsers/understand.h).
//
// A test's lines, in order (rule_file.h has the keys of a test):
//   LINE              received together with the line before
//   +90s LINE         received 90 s after the line before
//   12x5s LINE        12 times, each 5 s after the line before
// `%T` in a line is its time of receipt in RFC 3339, so that event time and receipt go together.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/record/batch.h"
#include "detect/engine.h"
#include "detect/rules/rule_file.h"

namespace yushi::detect {

// Fills everything of the batch's records that stands beyond RawMessage, and puts events in the place of their lines.
using ParseBatch = std::function<void(Batch& batch)>;

struct RuleCheck {
  std::vector<RuleProblem> problems;                           // wrong ones first, then unsupported ones
  std::vector<std::string> passed_over;                        // path:line:column: of documents that are no rules
  size_t rules = 0, correlations = 0, filters = 0, tests = 0;  // that can be used
  size_t cannot_run = 0, of_known_id = 0;                      // left out: the latter since another one has their id
  size_t repeated = 0;                                         // files that say what another one says
  bool ok() const { return problems.empty() || problems.front().unsupported; }
};
RuleCheck check_rule_files(const std::vector<RuleFile>& files, const LogSources& sources);

struct RuleTestReport {
  size_t passed = 0;
  std::vector<std::string> failures;     // path:line: rule, test: what was expected and what came
  std::vector<std::string> lacking;      // path:line: rules without a positive or a negative test
  std::vector<std::string> unsupported;  // rules that cannot run, so that their tests did not
};
// Runs every test of every file, each with a new Engine over all the files' rules. invalid when the files do not load.
Result<RuleTestReport> run_rule_tests(const std::vector<RuleFile>& files, const LogSources& sources,
                                      const ParseBatch& parse);

// The canaries: of each rule that raises alerts, and has a test that says so, the first such test.
struct Canary {
  const RuleHead* rule;
  std::vector<Alert> alerts;  // of this rule; none: it is silent
};
// Each is given to the rules of these files and a new Engine. Calls `told` for each, in their order, until it gives
// false.
Result<void> release_canaries(const std::vector<RuleFile>& files, const LogSources& sources, const ParseBatch& parse,
                              const std::function<bool(const Canary&)>& told);

// One test's lines as messages, given to `rules` and a new Engine: all the alerts that come.
Result<std::vector<Alert>> alerts_of_lines(std::shared_ptr<const RuleSet> rules, const DetectOptions& options,
                                           const std::string& received, const std::vector<std::string>& lines,
                                           const ParseBatch& parse);

}  // namespace yushi::detect
