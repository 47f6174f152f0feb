#include "daemon/own_alert.h"

#include <utility>

#include "detect/alerts/alert_words.h"

namespace yushi::daemon {

Alert own_alert(const detect::FindingKind& kind, Severity severity, uint32_t score, OwnWords words, int64_t now_ns) {
  Alert alert;
  alert.rule_id = kind.id;
  alert.rule_name = kind.title;
  alert.rule_name_zh = kind.title_zh;
  alert.rule_digest = detect::finding_digest(kind);
  alert.severity = severity;
  alert.score = score;
  for (auto tag : {kind.tactic, kind.tag})
    if (!tag.empty()) alert.tags.emplace_back(tag);
  alert.reason_zh = words.zh.empty() ? alert.rule_name_zh + "：" + words.en : std::move(words.zh);
  alert.reason = std::move(words.en);
  alert.event_ns = alert.raised_ns = now_ns;
  return alert;
}

}  // namespace yushi::daemon
