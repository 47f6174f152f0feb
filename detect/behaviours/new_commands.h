// Programs that nobody of the site has ever run, several of them by one account within an hour. What its peers run is
// no news of an account, however new it is to it.
//
// Learned are the names of programs that people run, of each log: typed commands, and processes of a login session.
// Told is an account of kCommandsMin commands and more that runs kNewMin new ones within kWindowNs, once the log is
// kLearnDays old.
//
// Invariants  Integers only, event time, in commit order, no clock.
// Memory      Per log kProgramsMax names of kNameBytesMax bytes, the one not used for longest goes; and a part of the
//             profiles of accounts (detect/memory/profiles.h) with fewer than kNewMin of them.
// Threads     One owner.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "detect/behaviours/detectors.h"
#include "detect/memory/profiles.h"
#include "detect/memory/state.h"

namespace yushi::detect {

class NewCommands final : public Detector {
 public:
  explicit NewCommands(const Surroundings& surroundings)
      : surroundings_(surroundings), accounts_(surroundings.profiles, Part::new_commands) {}

  static constexpr size_t kProgramsMax = 8192, kNameBytesMax = 64;
  static constexpr size_t kNewMin = 3;
  static constexpr uint32_t kCommandsMin = 20;
  static constexpr int64_t kLearnDays = 12;  // two working weeks
  static constexpr int64_t kWindowNs = kHour;

  bool wants(const EventKind& kind) const override;
  void observe(const Event& event, std::vector<Finding>& findings) override;

  void hold(Holdings& out) override {
    for (auto& [name, log] : by_log_) out.push_back({name, Kept::habits, &log.programs});
  }
  void save(std::string& out) const override;
  bool load(Reader& in) override;

 private:
  struct Account {
    uint32_t commands = 0;
    int64_t since_ns = 0;  // the first of the new ones
    std::vector<std::string> names;
    std::vector<uint64_t> indexes;
    auto parts() { return std::tie(names, indexes); }
  };
  struct Log : AgedLog {
    using AgedLog::AgedLog;
    LruMap<bool> programs{kProgramsMax};
  };
  const Surroundings& surroundings_;
  ByLog<Log> by_log_;
  Parts<Account> accounts_;
};

}  // namespace yushi::detect
