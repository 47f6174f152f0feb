#include "detect/alerts/habit_judge.h"

#include <algorithm>

#include "detect/behaviours/accounts.h"
#include "detect/lists/lists.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

// The hour of a login is judged by itself; what weighs little within this time of it says no more of the hour.
constexpr int64_t kHourJudgedNs = 2 * kHour;

}  // namespace

void HabitJudge::Judged::say(Alert& alert) const {
  if (!known) return;
  alert.reason += " (" + known->words(Lang::en) + peers.words(Lang::en) + ")";
  alert.reason_zh += "（" + known->words(Lang::zh) + peers.words(Lang::zh) + "）";
  alert.baseline += (alert.baseline.empty() ? "" : " ") + known->numbers() + peers.numbers();
  alert.learning = known->too_young();
  if (peers.are_wont() && alert.severity != Severity::critical) weigh_one_level_less(alert);
}

HabitJudge::Judged HabitJudge::judge(const RuleHead& head, const Record& record, int64_t at_ns) {
  if (head.habit.empty()) return {};
  const auto zone = options_.zone_of(record.origin->log);
  const std::string_view log = record.origin->log;
  std::string host, account;
  const auto field = habit_account(head);
  if (!field.empty()) fields_.first(record, field, &account);
  auto usual = habits_.add(log, account, habit_subject(head, record, fields_), at_ns, *zone);
  const bool is_heavy = head.severity >= Severity::high, is_light = head.severity <= Severity::low;
  // The very same act of another day was told then.
  const bool is_again = usual.days < Habits::kUsualDays &&
                        habits_.add(log, account, act_subject(head, record, fields_), at_ns, *zone).days > 0;
  if (is_again && !is_heavy) usual.usual_days = 1;
  look_at_hour(head, record, account, at_ns, usual);
  if (const auto subject = habit_subject_on_all_hosts(head, record, fields_, &host); !subject.empty()) {
    auto everywhere = habits_.add(log, account, subject, at_ns, *zone, host);
    const bool at_once = !is_heavy && everywhere.hosts >= Habits::kHostsAtOnce;
    if ((is_again && is_light) || at_once) everywhere.usual_days = 1;
    look_at_hour(head, record, account, at_ns, everywhere);
    usual.is_by_office =
        everywhere.usual() &&
        (is_light || at_once || (everywhere.hosts >= Habits::kHostsForAll && everywhere.days >= Habits::kOfficeDays));
  }
  Judged out{!usual.usual() && (!usual.too_young() || (is_heavy && !(is_again && usual.days > 0))), usual, {}};
  const Lists& lists = options_.lists->of(log);
  if (!out.is_news || lists.peer_groups.empty() || account.empty()) return out;
  out.peers = Peers(lists, account);
  for (const auto& name : out.peers.names()) {
    const auto subject = habit_subject_of(name, head, record, fields_);
    const auto of_peer = habits_.known(log, name, subject, at_ns, *zone);
    out.peers.add(of_peer.usual() ? Peers::kTimesMin : std::min<uint64_t>(of_peer.days, 1));
  }
  out.is_news = !out.peers.are_wont() || head.severity > Severity::low;
  return out;
}

// Where it is too soon to know the hours of a habit.
void HabitJudge::look_at_hour(const RuleHead& head, const Record& record, const std::string& account, int64_t at_ns,
                              Habits::Known& usual) const {
  if (usual.at_its_hour || usual.days == 0 || usual.knows_hours() || account.empty()) return;
  const auto* accounts = detectors_.find<Accounts>();
  if (!accounts || head.severity >= Severity::high) return;
  const std::string_view log = record.origin->log;
  usual.at_its_hour = accounts->works_at(log, account, usual.hour) ||
                      (head.severity <= Severity::low &&
                       accounts->has_logged_in(log, account, at_ns - kHourJudgedNs, at_ns + kHourJudgedNs));
}

}  // namespace yushi::detect
