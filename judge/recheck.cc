#include "judge/recheck.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "core/base/display.h"
#include "core/base/name.h"
#include "core/base/time_text.h"
#include "detect/engine_version.h"
#include "detect/lists/list_changes.h"
#include "detect/lists/lists.h"
#include "detect/rules/rules.h"
#include "parsers/engine_version.h"
#include "storage/read/record_reader.h"

namespace yushi::judge {
namespace {

static_assert(parsers::kParserEngine == 8,
              "other fields are other alerts: raise detect::kDetectEngine, then this number");

using Outcome = AlertCheck::Outcome;

// What was judged when it came is not counted again.
detect::DetectOptions once_more(detect::DetectOptions options) {
  options.counts = false;
  return options;
}

AlertCheck unknown(std::string why, std::string why_zh) {
  return {Outcome::unknown, std::move(why), std::move(why_zh), {}};
}

std::string text_of(const std::vector<RecordId>& records) {
  std::string out;
  for (auto& [log, index] : records) out += (out.empty() ? "" : " ") + log + "/" + std::to_string(index);
  return out;
}

std::vector<std::string> differences(const Alert& stored, const Alert& again) {
  std::vector<std::string> out;
  const auto say = [&](std::string_view name, const std::string& was, const std::string& is) {
    if (was != is)
      out.push_back(std::string(name) + ": the alert says \"" + was + "\", judged again it is \"" + is + "\"");
  };
  say("rule name", stored.rule_name, again.rule_name);
  say("rule digest", stored.rule_digest, again.rule_digest);
  say("severity", std::string(severity_text(stored.severity)), std::string(severity_text(again.severity)));
  say("score", std::to_string(stored.score), std::to_string(again.score));
  say("tenant", stored.tenant, again.tenant);
  say("key", stored.key, again.key);
  say("reason", stored.reason, again.reason);
  say("rule name in Chinese", stored.rule_name_zh, again.rule_name_zh);
  say("reason in Chinese", stored.reason_zh, again.reason_zh);
  say("story", stored.story, again.story);
  say("baseline", stored.baseline, again.baseline);
  say("learning", stored.learning ? "yes" : "no", again.learning ? "yes" : "no");
  say("folded", std::to_string(stored.folded), std::to_string(again.folded));
  say("time of the event", utc_text(stored.event_ns), utc_text(again.event_ns));
  say("time", utc_text(stored.raised_ns), utc_text(again.raised_ns));
  say("records", text_of(stored.records), text_of(again.records));
  std::map<std::string, std::string> was(stored.fields.begin(), stored.fields.end()),
      is(again.fields.begin(), again.fields.end());
  std::set<std::string> names;
  for (auto& [name, unused] : was) names.insert(name);
  for (auto& [name, unused] : is) names.insert(name);
  for (auto& name : names) say(name, was[name], is[name]);
  if (out.empty()) out.push_back("what it says beside these");
  return out;
}

// What stands on the record alone: its alert needs nothing that was before it.
bool has_no_memory(const detect::RuleHead& rule) {
  return rule.habit.empty() && rule.reason.find("{" + std::string(detect::kActor)) == std::string::npos &&
         rule.reason.find("|" + std::string(detect::kActor)) == std::string::npos &&
         std::find(rule.key.begin(), rule.key.end(), detect::kActor) == rule.key.end();
}

// Of the acts that teach, and of those that end it.
Result<std::vector<uint64_t>> places_of_taught(const storage::StoreView& view, uint64_t from) {
  std::vector<uint64_t> out;
  YUSHI_TRY(view.each_alert_act(from, [&](uint64_t index, auto& entry) {
    if (entry && entry->kind != AlertAct::Kind::held_back) out.push_back(index);
    return true;
  }));
  return out;
}

class Recheck {
 public:
  Recheck(const storage::StoreView& view, const Alert& alert, const Judging& by, const std::atomic<bool>& over)
      : view_(view),
        alert_(alert),
        by_(by),
        over_(over),
        judge_(by.parsers, by.rules, once_more(by.options), by.zone_of) {}

  // The records that it names, and nothing else.
  Result<AlertCheck> by_its_records(const std::string& log) {
    std::set<uint64_t> wanted;
    for (auto& record : alert_.records) wanted.insert(record.index);
    uint64_t seen = 0;
    int64_t received_ns = alert_.raised_ns;
    if (by_.lists) judge_.use(by_.lists);
    for (auto index : wanted) {
      if (index < next_) continue;
      auto segment = YUSHI_TRY(view_.segment_at(log, index));
      if (!segment || segment->summary.first_index > index) continue;
      next_ = segment->summary.first_index + segment->summary.records;
      auto batch = YUSHI_TRY(view_.read(*segment));
      std::erase_if(batch->records, [&](auto& record) { return !wanted.contains(record.index); });
      seen += batch->records.size();
      if (batch->records.empty()) continue;
      received_ns = std::max(received_ns, batch->records.back().origin->received_ns);
      match(*batch);
      judge_.observe(*batch, raised_);
    }
    if (seen < wanted.size())
      return unknown(std::to_string(wanted.size() - seen) + " of its " + std::to_string(wanted.size()) +
                         " records are not in the store any more",
                     "其 " + std::to_string(wanted.size()) + " 条记录中有 " + std::to_string(wanted.size() - seen) +
                         " 条已不在存储中");
    judge_.tick(1, received_ns + kLongAfter, raised_);
    take();
    auto how = "its " + std::to_string(wanted.size()) + (wanted.size() == 1 ? " record" : " records") +
               " by the rule of digest " + alert_.rule_digest.substr(0, 12);
    auto how_zh = "以摘要为 " + alert_.rule_digest.substr(0, 12) + " 的规则重新判定其 " +
                  std::to_string(wanted.size()) + " 条记录";
    // How often it came before is not in its records.
    if (found_ && alert_.folded > 0 && alert_.reason.starts_with(found_->reason + "; ")) {
      found_->folded = alert_.folded;
      found_->reason = alert_.reason;
      if (alert_.reason_zh.starts_with(found_->reason_zh)) found_->reason_zh = alert_.reason_zh;
      how += "; the repetitions that were folded into it were not counted again";
      how_zh += "；合并入该告警的重复次数未重新计数";
    }
    return compared(std::move(how), std::move(how_zh));
  }

  // All of its log, up to its commit.
  Result<AlertCheck> by_its_log(const std::string& log, uint64_t commit, int64_t written_ns) {
    const Then then = YUSHI_TRY(judged_by(commit));
    auto next = then.taught.begin();
    const auto teach_until = [&](uint64_t until) {
      for (; next != then.taught.end() && next->first <= until; ++next) judge_.engine().teach(next->second);
    };
    auto next_lists = then.lists.begin();
    knows_lists_of_then_ = !then.lists.empty();
    if (!knows_lists_of_then_ && by_.lists) judge_.use(by_.lists);
    uint64_t expected = 0, records = 0;
    int64_t ticked_ns = std::numeric_limits<int64_t>::min();
    Result<void> failed;
    bool is_over = false;
    YUSHI_TRY(view_.each_segment(log, 0, [&](const storage::Segment& segment) {
      if (segment.summary.first_index != expected || over_) return false;
      expected += segment.summary.records;
      auto read = view_.read(segment);
      if (!read) {
        failed = tl::unexpected(read.error());
        return false;
      }
      auto& batch = **read;
      match(batch);
      for (size_t begin = 0; begin < batch.records.size() && !is_over;) {
        const auto of = batch.records[begin].origin->commit;
        if (is_over = of > commit; is_over) break;
        auto end = begin;
        while (end < batch.records.size() && batch.records[end].origin->commit == of) ++end;
        teach_until(of - 1);
        for (; next_lists != then.lists.end() && next_lists->first <= of; ++next_lists) judge_.use(next_lists->second);
        judge_.observe(batch, begin, end, raised_);
        const auto now_ns = batch.records[end - 1].origin->received_ns;
        // None so near before the alert that it could have been the tick that raised it.
        if ((ticked_ns < now_ns - kSecond || ticked_ns > now_ns) && (now_ns < alert_.raised_ns - 2 * kSecond))
          judge_.tick(of, ticked_ns = now_ns, raised_);
        take();
        records += end - begin;
        begin = end;
      }
      return !is_over;
    }));
    if (over_) return unknown("it was ended", "重新判定被中止");
    if (!failed) return tl::unexpected(failed.error());
    for (auto& record : alert_.records)
      if (record.index >= expected && is_over) {
        return AlertCheck{Outcome::differs,
                          "log " + log + " up to the alert's commit",
                          "日志 " + log + "，至该告警提交为止",
                          {"it names " + log + "/" + std::to_string(record.index) + ", which came after it"}};
      } else if (record.index >= expected) {
        return unknown(log + "/" + std::to_string(expected) +
                           " is not in the store: what the judgement stood on is not all there any more",
                       log + "/" + std::to_string(expected) + " 不在存储中：判定所依据的记录已不完整");
      }
    judge_.tick(commit, alert_.raised_ns, raised_);
    judge_.tick(commit, std::max(alert_.raised_ns, written_ns), raised_);
    take();
    return compared("log " + log + " from its first record to the alert's commit, " + std::to_string(records) +
                        " records, by the rules and detectors that are here now" +
                        (knows_lists_of_then_ ? " and the lists of then" : ""),
                    "以现有规则和检测器" + std::string(knows_lists_of_then_ ? "及当时的名单" : "") + "重新判定日志 " +
                        log + " 自首条记录至该告警提交的 " + std::to_string(records) + " 条记录");
  }

 private:
  static constexpr int64_t kLongAfter = 3600 * kSecond;

  // What `_audit` says of how was judged up to this commit, each from which commit on.
  struct Then {
    std::vector<std::pair<uint64_t, AlertAct>> taught;
    // The site's lists, by the records that say what was read. None: there were none, or a record does not say all.
    std::vector<std::pair<uint64_t, std::shared_ptr<const detect::Lists>>> lists;
  };
  Result<Then> judged_by(uint64_t commit) {
    const auto acts = YUSHI_TRY(places_of_taught(view_, 0));
    auto next_act = acts.begin();
    Then out;
    std::string text;
    Result<void> failed;
    bool is_whole = true;
    YUSHI_TRY(view_.each_segment(std::string(kAuditLog), 0, [&](const storage::Segment& segment) {
      auto read = over_ ? fail(Code::unavailable, "it was ended") : view_.read(segment);
      if (!read) {
        failed = tl::unexpected(read.error());
        return false;
      }
      for (auto& record : (*read)->records) {
        if (record.origin->commit > commit) return false;
        next_act = std::find_if(next_act, acts.end(), [&](uint64_t index) { return index >= record.index; });
        const bool is_act = next_act != acts.end() && *next_act == record.index;
        if (!is_act && record.raw.find("\"lists-read\"") == record.raw.npos) continue;
        auto own = own_record_of(record.raw);
        if (!own) continue;
        if (auto* act = std::get_if<AlertAct>(&own->about); act && is_act)
          out.taught.emplace_back(record.origin->commit, std::move(*act));
        const auto* lists = std::get_if<ListsRead>(&own->about);
        if (!lists || !is_whole || !(is_whole = lists->changes.has_value())) continue;
        text = detect::with_list_changes(text, *lists->changes);
        out.lists.emplace_back(record.origin->commit, detect::Lists::of_text(text));
      }
      return true;
    }));
    if (!failed) return tl::unexpected(failed.error());
    if (!is_whole) out.lists.clear();
    return out;
  }

  void match(Batch& batch) { by_.rules->match(batch, scratch_, batch.hits); }

  // Of all that is raised this alert alone: the one that is equal, else the last of its id.
  void take() {
    for (auto& one : raised_) {
      if (one.id != alert_.id || one.rule_id != alert_.rule_id || one.summary) continue;
      one.engine = alert_.engine;  // which is no part of what it says
      if (found_ && alert_to_json(*found_) == alert_to_json(alert_)) break;
      found_ = std::move(one);
    }
    raised_.clear();
  }

  AlertCheck compared(std::string how, std::string how_zh) {
    // With which others it is a story rests on them all, also on those that lists of then or exceptions made or hid.
    if (found_) {
      found_->story = alert_.story;
      found_->story_subject = alert_.story_subject;
      found_->story_severity = alert_.story_severity;
      found_->story_joins = alert_.story_joins;
    }
    const bool is_same = found_ && alert_to_json(*found_) == alert_to_json(alert_);
    if (!is_same && !knows_lists_of_then_ && alert_.baseline.find("list=") != std::string::npos)
      return unknown("it rests on a list of the site, which is another one here, or none: " + alert_.baseline,
                     "该告警依据本单位名单，此处没有该名单或内容不同：" + alert_.baseline);
    if (!is_same && alert_.engine != detect::kDetectEngine) {
      const auto then =
          alert_.engine > 0 ? "version " + std::to_string(alert_.engine) : "a version of before it was told";
      const auto then_zh = alert_.engine > 0 ? "版本 " + std::to_string(alert_.engine) : "未注明的较早版本";
      const auto here = std::to_string(detect::kDetectEngine);
      return unknown("it was judged by " + then + " of the program, here is version " + here +
                         ", which does not say the same of " + how,
                     "该告警由程序" + then_zh + "判定，此处为版本 " + here + "，结果不同（" + how_zh + "）");
    }
    if (!found_) {
      return {Outcome::differs,
              std::move(how),
              std::move(how_zh),
              {"nothing of rule " + alert_.rule_id + " with this key and first record comes of them"}};
    }
    if (is_same) return {Outcome::same, std::move(how), std::move(how_zh), {}};
    if (found_->rule_digest != alert_.rule_digest) {
      const auto then = alert_.rule_digest.substr(0, 12), here = found_->rule_digest.substr(0, 12);
      return unknown("what found it is another version now: digest " + then + " then, here " + here,
                     "检测器版本已变：当时摘要为 " + then + "，此处为 " + here);
    }
    return {Outcome::differs, std::move(how), std::move(how_zh), differences(alert_, *found_)};
  }

  const storage::StoreView& view_;
  const Alert& alert_;
  const Judging& by_;
  const std::atomic<bool>& over_;
  EventJudge judge_;
  Scratch scratch_;
  std::vector<Alert> raised_;
  std::optional<Alert> found_;
  uint64_t next_ = 0;
  bool knows_lists_of_then_ = false;
};

}  // namespace

Result<AlertCheck> recheck(const storage::StoreView& view, const Alert& alert, uint64_t audit_index, const Judging& by,
                           const std::atomic<bool>& over) {
  if (alert.records.empty()) return unknown("it names no record", "该告警未指明任何记录");
  if (alert.summary)
    return unknown("it only counts what was not raised; the alerts of its rule can be judged again",
                   "该告警只统计未告警的次数；可重新判定同一规则的其他告警");
  const auto& log = alert.records.front().log;
  if (log == kAuditLog)
    return unknown("it is yushid's own: its record " + text_of(alert.records) + " is what it says",
                   "该告警由 yushid 自身产生：内容即其记录 " + text_of(alert.records));
  if (std::any_of(alert.records.begin(), alert.records.end(), [&](auto& record) { return record.log != log; }))
    return unknown("its records are of several logs", "其记录来自多个日志");
  const auto* rules = dynamic_cast<const detect::LoadedRules*>(by.rules.get());
  bool is_light = false;
  std::string digest_here;
  for (size_t i = 0; rules && i < rules->rules().size() + rules->correlations().size(); ++i) {
    const bool is_rule = i < rules->rules().size();
    const auto& head = is_rule ? rules->rules()[i].head : rules->correlations()[i - rules->rules().size()].rule.head;
    if (head.id != alert.rule_id) continue;
    digest_here = head.digest;
    is_light = is_rule && has_no_memory(head);
    break;
  }
  // A finding of a detector has a dot in its name, a rule's id is a file's word for it.
  if (digest_here.empty() && alert.rule_id.find('.') == std::string::npos)
    return unknown("no rule " + alert.rule_id + " is here; give the folder that had it",
                   "此处没有规则 " + alert.rule_id + "；请指定当时的规则目录");
  if (!digest_here.empty() && digest_here != alert.rule_digest) {
    const auto then = alert.rule_digest.substr(0, 12), here = digest_here.substr(0, 12);
    return unknown("the rule was changed since: digest " + then + " then, here " + here +
                       "; give the folder with its file of then",
                   "规则此后有改动：当时摘要为 " + then + "，此处为 " + here + "；请指定当时的规则目录");
  }
  if (is_light) {
    auto light = YUSHI_TRY(Recheck(view, alert, by, over).by_its_records(log));
    // Names that stand behind numbers are known from other records.
    if (light.outcome != Outcome::differs || alert.actor.empty()) return light;
  }
  Recheck recheck(view, alert, by, over);
  storage::RecordReader reader(view);
  const auto* record = YUSHI_TRY(reader.read(kAuditLog, audit_index));
  return recheck.by_its_log(log, record->origin->commit, record->origin->received_ns);
}

Result<std::vector<std::pair<uint64_t, AlertAct>>> read_taught(const storage::StoreView& view, uint64_t from,
                                                               const std::function<void(const Error&)>& failed) {
  const auto places = YUSHI_TRY(places_of_taught(view, from));
  std::vector<std::pair<uint64_t, AlertAct>> out;
  storage::RecordReader reader(view);
  for (auto index : places) {
    auto record = reader.read(kAuditLog, index);
    if (!record) {
      failed(record.error());
      continue;
    }
    auto own = own_record_of((*record)->raw);
    auto* act = own ? std::get_if<AlertAct>(&own->about) : nullptr;
    if (act) out.emplace_back((*record)->origin->commit, std::move(*act));
  }
  return out;
}

}  // namespace yushi::judge
