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
// Names come from whatever tells of commands (sudo, auditd, a bastion host): the last part of a path, no arguments. Of
// a name 16 bits of its hash count.
// bench/masquerade measures it on published data.
//
// Invariants  Integers only and no clock: the same stretches give the same scores, bit for bit.
// Memory      CommandHabit 1 KiB, a full CommandBlock 200 bytes and the names that are kept, SiteCommands 24 KiB.
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
  static constexpr size_t kNamesBytesMax = 192;  // of all: further commands count without a name
  static constexpr size_t kPairBuckets = 2048;

  struct Command {
    uint16_t id = 0;
    uint8_t times = 0;
    std::string_view name{};  // into the block; empty: it is not kept
    int32_t mark = 0;         // with the name: what stood for the first of them
  };

  // Not when it is full. The first of a name is kept where it shall be and there is room, and the mark with it.
  void add(std::string_view name, bool keeps_name = true, int32_t mark = 0);
  void clear();

  size_t size() const { return ids_.size() / kIdBytes; }
  bool full() const { return size() == kCommandsMax; }
  std::vector<Command> commands() const;  // different ones, in order of first use
  std::vector<uint16_t> pairs() const;    // buckets of those in a row, ascending

  void save(std::string& out) const;
  bool load(Reader& in);  // false: no block

  auto parts() { return std::tie(ids_, names_); }

 private:
  static constexpr size_t kIdBytes = 2;
  uint16_t id_at(size_t i) const {
    return static_cast<uint16_t>(static_cast<uint8_t>(ids_[i * kIdBytes]) << 8 |
                                 static_cast<uint8_t>(ids_[i * kIdBytes + 1]));
  }
  Command command_of(uint16_t id) const;

  static constexpr size_t kHeadBytes = kIdBytes + 4 + 1;
  std::string ids_;    // in the order of the commands
  std::string names_;  // of some: the id, the mark in four bytes, the length in a byte, the name
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
  uint64_t command_share(uint16_t id, Count own) const;
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
  static constexpr size_t kCommandsMax = 128;  // remembered; the one in the fewest blocks goes

  CommandJudgement judge(const CommandBlock& block, const SiteCommands& site) const;
  void learn(const CommandBlock& block);
  uint64_t blocks() const { return blocks_; }  // learned
  // The one in the fewest blocks is forgotten; false when there are no more than kCommandsMin.
  bool give_up();
  // Whether a command of this name says nothing for anybody else: it stood in one block of four or more.
  bool is_usual(std::string_view name) const;

  void save(std::string& out) const;
  bool load(Reader& in);

  auto parts() { return std::tie(known_); }

 private:
  struct Known {
    uint16_t id = 0;     // a part of the hash
    uint8_t blocks = 0;  // in which it stood
    uint8_t recent = 0;  // the same, where each block counts half of the one after it
  };
  static constexpr size_t kCommandsMin = 32;
  const Known* find(uint16_t id) const;
  Known& use(uint16_t id);
  std::vector<Known>::iterator least();
  uint32_t pair_blocks(uint16_t bucket) const { return pairs_[bucket / 4] >> bucket % 4 * 2 & 3; }

  uint32_t blocks_ = 0;
  std::vector<Known> known_;
  std::array<uint8_t, CommandBlock::kPairBuckets / 4> pairs_{};  // blocks in which one of the bucket stood, in 2 bits
};

}  // namespace yushi::detect
