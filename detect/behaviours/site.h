// What a whole site is wont to see: which networks its accounts come from, and from where each host is logged in to.
//
// Findings: an account that has never logged in comes from a network that no account has come from, or is root; a host
// is logged in to from a network that it is never logged in to from (round the bastion), where that is rare for the
// host. Nothing is told in the first kLearnDays of a log, and of hosts not before a week is over: not everybody comes
// each day.
//
// Stands before the accounts (detect/behaviours/accounts.h) in the table, which then know of the login too.
//
// Invariants  Integers only, in commit order, no clock.
// Memory      Per log kNetworksMax networks and kHostsMax hosts with kSourcesMax networks each; the one not seen for
//             longest goes.
// Threads     One owner.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "detect/behaviours/detectors.h"
#include "detect/memory/places.h"
#include "detect/memory/state.h"

namespace yushi::detect {

class Site final : public Detector {
 public:
  explicit Site(const Surroundings& surroundings) : surroundings_(surroundings) {}

  static constexpr int64_t kLearnDays = 3, kWeekDays = 7;
  static constexpr size_t kNetworksMax = 4096;
  static constexpr size_t kHostsMax = 4096;
  static constexpr size_t kSourcesMax = 16;

  bool wants(const EventKind& kind) const override { return kind.login != EventKind::Login::none; }
  void observe(const Event& event, std::vector<Finding>& findings) override;

  // Whether people log in there since less than kLearnDays, as far as is known: nothing is usual yet.
  bool is_young(std::string_view log, int64_t at_ns) const;

  // Whether people have come to this host from a network of which `is_it` says yes.
  bool comes_from(std::string_view log, std::string_view host,
                  const std::function<bool(std::string_view network)>& is_it) const;

  void hold(Holdings& out) override {
    for (auto& [name, log] : by_log_) {
      out.push_back({name, Kept::networks, &log.networks});
      out.push_back({name, Kept::hosts, &log.hosts});
    }
  }
  void save(std::string& out) const override;
  bool load(Reader& in) override;

 private:
  struct Source {
    std::string network;
    uint64_t logins = 0;
    auto parts() { return std::tie(network); }
  };
  struct Host {
    std::vector<Source> sources;  // the least recently used first
    Novelty novelty;
    auto parts() { return std::tie(sources); }
  };
  struct Log : AgedLog {
    using AgedLog::AgedLog;
    LruMap<uint64_t> networks{kNetworksMax};  // logins from it
    LruMap<Host> hosts{kHostsMax};
  };
  static bool add(Host& host, const std::string& network);  // true: it is new

  const Surroundings& surroundings_;
  ByLog<Log> by_log_;
};

}  // namespace yushi::detect
