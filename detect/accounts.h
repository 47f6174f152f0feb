// The baselines of administrators: from where, on which hosts and at which hours each account of a log is wont to log in.
//
// Each successful login is first judged against what stands here, then added to it. Findings: first login from a source
// address, first login on a host, a login at an hour at which the account is practically never there.
//
// Invariants  Integers only, in commit order, no clock: a replay gives the same findings. Judging never changes, adding never
//             judges. A finding is never made against nothing: an account's first login is only learned.
// Memory      Per log kAccountsMax accounts (the one not seen for longest goes), each with kPlacesMax addresses and hosts.
// Threads     One owner.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/time_text.h"
#include "detect/finding.h"
#include "detect/lru.h"

namespace yushi {

class Accounts {
 public:
  static constexpr size_t kAccountsMax = 4096;
  static constexpr size_t kPlacesMax = 64;
  // An hour is unusual when under 1 in kHourOneIn logins fell into it or a neighbouring hour; asked only of an account
  // with so many logins on so many days.
  static constexpr uint32_t kHourOneIn = 100;
  static constexpr uint32_t kHourLoginsMin = 20;
  static constexpr uint32_t kHourDaysMin = 5;
  // Two lines about one login (sshd and auditd both tell of it): same account, address and host within this time.
  static constexpr int64_t kSameLoginNs = 3 * kSecond;

  void observe(std::string_view log, const LoginEvent& login, const Zone& zone, int64_t learning_ns,
               std::vector<Finding>& findings);

  // True when the account has logged in before, and never from this address.
  bool is_new_source(std::string_view log, std::string_view user, std::string_view source) const;

  void save(std::string& out) const;
  bool load(Reader& in);

 private:
  struct Place {
    std::string name;
    uint64_t count = 0;
    uint64_t last_use = 0;  // logins of the account at its last use
  };
  struct Account {
    int64_t first_ns = 0;    // event time of its first record
    int64_t last_ns = 0;
    uint64_t logins = 0;
    uint32_t days = 0;       // distinct days with logins, as far as they came in order
    int64_t last_day = 0;
    uint64_t hours[24] = {};
    std::string last_source, last_host;
    std::vector<Place> sources, hosts;
  };
  static void add(std::vector<Place>& places, std::string_view name, uint64_t use);
  static const Place* find(const std::vector<Place>& places, std::string_view name);
  static void judge_source(const Account& account, const LoginEvent& login, std::vector<Finding>& findings);
  static void judge_host(const Account& account, const LoginEvent& login, std::vector<Finding>& findings);
  static void judge_hour(const Account& account, const LoginEvent& login, int hour, const Zone& zone,
                         std::vector<Finding>& findings);

  std::map<std::string, LruMap<Account>, std::less<>> by_log_;
};

}  // namespace yushi
