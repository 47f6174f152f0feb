// Accounts that were disabled and are used all the same: locked, expired or deleted by somebody (not by wrong
// passwords), as the system's own words or a command tell, and since then neither enabled nor made again.
//
// Told when it logs in or gives a command, *high* on the host where it was disabled, *medium* on another, since of a
// machine's own account nothing is known elsewhere; *low* when it only tries.
//
// Invariants  Integers only, in commit order, no clock.
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

class Disabled final : public Detector {
 public:
  explicit Disabled(const Surroundings& surroundings)
      : surroundings_(surroundings), accounts_(surroundings.profiles, Part::disabled) {}

  bool wants(const EventKind& kind) const override;
  void observe(const Event& event, std::vector<Finding>& findings) override;

  void save(std::string& out) const override;
  bool load(Reader& in) override;

 private:
  struct Account {
    std::string host;
    int64_t at_ns = 0;
    uint64_t index = 0;
    bool is_disabled = false;  // else it was, and is enabled since at_ns
    auto parts() { return std::tie(host); }
  };
  bool take_switch(const Event& event);

  const Surroundings& surroundings_;
  Parts<Account> accounts_;
};

}  // namespace yushi::detect
