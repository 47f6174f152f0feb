// Where a Sigma rule looks: `logsource:` -> datasets and programs, Sigma's field names -> ECS. Read from files
// (config/sigma/*.yaml), so that a log source is a line there; nothing of them stands in the code.
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

namespace yushi::detect {

struct RuleFile;

// The records a rule is asked about.
struct RuleScope {
  bool all = false;                    // every record
  bool unknown = false;                // records that no parser knew, of any process
  std::vector<std::string> datasets;   // event.dataset
  std::vector<std::string> processes;  // process.name, of records that no parser knew
  std::string table;                   // which field names apply: "linux", "auditd", "web", …
};

class LogSources {
 public:
  // Read in the order given, of which the first line that fits answers. invalid, with every problem of every file, one
  // a line as `path:line:column: message`. Fields and datasets must be those of
  // parsers, which are loaded before.
  static Result<std::shared_ptr<const LogSources>> load(const std::vector<RuleFile>& files);

  // nullopt: no line. Our own rules may name any dataset (whoever reads them asks may_be_dataset) without one:
  // `{product: yushi, service: DATASET}`; without a service, all.
  std::optional<RuleScope> find(std::string_view product, std::string_view category, std::string_view service) const;

  // The fields that hold a Sigma field in records of this scope; empty when there is no such field. The name of a field
  // that records can have (may_be_field) stands for itself.
  std::vector<std::string> find_field(const RuleScope& scope, std::string_view sigma_field) const;

  // Whether some log source has a field of Sigma's by this name.
  bool is_sigma_field(std::string_view name) const;

  // For a name that is no field in the words of our own (`key`, `reason`): "; write process.command_line", "; did you
  // mean user.name?", or empty.
  std::string own_field_suggestion(std::string_view name) const;

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
  std::map<std::string, Fields, std::less<>> tables_;
};

}  // namespace yushi::detect
