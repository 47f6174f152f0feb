#include "detect/memory/habits.h"

#include <algorithm>
#include <bit>

#include "core/base/calendar.h"
#include "detect/event.h"
#include "detect/finding.h"
#include "detect/memory/places.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr uint32_t kAllHours = (1u << 24) - 1;

// The hours within kHoursAround of this one.
uint32_t hours_around(int hour) {
  uint32_t out = 0;
  for (int by = -Habits::kHoursAround; by <= Habits::kHoursAround; ++by) out |= 1u << (hour + by + 24) % 24;
  return out;
}

// Of what nobody does: where it stands among the others.
std::string key_of_subject(uint64_t subject) {
  std::string out;
  put_be64(out, subject);
  return out;
}

}  // namespace

std::string Habits::Known::words(Lang lang) const {
  if (lang == Lang::zh) {
    if (too_young()) return "该日志接入不久，尚无常态可比";
    if (days == 0) return "在有记录的 " + std::to_string(std::min<uint32_t>(log_days, kDays)) + " 天内从未出现";
    const std::string seen = "最近 " + std::to_string(kDays) + " 天中有 " + std::to_string(days) + " 天出现过";
    return at_its_hour ? seen
                       : seen + "，但从未在 " + hour_text(hour - kHoursAround) + " 至 " +
                             hour_text(hour + kHoursAround + 1) + " 之间出现";
  }
  if (too_young()) return "of this log nothing is known to be usual yet";
  if (days == 0)
    return "never before in the " + std::to_string(std::min<uint32_t>(log_days, kDays)) + " days that are remembered";
  std::string on = "on " + number_text(days, "other day", "other days") + " of the last " + std::to_string(kDays);
  return at_its_hour ? on
                     : on + ", but never between " + hour_text(hour - kHoursAround) + " and " +
                           hour_text(hour + kHoursAround + 1);
}

std::string Habits::Known::numbers() const {
  std::string out = "days=" + std::to_string(days) + " of=" + std::to_string(std::min<uint32_t>(log_days, kDays)) +
                    " hour=" + std::to_string(hour) + " hours=";
  for (int h = 0; h < 24; ++h)
    if (hours >> h & 1) out += (out.ends_with('=') ? "" : ",") + std::to_string(h);
  return out;
}

void Habits::begin(std::string_view log, int64_t at_ns) { by_log_.use(log, at_ns); }

Habits::Day Habits::day_of(int64_t at_ns, const Zone& zone) {
  const LocalTime local = local_time(at_ns, zone);
  return {local.day, local.hour};
}

Habits::Known Habits::judge(Habit& habit, const Day& day) {
  if (habit.days == 0) habit.last_day = static_cast<int32_t>(day.number);
  if (day.number > habit.last_day) {
    const int64_t by = day.number - habit.last_day;
    habit.days = by < kDays ? habit.days << by : 0;
    habit.hours = habit.days == 0 ? 0 : habit.hours | habit.hours_of_last_day;
    habit.hours_of_last_day = 0;
    habit.hosts = habit.days == 0 ? 0 : habit.hosts | habit.hosts_of_last_day;
    habit.hosts_of_last_day = 0;
    habit.last_day = static_cast<int32_t>(day.number);
  }
  const int64_t ago = habit.last_day - day.number;  // 0 unless its time is older than that of a hit before
  const uint64_t bit = ago < kDays ? uint64_t{1} << ago : 0;
  Known known;
  known.hour = day.hour;
  known.days = static_cast<uint32_t>(std::popcount(habit.days & ~bit));
  known.hours = ago == 0 ? habit.hours : habit.hours | habit.hours_of_last_day;
  known.at_its_hour = (known.hours & hours_around(known.hour)) != 0;
  known.hosts = std::popcount(ago == 0 ? habit.hosts : static_cast<uint16_t>(habit.hosts | habit.hosts_of_last_day));
  return known;
}

bool Habits::Account::give_up(bool) {
  if (habits.size() <= kHabitsMin) return false;
  habits.erase(habits.begin());
  return true;
}

Habits::Habit& Habits::use(Log& log, std::string_view log_name, std::string_view account, std::string_view subject) {
  const uint64_t hash = sure_hash_of(subject);
  if (account.empty()) return log.others.use(key_of_subject(hash));
  auto& habits = accounts_.use(log_name, account).habits;
  auto at = std::find_if(habits.begin(), habits.end(), [hash](const Habit& one) { return one.subject == hash; });
  if (at == habits.end()) {
    if (habits.size() == kHabitsMax) habits.erase(habits.begin());
    habits.emplace_back().subject = hash;
  } else {
    std::rotate(at, at + 1, habits.end());
  }
  return habits.back();
}

Habits::Known Habits::add(std::string_view log, std::string_view account, std::string_view subject, int64_t at_ns,
                          const Zone& zone, std::string_view host) {
  Log& all = by_log_.use(log, at_ns);
  const Day day = day_of(at_ns, zone);
  Habit& habit = use(all, log, account, subject);
  Known known = judge(habit, day);
  known.log_days =
      static_cast<uint32_t>(std::clamp<int64_t>((at_ns - all.first_ns) / kSecond / kDaySeconds, 0, 1 << 20));
  const int64_t ago = habit.last_day - day.number;
  if (ago < kDays) habit.days |= uint64_t{1} << ago;
  (ago == 0 ? habit.hours_of_last_day : habit.hours) |= 1u << day.hour;
  if (!host.empty())
    (ago == 0 ? habit.hosts_of_last_day : habit.hosts) |= static_cast<uint16_t>(1u << hash_of(host) % 16);
  return known;
}

Habits::Known Habits::known(std::string_view log, std::string_view account, std::string_view subject, int64_t at_ns,
                            const Zone& zone) const {
  const uint64_t hash = sure_hash_of(subject);
  const Habit* habit = nullptr;
  if (account.empty()) {
    if (const Log* all = by_log_.find(log)) habit = all->others.peek(key_of_subject(hash));
  } else if (const Account* its = accounts_.peek(log, account)) {
    const auto at =
        std::find_if(its->habits.begin(), its->habits.end(), [hash](const Habit& one) { return one.subject == hash; });
    if (at != its->habits.end()) habit = &*at;
  }
  Habit as_of_then = habit ? *habit : Habit();
  return judge(as_of_then, day_of(at_ns, zone));
}

void Habits::save_habit(const Habit& habit, std::string& out) {
  put_be64(out, habit.subject);
  put_signed(out, habit.last_day);
  put_varint(out, habit.days);
  put_varint(out, habit.hours);
  put_varint(out, habit.hours_of_last_day);
  put_varint(out, habit.hosts);
  put_varint(out, habit.hosts_of_last_day);
}

void Habits::load_habit(Habit& habit, Reader& in) {
  habit.subject = in.be64();
  habit.last_day = load_day(in);
  habit.days = in.varint();
  habit.hours = static_cast<uint32_t>(in.varint()) & kAllHours;
  habit.hours_of_last_day = static_cast<uint32_t>(in.varint()) & kAllHours;
  habit.hosts = static_cast<uint16_t>(in.varint());
  habit.hosts_of_last_day = static_cast<uint16_t>(in.varint());
}

void Habits::save(std::string& out) const {
  save_logs(by_log_, out, [&out](const Log& log) {
    save_entries(log.others, out, [&out](const Habit& habit) { save_habit(habit, out); });
  });
  accounts_.save(out, [&out](const Account& account) {
    save_list(account.habits, out, [&out](const Habit& habit) { save_habit(habit, out); });
  });
}

bool Habits::load(Reader& in) {
  const auto load_one = [&in](Habit& habit) { load_habit(habit, in); };
  return load_logs(by_log_, in, [&](Log& log) { return load_entries(log.others, in, load_one); }) &&
         accounts_.load(in, [&](Account& account) { return load_list(account.habits, kHabitsMax, in, load_one); });
}

}  // namespace yushi::detect
