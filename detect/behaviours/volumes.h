// Who reads, fetches or deletes far more than he is wont to: many files through sftp, a bastion or a share, opened
// under the eyes of the audit system, machines and objects of a cloud deleted in a row.
//
// Counted are different files (by their path) of an account within an hour of the clock. It is told when they are
// kTimes what the fullest hour of the last kDays days had, and kLeast at least; of resources kLeastResources. In a
// log's first kYoungDays, when nothing is usual yet, four times as many.
//
// Invariants  Integers only, event time, in commit order, no clock.
// Memory      A part of the profiles of accounts (detect/memory/profiles.h), 280 bytes; per log kSessionsMax sessions.
// Threads     One owner.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "detect/behaviours/detectors.h"
#include "detect/memory/profiles.h"
#include "detect/memory/state.h"

namespace yushi::detect {

class Volumes final : public Detector {
 public:
  explicit Volumes(const Surroundings& surroundings)
      : surroundings_(surroundings), accounts_(surroundings.profiles, Part::volumes) {}

  static constexpr uint32_t kLeast = 30, kLeastResources = 10, kTimes = 4;
  static constexpr int kDays = 14, kYoungDays = 3;
  static constexpr size_t kSessionsMax = 4096;
  static constexpr size_t kWays = 3;

  bool wants(const EventKind& kind) const override;
  void observe(const Event& event, std::vector<Finding>& findings) override;

  void hold(Holdings& out) override {
    for (auto& [name, log] : by_log_) out.push_back({name, Kept::passing, &log.sessions});
  }
  void save(std::string& out) const override;
  bool load(Reader& in) override;

 private:
  struct Use {
    uint64_t first_index = 0;               // of the hour
    uint16_t count = 0;                     // of the hour
    bool told = false;                      // in this hour
    std::array<uint16_t, kDays> fullest{};  // hour of each day, by the day's number
  };
  struct Account {
    int32_t hour = 0;  // since the epoch: what goes on
    std::array<Use, kWays> uses{};
    std::array<uint64_t, 16> seen{};  // bits of the paths of the hour, of all ways
  };
  struct Log : AgedLog {
    using AgedLog::AgedLog;
    LruMap<std::string> sessions{kSessionsMax};  // who a process works for, by host and its number
  };
  std::string account_of(Log& log, const Event& event) const;
  static void begin_hour(Account& account, int64_t hour);

  const Surroundings& surroundings_;
  ByLog<Log> by_log_;
  Parts<Account> accounts_;
};

}  // namespace yushi::detect
