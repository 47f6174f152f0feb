#include "forward/route/words.h"

#include <algorithm>
#include <map>

#include "core/base/display.h"
#include "core/base/text.h"
#include "core/base/time_text.h"

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

std::string bracketed(Severity severity) { return "[" + std::string(severity_text(severity)) + "] "; }

std::string where_of(const Alert& alert) {
  std::string out;
  const auto say = [&](std::string_view what, std::string_view text) {
    if (!text.empty()) out += (out.empty() ? "" : ", ") + std::string(what) + " " + printable(text, 200);
  };
  say("tenant", alert.tenant);
  say("account", alert.field("user.name"));
  say("host", alert.field("host.name"));
  say("from", alert.field("source.ip"));
  return out;
}

// What stands behind the words: only what we have written ourselves.
std::string reference_of(const Alert& alert) {
  return "alert " + alert.id + ", rule " + printable(alert.rule_id, 100) + "\nyushi alerts show " + alert.id + "\n";
}

std::string whole(const Alert& alert) {
  std::string out = bracketed(alert.severity) + printable(alert.rule_name) + "\n" + printable(alert.reason) + "\n\n";
  if (auto where = where_of(alert); !where.empty()) out += where + "\n";
  out += "happened " + time_of(alert.event_ns) + ", raised " + time_of(alert.raised_ns) + "\n";
  if (alert.learning) out += "marked: its baseline is still learning\n";
  if (!alert.tags.empty()) {
    for (auto& tag : alert.tags) out += (&tag == &alert.tags.front() ? "" : " ") + printable(tag, 60);
    out += "\n";
  }
  if (!alert.records.empty()) {
    auto& first = alert.records.front();
    out += "records: " + first.log + "/" + std::to_string(first.index);
    if (alert.records.size() > 1) out += " and " + std::to_string(alert.records.size() - 1) + " more";
    out += "\n";
  }
  return out + reference_of(alert);
}

std::string digest(const Letter& letter) {
  auto sorted = letter.items;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](auto& a, auto& b) { return a.alert->severity > b.alert->severity; });
  std::string out = std::to_string(sorted.size()) + " alerts, raised from " +
                    time_of(letter.items.front().alert->raised_ns) + " to " +
                    time_of(letter.items.back().alert->raised_ns) + "\n";
  size_t lines = 0;
  for (auto& [alert, json] : sorted) {
    if (lines++ == kDigestLinesMax) {
      out += "… and " + std::to_string(sorted.size() - kDigestLinesMax) + " more: yushi alerts list\n";
      break;
    }
    out += "\n" + bracketed(alert->severity) + printable(alert->rule_name) + ": " + printable(alert->reason, 300) +
           " (" + alert->id + ")\n";
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
  std::string out = bracketed(worst_of(letter));
  if (letter.is_brief) return out + "alert " + first.id;
  if (letter.items.size() == 1) {
    const auto about = !first.field("user.name").empty() ? first.field("user.name") : first.field("host.name");
    return printable(out + first.rule_name + (about.empty() ? "" : ": " + std::string(about)), kSubjectColumnsMax);
  }
  std::map<std::string_view, size_t> counts;
  for (auto& item : letter.items) ++counts[item.alert->rule_name];
  const auto most =
      std::max_element(counts.begin(), counts.end(), [](auto& a, auto& b) { return a.second < b.second; });
  out += std::to_string(letter.items.size()) + " alerts: " + printable(most->first, 60) + " (" +
         std::to_string(most->second) + ")";
  if (counts.size() > 1)
    out += " and " + std::to_string(counts.size() - 1) + (counts.size() == 2 ? " more rule" : " more rules");
  return out;
}

std::string text_of(const Letter& letter, size_t bytes_max) {
  auto& first = *letter.items.front().alert;
  std::string out =
      letter.is_brief ? bracketed(first.severity) + "The receiver refuses what this alert says.\n" + reference_of(first)
      : letter.items.size() == 1 ? whole(first)
                                 : digest(letter);
  cut(out, bytes_max);
  return out;
}

}  // namespace yushi::forward
