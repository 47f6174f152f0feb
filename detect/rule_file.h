// One rule file, read: Sigma v2 rules, correlations and our own `yushi:` part (key, reason, fold, tests).
//
// A file may hold several YAML documents. What is wrong is a problem with file, line and column; what is right Sigma
// but more than we can do exactly is *unsupported*: that rule is left out and listed, the others of the file stand.
//
//   yushi:
//     key: [user.name, host.name]        what repeated alerts fold on; otherwise account, address and host
//     reason: '%{user.name} …'           the alert's words; %{FIELD} is the record's value, and in correlations
//                                        %{count}, %{timespan} and %{since}
//     habit: [user.name, host.name]      a hit that is usual for these values is only counted: detect/habits.h
//     fold: 1h                           repeated alerts within this event time fold into one; with a habit 1d
//     tests:
//       - name: what it shows
//         received: 2026-11-01T08:00:00Z    receipt of the first line; a line may move it by `+90s LINE`
//         lines: [syslog lines]             or whole messages, as a sender writes them
//         expect: alert | none | {alerts: 2, reason: 'contained text'}
//
// Errors  None thrown: foreign exceptions end here.
// Memory  A file of more than 1 MiB, 100,000 nodes or depth 64 is refused (aliases are counted as often as they are
//         used).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/event/alert.h"
#include "core/filter/filter.h"
#include "detect/engine.h"
#include "detect/log_source.h"

namespace yushi::detect {

// A name in key, habit, group-by and reason that is no field: whose act it is (detect/actors.h).
inline constexpr std::string_view kActor = "actor";

struct RuleProblem {
  std::string path;          // empty: the message says it
  int line = 0, column = 0;  // 1-based
  std::string message;
  bool unsupported = false;  // right, but not done here

  std::string text() const;  // path:line:column: message
};

// What an alert says of its rule, stateless or correlation.
struct RuleHead {
  std::string id, title, name;
  std::string digest;  // hex SHA-256 of the file's text and the document's number in it
  std::string path;
  int line = 1;
  Severity severity = Severity::medium;
  uint32_t score = 50;
  std::vector<std::string> tags;
  std::vector<std::string> key;    // field names
  std::vector<std::string> habit;  // field names; empty: every hit is news
  std::string reason;
  int64_t fold_ns = 3600 * kSecond;
};

struct SigmaRule {
  RuleHead head;
  RuleScope scope;
  Filter filter;
};

struct CorrelationRule {
  enum class Type : uint8_t { event_count, value_count, temporal, temporal_ordered };
  RuleHead head;
  Type type = Type::event_count;
  std::vector<std::string> rules;  // names or ids, as written
  std::vector<std::string> group_by;
  // aliases: name in group_by -> (rule, field)
  std::vector<std::pair<std::string, std::vector<std::pair<std::string, std::string>>>> aliases;
  int64_t timespan_ns = 0;
  uint64_t at_least = 1;  // event_count, value_count
  std::optional<uint64_t> exactly;
  std::string value_field;  // value_count
  bool generate = false;    // the rules it is made of raise alerts of their own, too
};

struct RuleTest {
  std::string name;
  int line = 0;
  std::string received;  // RFC 3339; empty: 2026-11-01T08:00:00Z
  std::vector<std::string> lines;
  bool any = true;                 // at least one alert of this rule, or none when false
  std::optional<uint64_t> alerts;  // exactly so many
  std::string reason;              // text that the first alert's reason contains
};

// What one YAML document of the file held.
struct RuleDocument {
  std::optional<SigmaRule> rule;
  std::optional<CorrelationRule> correlation;
  std::vector<RuleTest> tests;
  const RuleHead& head() const { return rule ? rule->head : correlation->head; }
};

struct ParsedRuleFile {
  std::vector<RuleDocument> documents;
  std::vector<RuleProblem> problems;  // unsupported ones too
};
ParsedRuleFile parse_rule_file(const RuleFile& file, const LogSources& sources);

}  // namespace yushi::detect
