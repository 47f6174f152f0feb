// Findings and rule hits -> Alert: key, reason, fields and id.
//
// Threads  Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/event/alert.h"
#include "detect/behaviours/detectors.h"
#include "detect/finding.h"
#include "detect/rules/correlations.h"
#include "detect/rules/rules.h"
#include "detect/words.h"

namespace yushi::detect {

// What a record says under a name: a field's first value as text, of `A|B` the first that it has, or `actor`, whose act
// it is.
class FieldTexts {
 public:
  // Where nobody learns actors there are none.
  explicit FieldTexts(const Detectors& detectors) : detectors_(detectors) {}
  bool first(const Record& record, std::string_view name, std::string* text);

 private:
  const Detectors& detectors_;
  Scratch scratch_;
};

// What repeated alerts of a rule fold on: `name=value` of the rule's key fields that the record has.
std::string rule_key(const RuleHead& rule, const Record& record, FieldTexts& fields);
// Whose act this is, by the rule's habit: its id, and `name=value` of those fields that the record has.
std::string habit_subject(const RuleHead& rule, const Record& record, FieldTexts& fields);
// The same without the host, which is given by itself. Empty where the habit is of no account on a host, or the record
// names none.
std::string habit_subject_on_all_hosts(const RuleHead& rule, const Record& record, FieldTexts& fields,
                                       std::string* host);
// What its reason says of it, wherever it is, but for numbers and for whom it was done to: the very same act of this
// account.
std::string act_subject(const RuleHead& rule, const Record& record, FieldTexts& fields);
// The field of the habit that says which account it was; empty: none does.
std::string_view habit_account(const RuleHead& rule);
// The subject as if this account had done it.
std::string habit_subject_of(std::string_view account, const RuleHead& rule, const Record& record, FieldTexts& fields);

// The values of a correlation's group; false when the record lacks one of them: then it belongs to no group.
bool group_key(const std::vector<std::string>& wanted, const std::vector<std::string>& names, const Record& record,
               FieldTexts& fields, std::string* key);

std::string rule_reason(const RuleHead& rule, const std::string& key, const Record& record, FieldTexts& fields,
                        Lang lang);
// The fields that a correlation's reason names, but for those that all records of a group have in common.
std::vector<std::string> said_fields(const CorrelationRule& rule);
// What a record says in its correlation's reason: kept with its hit, since when the correlation fires the record is
// gone.
std::string hit_words(const LoadedRules::Correlation& correlation, const Record& record, FieldTexts& fields);

// Fields are those of the newest record by event time that has them. `record` completed it; nullptr: its window is
// over, and the records are gone.
std::string correlation_reason(const LoadedRules& rules, const LoadedRules::Correlation& correlation,
                               const CorrelationFired& fired, const std::string& key, const Record* record,
                               FieldTexts& fields, Lang lang);
// The integers of its judgement.
std::string correlation_baseline(const CorrelationRule& rule, const CorrelationFired& fired);

// A finding as a rule: what an alert says of it.
RuleHead head_of(const Finding& finding);
// What an alert says of its rule.
void put_head(const RuleHead& head, Alert& alert);
// Of what speaks against taking it at its full weight; *low* at least.
void weigh_one_level_less(Alert& alert);
// What it says of its finding, in this log; the finding is empty then.
void take(Finding& finding, std::string_view log, Alert& alert);

// What every alert takes from the record that raised it.
Alert alert_of(const Record& record, FieldTexts& fields);
// A record, or none, with what the alert says beside it, as by fields of its finding or by the group of a correlation:
// what an exception's `when` is asked of. Lives as long as `arena`.
Record with_facts(const Record* record, const Alert& alert, std::string_view log, Arena& arena);
// Cuts to the first and the last of at most 64.
std::vector<RecordId> record_ids(std::string_view log, const std::vector<uint64_t>& indexes);
// First 16 hex of SHA-256 over rule, key and first record.
std::string alert_id(const Alert& alert);

std::string finding_digest(const FindingKind& kind);

}  // namespace yushi::detect
