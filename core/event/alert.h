// A detector's statement: rule, severity, why in words, and the records that show it.
//
// Made by detect/ in commit order; its JSON is a record of the log `_audit`, in the same atomic commit as the records
// that it speaks of. Who reads it there, for Kafka's `yushi.alerts`, an answer or `verify`, reads it back as a struct.
//
// Errors   Encoding never fails: bytes that are no UTF-8 become U+FFFD. What is no alert decodes to nullopt.
// Threads  Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace yushi {

enum class Severity : uint8_t { informational, low, medium, high, critical };  // Sigma's levels
std::string_view severity_text(Severity severity);
std::optional<Severity> severity_of(std::string_view text);

struct RecordId {
  std::string log;
  uint64_t index = 0;
  bool operator==(const RecordId&) const = default;
};
std::optional<RecordId> record_id_of(std::string_view text);  // "finance/4711"

struct Alert {
  std::string id;       // first 16 hex of SHA-256 over rule, key and first record: a replay gives the same
  std::string rule_id;  // Sigma id, or the detector's name ("baseline.first-source-address")
  std::string rule_name, rule_name_zh;  // in English and in Chinese; without the latter the former is all there is
  std::string rule_digest;              // hex SHA-256 of the rule file or of the detector's name and version
  uint32_t engine = 0;  // detect/engine_version.h; 0: nobody judged it, or it is of before that was told
  Severity severity = Severity::medium;
  uint32_t score = 0;  // 0..100
  std::string tenant;
  std::string key;                // what repeated alerts fold on: account, address …
  std::string reason, reason_zh;  // in words: what is odd against what is usual
  std::string baseline;           // integers only, as text: what the judgement stood on
  bool learning = false;          // a baseline's finding while it was still learning
  uint64_t folded = 0;            // hits before this one that raised no alert of their own, and are told with it
  bool summary = false;           // says no more than that: it is no hit itself
  int64_t event_ns = 0;           // event time of the record that raised it
  int64_t raised_ns = 0;          // receipt time of that record; of a summary the time at which it was made
  std::vector<std::string> tags;  // ATT&CK: "attack.t1110"
  std::vector<RecordId> records;  // at most 64, the first and the last
  std::string actor;              // whose act it was, where that is not its user.name: detect/behaviours/actors.h
  // The incident that it is a step of: the id of its first alert; whom that is about; how bad it is up to here; and the
  // stories that this alert shows to be the same one. detect/alerts/stories.h
  std::string story, story_subject;
  Severity story_severity = Severity::informational;
  std::vector<std::string> story_joins;
  // ECS fields of the record that raised it: user.name, source.ip …
  std::vector<std::pair<std::string, std::string>> fields;

  std::string_view field(std::string_view name) const;  // the first of this name; empty when there is none
};

// Whether it is of the rule of this id, or with this in its name, in any case of ASCII.
bool is_of_rule(const Alert& alert, std::string_view rule);

// What came of judging again what an alert was raised for (judge/recheck.h).
struct AlertCheck {
  enum class Outcome : uint8_t { same, differs, unknown } outcome = Outcome::unknown;
  std::string how, how_zh;               // what was judged again, or why it could not be
  std::vector<std::string> differences;  // in words, one for each
};

std::string alert_to_json(const Alert& alert);  // ECS, event.kind: alert; one line
// Of what it says alert_to_json() gives the same bytes again. A number among `fields` comes back as it is written
// there.
std::optional<Alert> alert_of(std::string_view json);

}  // namespace yushi
