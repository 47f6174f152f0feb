#include "detect/lists/list_entries.h"

#include <algorithm>
#include <charconv>

#include "core/base/calendar.h"
#include "core/base/text.h"

namespace yushi::detect {
bool glob(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = pattern.npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p, ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

namespace {

using Address = std::array<uint8_t, 16>;

// Bits behind the first `length` are cleared; whether any was set.
bool mask(Address& address, unsigned length) {
  bool was_set = false;
  for (unsigned byte = length / 8; byte < 16; ++byte) {
    const auto keep = byte == length / 8 ? static_cast<uint8_t>(0xff00u >> (length % 8)) : uint8_t{0};
    was_set |= (address[byte] & static_cast<uint8_t>(~keep)) != 0;
    address[byte] &= keep;
  }
  return was_set;
}

// As IPv6; nullopt: it is no network.
std::optional<std::pair<Address, unsigned>> read_network(std::string_view text) {
  const size_t slash = text.find('/');
  Address address;
  const auto before = text.substr(0, slash);
  if (!parse_ip(before, &address)) return {};
  const bool is_v4 = before.find(':') == before.npos;
  unsigned length = is_v4 ? 32 : 128;
  if (slash != text.npos) {
    const auto digits = text.substr(slash + 1);
    unsigned given = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), given);
    if (error != std::errc() || end != digits.data() + digits.size() || given > length) return {};
    length = given;
  }
  if (is_v4) length += 96;
  if (mask(address, length)) return {};
  return std::pair(address, length);
}

// ------------------------------------------------------------------------------------------------------------- times

std::optional<int> read_clock(std::string_view text) {
  int hour = 0, minute = 0;
  auto [colon, error] = std::from_chars(text.data(), text.data() + text.size(), hour);
  if (error != std::errc() || colon == text.data() + text.size() || *colon != ':') return {};
  auto [end, other] = std::from_chars(colon + 1, text.data() + text.size(), minute);
  if (other != std::errc() || end != text.data() + text.size() || end - colon != 3) return {};
  if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || (hour == 24 && minute > 0)) return {};
  return hour * 60 + minute;
}

std::optional<int64_t> read_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return {};
  const auto number = [&](size_t at, size_t length) {
    int out = -1;
    auto [end, error] = std::from_chars(text.data() + at, text.data() + at + length, out);
    return error == std::errc() && end == text.data() + at + length ? out : -1;
  };
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  if (year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1) return {};
  if (static_cast<unsigned>(day) > days_in_month(year, static_cast<unsigned>(month))) return {};
  return days_from_civil(year, static_cast<unsigned>(month), static_cast<unsigned>(day));
}

constexpr std::string_view kWeekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

std::optional<int> read_weekday(const std::string& text) {
  for (int day = 0; day < 7; ++day)
    if (text.starts_with(kWeekdays[day])) return day;
  return {};
}

std::string without_domain(std::string_view account) {
  account = account.substr(account.rfind('\\') + 1);
  return folded(account.substr(0, account.find('@')));
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (is_blank(text.front()) || text.front() == '\r')) text.remove_prefix(1);
  while (!text.empty() && (is_blank(text.back()) || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(",;"), text.size());
    if (auto part = trimmed(text.substr(0, end)); !part.empty()) out.emplace_back(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

bool has_wildcard(std::string_view text) { return text.find_first_of("*?") != text.npos; }

bool looks_like_address(std::string_view text) {
  return text.find('/') != text.npos || text.find(':') != text.npos ||
         (!text.empty() && text.find_first_not_of("0123456789.") == text.npos);
}

bool read_days(std::string_view text, ChangeWindow* out) {
  if (const size_t dots = text.find(".."); dots != text.npos || read_day(text)) {
    auto first = read_day(trimmed(text.substr(0, dots)));
    auto last = dots == text.npos ? first : read_day(trimmed(text.substr(dots + 2)));
    if (!first || !last || *last < *first) return false;
    out->first_day = *first;
    out->last_day = *last;
    return true;
  }
  for (const auto& part : parts_of(folded(text))) {
    if (part == "daily") {
      out->weekdays = 0x7f;
      continue;
    }
    const size_t dash = part.find('-');
    auto first = read_weekday(part);
    auto last = dash == part.npos ? first : read_weekday(part.substr(dash + 1));
    if (!first || !last) return false;
    for (int day = *first;; day = (day + 1) % 7) {
      out->weekdays |= static_cast<uint8_t>(1 << day);
      if (day == *last) break;
    }
  }
  return out->weekdays != 0;
}

bool read_hours(std::string_view text, ChangeWindow* out) {
  if (text.empty()) return true;
  const size_t dash = text.find('-');
  if (dash == text.npos) return false;
  auto from = read_clock(trimmed(text.substr(0, dash))), until = read_clock(trimmed(text.substr(dash + 1)));
  if (!from || !until || *from == 1440) return false;
  out->from_minute = *from;
  out->until_minute = *until;
  return true;
}

// ------------------------------------------------------------------------------------------------------------ asked

int64_t Moment::at(const Zone& zone) const {
  if (!is_local || ns == INT64_MIN || ns == INT64_MAX) return ns;
  return ns - zone.offset_seconds_at_local(floor_div(ns, kSecond)) * kSecond;
}

std::optional<Moment> read_moment(std::string_view text) {
  text = trimmed(text);
  if (auto day = read_day(text)) return Moment{*day * kDaySeconds * kSecond, true};
  std::string with_seconds(text);  // people leave them out
  if (text.size() == 16 && text[13] == ':') with_seconds += ":00";
  auto read = parse_time(with_seconds, 0, *Zone::utc());
  if (!read || (read->inferred & (kYearInferred | kAllInferred)) != 0) return {};
  return Moment{std::clamp<int64_t>(read->unix_ns, -4'000'000'000'000'000'000, 4'000'000'000'000'000'000),
                (read->inferred & kZoneInferred) != 0};
}

bool is_same_account(std::string_view a, std::string_view b) {
  return folded(a) == folded(b) || without_domain(a) == without_domain(b);
}

void NamePatterns::add(std::string_view pattern) { patterns_.push_back(folded(pattern)); }

bool NamePatterns::matches(std::string_view name) const {
  if (patterns_.empty() || name.empty()) return false;
  const std::string text = folded(name);
  const std::string_view label = std::string_view(text).substr(0, text.find('.'));
  return std::any_of(patterns_.begin(), patterns_.end(), [&](const std::string& pattern) {
    return glob(pattern, text) || (pattern.find('.') == pattern.npos && glob(pattern, label));
  });
}

size_t AddressList::Hash::operator()(const Address& address) const {
  uint64_t hash = 0xcbf29ce484222325u;
  for (uint8_t byte : address) hash = (hash ^ byte) * 0x100000001b3u;
  return hash;
}

bool AddressList::add(std::string_view network, Entry entry) {
  auto read = read_network(network);
  if (!read) return false;
  by_length_[read->second].insert_or_assign(read->first, std::move(entry));
  return true;
}

const AddressList::Entry* AddressList::find(std::string_view address) const {
  Address bytes;
  if (by_length_.empty() || !parse_ip(address, &bytes)) return nullptr;
  for (const auto& [length, networks] : by_length_) {
    mask(bytes, length);
    if (auto at = networks.find(bytes); at != networks.end()) return &at->second;
  }
  return nullptr;
}

bool AddressList::touches(std::string_view network) const {
  const auto read = read_network(network);
  if (!read) return false;
  return std::any_of(by_length_.begin(), by_length_.end(), [&](const auto& of_length) {
    const unsigned length = std::min(of_length.first, read->second);
    Address wanted = read->first;
    mask(wanted, length);
    return std::any_of(of_length.second.begin(), of_length.second.end(), [&](const auto& one) {
      Address address = one.first;
      mask(address, length);
      return address == wanted;
    });
  });
}

void AccountList::add(std::string_view account, std::shared_ptr<const Entry> entry) {
  std::string name = folded(account);
  if (has_wildcard(name))
    patterns_.emplace_back(std::move(name), std::move(entry));
  else
    exact_.insert_or_assign(std::move(name), std::move(entry));
}

const AccountList::Entry* AccountList::find_folded(const std::string& account) const {
  if (auto at = exact_.find(account); at != exact_.end()) return at->second.get();
  for (const auto& [pattern, entry] : patterns_)
    if (glob(pattern, account)) return entry.get();
  return nullptr;
}

const AccountList::Entry* AccountList::find(std::string_view account) const {
  if (empty() || account.empty()) return nullptr;
  if (auto* entry = find_folded(folded(account))) return entry;
  if (account.find_first_of("\\@") == account.npos) return nullptr;
  return find_folded(without_domain(account));
}

void CommandList::add(std::string_view pattern) { patterns_.emplace_back(folded(pattern), pattern); }

const std::string* CommandList::find(std::string_view command_line) const {
  if (patterns_.empty()) return nullptr;
  const std::string text = folded(command_line);
  // The program's name is enough, wherever it lies.
  const std::string_view whole = text;
  const std::string_view named = whole.substr(whole.substr(0, whole.find(' ')).rfind('/') + 1);
  for (const auto& [pattern, written] : patterns_) {
    const bool is_program = pattern.find_first_of(" */?") == pattern.npos;
    if (is_program ? named.substr(0, named.find(' ')) == pattern : glob(pattern, whole) || glob(pattern, named))
      return &written;
  }
  return nullptr;
}

bool ChangeWindow::is_open(int64_t local_seconds) const {
  const int64_t today = floor_div(local_seconds, kDaySeconds);
  const auto minute = static_cast<int>((local_seconds - today * kDaySeconds) / 60);
  const auto begins_on = [&](int64_t day) {
    return last_day >= first_day ? day >= first_day && day <= last_day : (weekdays >> weekday_from_days(day) & 1) != 0;
  };
  if (until_minute > from_minute) return begins_on(today) && minute >= from_minute && minute < until_minute;
  return (begins_on(today) && minute >= from_minute) || (begins_on(today - 1) && minute < until_minute);
}

bool Ticket::is_self_approved() const { return !requester.empty() && is_same_account(requester, approver); }

bool Ticket::covers(std::string_view who, std::string_view host, int64_t at_ns, const Zone& zone) const {
  if (at_ns < from.at(zone) || at_ns > until.at(zone)) return false;
  const auto accounts = parts_of(account.empty() ? requester : account);
  const bool is_theirs = std::any_of(accounts.begin(), accounts.end(), [&](const std::string& one) {
    return is_same_account(one, who) || (has_wildcard(one) && glob(folded(one), folded(who)));
  });
  NamePatterns on;
  for (const auto& one : parts_of(hosts)) on.add(one);
  return is_theirs && (on.empty() || on.matches(host));
}

}  // namespace yushi::detect
