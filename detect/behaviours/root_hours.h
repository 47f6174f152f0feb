// Root at an hour at which its account never is, and changes to devices: at night, by who works by day.
//
// The hours of logins (detect/behaviours/accounts.h) do not tell it of who stays logged in, in a root shell nothing
// but the audit system says who he is, and many a device tells of what was configured and not of the login. Learned are
// the hours of the day at which an account acts as root at a terminal, or configures what has no accounts of its own to
// become, each once a day. Told is an hour that is further than kHoursAround from all of these, of an account that did
// so in kKnownMin hours on kDaysMin days; not within kLoginNs of a login, whose hour was judged, and not at an hour at
// which half of the site's people work.
//
// Invariants  Integers only, event time, in commit order, no clock.
// Memory      A part of the profiles of accounts (detect/memory/profiles.h).
// Threads     One owner.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "detect/behaviours/detectors.h"
#include "detect/memory/profiles.h"

namespace yushi::detect {

class RootHours final : public Detector {
 public:
  explicit RootHours(const Surroundings& surroundings)
      : surroundings_(surroundings), accounts_(surroundings.profiles, Part::root_hours) {}

  static constexpr int kHoursAround = 2;
  static constexpr uint32_t kKnownMin = 8, kDaysMin = 5;
  static constexpr int64_t kLoginNs = 2 * kHour;

  bool wants(const EventKind& kind) const override;
  void observe(const Event& event, std::vector<Finding>& findings) override;

  void save(std::string& out) const override;
  bool load(Reader& in) override;

 private:
  struct Account {
    int64_t first_ns = 0;
    int32_t last_hour = 0;             // since the epoch, in the tenant's zone
    uint32_t days = 0;                 // with acts as root
    std::array<uint16_t, 24> hours{};  // days on which it did so at this hour
    uint32_t known() const;
  };
  const Surroundings& surroundings_;
  Parts<Account> accounts_;
};

}  // namespace yushi::detect
