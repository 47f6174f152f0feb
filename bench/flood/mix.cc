#include "flood/mix.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "flood/mix_words.h"

namespace yushi::flood {
namespace {

constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::string any_address(Random& random) {
  auto bits = static_cast<uint32_t>(random.next() >> 32);
  char out[16];
  int n = std::snprintf(out, sizeof out, "%u.%u.%u.%u", 11 + (bits >> 24) % 212, bits >> 16 & 255, bits >> 8 & 255,
                        1 + (bits & 255) % 254);
  return {out, static_cast<size_t>(n)};
}

// `%` in a form stands for a number, `B` after it for a letter that stays.
std::string filled(Random& random, std::string_view form) {
  std::string out;
  for (char c : form) {
    if (c == '%')
      out += std::to_string(random.between(5, 129));
    else
      out += c;
  }
  return out;
}

std::string letters(Random& random, int n) {
  static constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";  // what Kubernetes names pods with
  std::string out;
  for (int i = 0; i < n; ++i) out += kLetters[random.below(kLetters.size())];
  return out;
}

struct Civil {
  int year, month, day;
};
// Howard Hinnant's days-to-civil, for days after 1970.
Civil civil_of(uint64_t days) {
  uint64_t z = days + 719468, era = z / 146097, doe = z - era * 146097;
  uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
  int month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
  return {static_cast<int>(yoe + era * 400) + (month <= 2), month, static_cast<int>(doy - (153 * mp + 2) / 5 + 1)};
}

}  // namespace

uint64_t Random::exponential(double mean) {
  double u = static_cast<double>((next() >> 11) + 1) * 0x1.0p-53;
  return static_cast<uint64_t>(-std::log(u) * mean);
}

Zipf::Zipf(uint32_t n, double s) : table_(kSlots) {
  std::vector<double> sums(n);
  double sum = 0;
  for (uint32_t i = 0; i < n; ++i) sums[i] = sum += 1 / std::pow(i + 1, s);
  uint32_t rank = 0;
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    while (rank + 1 < n && sums[rank] / sum * kSlots <= slot) ++rank;
    table_[slot] = rank;
  }
}

Mix::Mix(const MixOptions& options)
    : options_(options),
      random_(options.seed * 0x9e3779b97f4a7c15 + 1),
      now_us_(options.start_unix_us),
      client_zipf_(6000, 0.8),
      path_zipf_(4000, 0.9),
      agent_zipf_(160, 0.9),
      user_zipf_(60, 0.9),
      attacker_zipf_(400, 1.0),
      pod_zipf_(150, 0.7),
      statement_zipf_(300, 0.9),
      logger_zipf_(200, 0.9),
      host_zipf_(12, 0.6) {
  static constexpr Role kTenHosts[] = {Role::web, Role::web,      Role::web,      Role::app,        Role::app,
                                       Role::web, Role::database, Role::firewall, Role::kubernetes, Role::kubernetes};
  for (uint32_t i = 0; i < kHosts; ++i) {
    uint32_t unit = i % kUnits, nth = i / kUnits;
    Role role = nth == 4 && unit % 4 == 0 ? Role::bastion : kTenHosts[nth];
    char name[64];
    std::snprintf(name, sizeof name, "%s-%02u.%s.gov.example", std::string(kRoleNames[static_cast<int>(role)]).c_str(),
                  nth + 1, std::string(kUnitNames[unit]).c_str());
    Host host{name,
              role,
              random_.between(900, 60'000),
              random_.between(1'000, 900'000),
              random_.between(1, 9'000),
              now_us_ - random_.below(4'000'000'000u) * 500ull,
              {},
              {}};
    for (auto& pid : host.daemon_pids) pid = random_.between(400, 4'000);
    auto bits = random_.next();
    auto octet = [&](int byte) { return static_cast<unsigned>(bits >> byte * 8 & 255); };
    char mac[64];
    std::snprintf(mac, sizeof mac, "52:54:00:%02x:%02x:%02x:00:1b:21:%02x:%02x:%02x:08:00", octet(0), octet(1),
                  octet(2), octet(3), octet(4), octet(5));
    host.mac = mac;
    hosts_by_role_[static_cast<int>(role)].push_back(i);
    hosts_.push_back(std::move(host));
  }
  for (int i = 0; i < 160; ++i) agents_.push_back(filled(random_, kAgentForms[i < 12 ? i : random_.below(12)]));
  for (uint32_t i = 0; i < 4000; ++i) {
    std::string path = "/";
    path += pick(random_, kFolders);
    path += '/';
    path += pick(random_, kNouns);
    if (random_.one_in(2)) {
      path += '-';
      path += pick(random_, kNouns);
    }
    if (path.starts_with("/static") || random_.one_in(4)) {
      if (random_.one_in(2)) path += '.' + letters(random_, 8);
      path += pick(random_, kExtensions);
    }
    paths_.push_back(path);
  }
  for (uint32_t i = 0; i < 6000; ++i)
    clients_.push_back({any_address(random_), static_cast<uint16_t>(agent_zipf_.draw(random_)),
                        static_cast<uint16_t>(path_zipf_.draw(random_)), i % 40 == 7});
  for (int i = 0; i < 32; ++i) recent_clients_.push_back(client_zipf_.draw(random_));
  for (uint32_t i = 0; i < 400; ++i) attackers_.push_back(any_address(random_));
  for (auto name : kServiceUsers) users_.emplace_back(name);
  for (auto name : kGivenNames) users_.emplace_back(name);
  while (users_.size() < 60) users_.push_back("u" + std::to_string(random_.between(10'000, 99'999)));
  for (size_t i = 0; i < users_.size(); ++i) {
    std::string fingerprint;
    for (int n = 0; n < 43; ++n)
      fingerprint += "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[random_.below(64)];
    fingerprints_.push_back(fingerprint);
  }
  for (int i = 0; i < 150; ++i) {
    std::string pod(pick(random_, kServices));
    pod += '-' + letters(random_, 9);
    pod += '-' + letters(random_, 5);
    pods_.push_back(pod);
  }
  for (int i = 0; i < 300; ++i) {
    std::string statement = random_.one_in(3) ? "UPDATE " : "SELECT id, name, state FROM ";
    auto table = pick(random_, kTables);
    statement += table;
    statement += statement[0] == 'U' ? " SET state = ?, updated_at = NOW() WHERE " : " WHERE ";
    statement += pick(random_, kNouns);
    statement += "_id = ";
    statements_.push_back(statement);
  }
  for (int i = 0; i < 200; ++i) {
    std::string logger = pick(random_, kPackages).data();
    logger += '.';
    logger += pick(random_, kClasses);
    loggers_.push_back(logger);
  }
  for (auto unit : kUnitNames) referers_.push_back("https://www." + std::string(unit) + ".gov.example");
}

void Mix::number(uint64_t value) {
  char out[24];
  auto end = std::to_chars(out, out + sizeof out, value).ptr;
  text_->append(out, static_cast<size_t>(end - out));
}

void Mix::padded(uint32_t value, int digits) {
  char out[10];
  for (int i = digits; i-- > 0; value /= 10) out[i] = static_cast<char>('0' + value % 10);
  text_->append(out, static_cast<size_t>(digits));
}

void Mix::hex(uint32_t digits) {
  uint64_t bits = 0;
  for (uint32_t i = 0; i < digits; ++i, bits >>= 4) {
    if (i % 16 == 0) bits = random_.next();
    put("0123456789abcdef"[bits & 15]);
  }
}

void Mix::uuid() { hex(8), put('-'), hex(4), put("-4"), hex(3), put("-a"), hex(3), put('-'), hex(12); }

void Mix::private_address(uint32_t host) {
  put("10."), number(host % kUnits), put('.'), number(1 + host / kUnits), put('.'), number(random_.between(2, 60));
}

// Administrators sit at desks: one of their own, and a way in from home that some use now and then.
void Mix::desk_address(uint32_t user, bool at_home) {
  put(at_home ? "10.251." : "10.250."), number(user % 4), put('.'), number(10 + user);
}

void Mix::iso_time(uint64_t unix_us, int digits) {
  uint64_t second = unix_us / 1'000'000;
  if (second != civil_second_) {
    auto civil = civil_of(second / 86400);
    char out[48];
    auto s = static_cast<int>(second % 86400);
    int n = std::snprintf(out, sizeof out, "%04d-%02d-%02dT%02d:%02d:%02d", civil.year, civil.month, civil.day,
                          s / 3600, s / 60 % 60, s % 60);
    civil_.assign(out, static_cast<size_t>(n));
    civil_second_ = second;
  }
  put(civil_);
  auto us = static_cast<uint32_t>(unix_us % 1'000'000);
  if (digits == 6) put('.'), padded(us, 6);
  if (digits == 3) put('.'), padded(us / 1000, 3);
}

uint32_t Mix::host_of(Role role) {
  const auto& hosts = hosts_by_role_[static_cast<int>(role)];
  uint32_t spread = static_cast<uint32_t>(hosts.size() + 11) / 12;  // the twelve ranks, each some hosts wide
  return hosts[(host_zipf_.draw(random_) * spread + random_.below(spread)) % hosts.size()];
}

uint32_t Mix::any_host() { return host_of(static_cast<Role>(random_.below(6))); }

void Mix::pass_time(double mean_us) { now_us_ += random_.exponential(mean_us); }

void Mix::begin(uint32_t host, uint32_t priority, std::string_view app, uint32_t pid) {
  line_ = {host, text_->size(), 0};
  put('<'), number(priority), put('>');
  if (options_.rfc3164) {
    iso_time(now_us_, 0);
    auto civil = civil_;  // "2026-11-01T00:00:00"
    text_->resize(text_->size() - civil.size());
    int month = (civil[5] - '0') * 10 + civil[6] - '0';
    put(kMonths[month - 1]), put(' ');
    put(civil[8] == '0' ? ' ' : civil[8]), put(civil[9]), put(' '), put(std::string_view(civil).substr(11)), put(' ');
    put(std::string_view(hosts_[host].name).substr(0, hosts_[host].name.find(".gov"))), put(' '), put(app);
    if (pid != 0) put('['), number(pid), put(']');
    put(": ");
    return;
  }
  put("1 "), iso_time(now_us_, 6), put("Z "), put(hosts_[host].name), put(' '), put(app), put(' ');
  if (pid != 0)
    number(pid);
  else
    put('-');
  put(" - - ");
}

void Mix::end() {
  line_.length = text_->size() - line_.begin;
  put('\n');
  lines_->push_back(line_);
  pass_time(60);
}

void Mix::next_event(std::string& text, std::vector<Line>& lines) {
  text_ = &text;
  lines_ = &lines;
  auto before = lines.size();
  // Weights are of events; the lines that they make are told behind.
  uint32_t draw = random_.below(1000);
  if (draw < 590)
    web_access();  // 1 line each
  else if (draw < 612)
    ssh_login();  // 4
  else if (draw < 622)
    ssh_attack();  // 5 on average
  else if (draw < 636)
    sudo();  // 3
  else if (draw < 640)
    su();  // 2
  else if (draw < 665)
    cron();  // 3
  else if (draw < 695)
    audit_exec();  // 5
  else if (draw < 715)
    audit_login();  // 3
  else if (draw < 795)
    firewall();  // 1
  else if (draw < 820)
    mysql();  // 1
  else if (draw < 885)
    java();  // 1, seldom 6
  else
    kubernetes();  // 1
  pass_time(options_.mean_gap_us * static_cast<double>(lines.size() - before));
}

void Mix::access_log_time() {
  uint64_t second = now_us_ / 1'000'000;
  auto civil = civil_of(second / 86400);
  auto s = static_cast<uint32_t>(second % 86400);
  put('['), padded(static_cast<uint32_t>(civil.day), 2), put('/'), put(kMonths[civil.month - 1]), put('/');
  padded(static_cast<uint32_t>(civil.year), 4), put(':'), padded(s / 3600, 2), put(':'), padded(s / 60 % 60, 2);
  put(':'), padded(s % 60, 2), put(" +0000]");
}

}  // namespace yushi::flood
