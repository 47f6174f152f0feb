#include "detect/behaviours/travel.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "detect/behaviours/service_accounts.h"
#include "detect/lists/lists.h"
#include "detect/memory/places.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr FindingKind kTravel{"account.two-places", "One account at two places at once", 3,
                              "attack.t1078",       "同一账号短时间内异地登录",          "attack.initial-access"};
constexpr size_t kPlaceBytesMax = 64;
constexpr double kDegree = 10'000;
constexpr int64_t kAgainNs = 3 * kSecond;  // several daemons tell of one login

// The name, now the last of those that are remembered; whether it was among them.
template <class Hash>
bool remember(std::array<Hash, Travel::kRemembered>& hashes, Hash hash) {
  auto at = std::find(hashes.begin(), hashes.end(), hash);
  const bool was_known = at != hashes.end();
  if (!was_known) at = hashes.begin();
  std::move(at + 1, hashes.end(), at);
  hashes.back() = hash;
  return was_known;
}

bool is_ipv6(std::string_view address) { return address.find(':') != address.npos; }

std::string point_text(int64_t latitude, int64_t longitude) {
  return std::to_string(latitude) + "/" + std::to_string(longitude);
}

}  // namespace

bool Travel::place_of(const Lists& lists, std::string_view address, Place* out) const {
  if (const auto* entry = lists.networks.find(address)) {
    out->name = ShortName(entry->name.empty() ? entry->text : entry->name);
    out->is_listed = true;
    out->has_point = entry->has_place;
    out->latitude = static_cast<int32_t>(std::lround(entry->latitude * kDegree));
    out->longitude = static_cast<int32_t>(std::lround(entry->longitude * kDegree));
    return true;
  }
  auto known = surroundings_.options.place_of(address);
  if (!known) return false;
  out->name = ShortName(known->name.empty() ? address : known->name);
  out->has_point = true;
  out->latitude = static_cast<int32_t>(std::lround(known->latitude * kDegree));
  out->longitude = static_cast<int32_t>(std::lround(known->longitude * kDegree));
  return true;
}

// On a sphere of 6,371 km.
int64_t Travel::kilometres(const Place& a, const Place& b) {
  constexpr double kRadians = 3.14159265358979323846 / 180 / kDegree;
  const double first = static_cast<double>(a.latitude) * kRadians, second = static_cast<double>(b.latitude) * kRadians;
  const double north = std::sin((second - first) / 2);
  const double east = std::sin(static_cast<double>(b.longitude - a.longitude) * kRadians / 2);
  const double half = north * north + std::cos(first) * std::cos(second) * east * east;
  return std::lround(2 * 6371 * std::asin(std::sqrt(half > 1 ? 1 : half)));
}

void Travel::observe(const Event& event, std::vector<Finding>& findings) {
  if (!event.login || !event.login->success) return;
  const LoginEvent& login = *event.login;
  const Lists& lists = surroundings_.options.lists->of(event.log);
  Place place;
  if (login.of_receipt || is_machine_account(login.user) || lists.service_accounts.find(login.user) ||
      lists.bastions.has(login.source) || !place_of(lists, login.source, &place))
    return;
  const std::string source(login.source.substr(0, kPlaceBytesMax)), host(login.host.substr(0, kPlaceBytesMax));
  std::string name(login.user);
  if (name == "root") name += " on " + host;
  Account& account = accounts_.use(event.log, name);
  const bool is_on_its_way = std::find(account.host_addresses.begin(), account.host_addresses.end(),
                                       sure_hash_of(source)) != account.host_addresses.end();
  if ((event.record.marks & kByRelay) == 0)
    remember(account.host_addresses, sure_hash_of(event.record.origin->address.substr(0, kPlaceBytesMax)));
  if (is_on_its_way) return;
  const int64_t apart_ns = std::llabs(login.at_ns - account.at_ns);
  if (source == account.source && apart_ns <= kAgainNs) return;

  const bool knows = !account.source.empty();
  const bool is_other = knows && place.name != account.place.name;
  int64_t km = 0;
  bool is_quick = false;
  if (is_other && place.has_point && account.place.has_point) {
    km = kilometres(account.place, place);
    const bool is_mixed = !(place.is_listed && account.place.is_listed) && is_ipv6(source) != is_ipv6(account.source);
    is_quick =
        km >= (is_mixed ? kKilometresMixed : kKilometresMin) && km * 3600 > apart_ns / kSecond * kKilometresAnHour;
  } else if (is_other && place.is_listed && account.place.is_listed) {
    is_quick = apart_ns < kSitesApartNs;
  }
  const bool is_new = !remember(account.places, short_hash_of(place.name));
  const bool is_told = is_quick && (is_new || account.came_anew) && std::popcount(account.quick) <= 1;
  if (is_told) {
    Finding finding;
    finding.kind = &kTravel;
    finding.severity = Severity::high;
    finding.score = 75;
    finding.key = printable(login.user) + " at " + printable(place.name);
    finding.fold_ns = kDay;
    finding.reason =
        printable(login.user) + (login.by_act ? " acted" : " logged in") +
        (host.empty() ? "" : " on " + printable(host)) + " from " + printable(source) + " (" + printable(place.name) +
        "), and " + duration_text(apart_ns / kSecond * kSecond) + " " +
        (login.at_ns >= account.at_ns ? "before" : "after") + " from " + printable(account.source) + " (" +
        printable(account.place.name) + ")" +
        (km > 0 ? ", " + std::to_string(km) + " km away: nobody travels that fast" : ": it is at two places at once");
    finding.reason_zh =
        "账号 " + printable(login.user) + " 从 " + printable(source) + "（" + printable(place.name) + "）" +
        (host.empty() ? "" : "在主机 " + printable(host) + " 上") + (login.by_act ? "操作，" : "登录，") +
        duration_text(apart_ns / kSecond * kSecond, Lang::zh) + (login.at_ns >= account.at_ns ? "前曾从 " : "后又从 ") +
        printable(account.source) + "（" + printable(account.place.name) + "）登录" +
        std::string(login.by_act ? "或操作" : "") +
        (km > 0 ? "，两地相距 " + std::to_string(km) + " 公里，人员不可能在此时间内到达" : "，同一账号同时出现在两地");
    finding.baseline =
        "apart_ns=" + std::to_string(apart_ns) + " km=" + std::to_string(km) +
        " quick_of_last_32=" + std::to_string(std::popcount(account.quick)) +
        (place.has_point ? " point=" + point_text(place.latitude, place.longitude) : "") +
        (account.place.has_point ? " point_before=" + point_text(account.place.latitude, account.place.longitude) : "");
    if (place.is_listed || account.place.is_listed) finding.baseline += " " + lists.baseline("networks", "");
    finding.records = {account.index, login.index};
    findings.push_back(std::move(finding));
  }
  account.quick = account.quick << 1 | (is_quick ? 1 : 0);
  account.came_anew = is_new && !is_told;
  account.at_ns = login.at_ns;
  account.index = login.index;
  account.source = source;
  account.place = std::move(place);
}

void Travel::save(std::string& out) const {
  accounts_.save(out, [&out](const Account& account) {
    put_signed(out, account.at_ns);
    put_varint(out, account.index);
    put_text(out, account.source);
    put_varint(out, account.quick);
    put_text(out, account.place.name);
    put_varint(
        out, (account.place.has_point ? 1u : 0u) | (account.place.is_listed ? 2u : 0u) | (account.came_anew ? 4u : 0u));
    put_signed(out, account.place.latitude);
    put_signed(out, account.place.longitude);
    for (uint32_t hash : account.places) put_varint(out, hash);
    for (uint64_t hash : account.host_addresses) put_varint(out, hash);
  });
}

bool Travel::load(Reader& in) {
  return accounts_.load(in, [&in](Account& account) {
    account.at_ns = load_time(in);
    account.index = in.varint();
    account.source = in.text();
    account.quick = load_number<uint32_t>(in);
    account.place.name = in.text();
    const uint64_t marks = in.varint();
    account.place.has_point = (marks & 1) != 0;
    account.place.is_listed = (marks & 2) != 0;
    account.came_anew = (marks & 4) != 0;
    account.place.latitude = static_cast<int32_t>(std::clamp<int64_t>(in.signed_varint(), -900'000, 900'000));
    account.place.longitude = static_cast<int32_t>(std::clamp<int64_t>(in.signed_varint(), -1'800'000, 1'800'000));
    for (uint32_t& hash : account.places) hash = load_number<uint32_t>(in);
    for (uint64_t& hash : account.host_addresses) hash = in.varint();
  });
}

}  // namespace yushi::detect
