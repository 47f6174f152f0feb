// Accounts of services, found by what they do, at which a person sits.
//
// An account is one of a service when it has logged in by key alone, on kDaysMin days and more, on each day of the
// week, and all of it fell into kHoursMax hours of the day: a person has days off. Or when it has run jobs on
// kJobDaysMin days and has never logged in. Told: the first logs in with a typed password, the second logs in. Lists
// say it sooner (detect/behaviours/listed.h); a new source, host or hour of such an account is the baseline's
// (detect/behaviours/accounts.h).
//
// Invariants  Integers only, in commit order, no clock.
// Memory      A part of the profiles of accounts (detect/memory/profiles.h).
// Threads     One owner.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "detect/behaviours/detectors.h"
#include "detect/memory/profiles.h"

namespace yushi::detect {

// Of Windows' machines, of Kubernetes and of clouds: what acts by it is no person.
bool is_machine_account(std::string_view user);

class ServiceAccounts final : public Detector {
 public:
  explicit ServiceAccounts(const Surroundings& surroundings) : accounts_(surroundings.profiles, Part::service) {}

  static constexpr uint32_t kDaysMin = 7;
  static constexpr int kHoursMax = 3;
  static constexpr uint32_t kJobDaysMin = 3;

  bool wants(const EventKind& kind) const override {
    return kind.login != EventKind::Login::none || kind.name == "job-run";
  }
  void observe(const Event& event, std::vector<Finding>& findings) override;

  void save(std::string& out) const override;
  bool load(Reader& in) override;

 private:
  struct Days {
    uint32_t count = 0;  // as far as they came in order
    int32_t last = 0;
    void add(int64_t day);
  };
  struct Account {
    Days with_logins, with_jobs;
    uint32_t hours = 0;     // bits of the hours of the day (UTC) with logins
    uint32_t weekdays = 0;  // and of the days of the week
    uint32_t by_key = 0, otherwise = 0;
  };
  Parts<Account> accounts_;
};

// A login for which somebody typed: by a password, or at the machine's own screen.
bool is_typed(std::string_view method, std::string_view logon_type);

}  // namespace yushi::detect
