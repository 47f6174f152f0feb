// Somebody else at an account's keyboard: an account's commands are judged against its habit
// (detect/behaviours/command_habit.h).
//
// Commands are what a person's session runs, as sudo, the audit system, a bastion host or a network device tells of it
// (event kinds `command`, and `process-started` where it says whose login session it is). Each kind of log is a stream
// of its own, since one command may be told by several. An account's commands gather to blocks: of a hundred, or of as
// many as there are when it has been still for half an hour. A block that is not odd becomes habit; one that is is told
// and not learned, unless so many follow one another that the account's work must have changed.
//
// Invariants  Integers only, in commit order, no clock but ticks: a replay gives the same findings.
// Memory      A part of the profiles of accounts (detect/memory/profiles.h), 1.7 KiB at most for each kind of log, of
//             kStreamsMax; per log 24 KiB for each of kDatasetsMax kinds.
// Threads     One owner.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "detect/behaviours/command_habit.h"
#include "detect/behaviours/detectors.h"
#include "detect/memory/profiles.h"
#include "detect/memory/state.h"

namespace yushi::detect {

class UnusualCommands final : public Detector {
 public:
  explicit UnusualCommands(const Surroundings& surroundings)
      : surroundings_(surroundings), accounts_(surroundings.profiles, Part::commands) {}

  static constexpr size_t kDatasetsMax = 16, kStreamsMax = 4;
  static constexpr uint64_t kBlocksMin = 10;         // learned before one is judged
  static constexpr size_t kSessionCommandsMin = 40;  // a shorter session waits for the next
  static constexpr int64_t kStillNs = 30 * kMinute;  // of receipt time: then a session is over
  static constexpr uint32_t kOddInARowMax = 25;      // then it is the account's new work

  bool wants(const EventKind& kind) const override { return kind.name == "command" || kind.name == "process-started"; }
  void observe(const Event& event, std::vector<Finding>& findings) override;
  void tick(const Tick& tick, std::vector<Finding>& findings) override;

  // Whether it has learned what this account does.
  bool knows(std::string_view log, std::string_view account) const {
    const Account* known = accounts_.peek(log, account);
    return known && std::any_of(known->streams.begin(), known->streams.end(),
                                [](const Stream& one) { return one.habit.blocks() > 0; });
  }

  void hold(Holdings& out) override {
    for (auto& [name, sites] : by_log_) out.push_back({name, Kept::habits, &sites});
  }
  void save(std::string& out) const override;
  bool load(Reader& in) override;

 private:
  // What one kind of log tells of an account.
  struct Stream {
    std::string dataset;
    CommandHabit habit;
    int64_t first_ns = 0;  // event time of its first command
    uint32_t odd_in_a_row = 0;
    // The block that is gathering.
    CommandBlock block;
    int64_t block_first_ns = 0, block_last_ns = 0;  // event time
    int64_t last_received_ns = 0;
    uint64_t first_index = 0, last_index = 0;
    auto parts() { return std::tie(dataset, habit, block); }
  };
  struct Account {
    std::vector<Stream> streams;
    auto parts() { return std::tie(streams); }
    bool give_up(bool much);
    Stream& use(const std::string& dataset);
  };
  void close(std::string_view log, std::string_view account, Stream& stream, std::vector<Finding>& findings);
  static std::vector<uint64_t> records_of(const Stream& stream);
  static Finding finding_of(std::string_view account, const Stream& stream, const CommandJudgement& judged);

  const Surroundings& surroundings_;
  ByLog<LruMap<SiteCommands>> by_log_;  // by dataset
  Parts<Account> accounts_;
  int64_t looked_ns_ = 0;  // for still accounts, the last time
};

}  // namespace yushi::detect
