// An account that gets one more right every few days: each is small, all together make an administrator of it. And
// passwords that somebody sets for another.
//
// A right is a membership of a group, a role, a line or a file of sudoers, what a GRANT names, whoever tells of it: the
// program that gave it, the audit system or the command. Told when an account got kRightsMin different ones on
// kDaysMin different days of the last kDays, not before kSpanDays since the first of them.
//
// That an account sets another's password is told unless it did so on kUsualDays other days of the last 64.
//
// Invariants  Integers only, event time, in commit order, no clock.
// Memory      A part of the profiles of such accounts (detect/memory/profiles.h), with kRightsMax rights of
//             kTextBytesMax bytes, or as many as there is room for.
// Threads     One owner.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "detect/behaviours/detectors.h"
#include "detect/memory/profiles.h"

namespace yushi::detect {

class Rights final : public Detector {
 public:
  explicit Rights(const Surroundings& surroundings)
      : surroundings_(surroundings), accounts_(surroundings.profiles, Part::rights) {}

  static constexpr size_t kRightsMin = 3, kDaysMin = 3;
  static constexpr int64_t kSpanDays = 3, kDays = 60;
  static constexpr int kUsualDays = 1;  // of setting others' passwords: told once, it is his office
  static constexpr size_t kRightsMax = 8, kTextBytesMax = 64;

  bool wants(const EventKind& kind) const override;
  void observe(const Event& event, std::vector<Finding>& findings) override;

  void save(std::string& out) const override;
  bool load(Reader& in) override;

 private:
  struct Right {
    std::string text;
    uint64_t index = 0;
    int32_t day = 0;
    auto parts() { return std::tie(text); }
  };
  struct Account {
    std::vector<Right> rights;  // oldest first
    // On which days it set others' passwords, and root's: the last one, and a bit for each before it.
    uint64_t password_days = 0, root_password_days = 0;
    int32_t password_day = 0;
    auto parts() { return std::tie(rights); }
    bool give_up(bool much);
  };
  void granted(const Event& event, std::string_view account, std::string_view right, std::vector<Finding>& findings);
  void password_set(const Event& event, std::vector<Finding>& findings);

  const Surroundings& surroundings_;
  Parts<Account> accounts_;
};

}  // namespace yushi::detect
