#include "detect/accounts.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "core/base/calendar.h"
#include "core/record/record.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr FindingKind kFirstSource{
    "baseline.first-source-address", "First login from a source address", 3, "attack.t1078", "账号首次从新地址登录",
    "attack.initial-access"};
constexpr FindingKind kFirstHost{"baseline.first-host", "First login on a host", 2,
                                 "attack.t1021",        "账号首次登录某主机",    "attack.lateral-movement"};
constexpr FindingKind kUnusualHour{"baseline.unusual-hour", "Login at an unusual hour", 3,
                                   "attack.t1078",          "非常用时段登录",           "attack.initial-access"};

constexpr FindingKind kDormant{"baseline.dormant-account",
                               "Login of an account that was not used for long",
                               2,
                               "attack.t1078",
                               "长期未使用的账号登录",
                               "attack.initial-access"};

constexpr size_t kNameBytesMax = 256;
constexpr int64_t kDaySeconds = 86'400;

std::string hour_text(int hour) {
  char text[8];
  std::snprintf(text, sizeof text, "%02d:00", (hour + 24) % 24);
  return text;
}

template <class Places>
std::string places_text(const Places& places, Lang lang = Lang::en) {
  std::vector<std::pair<std::string, uint64_t>> counts;
  for (const auto& place : places) counts.emplace_back(place.name, place.count);
  return counts_text(std::move(counts), lang);
}

template <class Places>
std::string places_numbers(const Places& places) {
  std::string out;
  for (const auto& place : places)
    out += (out.empty() ? "" : ",") + printable(place.name) + "=" + std::to_string(place.count);
  return out;
}

template <class Account>
std::string usual(const Account& account) {
  return number_text(account.logins, "login", "logins") + " since " + date_text(account.first_ns);
}
template <class Account>
std::string usual_zh(const Account& account) {
  return "自 " + date_text(account.first_ns) + " 以来的 " + std::to_string(account.logins) + " 次登录";
}
template <class Account>
std::string numbers(const Account& account) {
  return "logins=" + std::to_string(account.logins) + " days=" + std::to_string(account.days) +
         " since_ns=" + std::to_string(account.first_ns);
}

}  // namespace

const Accounts::Place* Accounts::find(const std::vector<Place>& places, std::string_view name) {
  for (const auto& place : places)
    if (place.name == name) return &place;
  return nullptr;
}

void Accounts::add(std::vector<Place>& places, std::string_view name, uint64_t use) {
  if (name.empty()) return;
  for (auto& place : places) {
    if (place.name != name) continue;
    ++place.count;
    place.last_use = use;
    return;
  }
  if (places.size() >= kPlacesMax)
    places.erase(std::min_element(places.begin(), places.end(),
                                  [](const Place& a, const Place& b) { return a.last_use < b.last_use; }));
  places.push_back({std::string(name), 1, use});
}

bool Accounts::is_told_already(const Account& account, const LoginEvent& login) {
  return std::any_of(account.recent.begin(), account.recent.end(), [&](const Recent& one) {
    return one.host == login.host && (one.source == login.source || one.teller != login.teller) &&
           std::abs(login.at_ns - one.at_ns) <= kSameLoginNs;
  });
}

bool Accounts::may_tell(Account& account, Kind kind, int64_t day, More* more) {
  Told& told = account.told[kind];
  if (told.count == 0 || day > told.day) {
    told.day = day;
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

Accounts::Neighbour Accounts::neighbour_of(const LruMap<Account>& accounts, const Account& account,
                                           const LoginEvent& login) {
  Neighbour out;
  accounts.for_each([&](const std::string& user, const Account& other) {
    if (&other == &account || !find(other.sources, login.source)) return;
    if (out.owners++ == 0) out.owner = user;
  });
  const std::string network = network_of(login.source);
  std::vector<std::string_view> from;
  for (const auto& one : account.recent)
    if (std::abs(login.at_ns - one.at_ns) <= kMovesNs && one.source != login.source &&
        network_of(one.source) == network && std::find(from.begin(), from.end(), one.source) == from.end())
      from.push_back(one.source);
  out.moves = from.size() >= 2;
  out.is_of_job = account.days >= kJobDaysMin && std::count_if(std::begin(account.hours), std::end(account.hours),
                                                               [](uint64_t n) { return n > 0; }) <= kJobHoursMax;
  return out;
}

bool Accounts::is_dormant(const Account& account, int64_t day) {
  const int64_t away = day - account.last_day;
  if (account.logins == 0 || away < kDormantDaysOften) return false;
  if (away >= kDormantDays) return true;
  const int64_t first_day = floor_div(account.first_ns, kDaySeconds * kSecond);
  return account.days >= 2 && away * (account.days - 1) >= kOften * std::max<int64_t>(account.last_day - first_day, 1);
}

Finding Accounts::source_finding(const Account& account, const LoginEvent& login, const Neighbour* neighbour) {
  Finding finding;
  finding.kind = &kFirstSource;
  finding.severity = neighbour ? Severity::low : Severity::medium;
  finding.score = neighbour ? 30 : login.user == "root" ? 65 : 60;
  finding.key = printable(login.user) + " from " + printable(login.source);
  finding.reason = printable(login.user) + " logged in from " + printable(login.source) + " for the first time; in " +
                   usual(account) + " it came from " + places_text(account.sources);
  finding.reason_zh = "账号 " + printable(login.user) + " 首次从 " + printable(login.source) + " 登录；" +
                      usual_zh(account) + "来自 " + places_text(account.sources, Lang::zh);
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
  if (account.sources.size() == kPlacesMax) {
    finding.reason += " (the last 64 addresses are remembered)";
    finding.reason_zh += "（只记忆最近 64 个地址）";
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
  finding.reason = printable(login.user) + " logged in" +
                   (login.source.empty() ? "" : " from " + printable(login.source)) +
                   (login.host.empty() ? "" : " on " + printable(login.host)) + " for the first time in " +
                   std::to_string(days) + " days, after " + usual(account) + ": is it still in use, and by whom?";
  finding.reason_zh = "账号 " + printable(login.user) + " 时隔 " + std::to_string(days) + " 天再次登录" +
                      (login.source.empty() ? "" : "，来自 " + printable(login.source)) +
                      (login.host.empty() ? "" : "，主机 " + printable(login.host)) + "；此前为" + usual_zh(account) +
                      "，请核实该账号是否仍在使用、由何人使用";
  finding.baseline = numbers(account) + " days_away=" + std::to_string(days);
  return finding;
}

Finding Accounts::host_finding(const Account& account, const LoginEvent& login) {
  Finding finding;
  finding.kind = &kFirstHost;
  finding.severity = Severity::low;
  finding.score = 40;
  finding.key = printable(login.user) + " on " + printable(login.host);
  finding.reason = printable(login.user) + " logged in on " + printable(login.host) + " for the first time" +
                   (login.source.empty() ? "" : ", from " + printable(login.source)) + "; in " + usual(account) +
                   " it was on " + places_text(account.hosts);
  finding.reason_zh = "账号 " + printable(login.user) + " 首次登录主机 " + printable(login.host) +
                      (login.source.empty() ? "" : "，来自 " + printable(login.source)) + "；" + usual_zh(account) +
                      "的主机为 " + places_text(account.hosts, Lang::zh);
  if (account.hosts.size() == kPlacesMax) {
    finding.reason += " (the last 64 hosts are remembered)";
    finding.reason_zh += "（只记忆最近 64 台主机）";
  }
  finding.baseline = numbers(account) + " new_of_last=" + account.habits[kNewHost].numbers() +
                     " hosts=" + places_numbers(account.hosts);
  return finding;
}

namespace {
uint64_t logins_near(const uint64_t (&hours)[24], int hour) {
  uint64_t out = 0;
  for (int by = -Accounts::kHoursAround; by <= Accounts::kHoursAround; ++by) out += hours[(hour + by + 24) % 24];
  return out;
}
}  // namespace

bool Accounts::is_unusual_hour(const Account& account, int hour) {
  return account.logins >= kHourLoginsMin && account.days >= kHourDaysMin &&
         logins_near(account.hours, hour) * kHourOneIn < account.logins;
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

  int64_t local = floor_div(login.at_ns, kSecond);
  local += zone.offset_seconds_at(local);
  int64_t of_day = local - floor_div(local, kDaySeconds) * kDaySeconds;
  char clock[8];
  std::snprintf(clock, sizeof clock, "%02d:%02d", static_cast<int>(of_day / 3600 % 24),
                static_cast<int>(of_day / 60 % 60));
  Finding finding;
  finding.kind = &kUnusualHour;
  finding.severity = Severity::low;
  finding.score = 40;
  finding.key = printable(login.user) + " at " + hour_text(hour);
  finding.reason = printable(login.user) + " logged in at " + clock + " " + zone_name +
                   (login.source.empty() ? "" : " from " + printable(login.source)) + "; of " + usual(account) +
                   " on " + number_text(account.days, "day", "days") + ", " +
                   (near == 0 ? "none" : std::to_string(near)) + (near == 0 || near == 1 ? " was" : " were") +
                   " between " + hour_text(hour - kHoursAround) + " and " + hour_text(hour + kHoursAround + 1) +
                   "; most were in the hours from " + often;
  finding.reason_zh = "账号 " + printable(login.user) + " 于 " + clock + "（" + zone_name + "）登录" +
                      (login.source.empty() ? "" : "，来自 " + printable(login.source)) + "；" + usual_zh(account) +
                      "分布在 " + std::to_string(account.days) + " 天，其中 " + std::to_string(near) + " 次在 " +
                      hour_text(hour - kHoursAround) + " 至 " + hour_text(hour + kHoursAround + 1) +
                      " 之间，登录最多的时段始于 " + often;
  finding.baseline = numbers(account) + " hours=" + hours + " zone=" + zone_name;
  return finding;
}

void Accounts::observe(const Event& event, std::vector<Finding>& findings) {
  if (!event.login || !event.login->success) return;
  LoginEvent seen = *event.login;
  const auto its_zone = surroundings_.options.zone_of(event.log);
  const Zone& zone = *its_zone;
  seen.user = seen.user.substr(0, kNameBytesMax);
  seen.source = seen.source.substr(0, kNameBytesMax);
  seen.host = seen.host.substr(0, kNameBytesMax);
  seen.teller = seen.teller.substr(0, kNameBytesMax);
  auto accounts = by_log_.find(event.log);
  if (accounts == by_log_.end()) accounts = by_log_.try_emplace(std::string(event.log), kAccountsMax).first;
  Account& account = accounts->second.use(seen.user);
  if (is_told_already(account, seen)) return;
  if (account.logins == 0) account.first_ns = seen.at_ns;
  int64_t local = floor_div(seen.at_ns, kSecond);
  local += zone.offset_seconds_at(local);
  int64_t day = floor_div(local, kDaySeconds);
  int hour = static_cast<int>((local - day * kDaySeconds) / 3600);

  bool new_source = !seen.source.empty() && !find(account.sources, seen.source);
  const std::string network = network_of(seen.source);
  bool new_network = new_source && std::none_of(account.sources.begin(), account.sources.end(),
                                                [&](const Place& known) { return network_of(known.name) == network; });
  bool new_host = !seen.host.empty() && !find(account.hosts, seen.host);
  // Who moves about in one network all day may still be odd when coming from another.
  Kind place = new_network ? kNewNetwork : kNewSource;

  size_t before = findings.size();
  More more;
  auto tell = [&](Finding finding) {
    finding.reason += more.en;
    finding.reason_zh += more.zh;
    findings.push_back(std::move(finding));
  };
  if (new_network) {
    if (account.habits[place].can_be_odd() && may_tell(account, place, day, &more))
      tell(source_finding(account, seen, nullptr));
  } else if (new_source && account.habits[place].can_be_odd()) {
    if (const auto neighbour = neighbour_of(accounts->second, account, seen);
        neighbour.is_odd() && may_tell(account, place, day, &more))
      tell(source_finding(account, seen, &neighbour));
  }
  if (new_host && account.habits[kNewHost].can_be_odd() && may_tell(account, kNewHost, day, &more))
    tell(host_finding(account, seen));
  if (is_dormant(account, day)) tell((more = {}, dormant_finding(account, seen, day - account.last_day)));
  if (is_unusual_hour(account, hour) && may_tell(account, kHour, day, &more))
    tell(hour_finding(account, seen, hour, zone));
  for (size_t i = before; i < findings.size(); ++i) {
    findings[i].learning = seen.at_ns - account.first_ns < surroundings_.options.learning_ns;
    findings[i].records = {seen.index};
  }

  ++account.logins;
  ++account.hours[hour];
  if (account.days == 0 || day > account.last_day) {
    ++account.days;
    account.last_day = day;
  }
  if (!seen.source.empty()) {
    account.habits[kNewNetwork].add(new_network);
    account.habits[kNewSource].add(new_source);
  }
  if (!seen.host.empty()) account.habits[kNewHost].add(new_host);
  if (account.recent.size() >= kRecentMax) account.recent.erase(account.recent.begin());
  account.recent.push_back({seen.at_ns, std::string(seen.source), std::string(seen.host), std::string(seen.teller)});
  add(account.sources, seen.source, account.logins);
  add(account.hosts, seen.host, account.logins);
}

bool Accounts::is_new_source(std::string_view log, std::string_view user, std::string_view source) const {
  auto accounts = by_log_.find(log);
  if (accounts == by_log_.end()) return true;
  const Account* account = accounts->second.peek(user.substr(0, kNameBytesMax));
  return !account || !find(account->sources, source.substr(0, kNameBytesMax));
}

bool Accounts::has_logged_in(std::string_view log, std::string_view user, int64_t from_ns, int64_t until_ns) const {
  auto accounts = by_log_.find(log);
  const Account* account = accounts == by_log_.end() ? nullptr : accounts->second.peek(user.substr(0, kNameBytesMax));
  return account && std::any_of(account->recent.begin(), account->recent.end(),
                                [&](const Recent& one) { return one.at_ns >= from_ns && one.at_ns <= until_ns; });
}

bool Accounts::knows(std::string_view log, std::string_view user) const {
  auto accounts = by_log_.find(log);
  return accounts != by_log_.end() && accounts->second.peek(user.substr(0, kNameBytesMax));
}

void Accounts::save_account(const Account& account, std::string& out) {
  put_signed(out, account.first_ns);
  put_varint(out, account.logins);
  put_varint(out, account.days);
  put_signed(out, account.last_day);
  for (uint64_t count : account.hours) put_varint(out, count);
  put_varint(out, account.recent.size());
  for (const auto& one : account.recent) {
    put_signed(out, one.at_ns);
    put_text(out, one.source);
    put_text(out, one.host);
    put_text(out, one.teller);
  }
  for (const auto* places : {&account.sources, &account.hosts}) {
    put_varint(out, places->size());
    for (const auto& place : *places) {
      put_text(out, place.name);
      put_varint(out, place.count);
      put_varint(out, place.last_use);
    }
  }
  for (const auto& habit : account.habits) {
    put_varint(out, habit.news);
    put_varint(out, habit.logins);
  }
  for (const auto& told : account.told) {
    put_signed(out, told.day);
    put_varint(out, told.count);
    put_varint(out, told.unsaid);
  }
}

bool Accounts::load_account(Account& account, Reader& in) {
  account = Account();
  account.first_ns = bounded_time(in.signed_varint());
  account.logins = in.varint();
  account.days = static_cast<uint32_t>(in.varint());
  account.last_day = in.signed_varint();
  for (uint64_t& count : account.hours) count = in.varint();
  uint64_t recent = in.varint();
  if (recent > kRecentMax) return false;
  for (; recent > 0 && in.ok(); --recent) {
    Recent one;
    one.at_ns = bounded_time(in.signed_varint());
    one.source = in.text();
    one.host = in.text();
    one.teller = in.text();
    account.recent.push_back(std::move(one));
  }
  for (auto* places : {&account.sources, &account.hosts}) {
    uint64_t count = in.varint();
    if (count > kPlacesMax) return false;
    for (; count > 0 && in.ok(); --count) {
      Place place;
      place.name = in.text();
      place.count = in.varint();
      place.last_use = in.varint();
      places->push_back(std::move(place));
    }
  }
  for (auto& habit : account.habits) {
    habit.news = static_cast<uint32_t>(in.varint());
    habit.logins = std::min(static_cast<uint32_t>(in.varint()), Novelty::kRemembered);
  }
  for (auto& told : account.told) {
    told.day = in.signed_varint();
    told.count = static_cast<uint32_t>(in.varint());
    told.unsaid = in.varint();
  }
  return in.ok();
}

void Accounts::save(std::string& out) const {
  put_varint(out, by_log_.size());
  for (const auto& [log, accounts] : by_log_) {
    put_text(out, log);
    put_varint(out, accounts.size());
    accounts.for_each([&out](const std::string& user, const Account& account) {
      put_text(out, user);
      save_account(account, out);
    });
  }
}

bool Accounts::load(Reader& in) {
  by_log_.clear();
  for (uint64_t logs = in.varint(); logs > 0 && in.ok(); --logs) {
    std::string log(in.text());
    auto& accounts = by_log_.try_emplace(log, kAccountsMax).first->second;
    for (uint64_t left = in.varint(); left > 0 && in.ok(); --left)
      if (!load_account(accounts.use(in.text()), in)) return false;
  }
  return in.ok();
}

}  // namespace yushi::detect
