// Stories out of their alerts: what an auditor reads instead of a hundred lines.
//
// Which alerts belong together the alerts say themselves (detect/alerts/stories.h); here they are put together, steps
// are counted, and how bad it is follows from all of them. An alert without a story, of the daemon itself or of a store
// from before there were stories, is one by itself.
//
// Memory   Of a story what is shown of it: kept lists are bounded, counts are not.
// Threads  One owner.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/event/alert.h"

namespace yushi::query {

// Alerts of one rule and tactic.
struct StoryStep {
  std::string rule_id, rule_name, rule_name_zh;
  std::string reason, reason_zh;  // of the worst of them, the first of these
  std::optional<size_t> tactic;   // core/event/attack.h
  Severity severity = Severity::informational;
  int64_t first_ns = 0, last_ns = 0;  // event time
  uint64_t alerts = 0, hits = 0;      // hits: with those that were folded
};

struct Story {
  static constexpr size_t kNamesMax = 64, kRecordsMax = 512, kAlertsMax = 512;

  std::string id, subject, tenant;
  int64_t first_ns = 0, last_ns = 0;  // event time
  int64_t raised_ns = 0;              // when its newest alert was raised
  Severity worst = Severity::informational;
  uint32_t tactics = 0, score = 0;
  uint64_t alerts = 0, hits = 0;
  std::set<std::string> hosts, accounts, addresses;           // kNamesMax of each
  std::map<std::pair<size_t, std::string>, StoryStep> steps;  // by tactic, those of none last, and rule
  std::vector<std::string> alert_ids;
  std::vector<RecordId> records;  // in the order of the alerts, each once

  Severity severity() const;
  // 0 to 100: its worst step's score, and 10 for each tactic beyond the first.
  uint32_t risk() const;
  bool is_about(std::string_view name) const;
  std::vector<const StoryStep*> in_attack_order() const;
  void take(Story&& other);
};
// `open`: it may still go on.
nlohmann::ordered_json story_json(const Story& story, bool open);

class StoryBook {
 public:
  static constexpr size_t kStoriesMax = 20'000;

  // In the order in which they were raised. False when there are more stories than are kept: the alert is left out.
  bool add(const Alert& alert);
  const std::map<std::string, Story, std::less<>>& stories() const { return stories_; }
  // Of a story, or of one that became a part of it; nullptr: there is none.
  const Story* find(std::string_view id) const;

 private:
  std::string now_called(std::string_view id) const;

  std::map<std::string, Story, std::less<>> stories_;
  std::map<std::string, std::string, std::less<>> joined_;  // into which a story went
};

}  // namespace yushi::query
