// Where a Sigma rule looks: `logsource:` -> datasets and processes, Sigma's field names -> ECS. Two tables, nothing
// else.
//
// Errors   A log source or a field that has no row is not there: the rule is listed as unsupported, never approximated.
// Threads  Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace yushi::detect {

// The records a rule is asked about.
struct RuleScope {
  bool all = false;                    // every record
  bool unknown = false;                // records that no parser knew, of any process
  std::vector<std::string> datasets;   // event.dataset
  std::vector<std::string> processes;  // process.name, of records that no parser knew
  std::string table;                   // which field names apply: "linux", "auditd", "web", …
};

// nullopt: no row. Our own rules may name any dataset (whoever reads them asks may_be_dataset): `{product: yushi,
// service: DATASET}`; without a service, all; with `category: unparsed`, those that no parser knew.
std::optional<RuleScope> find_log_source(std::string_view product, std::string_view category, std::string_view service);

// The fields that hold a Sigma field in records of this scope; empty when there is no such field. The name of a field
// that records can have (may_be_field) stands for itself.
std::vector<std::string> find_rule_field(const RuleScope& scope, std::string_view sigma_field);

// Whether some log source has a field of Sigma's by this name.
bool is_sigma_field(std::string_view name);

// For a name that is no field in the words of our own (`key`, `reason`): "; write process.command_line", "; did you
// mean user.name?", or empty.
std::string own_field_suggestion(std::string_view name);

// "; did you mean CommandLine?" where a name without a field is near one that this scope knows; else empty.
std::string rule_field_suggestion(const RuleScope& scope, std::string_view name);

}  // namespace yushi::detect
