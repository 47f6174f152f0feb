#include "detect/silence.h"

#include <algorithm>

#include "core/base/calendar.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr FindingKind kSilent{"silence.host", "Host fell silent", 1,
                              "attack.t1562", "主机停止发送日志", "attack.defense-evasion"};
constexpr size_t kNameBytesMax = 256;
constexpr int64_t kDayNs = int64_t{86'400} * kSecond;
constexpr int64_t kJudgeEveryNs = 600 * kSecond;

size_t slot_of(int64_t day) { return static_cast<size_t>(day - floor_div(day, Silence::kPauses) * Silence::kPauses); }

}  // namespace

int64_t Silence::Host::longest_pause() const { return *std::max_element(pauses.begin(), pauses.end()); }

void Silence::observe(const Record& record, int64_t at_ns, Scratch& scratch, std::vector<Finding>& findings) {
  scratch.clear();
  Value value;
  if (!first_value(record, ecs::host_name, scratch, &value) || value.text.empty()) return;
  auto at = by_log_.find(record.origin->log);
  if (at == by_log_.end()) at = by_log_.try_emplace(std::string(record.origin->log)).first;
  Log& log = at->second;

  Host& host = log.hosts.use(value.text.substr(0, kNameBytesMax));
  if (host.last_ns == 0) host.first_ns = host.last_ns = at_ns;
  if (at_ns > host.last_ns) {
    const int64_t day = floor_div(at_ns, kDayNs);
    for (int64_t gone = std::max(host.pauses_day + 1, day - kPauses + 1); gone <= day; ++gone)
      host.pauses[slot_of(gone)] = 0;
    host.pauses_day = std::max(host.pauses_day, day);
    int64_t& longest = host.pauses[slot_of(day)];
    longest = std::max(longest, at_ns - host.last_ns);
    host.last_ns = at_ns;
    host.told = false;
  }
  host.last_index = record.index;
  if (++log.seen < log.hosts.size() || at_ns < log.next_ns) return;
  log.seen = 0;
  judge(record.origin->log, log, findings);
}

void Silence::judge(std::string_view name, Log& log, std::vector<Finding>& findings) const {
  std::vector<int64_t> newest;
  newest.reserve(log.hosts.size());
  log.hosts.for_each([&](const std::string&, const Host& host) { newest.push_back(host.last_ns); });
  if (newest.size() < kHostsAtLeast) return;
  const auto middle = newest.begin() + static_cast<ptrdiff_t>(newest.size() / 2);
  std::nth_element(newest.begin(), middle, newest.end());
  const int64_t now_ns = *middle;
  log.next_ns = now_ns + kJudgeEveryNs;
  log.hosts.for_each([&](const std::string& host_name, Host& host) {
    const int64_t away = now_ns - host.last_ns, pause = host.longest_pause();
    if (host.told || host.last_ns - host.first_ns < kKnownNs || away < kLeastNs || away / kTimes < pause) return;
    host.told = true;
    Finding finding;
    finding.kind = &kSilent;
    finding.score = 55;
    finding.key = printable(host_name);
    finding.log = name;
    finding.reason = printable(host_name) + " has sent nothing since " + time_text_utc(host.last_ns) + ", for " +
                     within_text(away) + " while others of this log went on; its longest pause in " +
                     std::to_string(kPauses) + " days was " + within_text(pause);
    finding.reason_zh = "主机 " + printable(host_name) + " 自 " + time_text_utc(host.last_ns) + " 起已 " +
                        within_text(away, Lang::zh) + "未发送任何日志，而该日志的其他主机仍在发送；其 " +
                        std::to_string(kPauses) + " 天内最长间隔为 " + within_text(pause, Lang::zh);
    finding.fields = {{"host.name", printable(host_name)}};
    finding.baseline = "away_s=" + std::to_string(away / kSecond) +
                       " longest_pause_s=" + std::to_string(pause / kSecond) +
                       " hosts=" + std::to_string(newest.size());
    finding.records = {host.last_index};
    findings.push_back(std::move(finding));
  });
}

void Silence::save(std::string& out) const {
  put_varint(out, by_log_.size());
  for (const auto& [name, log] : by_log_) {
    put_text(out, name);
    put_signed(out, log.next_ns);
    put_varint(out, log.seen);
    put_varint(out, log.hosts.size());
    log.hosts.for_each([&out](const std::string& host_name, const Host& host) {
      put_text(out, host_name);
      put_signed(out, host.first_ns);
      put_signed(out, host.last_ns);
      put_varint(out, host.last_index);
      for (int64_t pause : host.pauses) put_signed(out, pause);
      put_signed(out, host.pauses_day);
      put_varint(out, host.told);
    });
  }
}

bool Silence::load(Reader& in) {
  by_log_.clear();
  for (uint64_t logs = in.varint(); logs > 0 && in.ok(); --logs) {
    Log& log = by_log_.try_emplace(std::string(in.text())).first->second;
    log.next_ns = bounded_time(in.signed_varint());
    log.seen = in.varint();
    for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
      Host& host = log.hosts.use(in.text());
      host.first_ns = bounded_time(in.signed_varint());
      host.last_ns = bounded_time(in.signed_varint());
      host.last_index = in.varint();
      for (int64_t& pause : host.pauses) pause = bounded_time(in.signed_varint());
      host.pauses_day = std::clamp<int64_t>(in.signed_varint(), -kTimeMaxNs / kDayNs, kTimeMaxNs / kDayNs);
      host.told = in.varint() != 0;
    }
  }
  return in.ok();
}

}  // namespace yushi::detect
