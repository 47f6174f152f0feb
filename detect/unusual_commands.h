// Somebody else at an account's keyboard: an account's commands are judged against its habit (detect/command_habit.h).
//
// Commands are what a person's session runs, as sudo, the audit system, a bastion host or a network device tells of it
// (event kinds `command`, and `process-started` where it says whose login session it is). Each kind of log is a stream
// of its own, since one command may be told by several. An account's commands gather to blocks: of a hundred, or of as
// many as there are when it has been still for half an hour. A block that is not odd becomes habit; one that is is told
// and not learned, unless so many follow one another that the account's work must have changed.
//
// Invariants  Integers only, in commit order, no clock but ticks: a replay gives the same findings.
// Memory      Per log kAccountsMax accounts of 2.5 KiB at most (the one not seen for longest goes), and 24 KiB for each
//             of kDatasetsMax kinds of logs.
// Threads     One owner.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "detect/command_habit.h"
#include "detect/detectors.h"
#include "detect/lru.h"

namespace yushi::detect {

class UnusualCommands final : public Detector {
 public:
  explicit UnusualCommands(const Surroundings& surroundings) : surroundings_(surroundings) {}

  static constexpr size_t kAccountsMax = 1024;
  static constexpr size_t kDatasetsMax = 16;
  static constexpr uint64_t kBlocksMin = 10;              // learned before one is judged
  static constexpr size_t kSessionCommandsMin = 40;       // a shorter session waits for the next
  static constexpr int64_t kStillNs = 30 * 60 * kSecond;  // of receipt time: then a session is over
  static constexpr uint32_t kOddInARowMax = 25;           // then it is the account's new work

  bool wants(const EventKind& kind) const override { return kind.name == "command" || kind.name == "process-started"; }
  void observe(const Event& event, std::vector<Finding>& findings) override;
  void tick(const Tick& tick, std::vector<Finding>& findings) override;

  void hold(Holdings& out) override {
    for (auto& [name, log] : by_log_) {
      out.push_back({name, Kept::accounts, &log.accounts});
      out.push_back({name, Kept::habits, &log.sites});
    }
  }
  void save(std::string& out) const override;
  bool load(Reader& in) override;

 private:
  struct Account {
    CommandHabit habit;
    int64_t first_ns = 0;  // event time of its first command
    uint32_t odd_in_a_row = 0;
    // The block that is gathering.
    CommandBlock block;
    int64_t block_first_ns = 0, block_last_ns = 0;  // event time
    int64_t last_received_ns = 0;
    uint64_t first_index = 0, last_index = 0;
    std::vector<int32_t> first_uses;  // records of its different commands, from first_index on
    auto parts() { return std::tie(block, first_uses); }
  };
  struct Log {
    LruMap<Account> accounts{kAccountsMax};    // by dataset and name
    LruMap<SiteCommands> sites{kDatasetsMax};  // by dataset
  };
  void close(std::string_view log, Log& of, std::string_view key, Account& account, std::vector<Finding>& findings);
  static std::vector<uint64_t> records_of(const Account& account);
  static bool load_account(Account& account, Reader& in);
  static Finding finding_of(std::string_view key, const Account& account, const CommandJudgement& judged);

  const Surroundings& surroundings_;
  ByLog<Log> by_log_;
  int64_t looked_ns_ = 0;  // for still accounts, the last time
};

}  // namespace yushi::detect
