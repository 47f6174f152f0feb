#include "daemon/auditors.h"

#include <algorithm>
#include <cctype>

#include "core/base/calendar.h"
#include "detect/words.h"

namespace yushi::daemon {
namespace {

using detect::Finding;
using detect::FindingKind;

constexpr FindingKind kHimself{"auditor.asks-about-himself",
                               "Auditor asks about himself",
                               1,
                               "attack.t1654",
                               "审计员查询与本人有关的记录",
                               "attack.discovery"};
constexpr FindingKind kMuch{
    "auditor.takes-much", "Auditor takes far more records than usual", 1, "attack.t1530", "审计员调取的记录远多于平时",
    "attack.collection"};
constexpr FindingKind kOddHour{"auditor.unusual-hour", "Auditor asks at an unusual hour", 1,
                               "attack.t1654",         "审计员在非常用时段查询",          "attack.discovery"};
constexpr FindingKind kAll{
    "auditor.all-tenants", "Auditor asks about all tenants at once", 1, "attack.t1654", "审计员一次查询所有租户",
    "attack.discovery"};

// Of questions that look at people's records. Others are looks at the daemon, which scripts and monitors take too.
bool is_about_records(std::string_view question) {
  for (std::string_view name : {"search", "hist", "alerts", "evidence", "export", "record", "who", "report", "context"})
    if (question.starts_with(name)) return true;
  return false;
}

bool is_part_of_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.'; }

bool has_word(std::string_view text, std::string_view word) {
  if (word.size() < 2) return false;
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1))
    if ((at == 0 || !is_part_of_name(text[at - 1])) &&
        (at + word.size() == text.size() || !is_part_of_name(text[at + word.size()])))
      return true;
  return false;
}

size_t slot_of(int64_t day) { return static_cast<size_t>(day - floor_div(day, Auditors::kDays) * Auditors::kDays); }

}  // namespace

void Auditors::observe(const QuestionAsked& asked, int64_t at_ns, std::vector<Finding>& findings) {
  if (!is_about_records(asked.question) || !asked.error.empty()) return;
  // Behind sudo stands who logged in.
  const std::string& who = asked.login_user.empty() ? asked.user : asked.login_user;
  const std::string shown = detect::printable(who);
  Auditor& auditor = auditors_.use(who);
  const int64_t day = floor_div(at_ns, kDay);
  const auto hour = static_cast<int>(floor_div(at_ns, kHour) - day * 24);
  if (auditor.days == 0) auditor.first_day = auditor.day = day, auditor.days = 1;
  if (day > auditor.day) {
    auditor.taken_before[slot_of(auditor.day)] = auditor.taken;
    for (int64_t gone = std::max(auditor.day + 1, day - kDays + 1); gone <= day; ++gone)
      auditor.taken_before[slot_of(gone)] = 0;
    auditor.hours |= auditor.hours_today;
    auditor.hours_today = 0;
    auditor.taken = 0;
    auditor.told_taken = false;
    auditor.day = day;
    ++auditor.days;
  }
  const auto found = [&](const FindingKind& kind, const std::string& reason, const std::string& reason_zh,
                         std::string baseline) {
    Finding finding;
    finding.kind = &kind;
    finding.severity = Severity::low;
    finding.score = 40;
    finding.key = shown;
    finding.reason = shown + reason;
    finding.reason_zh = "审计员 " + shown + " " + reason_zh;
    finding.baseline = std::move(baseline);
    findings.push_back(std::move(finding));
  };

  // root is nobody in particular.
  for (auto& [name, value] : asked.parameters) {
    if (name == "tenant" || who == "root" || !has_word(value, who)) continue;
    found(kHimself, " asked what is kept about himself: " + detect::printable(value),
          "查询了与本人有关的记录：" + detect::printable(value), "questions=" + std::to_string(auditor.questions));
    findings.back().severity = Severity::medium;
    findings.back().score = 50;
    break;
  }
  auditor.taken += asked.lines.value_or(0);
  const uint64_t most = *std::max_element(auditor.taken_before.begin(), auditor.taken_before.end());
  const uint64_t bound = day - auditor.first_day >= 3 ? std::max(kTakenMin, most * kTakenTimes) : kTakenMinOfNew;
  if (!auditor.told_taken && auditor.taken > bound) {
    auditor.told_taken = true;
    found(kMuch,
          " took " + std::to_string(auditor.taken) + " records today, the last by " +
              detect::printable(asked.question) + "; on the fullest of the last " + std::to_string(kDays) +
              " days it was " + std::to_string(most),
          "今日已调取 " + std::to_string(auditor.taken) + " 条记录，最近一次为 " + detect::printable(asked.question) +
              "；最近 " + std::to_string(kDays) + " 天中最多的一天为 " + std::to_string(most) + " 条",
          "taken=" + std::to_string(auditor.taken) + " most=" + std::to_string(most));
    findings.back().severity = Severity::medium;
    findings.back().score = 55;
  }
  const bool known = auditor.questions >= kQuestionsMin && auditor.days > kDaysMin;
  const uint32_t around = 1u << hour | 1u << (hour + 1) % 24 | 1u << (hour + 23) % 24;
  if (known && !(auditor.hours & around) && !(auditor.hours_today & 1u << hour))
    found(kOddHour,
          " asked at " + detect::time_text_utc(at_ns) + "; in " + std::to_string(auditor.questions) + " questions on " +
              std::to_string(auditor.days - 1) + " days never within an hour of it",
          "于 " + detect::time_text_utc(at_ns) + " 查询；此前 " + std::to_string(auditor.days - 1) + " 天的 " +
              std::to_string(auditor.questions) + " 次查询从未在该时刻前后 1 小时内进行",
          "questions=" + std::to_string(auditor.questions) + " hours=" + std::to_string(auditor.hours));
  if (asked.tenant.empty()) {
    if (known && auditor.of_all == 0)
      found(kAll,
            " asked about all tenants at once, and in " + std::to_string(auditor.questions) +
                " questions never has before",
            "一次查询了所有租户；此前 " + std::to_string(auditor.questions) + " 次查询均指定了租户",
            "questions=" + std::to_string(auditor.questions));
    ++auditor.of_all;
  }
  ++auditor.questions;
  auditor.hours_today |= 1u << hour;
}

void Auditors::save(std::string& out) const {
  detect::save_entries(auditors_, out, [&out](const Auditor& one) {
    put_signed(out, one.first_day);
    put_signed(out, one.day);
    for (uint32_t number : {one.questions, one.days, one.of_all, one.hours, one.hours_today}) put_varint(out, number);
    put_varint(out, one.taken);
    for (auto taken : one.taken_before) put_varint(out, taken);
    put_varint(out, one.told_taken);
  });
}

bool Auditors::load(Reader& in) {
  auditors_.clear();
  const auto load_one = [&in](Auditor& one) {
    one.first_day = detect::load_day(in);
    one.day = detect::load_day(in);
    for (uint32_t* number : {&one.questions, &one.days, &one.of_all, &one.hours, &one.hours_today})
      *number = detect::load_number<uint32_t>(in);
    one.taken = in.varint();
    for (auto& taken : one.taken_before) taken = in.varint();
    one.told_taken = in.varint() != 0;
  };
  if (detect::load_entries(auditors_, in, load_one) && in.left() == 0) return true;
  auditors_.clear();
  return false;
}

}  // namespace yushi::daemon
