// Which commands an account is wont to give, and which after which: judges stretches of its commands, so that somebody
// else at its keyboard is told by what he does.
//
// Of each command, and of each two in a row, is asked how much more often it stands in the stretches of the other
// accounts (SiteCommands) than in those of this one (CommandHabit): the logarithm of that ratio, in bits, is what it
// says for somebody else. What counts is in how many stretches it stands, not how often: a loop of a thousand `sh` is
// no habit. The commands of the last few stretches count more, since work comes in phases. A stretch's score is the
// mean over its commands and half the mean over its pairs: neither its length nor one repeated command makes it odd.
// What the account has never done speaks for others as far as others do it: nobody's own new program speaks much.
//
// Names come from whatever tells of commands (sudo, auditd, a bastion host): the last part of a path, no arguments.
// bench/masquerade measures it on published data.
//
// Invariants  Integers only and no clock: the same stretches give the same scores, bit for bit.
// Memory      CommandHabit 1.8 KiB, a full CommandBlock up to 1.6 KiB, SiteCommands 24 KiB.
// Threads     One owner each.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/base/bytes.h"

namespace yushi::detect {

// A stretch of an account's commands, in the order in which they were given.
class CommandBlock {
 public:
  static constexpr size_t kCommandsMax = 100;
  static constexpr size_t kNameBytesMax = 32;    // of a name; the rest is hashed, not kept
  static constexpr size_t kNamesBytesMax = 600;  // of all: further commands count without a name
  static constexpr size_t kPairBuckets = 2048;

  struct Command {
    uint32_t hash = 0;
    uint16_t name_at = 0;
    uint8_t name_bytes = 0;
    uint8_t times = 0;
  };

  // Not when it is full.
  void add(std::string_view name);
  void clear();

  size_t size() const { return size_; }
  bool full() const { return size_ == kCommandsMax; }
  const std::vector<Command>& commands() const { return commands_; }  // different ones, in order of first use
  const std::vector<uint16_t>& pairs() const { return pairs_; }       // buckets of those in a row, ascending
  std::string_view name(const Command& command) const {
    return std::string_view(names_).substr(command.name_at, command.name_bytes);
  }

  void save(std::string& out) const;
  bool load(Reader& in);  // false: no block

  auto parts() { return std::tie(commands_, pairs_, names_); }

 private:
  uint32_t size_ = 0;
  uint32_t last_hash_ = 0;
  std::vector<Command> commands_;
  std::vector<uint16_t> pairs_;
  std::string names_;
};

// What all accounts of a site do: in how many blocks each command and each pair stood.
class SiteCommands {
 public:
  void learn(const CommandBlock& block);

  // Blocks in which one stood, and of how many such counts.
  struct Count {
    uint64_t blocks = 0;
    uint64_t of = 0;
  };
  // The share of this command (pair) in the blocks of all but who has `own` of them, in 2^-40; never 0.
  uint64_t command_share(uint32_t hash, Count own) const;
  uint64_t pair_share(uint16_t bucket, Count own) const;

  void save(std::string& out) const;
  bool load(Reader& in);

 private:
  static constexpr size_t kCommandBuckets = 4096;
  std::array<uint32_t, kCommandBuckets> commands_{};
  std::array<uint32_t, CommandBlock::kPairBuckets> pairs_{};
  uint64_t commands_sum_ = 0, pairs_sum_ = 0;
};

// A command of a judged block, and what it says for somebody else.
struct OddCommand {
  std::string_view name;  // empty: the block had no room for it
  uint32_t times = 0;     // in the block
  uint32_t blocks = 0;    // of the account's in which it stood before
  int32_t score = 0;      // its part of the block's score
};
struct CommandJudgement {
  int32_t score = 0;            // in 1/256 bit
  std::vector<OddCommand> odd;  // those that speak for somebody else, the loudest first
  uint32_t pairs = 0;           // different ones, …
  uint32_t new_pairs = 0;       // … and how many of them the account never made before
};

class CommandHabit {
 public:
  // What is odd: a block whose commands speak one bit each for somebody else. On published data (bench/masquerade) 2 of
  // 100 blocks of an account's own do. Only blocks below it are to be learned.
  static constexpr int32_t kOddScore = 256;
  static constexpr size_t kCommandsMax = 192;  // remembered; the one in the fewest blocks goes

  CommandJudgement judge(const CommandBlock& block, const SiteCommands& site) const;
  void learn(const CommandBlock& block);
  uint64_t blocks() const { return blocks_; }  // learned

  void save(std::string& out) const;
  bool load(Reader& in);

 private:
  struct Known {
    uint16_t id = 0;     // a part of the hash
    uint8_t blocks = 0;  // in which it stood
    uint8_t recent = 0;  // the same, where each block counts half of the one after it
  };
  const Known* find(uint16_t id) const;
  Known& use(uint16_t id);
  uint32_t pair_blocks(uint16_t bucket) const { return pairs_[bucket / 2] >> bucket % 2 * 4 & 15; }

  uint64_t blocks_ = 0;
  uint32_t size_ = 0;
  std::array<Known, kCommandsMax> known_{};
  std::array<uint8_t, CommandBlock::kPairBuckets / 2> pairs_{};  // blocks in which one of the bucket stood, in 4 bits
};

}  // namespace yushi::detect
