#include "detect/behaviours/silence.h"

#include <algorithm>

#include "core/base/calendar.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr FindingKind kSilent{"silence.host", "Host fell silent", 3,
                              "attack.t1562", "主机停止发送日志", "attack.defense-evasion"};
constexpr FindingKind kBelow{
    "silence.far-below",     "Host sends far less than it is wont to", 3, "attack.t1562", "主机日志量远低于平时",
    "attack.defense-evasion"};
constexpr int64_t kJudgeEveryNs = 600 * kSecond;

size_t slot_of(int64_t number, int slots = Silence::kPauses) {
  return static_cast<size_t>(number - floor_div(number, slots) * slots);
}

}  // namespace

void Silence::Speaker::speak(int64_t at_ns) {
  const int64_t day = floor_div(at_ns, kDay);
  for (int64_t gone = std::max(pauses_day + 1, day - kPauses + 1); gone <= day; ++gone) pauses[slot_of(gone)] = 0;
  pauses_day = std::max(pauses_day, day);
  const int64_t pause = at_ns - last_ns;
  if (pause >= longest_pause()) {
    longest_from_ns = last_ns;
    longest_to_ns = at_ns;
  }
  int64_t& longest = pauses[slot_of(day)];
  longest = std::max(longest, pause);
  last_ns = at_ns;
}

int64_t Silence::Speaker::longest_but_of(int64_t day) const {
  int64_t out = 0;
  for (size_t slot = 0; slot < pauses.size(); ++slot)
    if (day == kNoDay || slot != slot_of(day)) out = std::max(out, pauses[slot]);
  return out;
}

void Silence::Speaker::save(std::string& out) const {
  put_signed(out, last_ns);
  for (int64_t pause : pauses) put_signed(out, pause);
  put_signed(out, pauses_day);
  put_signed(out, longest_from_ns);
  put_signed(out, longest_to_ns);
}

void Silence::Speaker::load(Reader& in) {
  last_ns = load_time(in);
  for (int64_t& pause : pauses) pause = load_time(in);
  pauses_day = load_day(in);
  longest_from_ns = load_time(in);
  longest_to_ns = load_time(in);
}

void Silence::Rate::add(int64_t now) {
  if (first_hour == 0) first_hour = hour = now;
  // What lies further back than a week is forgotten anyway.
  for (hour = std::max(hour, now - kHoursOfWeek); hour < now; ++hour) {
    const bool is_known = hour - first_hour > kHoursOfWeek;  // the very first hour was not whole
    uint32_t& slot = usual[slot_of(hour, kHoursOfWeek)];
    counts[slot_of(hour, kHoursKept)] = count;
    uint32_t least = is_known ? slot : 0;
    if (hour - first_hour <= 2 * kHoursOfWeek)
      for (int back = kHoursOfDay; back < kHoursOfWeek; back += kHoursOfDay)
        least = std::min(least, usual[slot_of(hour - back, kHoursOfWeek)]);
    else if (hour - first_hour <= 4 * kHoursOfWeek)  // the day before may be a Sunday, the day after a Saturday
      least = std::min(least, std::max(usual[slot_of(hour - kHoursOfDay, kHoursOfWeek)],
                                       usual[slot_of(hour + kHoursOfDay, kHoursOfWeek)]));
    expected[slot_of(hour, kHoursKept)] = least;
    slot = is_known ? std::min(count, slot * 2 + 1) : count;
    count = 0;
  }
  ++count;
}

uint64_t Silence::Rate::sum(const std::array<uint32_t, kHoursKept>& of, int64_t hours) const {
  uint64_t out = 0;
  for (int64_t at = hour - hours; at < hour; ++at) out += of[slot_of(at, kHoursKept)];
  return out;
}

void Silence::Rate::save(std::string& out) const {
  put_signed(out, first_hour);
  put_signed(out, hour);
  put_varint(out, count);
  for (auto one : counts) put_varint(out, one);
  for (auto one : expected) put_varint(out, one);
  for (auto one : usual) put_varint(out, one);
}

void Silence::Rate::load(Reader& in) {
  first_hour = load_time(in);
  hour = load_time(in);
  count = load_number<uint32_t>(in);
  for (auto& one : counts) one = load_number<uint32_t>(in);
  for (auto& one : expected) one = load_number<uint32_t>(in);
  for (auto& one : usual) one = load_number<uint32_t>(in);
}

void Silence::observe(const Record& record, std::string_view host_name, int64_t at_ns, std::vector<Finding>& findings) {
  if (host_name.empty()) return;
  Log& log = by_log_.use(record.origin->log);

  const auto name = host_name.substr(0, kNameBytesMax);
  Host& host = log.hosts.use(name);
  if (host.last_ns == 0) host.first_ns = host.last_ns = at_ns;
  if (at_ns > host.last_ns) {
    host.speak(at_ns);
    host.told = false;
  }
  host.last_index = record.index;
  const int64_t hour = floor_div(at_ns, kHour), before = host.rate.hour;
  host.rate.add(hour);
  // A clock that is ahead does not end the hour of all.
  log.rate.add(log.next_ns == 0 ? hour : std::min(hour, floor_div(log.next_ns, kHour) + 1));
  if (before != 0 && hour > before) judge_rate(record.origin->log, log, name, host, findings);
  if (++log.seen < log.hosts.size() || at_ns < log.next_ns) return;
  log.seen = 0;
  judge(record.origin->log, log, findings);
}

const Silence::Host* Silence::host_of(std::string_view log, std::string_view host) const {
  const Log* known = by_log_.find(log);
  return known ? known->hosts.peek(host) : nullptr;
}

int64_t Silence::oldest_of(std::string_view log, std::string_view host) const {
  const Host* one = host_of(log, host);
  return one ? one->first_ns : -kTimeMaxNs;
}

int64_t Silence::newest_of(std::string_view log, std::string_view host) const {
  const Host* one = host_of(log, host);
  return one ? one->last_ns : -kTimeMaxNs;
}

int64_t Silence::now_of(std::string_view log) const {
  const Log* known = by_log_.find(log);
  return known && known->hosts.size() >= kHostsAtLeast ? now_of(*known) : -kTimeMaxNs;
}

int64_t Silence::now_of(const Log& log) {
  std::vector<int64_t> newest;
  newest.reserve(log.hosts.size());
  for (const bool of_all : {false, true}) {
    if (newest.size() >= kHostsAtLeast) break;
    newest.clear();
    log.hosts.for_each([&](std::string_view, const Host& host) {
      if (of_all || (!host.told && host.last_ns - host.first_ns >= kDay)) newest.push_back(host.last_ns);
    });
  }
  const auto middle = newest.begin() + static_cast<ptrdiff_t>(newest.size() / 2);
  std::nth_element(newest.begin(), middle, newest.end());
  return *middle;
}

int64_t Silence::own_pause(const Log& log, const Host& host, int64_t* less_ns) {
  const int64_t longest = host.longest_pause();
  *less_ns = std::min(host.longest_to_ns, log.back_ns) - std::max(host.longest_from_ns, log.away_ns);
  const bool is_outage = log.all.longest_but_of(floor_div(log.back_ns, kDay)) < (log.back_ns - log.away_ns) / 2;
  if (*less_ns <= 0 || !is_outage || host.longest_to_ns - host.longest_from_ns != longest) return *less_ns = 0, longest;
  return std::max(longest - *less_ns, host.longest_but_of(floor_div(host.longest_to_ns, kDay)));
}

bool Silence::is_common(const Log& log, const Host& host, int64_t hours) {
  uint64_t others = 0, low = 0;
  log.hosts.for_each([&](std::string_view, const Host& other) {
    // Of one that has said nothing for long the hours are not those of now.
    if (&other == &host || other.rate.hour < host.rate.hour - kHoursKept) return;
    const uint64_t expected = other.rate.expected_in(hours);
    if (expected < kRateAtLeast / 4) return;
    ++others;
    low += other.rate.sent_in(hours) * 2 < expected;
  });
  return low >= 2 && low * kOthersOf > others;
}

void Silence::judge_rate(std::string_view name, const Log& log, std::string_view host_name, const Host& host,
                         std::vector<Finding>& findings) {
  for (const int64_t hours : {int64_t{3}, int64_t{12}, int64_t{kHoursKept}}) {
    const uint64_t sent = host.rate.sent_in(hours), expected = host.rate.expected_in(hours);
    if (expected < kRateAtLeast || sent * kFewOf >= expected || sent == 0) continue;  // nothing at all is silence
    const uint64_t all = log.rate.sent_in(hours), all_expected = log.rate.expected_in(hours);
    const uint64_t others = all - std::min(all, sent),
                   others_expected = all_expected - std::min(all_expected, expected);
    if (others * 2 < others_expected || is_common(log, host, hours)) continue;
    Finding finding;
    finding.kind = &kBelow;
    finding.score = 50;
    finding.key = printable(host_name);
    finding.fold_ns = kDay;
    finding.log = name;
    finding.reason = printable(host_name) + " has sent " + number_text(sent, "record", "records") + " in " +
                     duration_text(hours * kHour) + " until " + time_text_utc(host.rate.hour * kHour) +
                     ", where at least " + std::to_string(expected) +
                     " came at these hours of the weeks before; the rest of this log sent " + std::to_string(others) +
                     " of " + std::to_string(others_expected);
    finding.reason_zh = "主机 " + printable(host_name) + " 在 " + time_text_utc(host.rate.hour * kHour) + " 之前的 " +
                        duration_text(hours * kHour, Lang::zh) + "内仅发送 " + std::to_string(sent) +
                        " 条日志，而前几周同一时段至少有 " + std::to_string(expected) + " 条；该日志的其他主机发送了 " +
                        std::to_string(others) + " 条，平时为 " + std::to_string(others_expected) + " 条";
    finding.fields = {{"host.name", printable(host_name)}};
    finding.baseline = "sent=" + std::to_string(sent) + " usual=" + std::to_string(expected) +
                       " others=" + std::to_string(others) + " others_usual=" + std::to_string(others_expected);
    finding.records = {host.last_index};
    findings.push_back(std::move(finding));
    return;
  }
}

void Silence::judge(std::string_view name, Log& log, std::vector<Finding>& findings) const {
  if (log.hosts.size() < kHostsAtLeast) return;
  const int64_t now_ns = now_of(log);
  log.next_ns = now_ns + kJudgeEveryNs;
  if (now_ns > log.all.last_ns) {
    const int64_t away = now_ns - log.all.last_ns;
    if (log.all.last_ns != 0 && away >= kLeastNs && away / 2 > log.all.longest_pause()) {
      log.away_ns = log.all.last_ns;
      log.back_ns = now_ns;
    }
    if (log.all.last_ns == 0) log.all.last_ns = now_ns;
    log.all.speak(now_ns);
  }
  log.hosts.change_each([&](std::string_view host_name, Host& host) {
    int64_t outage = 0;
    const int64_t away = now_ns - host.last_ns, pause = own_pause(log, host, &outage),
                  known = host.last_ns - host.first_ns;
    const bool may_rest = known < kWeekNs && pause >= kRestNs;
    if (host.told || known < kKnownNs || away < (may_rest ? kWeekendNs : kLeastNs) || away / kTimes < pause)
      return false;
    // They come back one after the other.
    if (host.last_ns < log.back_ns && now_ns - log.back_ns < std::max(pause, kLeastNs)) return false;
    host.told = true;
    Finding finding;
    finding.kind = &kSilent;
    finding.score = 55;
    finding.key = printable(host_name);
    finding.log = name;
    finding.reason = printable(host_name) + " has sent nothing since " + time_text_utc(host.last_ns) + ", for " +
                     within_text(away) + " while others of this log went on; its longest pause in " +
                     std::to_string(kPauses) + " days was " + within_text(pause) +
                     (outage > 0 ? ", but for " + within_text(outage) + " in which all of them were away" : "");
    finding.reason_zh = "主机 " + printable(host_name) + " 自 " + time_text_utc(host.last_ns) + " 起已 " +
                        within_text(away, Lang::zh) + "未发送任何日志，而该日志的其他主机仍在发送；其 " +
                        std::to_string(kPauses) + " 天内最长间隔为 " + within_text(pause, Lang::zh);
    finding.fields = {{"host.name", printable(host_name)}};
    finding.baseline = "away_s=" + std::to_string(away / kSecond) +
                       " longest_pause_s=" + std::to_string(pause / kSecond) +
                       " hosts=" + std::to_string(log.hosts.size());
    finding.records = {host.last_index};
    findings.push_back(std::move(finding));
    return false;  // no text of it
  });
}

void Silence::save(std::string& out) const {
  save_logs(by_log_, out, [&out](const Log& log) {
    put_signed(out, log.next_ns);
    put_varint(out, log.seen);
    log.rate.save(out);
    log.all.save(out);
    put_signed(out, log.back_ns);
    put_signed(out, log.away_ns);
    save_entries(log.hosts, out, [&out](const Host& host) {
      put_signed(out, host.first_ns);
      put_varint(out, host.last_index);
      host.Speaker::save(out);
      put_varint(out, host.told);
      host.rate.save(out);
    });
  });
}

bool Silence::load(Reader& in) {
  return load_logs(by_log_, in, [&in](Log& log) {
    log.next_ns = load_time(in);
    log.seen = in.varint();
    log.rate.load(in);
    log.all.load(in);
    log.back_ns = load_time(in);
    log.away_ns = load_time(in);
    return load_entries(log.hosts, in, [&in](Host& host) {
      host.first_ns = load_time(in);
      host.last_index = in.varint();
      host.Speaker::load(in);
      host.told = in.varint() != 0;
      host.rate.load(in);
    });
  });
}

}  // namespace yushi::detect
