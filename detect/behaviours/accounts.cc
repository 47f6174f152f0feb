#include "detect/behaviours/accounts.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "core/base/calendar.h"
#include "core/record/record.h"
#include "core/record/value.h"
#include "detect/behaviours/silence.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr FindingKind kFirstSource{
    "baseline.first-source-address", "First login from a source address", 5, "attack.t1078", "账号首次从新地址登录",
    "attack.initial-access"};
constexpr FindingKind kFirstHost{"baseline.first-host", "First login on a host", 5,
                                 "attack.t1021",        "账号首次登录某主机",    "attack.lateral-movement"};
constexpr FindingKind kUnusualHour{"baseline.unusual-hour", "Login at an unusual hour", 5,
                                   "attack.t1078",          "非常用时段登录",           "attack.initial-access"};

constexpr FindingKind kDormant{"baseline.dormant-account",
                               "Login of an account that was not used for long",
                               3,
                               "attack.t1078",
                               "长期未使用的账号登录",
                               "attack.initial-access"};

constexpr FindingKind kShared{
    "account.shared", "Account shared by several people", 2, "attack.t1078", "多人共用账号", "attack.initial-access"};
constexpr size_t kHashBytes = 8;

std::string places_text(const Places& places, Lang lang = Lang::en) {
  std::vector<std::pair<std::string, uint64_t>> counts;
  places.for_each([&](std::string_view name, uint64_t count, uint64_t) { counts.emplace_back(name, count); });
  return counts_text(std::move(counts), lang);
}

std::string places_numbers(const Places& places) {
  std::string out;
  places.for_each([&](std::string_view name, uint64_t count, uint64_t) {
    out += (out.empty() ? "" : ",") + printable(name) + "=" + std::to_string(count);
  });
  return out;
}

// On which host a bastion let somebody in: `web-01`, `web-01(10.0.1.11)`. From where it was, its own login tells.
std::optional<LoginEvent> through_bastion(const Event& event, Scratch& scratch) {
  static const Field *const kHost = find_field("destination.domain"), *const kAddress = find_field("destination.ip");
  LoginEvent out;
  Value value;
  scratch.clear();
  if (first_value(event.record, ecs::user_name, scratch, &value)) out.user = value.text;
  if (first_value(event.record, kHost, scratch, &value) || first_value(event.record, kAddress, scratch, &value))
    out.host = value.text.substr(0, value.text.find('('));
  out.success = !first_value(event.record, ecs::event_outcome, scratch, &value) || value.text != "failure";
  if (out.user.empty() || out.host.empty()) return {};
  out.at_ns = event.counted.at_ns;
  out.index = event.record.index;
  out.teller = event.kind.message->dataset;
  return out;
}

std::string_view came(const LoginEvent& login) { return login.by_act ? " acted" : " logged in"; }
std::string_view came_zh(const LoginEvent& login) { return login.by_act ? "操作" : "登录"; }

template <class Account>
std::string usual(const Account& account, const LoginEvent& login) {
  return number_text(account.logins, login.by_act ? "hour with acts" : "login",
                     login.by_act ? "hours with acts" : "logins") +
         " since " + date_text(account.first_ns);
}
template <class Account>
std::string usual_zh(const Account& account, const LoginEvent& login) {
  return "自 " + date_text(account.first_ns) + " 以来的 " + std::to_string(account.logins) +
         (login.by_act ? " 个有操作的小时" : " 次登录");
}
template <class Account>
std::string numbers(const Account& account) {
  return "logins=" + std::to_string(account.logins) + " days=" + std::to_string(account.days) +
         " since_ns=" + std::to_string(account.first_ns);
}

}  // namespace

bool Accounts::is_told_already(const Account& account, const Recent& login) {
  return std::any_of(account.recent.begin(), account.recent.end(), [&](const Recent& one) {
    const int64_t apart = std::abs(login.at_ns - one.at_ns);
    if (login.is_act()) return one.source == login.source && apart <= kSittingNs;
    return !one.is_act() && one.host == login.host && (one.source == login.source || one.teller != login.teller) &&
           apart <= kSameLoginNs;
  });
}

void Accounts::remember(Account& account, const Recent& login) {
  const auto alike = [&](const Recent& one) { return one.is_act() == login.is_act(); };
  auto& recent = account.recent;
  const auto known = static_cast<size_t>(std::count_if(recent.begin(), recent.end(), alike));
  if (known >= (login.is_act() ? kActsMax : kRecentMax))
    recent.erase(std::find_if(recent.begin(), recent.end(), alike));
  recent.push_back(login);
}

bool Accounts::may_tell(Account& account, Kind kind, int64_t day, More* more) {
  Told& told = account.told[kind];
  if (told.count == 0 || day > told.day) {
    told.day = static_cast<int32_t>(day);
    told.count = 0;
  }
  if (told.count >= (kind == kNewNetwork ? kNewNetworksToldADay : kToldADay)) {
    ++told.unsaid;
    return false;
  }
  ++told.count;
  *more = {};
  if (told.unsaid > 0) {
    more->en = "; " + number_text(told.unsaid, "further one", "further ones") +
               " since the last such alert of this account " + (told.unsaid == 1 ? "was" : "were") + " only counted";
    more->zh = "；该账号上次同类告警之后另有 " + std::to_string(told.unsaid) + " 次只计数未告警";
  }
  told.unsaid = 0;
  return true;
}

// Of the acts with a key beyond as many as there are logins, or of the addresses and hosts, whichever takes more, the
// one that came longest ago.
bool Accounts::Account::give_up(bool) {
  if (recent.size() > 2 * kRecentMax) {
    recent.erase(std::find_if(recent.begin(), recent.end(), [](const Recent& one) { return one.is_act(); }));
    return true;
  }
  Places& larger = sources.bytes() > hosts.bytes() ? sources : hosts;
  Places& smaller = &larger == &hosts ? sources : hosts;
  return larger.forget_oldest(kPlacesMin) || smaller.forget_oldest(kPlacesMin);
}

// A person has days off.
bool Accounts::comes_each_day(const Account& account) {
  return account.days >= kJobDaysMin &&
         account.days * 7 >= 6 * static_cast<uint64_t>(account.last_day - floor_div(account.first_ns, kDay) + 1);
}

std::string Accounts::desk_owner(std::string_view log, const Account& account, std::string_view source) const {
  std::string owner;
  size_t owners = 0;
  accounts_.for_each(log, [&](std::string_view user, const Account& other) {
    if (&other == &account || comes_each_day(other) || other.days < 2 || !other.sources.has(source)) return;
    uint64_t of_it = 0, of_all = 0;
    other.sources.for_each([&](std::string_view name, uint64_t count, uint64_t) {
      of_all += count;
      if (name == source) of_it += count;
    });
    if (of_it * 2 < of_all) return;
    if (owners++ == 0) owner = user;
  });
  return owners <= kOwnersMax ? owner : std::string();
}

std::optional<Finding> Accounts::shared_finding(std::string_view log, Account& account, const LoginEvent& login) const {
  const std::string owner = desk_owner(log, account, login.source);
  if (owner.empty()) return {};
  const Borrowed now{static_cast<int32_t>(floor_div(login.at_ns, kMinute)), short_hash_of(login.source),
                     short_hash_of(owner)};
  const auto before = account.borrowed;
  auto& desks = account.borrowed;
  auto old = std::find_if(desks.begin(), desks.end(), [&](const Borrowed& one) { return one.owner == now.owner; });
  const bool is_known_owner = old != desks.end();
  if (!is_known_owner) old = desks.begin();
  std::rotate(old, old + 1, desks.end());
  desks.back() = now;
  if (is_known_owner || std::any_of(before.begin(), before.end(), [&](const Borrowed& one) {
        return one.owner == 0 || std::abs(now.minute - one.minute) > kDesksMinutes;
      }))
    return {};
  std::vector<std::string> whose{printable(owner)};
  account.sources.for_each([&](std::string_view source, uint64_t, uint64_t) {
    const auto is_it = [&](const Borrowed& one) { return one.source == short_hash_of(source); };
    if (source != login.source && std::any_of(before.begin(), before.end(), is_it))
      whose.push_back(printable(desk_owner(log, account, source)));
  });
  std::sort(whose.begin(), whose.end());
  std::string names;
  for (size_t i = 0; i < whose.size(); ++i) names += (i == 0 ? "" : i + 1 < whose.size() ? ", " : " and ") + whose[i];
  Finding finding;
  finding.kind = &kShared;
  finding.severity = Severity::medium;
  finding.score = 55;
  finding.key = printable(login.user);
  finding.fold_ns = 7 * kDay;
  finding.reason = printable(login.user) + " logged in" + (login.host.empty() ? "" : " on " + printable(login.host)) +
                   " from " + printable(login.source) + "; within a day it came from where " + names +
                   " are wont to come from: several people share it";
  finding.reason_zh = "账号 " + printable(login.user) + " 从 " + printable(login.source) + " 登录" +
                      (login.host.empty() ? "" : "主机 " + printable(login.host)) + "；一天之内先后来自 " + names +
                      " 的常用来源，应为多人共用";
  finding.baseline = numbers(account) + " desks=" + std::to_string(whose.size());
  return finding;
}

Accounts::Neighbour Accounts::neighbour_of(std::string_view log, const Account& account,
                                           const LoginEvent& login) const {
  Neighbour out;
  accounts_.for_each(log, [&](std::string_view user, const Account& other) {
    if (&other == &account || !other.sources.has(login.source)) return;
    if (out.owners++ == 0) out.owner = user;
  });
  const std::string network = network_of(login.source);
  size_t others = 0;
  account.sources.for_each([&](std::string_view name, uint64_t, uint64_t) {
    if (name == login.source || network_of(name) != network) return;
    others += std::any_of(account.recent.begin(), account.recent.end(), [&](const Recent& one) {
      return one.source == short_hash_of(name) && std::abs(login.at_ns - one.at_ns) <= kMovesNs;
    });
  });
  out.moves = others >= 2;
  // Of who shows a key no hours are known.
  out.is_of_job = is_of_job(account) && std::any_of(std::begin(account.hours), std::end(account.hours),
                                                    [](uint16_t count) { return count > 0; });
  return out;
}

bool Accounts::is_of_job(const Account& account) {
  return account.days >= kJobDaysMin && std::count_if(std::begin(account.hours), std::end(account.hours),
                                                      [](uint16_t n) { return n > 0; }) <= kJobHoursMax;
}

bool Accounts::is_known(const Account& account, int64_t day, int64_t at_ns, int64_t learning_ns) {
  const int64_t first_day = floor_div(account.first_ns, kDay);
  return day - first_day >= kKnownDays || at_ns - account.first_ns >= learning_ns;
}

bool Accounts::is_person(const Account& account) { return account.days >= 2 && !is_of_job(account); }

bool Accounts::is_common_host(std::string_view log, const Account& account, const LoginEvent& login) const {
  const size_t own = account.hosts.size();
  if (account.sources.has(login.source)) {
    const int64_t age = login.at_ns - surroundings_.silence.oldest_of(log, login.host);
    if (own >= kAllHosts || (age >= kHeardOfNs && age < kYoungNs)) return true;
  }
  if (own <= kFewHosts || std::popcount(account.habits[kNewHost].news & kFanOutLogins) + 1 >= kFanOut) return false;
  size_t people = 0, visitors = 0;
  accounts_.for_each(log, [&](std::string_view, const Account& other) {
    if (&other == &account || !is_person(other)) return;
    ++people;
    visitors += other.hosts.has(login.host);
  });
  return visitors >= std::max(kVisitorsMin, (people + 3) / 4) || (own >= kManyHosts && visitors >= kVisitorsOfMany);
}

bool Accounts::is_dormant(const Account& account, int64_t day) {
  const int64_t away = day - account.last_day;
  if (account.logins == 0 || away < kDormantDaysOften) return false;
  if (away >= kDormantDays) return true;
  const int64_t first_day = floor_div(account.first_ns, kDay);
  return account.days >= 2 && away * (account.days - 1) >= kOften * std::max<int64_t>(account.last_day - first_day, 1);
}

Finding Accounts::source_finding(const Account& account, const LoginEvent& login, const Neighbour* neighbour) {
  Finding finding;
  finding.kind = &kFirstSource;
  finding.severity = neighbour ? Severity::low : Severity::medium;
  finding.score = neighbour ? 30 : login.user == "root" ? 65 : 60;
  finding.key = printable(login.user) + " from " + printable(login.source);
  finding.reason = printable(login.user) + std::string(came(login)) + " from " + printable(login.source) +
                   " for the first time; in " + usual(account, login) + " it came from " + places_text(account.sources);
  finding.reason_zh = "账号 " + printable(login.user) + " 首次从 " + printable(login.source) + " " +
                      std::string(came_zh(login)) + "；" + usual_zh(account, login) + "来自 " +
                      places_text(account.sources, Lang::zh);
  if (neighbour) {
    finding.reason += "; it has come from the same network before, ";
    finding.reason_zh += "；此前曾从同一网段登录，";
    if (neighbour->moves) {
      finding.reason += "within two hours from three addresses of it";
      finding.reason_zh += "2 小时内使用了该网段的三个地址";
    } else if (neighbour->is_of_job) {
      finding.reason += "but as a job does, at the same hours of the day only";
      finding.reason_zh += "但该账号仅在固定时段登录，应为任务账号";
    } else {
      finding.reason += "and this is where " + printable(neighbour->owner) + " comes from";
      finding.reason_zh += "该地址属于账号 " + printable(neighbour->owner) + " 的常用来源";
    }
  }
  if (account.sources.full()) {
    const std::string last = std::to_string(account.sources.size());
    finding.reason += " (the last " + last + " addresses are remembered)";
    finding.reason_zh += "（只记忆最近 " + last + " 个地址）";
  }
  finding.baseline = numbers(account) +
                     " new_of_last=" + account.habits[neighbour ? kNewSource : kNewNetwork].numbers() +
                     " sources=" + places_numbers(account.sources);
  return finding;
}

Finding Accounts::dormant_finding(const Account& account, const LoginEvent& login, int64_t days) {
  Finding finding;
  finding.kind = &kDormant;
  const bool is_short = days < kDormantDays;
  finding.severity = is_short ? Severity::low : login.user == "root" ? Severity::high : Severity::medium;
  finding.score = is_short ? 40 : login.user == "root" ? 75 : 60;
  finding.key = printable(login.user);
  finding.reason = printable(login.user) + std::string(came(login)) +
                   (login.source.empty() ? "" : " from " + printable(login.source)) +
                   (login.host.empty() ? "" : " on " + printable(login.host)) + " for the first time in " +
                   std::to_string(days) + " days, after " + usual(account, login) +
                   ": is it still in use, and by whom?";
  finding.reason_zh = "账号 " + printable(login.user) + " 时隔 " + std::to_string(days) + " 天再次" +
                      std::string(came_zh(login)) + (login.source.empty() ? "" : "，来自 " + printable(login.source)) +
                      (login.host.empty() ? "" : "，主机 " + printable(login.host)) + "；此前为" +
                      usual_zh(account, login) + "，请核实该账号是否仍在使用、由何人使用";
  finding.baseline = numbers(account) + " days_away=" + std::to_string(days);
  return finding;
}

Finding Accounts::host_finding(const Account& account, const LoginEvent& login) {
  Finding finding;
  finding.kind = &kFirstHost;
  finding.severity = Severity::low;
  finding.score = 40;
  finding.key = printable(login.user) + " on " + printable(login.host);
  finding.reason = printable(login.user) + std::string(came(login)) + " on " + printable(login.host) +
                   " for the first time" + (login.source.empty() ? "" : ", from " + printable(login.source)) + "; in " +
                   usual(account, login) + " it was on " + places_text(account.hosts);
  finding.reason_zh = "账号 " + printable(login.user) + " 首次在主机 " + printable(login.host) + " " +
                      std::string(came_zh(login)) + (login.source.empty() ? "" : "，来自 " + printable(login.source)) +
                      "；" + usual_zh(account, login) + "的主机为 " + places_text(account.hosts, Lang::zh);
  if (account.hosts.full()) {
    const std::string last = std::to_string(account.hosts.size());
    finding.reason += " (the last " + last + " hosts are remembered)";
    finding.reason_zh += "（只记忆最近 " + last + " 台主机）";
  }
  finding.baseline = numbers(account) + " new_of_last=" + account.habits[kNewHost].numbers() +
                     " hosts=" + places_numbers(account.hosts);
  return finding;
}

namespace {
uint64_t logins_near(const uint16_t (&hours)[24], int hour) {
  uint64_t out = 0;
  for (int by = -Accounts::kHoursAround; by <= Accounts::kHoursAround; ++by) out += hours[(hour + by + 24) % 24];
  return out;
}
uint64_t logins_of(const uint16_t (&hours)[24]) { return std::accumulate(hours, hours + 24, uint64_t{0}); }
void count_hour(uint16_t (&hours)[24], int hour) {
  if (hours[hour] == UINT16_MAX)
    for (uint16_t& count : hours) count /= 2;
  ++hours[hour];
}
}  // namespace

bool Accounts::works_at(const Account& account, int hour) {
  return account.days >= kHourDaysMin && logins_near(account.hours, hour) * kWorkOneIn >= logins_of(account.hours);
}

bool Accounts::is_common_hour(std::string_view log, const Account* account, int hour) const {
  size_t people = 0, workers = 0;
  accounts_.for_each(log, [&](std::string_view, const Account& other) {
    if (&other == account || other.days < kHourDaysMin || is_of_job(other)) return;
    ++people;
    workers += works_at(other, hour);
  });
  return workers >= kWorkersMin && workers * 2 >= people;
}

bool Accounts::is_unusual_hour(const Account& account, int hour) {
  return account.logins >= kHourLoginsMin && account.days >= kHourDaysMin &&
         logins_near(account.hours, hour) * kHourOneIn < logins_of(account.hours);
}

Finding Accounts::hour_finding(const Account& account, const LoginEvent& login, int hour, const Zone& zone) {
  uint64_t near = logins_near(account.hours, hour);
  std::string zone_name(zone.name());
  std::vector<std::pair<std::string, uint64_t>> busy;
  std::string hours;
  for (int h = 0; h < 24; ++h) {
    if (account.hours[h] > 0) busy.emplace_back(hour_text(h), account.hours[h]);
    hours += (h ? "," : "") + std::to_string(account.hours[h]);
  }
  std::stable_sort(busy.begin(), busy.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string often;
  for (size_t i = 0; i < busy.size() && i < 3; ++i)
    often += (often.empty() ? "" : ", ") + busy[i].first + " (" + std::to_string(busy[i].second) + ")";

  const LocalTime local = local_time(login.at_ns, zone);
  const int64_t of_day = local.seconds - local.day * kDaySeconds;
  char clock[8];
  std::snprintf(clock, sizeof clock, "%02d:%02d", static_cast<int>(of_day / 3600 % 24),
                static_cast<int>(of_day / 60 % 60));
  Finding finding;
  finding.kind = &kUnusualHour;
  finding.severity = Severity::low;
  finding.score = 40;
  finding.key = printable(login.user) + " at " + hour_text(hour);
  finding.reason = printable(login.user) + std::string(came(login)) + " at " + clock + " " + zone_name +
                   (login.source.empty() ? "" : " from " + printable(login.source)) + "; of " + usual(account, login) +
                   " on " + number_text(account.days, "day", "days") + ", " +
                   (near == 0 ? "none" : std::to_string(near)) + (near == 0 || near == 1 ? " was" : " were") +
                   " between " + hour_text(hour - kHoursAround) + " and " + hour_text(hour + kHoursAround + 1) +
                   "; most were in the hours from " + often;
  finding.reason_zh = "账号 " + printable(login.user) + " 于 " + clock + "（" + zone_name + "）" +
                      std::string(came_zh(login)) + (login.source.empty() ? "" : "，来自 " + printable(login.source)) +
                      "；" + usual_zh(account, login) + "分布在 " + std::to_string(account.days) + " 天，其中 " +
                      std::to_string(near) + " 次在 " + hour_text(hour - kHoursAround) + " 至 " +
                      hour_text(hour + kHoursAround + 1) + " 之间，登录最多的时段始于 " + often;
  finding.baseline = numbers(account) + " hours=" + hours + " zone=" + zone_name;
  return finding;
}

template <class TimesOf>
Peers Accounts::peers_of(std::string_view log, const LoginEvent& login, TimesOf&& times_of) const {
  Peers out(surroundings_.options.lists->of(log), login.user);
  if (out.any())
    accounts_.for_each(log, [&](std::string_view name, const Account& account) {
      if (out.has(name)) out.add(times_of(account));
    });
  return out;
}

void Accounts::observe(const Event& event, std::vector<Finding>& findings) {
  std::optional<Scratch> scratch;
  std::optional<LoginEvent> through;
  if (event.kind.is_of_bastion) through = through_bastion(event, scratch.emplace());
  const LoginEvent* login = through ? &*through : event.login;
  if (!login || !login->success) return;
  LoginEvent seen = *login;
  const auto its_zone = surroundings_.options.zone_of(event.log);
  const Zone& zone = *its_zone;
  seen.user = seen.user.substr(0, kNameBytesMax);
  seen.source = seen.source.substr(0, kNameBytesMax);
  seen.host = seen.host.substr(0, kNameBytesMax);
  seen.teller = seen.teller.substr(0, kNameBytesMax);
  Account& account = accounts_.use(event.log, seen.user);
  const Recent recent{seen.at_ns, short_hash_of(seen.source), short_hash_of(seen.host),
                      seen.by_act ? 0 : short_hash_of(seen.teller)};
  if (is_told_already(account, recent)) return;
  if (account.logins == 0) account.first_ns = seen.at_ns;
  const LocalTime local = local_time(seen.at_ns, zone);
  const int64_t day = local.day;
  const int hour = local.hour;

  bool new_source = !seen.source.empty() && !account.sources.has(seen.source);
  bool new_network = new_source;
  if (new_source) {
    const std::string network = network_of(seen.source);
    account.sources.for_each(
        [&](std::string_view known, uint64_t, uint64_t) { new_network &= network_of(known) != network; });
  }
  bool new_host = !seen.host.empty() && !account.hosts.has(seen.host);
  // Who moves about in one network all day may still be odd when coming from another.
  Kind place = new_network ? kNewNetwork : kNewSource;

  const bool is_known_account = is_known(account, day, seen.at_ns, surroundings_.options.learning_ns);
  // What weighs little is counted, and told with the next of its kind that is.
  const auto leave = [&](Kind kind) { ++account.told[kind].unsaid; };
  size_t before = findings.size();
  More more;
  Peers peers;
  auto tell = [&](Finding finding) {
    if (peers.are_wont()) {
      finding.severity = Severity::low;
      finding.score = std::min<uint32_t>(finding.score, 30);
    }
    finding.reason += peers.words(Lang::en) + more.en;
    finding.reason_zh += peers.words(Lang::zh) + more.zh;
    finding.baseline += peers.numbers();
    findings.push_back(std::move(finding));
  };
  if (new_source && account.habits[place].can_be_odd()) {
    const std::string network = network_of(seen.source);
    const auto neighbour = new_network ? Neighbour() : neighbour_of(event.log, account, seen);
    peers = peers_of(event.log, seen, [&](const Account& peer) {
      uint64_t times = 0;
      peer.sources.for_each([&](std::string_view name, uint64_t count, uint64_t) {
        if (network_of(name) == network) times += count;
      });
      return times;
    });
    const bool is_odd = new_network || (neighbour.is_odd() && !peers.are_wont());
    if (is_odd && !is_known_account && (!new_network || is_private(seen.source)))
      leave(place);
    else if (is_odd && may_tell(account, place, day, &more))
      tell(source_finding(account, seen, new_network ? nullptr : &neighbour));
  }
  if (new_source)
    if (auto shared = shared_finding(event.log, account, seen)) tell((more = {}, peers = {}, std::move(*shared)));
  if (new_host && account.habits[kNewHost].can_be_odd()) {
    peers = peers_of(event.log, seen, [&](const Account& peer) {
      uint64_t times = 0;
      peer.hosts.for_each(
          [&](std::string_view name, uint64_t count, uint64_t) { times += name == seen.host ? count : 0; });
      return times;
    });
    if (!is_known_account)
      leave(kNewHost);
    else if (!peers.are_wont() && is_common_host(event.log, account, seen))
      leave(kNewHost);
    else if (!peers.are_wont() && may_tell(account, kNewHost, day, &more))
      tell(host_finding(account, seen));
  }
  if (is_dormant(account, day)) tell((more = {}, peers = {}, dormant_finding(account, seen, day - account.last_day)));
  if (!seen.by_act && is_unusual_hour(account, hour)) {
    peers = peers_of(event.log, seen, [&](const Account& peer) { return logins_near(peer.hours, hour); });
    if (is_known_account && !peers.are_wont() && !is_common_hour(event.log, &account, hour) &&
        may_tell(account, kHourOfDay, day, &more))
      tell(hour_finding(account, seen, hour, zone));
  }
  for (size_t i = before; i < findings.size(); ++i) {
    findings[i].learning = seen.at_ns - account.first_ns < surroundings_.options.learning_ns;
    findings[i].records = {seen.index};
  }

  ++account.logins;
  if (!seen.by_act) count_hour(account.hours, hour);  // a key works at all hours: a person's would drown in its
  if (account.days == 0 || day > account.last_day) {
    ++account.days;
    account.last_day = static_cast<int32_t>(day);
  }
  if (!seen.source.empty()) {
    account.habits[kNewNetwork].add(new_network);
    account.habits[kNewSource].add(new_source);
  }
  if (!seen.host.empty()) account.habits[kNewHost].add(new_host);
  remember(account, recent);
  if (!seen.source.empty()) account.sources.add(seen.source, account.logins);
  if (!seen.host.empty()) account.hosts.add(seen.host, account.logins);
}

bool Accounts::is_new_source(std::string_view log, std::string_view user, std::string_view source) const {
  const Account* account = accounts_.peek(log, user);
  return !account || !account->sources.has(source.substr(0, kNameBytesMax));
}

bool Accounts::has_logged_in(std::string_view log, std::string_view user, int64_t from_ns, int64_t until_ns) const {
  const Account* account = accounts_.peek(log, user);
  return account && std::any_of(account->recent.begin(), account->recent.end(), [&](const Recent& one) {
           return !one.is_act() && one.at_ns >= from_ns && one.at_ns <= until_ns;
         });
}

bool Accounts::is_common_hour(std::string_view log, std::string_view user, int hour) const {
  return is_common_hour(log, accounts_.peek(log, user), hour);
}

bool Accounts::works_at(std::string_view log, std::string_view user, int hour) const {
  const Account* account = accounts_.peek(log, user);
  return account && works_at(*account, hour);
}

bool Accounts::hardly_knows(std::string_view log, std::string_view user) const {
  const Account* account = accounts_.peek(log, user);
  return account && account->habits[kNewNetwork].logins < Novelty::kLoginsMin;
}

bool Accounts::knows(std::string_view log, std::string_view user) const { return accounts_.peek(log, user); }

void Accounts::save_account(const Account& account, std::string& out) {
  put_signed(out, account.first_ns);
  put_varint(out, account.logins);
  put_varint(out, account.days);
  put_signed(out, account.last_day);
  for (uint16_t count : account.hours) put_varint(out, count);
  put_varint(out, account.recent.size());
  for (const auto& one : account.recent) {
    put_signed(out, one.at_ns);
    for (uint32_t hash : {one.source, one.host, one.teller}) {
      put_varint(out, kHashBytes);
      put_be64(out, hash);
    }
  }
  account.sources.save(out);
  account.hosts.save(out);
  for (const auto& habit : account.habits) habit.save(out);
  for (const auto& told : account.told) {
    put_signed(out, told.day);
    put_varint(out, told.count);
    put_varint(out, told.unsaid);
  }
  for (const auto& one : account.borrowed) {
    put_signed(out, one.minute);
    put_varint(out, one.source);
    put_varint(out, one.owner);
  }
}

bool Accounts::load_account(Account& account, Reader& in) {
  account = Account();
  account.first_ns = load_time(in);
  account.logins = in.varint();
  account.days = load_number<uint32_t>(in);
  account.last_day = load_day(in);
  for (uint16_t& count : account.hours) count = load_number<uint16_t>(in);
  const auto load_recent = [&in](Recent& one) {
    one.at_ns = load_time(in);
    for (uint32_t* hash : {&one.source, &one.host, &one.teller}) {
      const std::string_view text = in.text();  // once it was the name itself, then the whole hash
      *hash = text.size() == kHashBytes ? static_cast<uint32_t>(get_be64(text.data())) : short_hash_of(text);
    }
  };
  if (!load_list(account.recent, kRecentMax + kActsMax, in, load_recent) || !account.sources.load(in) ||
      !account.hosts.load(in))
    return false;
  for (auto& habit : account.habits) habit.load(in);
  for (auto& told : account.told) {
    told.day = load_day(in);
    told.count = load_number<uint32_t>(in);
    told.unsaid = load_number<uint32_t>(in);
  }
  for (auto& one : account.borrowed) {
    one.minute = static_cast<int32_t>(std::clamp<int64_t>(in.signed_varint(), 0, INT32_MAX));
    one.source = load_number<uint32_t>(in);
    one.owner = load_number<uint32_t>(in);
  }
  return in.ok();
}

void Accounts::save(std::string& out) const {
  accounts_.save(out, [&out](const Account& account) { save_account(account, out); });
}

bool Accounts::load(Reader& in) {
  return accounts_.load(in, [&in](Account& account) { return load_account(account, in); });
}

}  // namespace yushi::detect
