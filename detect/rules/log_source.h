// Where a Sigma rule looks: `logsource:` -> datasets and programs, Sigma's field names -> ECS, and the lists that
// |expand puts in the place of %name%. Read from files (config/sigma/*.yaml), so that a log source is a line there;
// nothing of them stands in the code.
//
// Errors   A log source or a field that has no line is not there: the rule is listed as unsupported, never
//          approximated. What is wrong in a file is a problem with its line and column.
// Threads  Immutable after load.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/filter/expression.h"

namespace yushi::detect {

struct RuleFile;

// The records a rule is asked about.
struct RuleScope {
  bool all = false;                    // every record
  bool unknown = false;                // records that no parser knew, of any process
  std::vector<std::string> datasets;   // event.dataset
  std::vector<std::string> processes;  // process.name, of records that no parser knew
  std::string table;                   // which field names apply: "linux", "auditd", "web", …
  // Which of these records are meant, as only the starts of processes; nullptr: all of them.
  std::shared_ptr<const Expression> when;

  // Whether some record of this scope can answer yes, by the fields that its parsers fill (core/record/dataset.h).
  bool can_match(const Expression& expression) const;
  // Of the fields that a yes needs, those that none of its parsers fills.
  std::vector<std::string> fields_not_filled(const Expression& expression) const;
};

// Lists by name.
using Placeholders = std::map<std::string, std::vector<std::string>, std::less<>>;

class LogSources {
 public:
  // Read in the order given, of which the first line that fits answers. invalid, with every problem of every file, one
  // a line as `path:line:column: message`. Fields and datasets must be those of parsers, which are loaded before.
  // `lists`: beside those of the files, of which one of the same name counts.
  static Result<std::shared_ptr<const LogSources>> load(const std::vector<RuleFile>& files,
                                                        const Placeholders& lists = {});

  // nullopt: no line. Our own rules may name any dataset (whoever reads them asks may_be_dataset) without one:
  // `{product: yushi, service: DATASET}`; without a service, all.
  std::optional<RuleScope> find(std::string_view product, std::string_view category, std::string_view service) const;

  // The fields that hold a Sigma field in records of this scope; empty when there is no such field. The name of a field
  // that records can have (may_be_field) stands for itself.
  std::vector<std::string> find_field(const RuleScope& scope, std::string_view sigma_field) const;

  const Placeholders& placeholders() const { return placeholders_; }

  // Whether some log source has a field of Sigma's by this name.
  bool is_sigma_field(std::string_view name) const;

  // For a name that is no field in the words of our own (`key`, `reason`): "; write process.command_line", "; did you
  // mean user.name?", or empty.
  std::string own_field_suggestion(std::string_view name) const;

  // "; did you mean sshd?" where one of these words is near one with which it would be a log source; else empty.
  std::string suggestion(const std::string& product, const std::string& category, const std::string& service) const;

  // "; did you mean CommandLine?" where a name without a field is near one that this scope knows; else empty.
  std::string field_suggestion(const RuleScope& scope, std::string_view name) const;

 private:
  class Reading;
  struct Row {
    std::string product, category, service;  // kAny: any
    RuleScope scope;
  };
  using Fields = std::map<std::string, std::vector<std::string>, std::less<>>;  // Sigma's -> ours, any of them

  std::vector<Row> rows_;
  std::map<std::string, Fields, std::less<>> tables_;  // field "*": PARSER/*, the others are its keys
  Placeholders placeholders_;
};

}  // namespace yushi::detect
