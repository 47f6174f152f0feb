#include "forward/route/words.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "core/base/display.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/event/severity_zh.h"

namespace yushi::forward {
namespace {

constexpr size_t kDigestLinesMax = 50;
constexpr size_t kSubjectColumnsMax = 100;

std::string printable(std::string_view text, size_t columns_max = ~size_t{0}) {
  std::string out;
  append_printable(out, text, columns_max);
  return out;
}

// "2026-11-23 02:33:11 UTC"
std::string time_of(int64_t unix_ns) {
  auto text = utc_text(unix_ns / 1'000'000'000 * 1'000'000'000);
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text.substr(0, 19) + " UTC";
}

Severity worst_of(const Letter& letter) {
  Severity worst = Severity::informational;
  for (auto& item : letter.items) worst = std::max(worst, item.alert->severity);
  return worst;
}

std::string bracketed(Severity severity, bool zh) {
  return "[" + std::string(zh ? severity_zh(severity) : severity_text(severity)) + "] ";
}

// What has no Chinese says it in English.
const std::string& rule_name_of(const Alert& alert, bool zh) {
  return zh && !alert.rule_name_zh.empty() ? alert.rule_name_zh : alert.rule_name;
}
const std::string& reason_of(const Alert& alert, bool zh) {
  return zh && !alert.reason_zh.empty() ? alert.reason_zh : alert.reason;
}

// Who did it, as far as the alert tells: the account that acted, be it behind su, sudo or a root shell; of guessing,
// and of attempts and requests without an account of their own, the address that they came from. Empty: nobody is
// named.
std::string_view doer_of(const Alert& alert) {
  if (alert.rule_id == "guessing.address") return alert.key;
  if (alert.rule_id == "guessing.account") return {};
  if (!alert.actor.empty()) return alert.actor;
  const auto account = alert.field("user.name"), address = alert.field("source.ip");
  const bool is_tried = alert.field("event.outcome") == "failure" || alert.rule_id == "bruteforce.success";
  return !address.empty() && (account.empty() || is_tried) ? address : account;
}

std::string where_of(const Alert& alert, bool zh) {
  std::string out;
  const auto say = [&](std::string_view english, std::string_view chinese, std::string_view text) {
    if (text.empty()) return;
    out += (out.empty() ? "" : zh ? "，" : ", ") + std::string(zh ? chinese : english) + " " + printable(text, 200);
  };
  say("tenant", "租户", alert.tenant);
  const auto doer = doer_of(alert), account = alert.field("user.name");
  if (doer != account && doer != alert.field("source.ip")) say("by", "操作者", doer);
  say("account", "账号", account);
  say("host", "主机", alert.field("host.name"));
  say("from", "来源", alert.field("source.ip"));
  return out;
}

// ": li.wei on web-01", as who did it where; without either that which it is about.
std::string about_of(const Alert& alert, bool zh) {
  const auto host = alert.field("host.name");
  std::string out(doer_of(alert));
  if (out.empty()) out = alert.field("user.name");
  if (out.empty())
    out = host;
  else if (!host.empty())
    out += zh ? "，主机 " + std::string(host) : " on " + std::string(host);
  return out.empty() ? out : (zh ? "：" : ": ") + out;
}

// What stands behind the words: only what we have written ourselves.
std::string reference_of(const Alert& alert, bool zh) {
  return (zh ? "告警 " : "alert ") + alert.id + (zh ? "，规则 " : ", rule ") + printable(alert.rule_id, 100) +
         "\nyushi alerts show " + alert.id + "\n";
}

std::string whole(const Alert& alert, bool zh) {
  std::string out = bracketed(alert.severity, zh) + printable(rule_name_of(alert, zh)) + "\n" +
                    printable(reason_of(alert, zh)) + "\n\n";
  if (auto where = where_of(alert, zh); !where.empty()) out += where + "\n";
  out += (zh ? "事件时间 " : "happened ") + time_of(alert.event_ns) + (zh ? "，告警时间 " : ", raised ") +
         time_of(alert.raised_ns) + "\n";
  if (alert.learning) out += zh ? "标记：学习期内发现\n" : "marked: its baseline is still learning\n";
  if (!alert.tags.empty()) {
    for (auto& tag : alert.tags) out += (&tag == &alert.tags.front() ? "" : " ") + printable(tag, 60);
    out += "\n";
  }
  if (!alert.records.empty()) {
    auto& first = alert.records.front();
    out += (zh ? "记录：" : "records: ") + first.log + "/" + std::to_string(first.index);
    if (const auto more = std::to_string(alert.records.size() - 1); more != "0")
      out += zh ? "，另有 " + more + " 条" : " and " + more + " more";
    out += "\n";
  }
  return out + reference_of(alert, zh);
}

// Alerts of one rule about one doer: a line of a digest.
struct Alike {
  const Alert* gravest;  // the first of them
  size_t count = 0;
  int64_t first_ns = 0, last_ns = 0;  // event time
  std::set<std::string_view> hosts;
};

// The gravest first.
std::vector<Alike> alike(const Letter& letter) {
  auto sorted = letter.items;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](auto& a, auto& b) { return a.alert->severity > b.alert->severity; });
  std::vector<Alike> out;
  std::map<std::tuple<std::string_view, std::string_view, std::string_view>, size_t> places;
  for (auto& [alert, json] : sorted) {
    auto about = doer_of(*alert);
    if (about.empty()) about = alert->field("user.name");
    if (about.empty()) about = alert->key;
    const auto place = places.try_emplace({alert->tenant, alert->rule_id, about}, out.size()).first->second;
    if (place == out.size()) out.push_back({alert, 0, alert->event_ns, alert->event_ns, {}});
    auto& group = out[place];
    ++group.count;
    group.first_ns = std::min(group.first_ns, alert->event_ns);
    group.last_ns = std::max(group.last_ns, alert->event_ns);
    if (const auto host = alert->field("host.name"); !host.empty()) group.hosts.insert(host);
  }
  return out;
}

// ", 117 times from 2026-11-23 02:33:11 UTC to …, on 3 hosts"; of one alert nothing.
std::string times_of(const Alike& group, bool zh) {
  if (group.count == 1) return {};
  const auto count = std::to_string(group.count), hosts = std::to_string(group.hosts.size());
  std::string out = zh ? "，共 " + count + " 次，" : ", " + count + " times ";
  if (group.first_ns == group.last_ns)
    out += (zh ? "" : "at ") + time_of(group.first_ns);
  else
    out += (zh ? "" : "from ") + time_of(group.first_ns) + (zh ? " 至 " : " to ") + time_of(group.last_ns);
  if (group.hosts.size() > 1) out += zh ? "，涉及 " + hosts + " 台主机" : ", on " + hosts + " hosts";
  return out;
}

std::string digest(const Letter& letter) {
  const bool zh = letter.in_chinese;
  std::string out = std::to_string(letter.items.size()) + (zh ? " 条告警，告警时间 " : " alerts, raised from ") +
                    time_of(letter.items.front().alert->raised_ns) + (zh ? " 至 " : " to ") +
                    time_of(letter.items.back().alert->raised_ns) + "\n";
  size_t lines = 0, said = 0;
  for (const auto& group : alike(letter)) {
    if (lines++ == kDigestLinesMax) {
      const auto more = std::to_string(letter.items.size() - said);
      out += (zh ? "…… 另有 " + more + " 条：" : "… and " + more + " more: ") + "yushi alerts list\n";
      break;
    }
    said += group.count;
    out += "\n" + bracketed(group.gravest->severity, zh) + printable(rule_name_of(*group.gravest, zh)) +
           (zh ? "：" : ": ") + printable(reason_of(*group.gravest, zh), 300) + " (" + group.gravest->id + ")" +
           times_of(group, zh) + "\n";
  }
  return out;
}

void cut(std::string& text, size_t bytes_max) {
  constexpr std::string_view kEnd = "…";
  if (text.size() <= bytes_max) return;
  size_t at = bytes_max - std::min(bytes_max, kEnd.size());
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
  text.resize(at);
  text += kEnd;
}

}  // namespace

std::string subject_of(const Letter& letter) {
  auto& first = *letter.items.front().alert;
  const bool zh = letter.in_chinese;
  std::string out = bracketed(worst_of(letter), zh);
  if (letter.is_brief) return out + (zh ? "告警 " : "alert ") + first.id;
  if (letter.items.size() == 1) {
    return printable(out + rule_name_of(first, zh) + about_of(first, zh), kSubjectColumnsMax);
  }
  // The gravest rule, and of these the most frequent.
  std::map<std::string_view, std::pair<Severity, size_t>> rules;
  for (auto& item : letter.items) {
    auto& [worst, count] = rules[rule_name_of(*item.alert, zh)];
    worst = std::max(worst, item.alert->severity);
    ++count;
  }
  const auto gravest =
      std::max_element(rules.begin(), rules.end(), [](auto& a, auto& b) { return a.second < b.second; });
  const auto count = std::to_string(gravest->second.second);
  out += std::to_string(letter.items.size()) + (zh ? " 条告警：" : " alerts: ") + printable(gravest->first, 60) +
         (zh ? "（" + count + " 条）" : " (" + count + ")");
  if (zh && rules.size() > 1) return out + "等 " + std::to_string(rules.size()) + " 条规则";
  if (rules.size() > 1)
    out += " and " + std::to_string(rules.size() - 1) + (rules.size() == 2 ? " more rule" : " more rules");
  return out;
}

std::string text_of(const Letter& letter, size_t bytes_max) {
  auto& first = *letter.items.front().alert;
  const bool zh = letter.in_chinese;
  std::string out = letter.is_brief
                        ? bracketed(first.severity, zh) +
                              (zh ? "接收方拒收该告警的内容。\n" : "The receiver refuses what this alert says.\n") +
                              reference_of(first, zh)
                    : letter.items.size() == 1 ? whole(first, zh)
                                               : digest(letter);
  cut(out, bytes_max);
  return out;
}

}  // namespace yushi::forward
