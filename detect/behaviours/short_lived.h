// Accounts that are made, used and deleted within kWithinNs: how somebody comes who wants no account of his to be
// found. One that is deleted unused was a mistake.
//
// Told by the system's own words (useradd, the audit system, a cloud) and by commands, also of a root shell.
//
// Invariants  Integers only, event time, in commit order, no clock.
// Memory      A part of the profiles of such accounts (detect/memory/profiles.h).
// Threads     One owner.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "detect/behaviours/detectors.h"
#include "detect/memory/profiles.h"

namespace yushi::detect {

class ShortLived final : public Detector {
 public:
  explicit ShortLived(const Surroundings& surroundings)
      : surroundings_(surroundings), accounts_(surroundings.profiles, Part::made) {}

  static constexpr int64_t kWithinNs = int64_t{3} * 86'400 * kSecond;

  bool wants(const EventKind& kind) const override;
  void observe(const Event& event, std::vector<Finding>& findings) override;

  void save(std::string& out) const override;
  bool load(Reader& in) override;

 private:
  struct Account {
    int64_t made_ns = 0, used_ns = 0;  // used_ns 0: not yet
    uint64_t made_index = 0, used_index = 0;
  };
  const Surroundings& surroundings_;
  Parts<Account> accounts_;
};

}  // namespace yushi::detect
