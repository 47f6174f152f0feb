#include "detect/behaviours/guessing.h"

#include <algorithm>

#include "core/base/calendar.h"
#include "detect/behaviours/accounts.h"
#include "detect/memory/places.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr FindingKind kFromAddress{"guessing.address",       "Password guessing from an address", 2, "attack.t1110",
                                   "来自同一地址的口令猜测", "attack.credential-access"};
constexpr FindingKind kOnAccount{"guessing.account", "Password guessing on an account", 3,
                                 "attack.t1110.001", "针对同一账号的口令猜测",          "attack.credential-access"};
constexpr int kHours = 24;
constexpr int64_t kReorderedNs = kMinute;  // lines of several hosts come out of order by less

uint64_t second_of(int64_t at_ns) { return static_cast<uint64_t>(std::max<int64_t>(at_ns, 0) / kSecond); }

// In seconds, the hour up to this moment, and not since: when a late record is judged, others were there later.
std::pair<uint64_t, uint64_t> hour_until(int64_t at_ns) {
  return {second_of(at_ns + kReorderedNs - kHour), second_of(at_ns + kReorderedNs)};
}

size_t hour_of_day(int64_t hour) { return static_cast<size_t>(hour - floor_div(hour, kHours) * kHours); }

}  // namespace

uint64_t Guessing::Way::of_last_hours(int count) const {
  uint64_t sum = 0;
  for (int i = 0; i < count; ++i) sum += hours[hour_of_day(last_hour - i)];
  return sum;
}

Guessing::Way& Guessing::add(Key& key, const LoginEvent& login, std::string_view other) {
  const uint64_t hash = hash_of(login.way);
  auto way = std::find_if(key.ways.begin(), key.ways.end(), [hash](const Way& one) { return one.way == hash; });
  const int64_t hour = floor_div(login.at_ns, kHour);
  if (way == key.ways.end()) {
    // Four that tell of each attempt must not drive one another out: those that have counted most stay, of equal ones
    // the first.
    if (key.ways.size() == kWaysMax) {
      const auto tries = [hour](const Way& one) {
        return hour - one.last_hour < kHours ? one.of_last_hours(kHours) : 0;
      };
      auto least = key.ways.begin();
      for (auto one = least; one != key.ways.end(); ++one)
        if (tries(*one) <= tries(*least)) least = one;
      key.ways.erase(least);
    }
    way = key.ways.insert(key.ways.end(), Way());
    way->way = hash;
    way->last_hour = hour;
  }
  if (hour - way->last_hour >= kHours) way->hours.fill(0);
  for (int64_t gone = std::max(way->last_hour + 1, hour - kHours + 1); gone <= hour; ++gone)
    way->hours[hour_of_day(gone)] = 0;
  way->last_hour = std::max(way->last_hour, hour);
  if (way->last_hour - hour < kHours) {
    auto& tries = way->hours[hour_of_day(hour)];
    tries = static_cast<uint16_t>(std::min<uint64_t>(tries + std::min<uint64_t>(login.times, 1000), UINT16_MAX));
    way->unsaid += std::min<uint64_t>(login.times, 1000);
  }
  for (uint64_t i = 0; i < std::min<uint64_t>(login.times, kFastMin); ++i) {
    if (way->newest.size() == kFastMin) way->newest.erase(way->newest.begin());
    way->newest.push_back({login.at_ns, login.index});
  }

  key.others.add(other, second_of(login.at_ns));
  return *std::max_element(key.ways.begin(), key.ways.end(), [](const Way& a, const Way& b) {
    return a.of_last_hours(kHours) < b.of_last_hours(kHours);
  });
}

int64_t Guessing::Way::newest_span_ns() const {
  const auto [first, last] =
      std::minmax_element(newest.begin(), newest.end(), [](const Try& a, const Try& b) { return a.at_ns < b.at_ns; });
  return first == newest.end() ? 0 : last->at_ns - first->at_ns;
}

size_t Guessing::others_of_the_hour(const Key& key, int64_t at_ns) {
  const auto hour = hour_until(at_ns);
  size_t out = 0;
  key.others.for_each(
      [&](std::string_view, uint64_t, uint64_t last) { out += last >= hour.first && last <= hour.second ? 1 : 0; });
  return out;
}

std::string Guessing::names_of(const Key& key, Lang lang) {
  std::vector<std::pair<std::string, uint64_t>> counts;
  key.others.for_each([&](std::string_view name, uint64_t tries, uint64_t) { counts.emplace_back(name, tries); });
  return counts_text(std::move(counts), lang);
}

std::string Guessing::story_of(Log& log, const LoginEvent& login) {
  const std::string address = printable(login.source), network = network_of(login.source);
  Network& known = log.networks.use(network);
  if (const int64_t day = floor_div(login.at_ns, kDay); known.day < day) {
    known.day = day;
    known.told.clear();
  }
  if (std::find(known.told.begin(), known.told.end(), address) != known.told.end()) return address;
  if (known.told.size() == kTogetherMin) return network;
  known.told.push_back(address);
  return address;
}

void Guessing::judge_source(Log& log, std::string_view log_name, Key& key, Way& way, const LoginEvent& login,
                            std::vector<Finding>& findings) const {
  const uint64_t in_a_day = way.of_last_hours(kHours);
  const size_t accounts = others_of_the_hour(key, login.at_ns);
  const int64_t span_ns = way.newest_span_ns();
  const bool fast = way.newest.size() == kFastMin && span_ns <= kFastNs;
  const bool spray = accounts >= kAccountsMin;
  // A bastion has many people's slips.
  const bool inside = is_private(login.source) && key.others.size() <= kSlowInsideAccounts;
  const uint64_t slow_min = inside ? kSlowInsideMin : kSlowMin;
  if (!fast && !spray && (in_a_day < slow_min || way.unsaid < slow_min)) return;

  Finding finding;
  finding.kind = &kFromAddress;
  // On accounts that are there it is more than the weather of the Internet.
  const auto* known = surroundings_.detectors.find<Accounts>();
  const bool on_root = key.others.has("root");
  bool on_real = on_root;
  key.others.for_each(
      [&](std::string_view name, uint64_t, uint64_t) { on_real |= known && known->knows(log_name, name); });
  finding.severity = spray || on_real ? Severity::medium : Severity::low;
  finding.score = spray || on_root ? 60 : on_real ? 50 : 30;
  finding.key = story_of(log, login);
  finding.fold_ns = kDay;
  const std::string on = login.host.empty() ? "" : ", the last time on " + printable(login.host);
  const std::string as = key.others.size() == 0 ? "" : ", as " + names_of(key, Lang::en);
  finding.reason = printable(login.source) +
                   (fast    ? " failed to log in " + std::to_string(kFastMin) + " times within " + within_text(span_ns)
                    : spray ? " failed to log in as " + number_text(accounts, "account", "accounts") + " within an hour"
                            : " failed to log in " + number_text(in_a_day, "time", "times") + " within a day") +
                   on + as;
  finding.reason_zh = printable(login.source) +
                      (fast ? " 在 " + within_text(span_ns, Lang::zh) + "内登录失败 " + std::to_string(kFastMin) + " 次"
                       : spray ? " 在 1 小时内以 " + std::to_string(accounts) + " 个账号登录失败"
                               : " 在 1 天内登录失败 " + std::to_string(in_a_day) + " 次") +
                      (login.host.empty() ? "" : "，最近一次针对主机 " + printable(login.host)) +
                      (key.others.size() == 0 ? "" : "，所用账号：" + names_of(key, Lang::zh));
  if (finding.key != printable(login.source)) {
    finding.reason_zh += "；网段 " + finding.key + " 的另外 " + std::to_string(kTogetherMin) + " 个地址此前已告警";
    finding.reason += "; " + std::to_string(kTogetherMin) + " other addresses of " + finding.key + " were told before";
  }
  finding.baseline = "in_a_day=" + std::to_string(in_a_day) + " accounts_in_an_hour=" + std::to_string(accounts) +
                     " newest=" + std::to_string(way.newest.size());
  for (const auto& one : way.newest)
    if (finding.records.empty() || finding.records.back() != one.index) finding.records.push_back(one.index);
  findings.push_back(std::move(finding));
  way.unsaid = 0;
  if (fast) way.newest.clear();
  if (spray) key.others.clear();
}

Guessing::Tried::Way& Guessing::add(Tried& tried, const LoginEvent& login) {
  const auto hash = short_hash_of(login.way);
  const auto hour = static_cast<int32_t>(floor_div(login.at_ns, kHour));
  const auto tries_until = [hour](const Tried::Way& one) {  // within two hours
    return one.hour >= hour ? one.tries + one.tries_before : one.hour == hour - 1 ? one.tries : 0;
  };
  auto way = std::find_if(tried.ways.begin(), tried.ways.end(), [hash](auto& one) { return one.way == hash; });
  if (way == tried.ways.end()) {
    // As of an address.
    if (tried.ways.size() == kWaysMax) {
      auto least = tried.ways.begin();
      for (auto one = least; one != tried.ways.end(); ++one)
        if (tries_until(*one) <= tries_until(*least)) least = one;
      tried.ways.erase(least);
    }
    way = tried.ways.insert(tried.ways.end(), Tried::Way());
    way->way = hash;
    way->hour = hour;
  }
  if (hour > way->hour) {
    way->tries_before = hour == way->hour + 1 ? way->tries : 0;
    way->tries = 0;
    way->hour = hour;
  }
  if (way->hour - hour <= 1) {
    const auto more = [&](uint16_t& count) {
      count = static_cast<uint16_t>(std::min<uint64_t>(count + std::min<uint64_t>(login.times, 1000), UINT16_MAX));
    };
    more(way->hour == hour ? way->tries : way->tries_before);
    more(way->unsaid);
  }
  if (way->shown_size == kShownMax)
    std::move(way->shown.begin() + 1, way->shown.end(), way->shown.begin());
  else
    ++way->shown_size;
  way->shown[way->shown_size - 1u] = login.index;

  const uint64_t whole = sure_hash_of(login.source);
  const std::array<uint32_t, 2> address{static_cast<uint32_t>(whole >> 32), static_cast<uint32_t>(whole)};
  const auto second = static_cast<uint32_t>(second_of(login.at_ns));
  auto known = std::find_if(tried.addresses.begin(), tried.addresses.end(),
                            [&address](auto& one) { return one.hash == address; });
  if (known == tried.addresses.end()) {
    if (tried.addresses.size() == kAddressesMax)
      tried.addresses.erase(std::min_element(tried.addresses.begin(), tried.addresses.end(),
                                             [](auto& a, auto& b) { return a.second < b.second; }));
    known = tried.addresses.insert(tried.addresses.end(), {address, second});
  }
  known->second = std::max(known->second, second);
  return *std::max_element(tried.ways.begin(), tried.ways.end(),
                           [&](const auto& one, const auto& other) { return tries_until(one) < tries_until(other); });
}

void Guessing::judge_account(const Tried& tried, Tried::Way& way, const LoginEvent& login,
                             std::vector<Finding>& findings) {
  const uint64_t tries = uint64_t{way.tries} + way.tries_before;
  const auto [from, to] = hour_until(login.at_ns);
  const auto addresses = static_cast<size_t>(
      std::count_if(tried.addresses.begin(), tried.addresses.end(),
                    [from = from, to = to](auto& one) { return one.second >= from && one.second <= to; }));
  if (tries < kAccountMin || way.unsaid < kAccountMin || addresses < kAddressesMin) return;
  way.unsaid = 0;
  Finding finding;
  finding.kind = &kOnAccount;
  // So many addresses at once are somebody's net of machines, and mean this account.
  finding.severity = login.user == "root" ? Severity::high : Severity::medium;
  finding.score = login.user == "root" ? 75 : 60;
  finding.key = printable(login.user);
  finding.fold_ns = kDay;
  finding.reason = "the password of " + printable(login.user) + " is being guessed: " + std::to_string(tries) +
                   " failed logins within two hours from " + std::to_string(addresses) +
                   (tried.addresses.size() == kAddressesMax ? " addresses or more" : " addresses");
  finding.reason_zh = "账号 " + printable(login.user) + " 的口令正被猜测：2 小时内登录失败 " + std::to_string(tries) +
                      " 次，来自 " + std::to_string(addresses) +
                      (tried.addresses.size() == kAddressesMax ? " 个以上" : " 个") + "地址";
  finding.baseline = "tries=" + std::to_string(tries) + " addresses=" + std::to_string(addresses);
  finding.records.assign(way.shown.begin(), way.shown.begin() + way.shown_size);
  // One line may tell of several.
  finding.records.erase(std::unique(finding.records.begin(), finding.records.end()), finding.records.end());
  findings.push_back(std::move(finding));
}

void Guessing::observe(const Event& event, std::vector<Finding>& findings) {
  if (!event.login || event.login->success || event.login->source.empty()) return;
  const LoginEvent& login = *event.login;
  Log& log = by_log_.use(event.log);
  Key& source = log.by_source.use(ShortName(login.source));
  judge_source(log, event.log, source, add(source, login, login.user), login, findings);
  if (login.user.empty()) return;
  Tried& account = accounts_.use(event.log, login.user, log.strangers);
  judge_account(account, add(account, login), login, findings);
}

void Guessing::save_key(const Key& key, std::string& out) {
  save_list(key.ways, out, [&out](const Way& way) {
    put_be64(out, way.way);
    put_signed(out, way.last_hour);
    for (uint16_t count : way.hours) put_varint(out, count);
    put_varint(out, way.unsaid);
    save_list(way.newest, out, [&out](const Try& one) {
      put_signed(out, one.at_ns);
      put_varint(out, one.index);
    });
  });
  key.others.save(out);
}

bool Guessing::load_key(Key& key, Reader& in) {
  const auto load_try = [&in](Try& one) {
    one.at_ns = load_time(in);
    one.index = in.varint();
  };
  const auto load_way = [&](Way& way) {
    way.way = in.be64();
    way.last_hour = load_hour(in);
    for (uint16_t& count : way.hours) count = load_number<uint16_t>(in);
    way.unsaid = in.varint();
    return load_list(way.newest, kFastMin, in, load_try);
  };
  return load_list(key.ways, kWaysMax, in, load_way) && key.others.load(in);
}

void Guessing::save_tried(const Tried& tried, std::string& out) {
  save_list(tried.ways, out, [&out](const Tried::Way& way) {
    put_varint(out, way.way);
    put_signed(out, way.hour);
    put_varint(out, way.tries);
    put_varint(out, way.tries_before);
    put_varint(out, way.unsaid);
    put_varint(out, way.shown_size);
    for (size_t i = 0; i < way.shown_size; ++i) put_varint(out, way.shown[i]);
  });
  save_list(tried.addresses, out, [&out](const Tried::Address& one) {
    for (uint32_t half : one.hash) put_varint(out, half);
    put_varint(out, one.second);
  });
}

bool Guessing::load_tried(Tried& tried, Reader& in) {
  const auto load_way = [&in](Tried::Way& way) {
    way.way = load_number<uint32_t>(in);
    way.hour = load_hour(in);
    for (uint16_t* count : {&way.tries, &way.tries_before, &way.unsaid}) *count = load_number<uint16_t>(in);
    way.shown_size = load_number<uint16_t>(in);
    if (way.shown_size > kShownMax) return false;
    for (size_t i = 0; i < way.shown_size; ++i) way.shown[i] = in.varint();
    return true;
  };
  const auto load_address = [&in](Tried::Address& one) {
    for (uint32_t* number : {&one.hash[0], &one.hash[1], &one.second}) *number = load_number<uint32_t>(in);
  };
  return load_list(tried.ways, kWaysMax, in, load_way) && load_list(tried.addresses, kAddressesMax, in, load_address);
}

void Guessing::save(std::string& out) const {
  const auto save_one = [&out](const Tried& tried) { save_tried(tried, out); };
  save_logs(by_log_, out, [&](const Log& log) {
    save_entries(log.by_source, out, [&out](const Key& key) { save_key(key, out); });
    save_entries(log.strangers, out, save_one);
    save_entries(log.networks, out, [&out](const Network& known) {
      put_signed(out, known.day);
      save_list(known.told, out, [&out](const std::string& address) { put_text(out, address); });
    });
  });
  accounts_.save(out, save_one);
}

bool Guessing::load(Reader& in) {
  const auto load_source = [&in](Key& key) { return load_key(key, in); };
  const auto load_one = [&in](Tried& tried) { return load_tried(tried, in); };
  const auto load_network = [&in](Network& known) {
    known.day = load_day(in);
    return load_list(known.told, kTogetherMin, in, [&in](std::string& address) { address = in.text(); });
  };
  return load_logs(by_log_, in,
                   [&](Log& log) {
                     return load_entries(log.by_source, in, load_source) && load_entries(log.strangers, in, load_one) &&
                            load_entries(log.networks, in, load_network);
                   }) &&
         accounts_.load(in, load_one);
}

}  // namespace yushi::detect
