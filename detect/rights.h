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
// Memory      Per log kAccountsMax accounts with kRightsMax rights of kTextBytesMax bytes, and as many that set others'
//             passwords; the one not seen for longest goes.
// Threads     One owner.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "detect/detectors.h"
#include "detect/lru.h"

namespace yushi::detect {

class Rights final : public Detector {
 public:
  explicit Rights(const Surroundings& surroundings) : surroundings_(surroundings) {}

  static constexpr size_t kRightsMin = 3, kDaysMin = 3;
  static constexpr int64_t kSpanDays = 3, kDays = 60;
  static constexpr int kUsualDays = 1;  // of setting others' passwords: told once, it is his office
  static constexpr size_t kAccountsMax = 4096, kRightsMax = 8, kTextBytesMax = 64;

  bool wants(const EventKind& kind) const override;
  void observe(const Event& event, std::vector<Finding>& findings) override;

  void hold(Holdings& out) override {
    for (auto& [name, log] : by_log_) {
      out.push_back({name, Kept::accounts, &log.accounts});
      out.push_back({name, Kept::accounts, &log.offices});
    }
  }
  void save(std::string& out) const override;
  bool load(Reader& in) override;

 private:
  struct Right {
    std::string text;
    int64_t day = 0;
    uint64_t index = 0;
    auto parts() { return std::tie(text); }
  };
  struct Log {
    LruMap<std::vector<Right>> accounts{kAccountsMax};           // oldest first
    LruMap<std::pair<int64_t, uint64_t>> offices{kAccountsMax};  // last day, and bits of the days before it
  };
  void granted(Log& log, const Event& event, std::string_view account, std::string_view right,
               std::vector<Finding>& findings) const;
  void password_set(Log& log, const Event& event, std::vector<Finding>& findings) const;

  const Surroundings& surroundings_;
  ByLog<Log> by_log_;
};

}  // namespace yushi::detect
