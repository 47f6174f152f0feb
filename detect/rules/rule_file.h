// One rule file, read: Sigma v2 rules, correlations, filters and our own `yushi:` part (key, reason, fold, tests).
//
// A file may hold several YAML documents. What is wrong is a problem with file, line and column; what is right Sigma
// but more than we can do exactly, or can never match by what our parsers fill, is *unsupported*: that rule is left out
// and listed, the others of the file stand. A document that is none of Sigma's is passed over, so that a folder may be
// a whole checkout of rules.
//
//   placeholders: {admins: [alice, 'adm_*']}    a document of its own: lists for |expand, beside those of the log
//                                               sources; of one name the one that is read last counts
//
//   yushi:
//     key: [user.name, host.name]        what repeated alerts fold on; otherwise account, address and host
//     reason: '%{user.name} …'           the alert's words; %{FIELD} is the record's value (%{A|B} the first that it
//                                        has; Sigma's names are those of the log source), and in correlations
//                                        %{count}, %{timespan} and %{since}
//     title_zh, reason_zh                both in Chinese: alerts say everything in English and in Chinese
//     habit: [user.name, host.name]      a hit that is usual for these values is only counted: detect/memory/habits.h
//     failed_level: low                  the level of a hit whose record says event.outcome: failure
//     fold: 1h                           repeated alerts within this event time fold into one; with a habit 1d
//     tests:
//       - name: what it shows
//         received: 2026-11-01T03:00:00Z    receipt of the first line; a line may move it by `+90s LINE`
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
#include "core/filter/sigma.h"
#include "core/filter/sigma_condition.h"
#include "detect/rules/log_source.h"
#include "detect/rules/rule_set.h"

namespace yushi::detect {

// A name in key, habit, group-by and reason that is no field: whose act it is (detect/behaviours/actors.h).
inline constexpr std::string_view kActor = "actor";
// The same of a record that names nobody: who ran a command as root on its host just before.
inline constexpr std::string_view kDoer = "doer";

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
  std::string title_zh;  // empty: the title is all there is
  std::string digest;    // hex SHA-256 of the file's text and the document's number in it
  std::string path;
  int line = 1;
  Severity severity = Severity::medium;
  uint32_t score = 50;
  std::optional<Severity> failed_severity;  // of what its record says failed; then it is told by itself
  std::vector<std::string> tags;
  std::vector<std::string> key;    // field names
  std::vector<std::string> habit;  // field names; empty: every hit is news
  std::string reason, reason_zh;   // without one the title says it, and what happened by one field (alert_words.cc)
  int64_t fold_ns = kHour;
};

uint32_t score_of(Severity severity);  // where a rule gives none

// What a rule says under `logsource:`.
struct LogSourceWords {
  std::string product, category, service;
};

struct SigmaRule {
  RuleHead head;
  LogSourceWords source;
  RuleScope scope;
  Filter filter;
};

// A condition that is added to those of other rules.
struct FilterRule {
  RuleHead head;
  LogSourceWords source;           // of the rules that it is for; a word that is not there is any
  std::vector<std::string> rules;  // names or ids; empty: all of its log source
  SigmaValue detection;
};

struct CorrelationRule {
  enum class Type : uint8_t {
    event_count,
    value_count,
    temporal,
    temporal_ordered,
    value_sum,
    value_avg,
    value_percentile,  // the nearest rank
    value_median
  };
  struct Limit {
    enum class Op : uint8_t { gte, gt, lte, lt, eq, neq } op;
    double operand;
    bool holds(double value) const;
  };
  RuleHead head;
  Type type = Type::event_count;
  std::vector<std::string> rules;  // names or ids, as written
  std::vector<std::string> group_by;
  // aliases: name in group_by -> (rule, field)
  std::vector<std::pair<std::string, std::vector<std::pair<std::string, std::string>>>> aliases;
  int64_t timespan_ns = 0;
  std::vector<Limit> limits;                // counts and values: all of them hold
  std::optional<SigmaCondition> condition;  // temporal: over the names in `rules`
  std::string value_field;                  // value_*
  double percentile = 0;
  bool generate = false;  // the rules it is made of raise alerts of their own, too
  // Whether more hits can undo it, so that it is decided when the window is over (detect/rules/windows.h).
  bool waits = false;

  bool counts() const { return type == Type::event_count || type == Type::value_count; }
  bool is_temporal() const { return type == Type::temporal || type == Type::temporal_ordered; }
  bool reads_numbers() const { return !counts() && !is_temporal(); }
  bool holds(double value) const;
  uint64_t hits_max() const;  // how many of a group are kept, at most: all that decide a count
};

struct RuleTest {
  std::string name;
  int line = 0;
  std::string received;  // RFC 3339; empty: 2026-11-01T03:00:00Z
  std::vector<std::string> lines;
  bool any = true;                 // at least one alert of this rule, or none when false
  std::optional<uint64_t> alerts;  // exactly so many
  std::string reason;              // text that the first alert's reason contains
};

// What one YAML document of the file held.
struct RuleDocument {
  std::optional<SigmaRule> rule;
  std::optional<CorrelationRule> correlation;
  std::optional<FilterRule> filter;
  std::vector<RuleTest> tests;
  const RuleHead& head() const { return rule ? rule->head : correlation ? correlation->head : filter->head; }
};

struct ParsedRuleFile {
  std::vector<RuleDocument> documents;
  std::vector<RuleProblem> problems;     // unsupported ones too
  std::vector<std::string> passed_over;  // path:line:column: why: documents that are none of Sigma's
};
ParsedRuleFile parse_rule_file(const RuleFile& file, const LogSources& sources, const Placeholders& placeholders);

// The lists of the log sources and of all files. What is wrong with one parse_rule_file() says.
Placeholders placeholders_of(const std::vector<RuleFile>& files, const LogSources& sources);

// The rule's own filter, and the filter rule's.
Result<Filter> with_filter(const SigmaRule& rule, const FilterRule& filter, const LogSources& sources,
                           const Placeholders& placeholders);

}  // namespace yushi::detect
