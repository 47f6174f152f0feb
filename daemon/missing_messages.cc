#include "daemon/missing_messages.h"

#include "daemon/own_alert.h"
#include "detect/words.h"

namespace yushi::daemon {
namespace {

constexpr detect::FindingKind kMissing{
    "sequence.messages-missing", "Numbered messages are missing", 2, "attack.t1562.006", "消息编号不连续",
    "attack.defense-evasion"};

}  // namespace

void MissingMessages::hear(std::vector<storage::LossesMoved> moved, int64_t now_ns) {
  for (auto& one : moved) {
    auto at = missing_.find({one.log, one.source});
    if (at == missing_.end()) {
      if (one.after <= one.before || missing_.size() >= kSourcesMax) continue;
      at = missing_.try_emplace({one.log, std::move(one.source)}).first;
      at->second.told = one.before;
    }
    auto& missing = at->second;
    missing.lost = one.after;
    missing.since_ns = now_ns;
    missing.event_ns = one.event_ns;
    missing.host = detect::printable(one.host);
  }
}

std::vector<Alert> MissingMessages::due(const storage::KnownLogs& logs, int64_t now_ns) {
  std::vector<Alert> out;
  for (auto at = missing_.begin(); at != missing_.end();) {
    auto& [key, missing] = *at;
    if (now_ns - missing.since_ns < kSettleNs ||
        (missing.told_ns != 0 && !is_due(missing.told_ns, now_ns, kAlertIntervalNs))) {
      ++at;
      continue;
    }
    if (missing.lost <= missing.told) {
      at = missing_.erase(at);
      continue;
    }
    const std::string tenant = logs[key.first]->name;
    const bool is_relay = !missing.host.empty() && missing.host != key.second;
    const std::string what = std::to_string(missing.lost - missing.told) + " messages that " + key.second +
                             (is_relay ? " (host " + missing.host + ")" : "") +
                             " numbered never came here: lost on their way, or taken out";
    auto what_zh = key.second + (is_relay ? "（主机 " + missing.host + "）" : "") + " 发送的带编号消息中有 " +
                   std::to_string(missing.lost - missing.told) + " 条从未到达：可能在传输途中丢失，或被人移除";
    auto alert = own_alert(kMissing, Severity::medium, 55, {what, std::move(what_zh)}, now_ns);
    alert.event_ns = missing.event_ns;
    alert.tenant = tenant.substr(0, tenant.find_first_of("@:"));
    alert.key = key.second;
    if (!missing.host.empty()) alert.fields.emplace_back("host.name", missing.host);
    out.push_back(std::move(alert));
    missing.told = missing.lost;
    missing.told_ns = now_ns;
    ++at;
  }
  return out;
}

}  // namespace yushi::daemon
