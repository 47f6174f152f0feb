// Services that were stopped and not started again: a restart, which every upgrade makes, begins in the same way.
//
// A stop is what an init system, a service itself or the audit system tells (`service-stopped`, `audit-stopped`), or a
// command that stops one. It is told when the host went on for kWaitNs without a start of that service; of what
// protects or writes logs after kWaitForLogsNs, also when the host went dumb by it: then the log's other hosts, or the
// time of receipt, say how late it is. Before a host goes down all stop: that is no finding, nor is what is stopped and
// left on kUsualDays other days, nor what ends soon after its own start, as jobs do.
//
// Invariants  Integers only, event time, in commit order, no clock; a tick looks at what is waited for.
// Memory      Per log kHostsMax hosts with kStopsMax stops that are waited for, kUnitsMax services of hosts.
// Threads     One owner.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "detect/behaviours/detectors.h"
#include "detect/memory/state.h"

namespace yushi::detect {

class Services final : public Detector {
 public:
  explicit Services(const Surroundings& surroundings) : surroundings_(surroundings) {}

  static constexpr int64_t kWaitNs = 15 * kMinute;
  static constexpr int64_t kWaitForLogsNs = 2 * kMinute;
  static constexpr int64_t kGoingDownNs = 15 * kMinute;  // stops around a host's own end say nothing
  static constexpr int64_t kJobNs = 10 * kMinute;        // what ends so soon after its start was a job
  static constexpr int64_t kNewNs = kHour;
  static constexpr int kUsualDays = 3;
  static constexpr size_t kHostsMax = 4096, kStopsMax = 32, kUnitsMax = 16'384;

  bool wants(const EventKind& kind) const override;
  void observe(const Event& event, std::vector<Finding>& findings) override;
  void tick(const Tick& tick, std::vector<Finding>& findings) override;

  void hold(Holdings& out) override {
    for (auto& [name, log] : by_log_) {
      out.push_back({name, Kept::passing, &log.hosts});
      out.push_back({name, Kept::passing, &log.units});
    }
  }
  void save(std::string& out) const override;
  bool load(Reader& in) override;

 private:
  struct Stop {
    std::string name, also;  // as a command names it and as the init system does, where they differ
    std::string actor;       // of a command
    int64_t at_ns = 0, received_ns = 0;
    uint64_t index = 0;
    bool writes_logs = false, protects = false;
    auto parts() { return std::tie(name, also, actor); }
  };
  struct Host {
    std::vector<Stop> stops;
    int64_t going_down_ns = 0;
    auto parts() { return std::tie(stops); }
  };
  struct Unit {
    int64_t started_ns = 0;
    int64_t last_day = 0;
    uint64_t days = 0;  // bit n: it was left stopped n days before last_day
  };
  struct Log : AgedLog {
    using AgedLog::AgedLog;
    LruMap<Host> hosts{kHostsMax};
    LruMap<Unit> units{kUnitsMax};
  };
  // From now on it is waited for. Of what writes logs, on a host heard of since less than kNewNs, the stop itself is
  // told.
  void stopped(Log& log, const Event& event, std::string_view host_name, std::string_view service,
               std::string_view actor, std::vector<Finding>& findings) const;
  void started(Log& log, const Event& event, std::string_view host_name, std::string_view service,
               std::vector<Finding>& findings) const;
  // Whether the host, or what else says how late it is, went on for long enough without a start.
  bool is_left(std::string_view log, std::string_view host, const Stop& stop, int64_t received_ns) const;
  // Unless it is left stopped on other days too.
  void tell(Log& log, std::string_view log_name, std::string_view host, Stop& stop,
            std::vector<Finding>& findings) const;

  const Surroundings& surroundings_;
  ByLog<Log> by_log_;
};

}  // namespace yushi::detect
