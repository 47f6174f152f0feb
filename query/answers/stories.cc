#include "query/answers/stories.h"

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>

#include "core/base/time_text.h"
#include "core/event/attack.h"

namespace yushi::query {
namespace {

using Json = nlohmann::ordered_json;

std::string time_json(int64_t unix_ns) {
  char buffer[32];
  return std::string(buffer, format_utc(unix_ns, buffer));
}

void keep(std::set<std::string>& names, std::string_view name) {
  if (!name.empty() && names.size() < Story::kNamesMax) names.emplace(name);
}

}  // namespace

Severity Story::severity() const { return severity_of_steps(worst, tactics); }

uint32_t Story::risk() const {
  const auto more = static_cast<uint32_t>(std::max(std::popcount(tactics) - 1, 0)) * 10;
  return std::min<uint32_t>(score + more, 100);
}

bool Story::is_about(std::string_view name) const {
  const std::string text(name);
  return subject == name || hosts.contains(text) || accounts.contains(text) || addresses.contains(text);
}

std::vector<const StoryStep*> Story::in_attack_order() const {
  std::vector<const StoryStep*> out;
  for (const auto& [name, step] : steps) out.push_back(&step);
  const auto place = [](const StoryStep* step) { return step->tactic.value_or(kTactics); };
  std::stable_sort(out.begin(), out.end(), [&](const StoryStep* a, const StoryStep* b) {
    return std::pair(place(a), a->first_ns) < std::pair(place(b), b->first_ns);
  });
  return out;
}

void Story::take(Story&& other) {
  if (other.first_ns < first_ns) subject = other.subject;
  first_ns = std::min(first_ns, other.first_ns);
  last_ns = std::max(last_ns, other.last_ns);
  raised_ns = std::max(raised_ns, other.raised_ns);
  worst = std::max(worst, other.worst);
  tactics |= other.tactics;
  score = std::max(score, other.score);
  alerts += other.alerts;
  hits += other.hits;
  for (auto [mine, its] : {std::pair(&hosts, &other.hosts), std::pair(&accounts, &other.accounts),
                           std::pair(&addresses, &other.addresses)})
    for (const auto& name : *its) keep(*mine, name);
  for (auto& [name, step] : other.steps) {
    const auto [at, is_new] = steps.try_emplace(name, step);
    if (is_new) continue;
    StoryStep& mine = at->second;
    if (step.severity > mine.severity) {
      mine.severity = step.severity;
      mine.reason = step.reason;
      mine.reason_zh = step.reason_zh;
    }
    mine.first_ns = std::min(mine.first_ns, step.first_ns);
    mine.last_ns = std::max(mine.last_ns, step.last_ns);
    mine.alerts += step.alerts;
    mine.hits += step.hits;
  }
  for (auto& alert : other.alert_ids)
    if (alert_ids.size() < kAlertsMax) alert_ids.push_back(std::move(alert));
  for (auto& record : other.records)
    if (records.size() < kRecordsMax && std::find(records.begin(), records.end(), record) == records.end())
      records.push_back(std::move(record));
}

Json story_json(const Story& story, bool open) {
  Json out;
  out["id"] = story.id;
  out["subject"] = story.subject;
  out["tenant"] = story.tenant;
  out["severity"] = severity_text(story.severity());
  out["risk"] = story.risk();
  out["first"] = time_json(story.first_ns);
  out["last"] = time_json(story.last_ns);
  out["raised"] = time_json(story.raised_ns);
  out["open"] = open;
  out["alerts"] = story.alerts;
  out["hits"] = story.hits;
  out["hosts"] = story.hosts;
  out["accounts"] = story.accounts;
  out["addresses"] = story.addresses;
  out["steps"] = Json::array();
  for (const StoryStep* step : story.in_attack_order()) {
    Json said;
    if (step->tactic) {
      const Tactic& tactic = tactic_at(*step->tactic);
      said["tactic"] = {{"id", tactic.id}, {"name", tactic.name}, {"name_zh", tactic.name_zh}};
    }
    said["rule"] = {{"id", step->rule_id}, {"name", step->rule_name}};
    if (!step->rule_name_zh.empty()) said["rule"]["name_zh"] = step->rule_name_zh;
    said["severity"] = severity_text(step->severity);
    said["first"] = time_json(step->first_ns);
    said["last"] = time_json(step->last_ns);
    said["alerts"] = step->alerts;
    said["hits"] = step->hits;
    said["reason"] = step->reason;
    if (!step->reason_zh.empty()) said["reason_zh"] = step->reason_zh;
    out["steps"].push_back(std::move(said));
  }
  out["alert_ids"] = story.alert_ids;
  out["records"] = Json::array();
  for (const auto& [log, index] : story.records) out["records"].push_back(log + "/" + std::to_string(index));
  return out;
}

std::string StoryBook::now_called(std::string_view id) const {
  std::string out(id);
  for (auto at = joined_.find(out); at != joined_.end(); at = joined_.find(out)) out = at->second;
  return out;
}

const Story* StoryBook::find(std::string_view id) const {
  const auto at = stories_.find(now_called(id));
  return at == stories_.end() ? nullptr : &at->second;
}

bool StoryBook::add(const Alert& alert) {
  const std::string id = now_called(alert.story.empty() ? alert.id : alert.story);
  auto at = stories_.find(id);
  const bool begins = at == stories_.end();
  if (begins) {
    if (stories_.size() >= kStoriesMax) return false;
    at = stories_.try_emplace(id).first;
  }
  Story& story = at->second;
  if (begins) {
    story.id = id;
    story.tenant = alert.tenant;
    story.subject = alert.story_subject;
    story.first_ns = story.last_ns = alert.event_ns;
    for (std::string_view subject : {alert.field("user.name"), alert.field("source.ip"), alert.field("host.name"),
                                     std::string_view(alert.key), std::string_view(alert.rule_name)})
      if (story.subject.empty()) story.subject = subject;
  }
  for (const auto& other : alert.story_joins) {
    const std::string name = now_called(other);
    if (name == id) continue;
    joined_[name] = id;
    if (auto joins = stories_.find(name); joins != stories_.end()) {
      Story part = std::move(joins->second);
      stories_.erase(joins);
      story.take(std::move(part));
    }
  }

  story.first_ns = std::min(story.first_ns, alert.event_ns);
  story.last_ns = std::max(story.last_ns, alert.event_ns);
  story.raised_ns = std::max(story.raised_ns, alert.raised_ns);
  const auto tactic = tactic_of(alert.tags);
  // As the daemon did it, which had not all of them yet.
  if (!alert.learning && !alert.summary && alert.severity > Severity::informational) {
    story.worst = std::max(story.worst, alert.severity);
    story.score = std::max(story.score, alert.score);
    if (tactic) story.tactics |= 1u << *tactic;
  }
  ++story.alerts;
  story.hits += alert.folded + (alert.summary ? 0 : 1);
  keep(story.hosts, alert.field("host.name"));
  const bool is_tried = alert.field("event.outcome") == "failure" && !alert.field("source.ip").empty();
  if (!is_tried) keep(story.accounts, alert.actor.empty() ? alert.field("user.name") : std::string_view(alert.actor));
  keep(story.addresses, alert.field("source.ip"));

  StoryStep& step = story.steps[{tactic.value_or(kTactics), alert.rule_id}];
  if (step.alerts == 0) {
    step.rule_id = alert.rule_id;
    step.rule_name = alert.rule_name;
    step.rule_name_zh = alert.rule_name_zh;
    step.tactic = tactic;
    step.first_ns = step.last_ns = alert.event_ns;
  }
  if (step.reason.empty() || alert.severity > step.severity) {
    step.severity = alert.severity;
    step.reason = alert.reason;
    step.reason_zh = alert.reason_zh;
  }
  step.first_ns = std::min(step.first_ns, alert.event_ns);
  step.last_ns = std::max(step.last_ns, alert.event_ns);
  ++step.alerts;
  step.hits += alert.folded + (alert.summary ? 0 : 1);

  if (story.alert_ids.size() < Story::kAlertsMax) story.alert_ids.push_back(alert.id);
  for (const auto& record : alert.records)
    if (story.records.size() < Story::kRecordsMax &&
        std::find(story.records.begin(), story.records.end(), record) == story.records.end())
      story.records.push_back(record);
  return true;
}

}  // namespace yushi::query
