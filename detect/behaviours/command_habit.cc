#include "detect/behaviours/command_habit.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "core/base/assert.h"
#include "detect/memory/state.h"

namespace yushi::detect {
namespace {

constexpr int kShareBits = 40;
// A site's counts are halved when there are so many, an account's when one of them has no more room: so what was
// long ago fades.
constexpr uint64_t kSiteSumMax = uint64_t{1} << 24;
constexpr uint8_t kBlocksMax = 255;
constexpr uint32_t kPairBlocksMax = 3;  // what two bits hold: that is always
// How many commands a site may have that were never seen; each counts as half a block.
constexpr uint64_t kUnseen = 1024;
// Of what an account does the last blocks are so much, …
constexpr uint64_t kRecentOf16 = 5;
// … and what it may do as anybody else does: 1 in so many.
constexpr uint64_t kCommandLikeOthers = 256;
constexpr uint64_t kPairLikeOthers = 64;
// What it may do as nobody does yet, in shares: its own new programs.
constexpr uint64_t kLikeNobody = uint64_t{1} << (kShareBits - 15);

uint16_t id_of(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash ^= hash >> 32;
  return static_cast<uint16_t>(hash * 0x9e3779b97f4a7c15 >> 48);
}

uint16_t pair_bucket(uint16_t first, uint16_t second) {
  const uint64_t both = (uint64_t{first} << 32 | second) * 0x9e3779b97f4a7c15;
  return static_cast<uint16_t>((both ^ both >> 29) * 0xbf58476d1ce4e5b9 >> 53);
}
static_assert(CommandBlock::kPairBuckets == 1 << (64 - 53));

// Binary logarithm in 1/256, rounded down; of 1 and more.
int32_t log2_256(uint64_t value) {
  const int whole = std::bit_width(value) - 1;
  uint64_t mantissa = value << (63 - whole) >> 32;  // in [1, 2) as 2^-31
  int32_t out = whole;
  for (int bit = 0; bit < 8; ++bit) {
    mantissa = mantissa * mantissa >> 31;
    const bool carry = mantissa >> 32 != 0;
    if (carry) mantissa >>= 1;
    out = out * 2 + (carry ? 1 : 0);
  }
  return out;
}

// A command that stands there n times weighs as the fourth root of n, in 1/16.
constexpr std::array<uint8_t, CommandBlock::kCommandsMax + 1> kWeights = [] {
  std::array<uint8_t, CommandBlock::kCommandsMax + 1> out{};
  uint64_t root = 0;
  for (uint64_t n = 1; n < out.size(); ++n) {
    while ((root + 1) * (root + 1) * (root + 1) * (root + 1) <= n << 16) ++root;
    out[n] = static_cast<uint8_t>(root);
  }
  return out;
}();

size_t bucket_of(uint16_t id) { return id >> 4; }  // of a site's commands
uint64_t share(uint64_t part, uint64_t of) { return of == 0 ? 0 : (part << kShareBits) / of; }
uint64_t others_share(SiteCommands::Count all, SiteCommands::Count own) {
  const uint64_t blocks = all.blocks - std::min(all.blocks, own.blocks), of = all.of - std::min(all.of, own.of);
  return share(2 * blocks + 1, 2 * of + kUnseen);
}

// What speaks for somebody else, in 1/256 bit: `others` and `own` in shares.
int32_t ratio(uint64_t others, uint64_t own, uint64_t like_others) {
  const uint64_t mixed = (own * (like_others - 1) + others + kLikeNobody) / like_others;
  return log2_256(others) - log2_256(mixed);
}

template <class Counts>
void save_counts(const Counts& counts, std::string& out) {
  for (auto count : counts) put_varint(out, count);
}
// And their sum; nothing when one is more than `most`.
template <class Counts>
std::optional<uint64_t> load_numbers(Counts& counts, uint64_t most, Reader& in) {
  uint64_t sum = 0;
  for (auto& count : counts) {
    const uint64_t value = in.varint();
    if (value > most) return {};
    count = static_cast<typename Counts::value_type>(value);
    sum += value;
  }
  return sum;
}

}  // namespace

CommandBlock::Command CommandBlock::command_of(uint16_t id) const {
  const std::string_view names = names_;
  for (size_t at = 0; at < names.size();) {
    const size_t bytes = static_cast<uint8_t>(names[at + kHeadBytes - 1]);
    const auto one = static_cast<uint16_t>(static_cast<uint8_t>(names[at]) << 8 | static_cast<uint8_t>(names[at + 1]));
    const auto mark = static_cast<int32_t>(get_be32(names.data() + at + kIdBytes));
    at += kHeadBytes + bytes;
    if (one == id) return {id, 1, names.substr(at - bytes, bytes), mark};
  }
  return {id, 1};
}

void CommandBlock::add(std::string_view name, bool keeps_name, int32_t mark) {
  YUSHI_ASSERT(!full(), "a block of %zu commands is full", size());
  const uint16_t id = id_of(name);
  bool is_first = true;
  for (size_t i = 0; i < size() && is_first; ++i) is_first = id_at(i) != id;
  const char bytes[] = {static_cast<char>(id >> 8), static_cast<char>(id & 0xff)};
  ids_.append(bytes, kIdBytes);
  const std::string_view kept = name.substr(0, kNameBytesMax);
  if (!is_first || !keeps_name || names_.size() + kHeadBytes + kept.size() > kNamesBytesMax) return;
  names_.append(bytes, kIdBytes);
  put_be32(names_, static_cast<uint32_t>(mark));
  names_ += static_cast<char>(kept.size());
  names_ += kept;
}

void CommandBlock::clear() {
  ids_.clear();
  names_.clear();
}

std::vector<CommandBlock::Command> CommandBlock::commands() const {
  std::vector<Command> out;
  for (size_t i = 0; i < size(); ++i) {
    const uint16_t id = id_at(i);
    const auto same = std::find_if(out.begin(), out.end(), [id](const Command& one) { return one.id == id; });
    if (same != out.end())
      ++same->times;
    else
      out.push_back(command_of(id));
  }
  return out;
}

std::vector<uint16_t> CommandBlock::pairs() const {
  std::vector<uint16_t> out;
  for (size_t i = 1; i < size(); ++i) out.push_back(pair_bucket(id_at(i - 1), id_at(i)));
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void CommandBlock::save(std::string& out) const {
  put_text(out, ids_);
  put_text(out, names_);
}

bool CommandBlock::load(Reader& in) {
  ids_ = in.text();
  names_ = in.text();
  if (ids_.size() > kCommandsMax * kIdBytes || ids_.size() % kIdBytes != 0 || names_.size() > kNamesBytesMax)
    return false;
  size_t at = 0;
  while (at + kHeadBytes <= names_.size()) at += kHeadBytes + static_cast<uint8_t>(names_[at + kHeadBytes - 1]);
  return in.ok() && at == names_.size();
}

void SiteCommands::learn(const CommandBlock& block) {
  const auto commands = block.commands();
  const auto pairs = block.pairs();
  for (const auto& command : commands) ++commands_[bucket_of(command.id)];
  for (uint16_t pair : pairs) ++pairs_[pair];
  commands_sum_ += commands.size();
  pairs_sum_ += pairs.size();
  if (std::max(commands_sum_, pairs_sum_) < kSiteSumMax) return;
  commands_sum_ = pairs_sum_ = 0;
  for (auto& count : commands_) commands_sum_ += count /= 2;
  for (auto& count : pairs_) pairs_sum_ += count /= 2;
}

uint64_t SiteCommands::command_share(uint16_t id, Count own) const {
  return others_share({commands_[bucket_of(id)], commands_sum_}, own);
}
uint64_t SiteCommands::pair_share(uint16_t bucket, Count own) const {
  return others_share({pairs_[bucket], pairs_sum_}, own);
}

void SiteCommands::save(std::string& out) const {
  save_counts(commands_, out);
  save_counts(pairs_, out);
}

bool SiteCommands::load(Reader& in) {
  const auto commands = load_numbers(commands_, kSiteSumMax, in), pairs = load_numbers(pairs_, kSiteSumMax, in);
  if (!in.ok() || !commands || !pairs || std::max(*commands, *pairs) >= kSiteSumMax) return false;
  commands_sum_ = *commands;
  pairs_sum_ = *pairs;
  return true;
}

bool CommandHabit::is_usual(std::string_view name) const {
  const Known* known = find(id_of(name));
  return known && known->blocks * 4 >= std::min<uint64_t>(blocks_, kBlocksMax);
}

const CommandHabit::Known* CommandHabit::find(uint16_t id) const {
  const auto at = std::find_if(known_.begin(), known_.end(), [id](const Known& known) { return known.id == id; });
  return at == known_.end() ? nullptr : &*at;
}

std::vector<CommandHabit::Known>::iterator CommandHabit::least() {
  return std::min_element(known_.begin(), known_.end(), [](const Known& a, const Known& b) {
    return a.blocks != b.blocks ? a.blocks < b.blocks : a.recent < b.recent;
  });
}

CommandHabit::Known& CommandHabit::use(uint16_t id) {
  if (const Known* known = find(id)) return const_cast<Known&>(*known);
  if (known_.size() < kCommandsMax) return known_.emplace_back(Known{id, 0, 0});
  return *least() = Known{id, 0, 0};
}

bool CommandHabit::give_up() {
  if (known_.size() <= kCommandsMin) return false;
  known_.erase(least());
  return true;
}

CommandJudgement CommandHabit::judge(const CommandBlock& block, const SiteCommands& site) const {
  CommandJudgement out;
  uint64_t blocks_sum = 0, recent_sum = 0, pairs_sum = 0;
  for (const Known& known : known_) {
    blocks_sum += known.blocks;
    recent_sum += known.recent;
  }
  for (uint8_t four : pairs_) pairs_sum += (four & 3) + (four >> 2 & 3) + (four >> 4 & 3) + (four >> 6);

  int64_t weights = 0, weighed = 0;
  const auto commands = block.commands();
  const auto pairs = block.pairs();
  for (const auto& command : commands) weights += kWeights[command.times];
  for (const auto& command : commands) {
    const Known* known = find(command.id);
    const uint64_t blocks = known ? known->blocks : 0;
    const uint64_t recent = known ? known->recent : 0;
    const uint64_t own =
        ((16 - kRecentOf16) * share(blocks, blocks_sum) + kRecentOf16 * share(recent, recent_sum)) / 16;
    const int64_t score =
        int64_t{ratio(site.command_share(command.id, {blocks, blocks_sum}), own, kCommandLikeOthers)} *
        kWeights[command.times];
    weighed += score;
    if (score > 0)
      out.odd.push_back(
          {command.name, command.times, static_cast<uint32_t>(blocks), static_cast<int32_t>(score / weights)});
  }
  int64_t paired = 0;
  for (uint16_t pair : pairs) {
    const uint64_t blocks = pair_blocks(pair);
    paired += ratio(site.pair_share(pair, {blocks, pairs_sum}), share(blocks, pairs_sum), kPairLikeOthers);
    out.new_pairs += blocks == 0 ? 1 : 0;
  }
  out.pairs = static_cast<uint32_t>(pairs.size());
  if (weights > 0) out.score += static_cast<int32_t>(weighed / weights);
  if (out.pairs > 0) out.score += static_cast<int32_t>(paired / 2 / out.pairs);
  std::stable_sort(out.odd.begin(), out.odd.end(),
                   [](const OddCommand& a, const OddCommand& b) { return a.score > b.score; });
  return out;
}

void CommandHabit::learn(const CommandBlock& block) {
  ++blocks_;
  for (Known& known : known_) known.recent /= 2;
  bool is_full = false;
  for (const auto& command : block.commands()) {
    Known& known = use(command.id);
    known.recent |= 128;
    if (known.blocks < kBlocksMax) ++known.blocks;  // two commands may have one id
    is_full |= known.blocks == kBlocksMax;
  }
  if (is_full) {
    for (Known& known : known_) known.blocks /= 2;
    std::erase_if(known_, [](const Known& known) { return known.blocks == 0 && known.recent == 0; });
  }
  for (uint16_t pair : block.pairs())
    if (pair_blocks(pair) < kPairBlocksMax) pairs_[pair / 4] += 1u << pair % 4 * 2;
  // A table in which most buckets are taken knows no pair as new: then what stood there once is forgotten.
  size_t taken = 0;
  for (uint8_t four : pairs_) taken += static_cast<size_t>(std::popcount((four | four >> 1u) & 0x55u));
  if (taken <= CommandBlock::kPairBuckets * 3 / 4) return;
  for (uint8_t& four : pairs_) four = four >> 1 & 0x55;
}

void CommandHabit::save(std::string& out) const {
  put_varint(out, blocks_);
  put_varint(out, known_.size());
  for (const Known& known : known_) {
    put_varint(out, known.id);
    put_varint(out, known.blocks);
    put_varint(out, known.recent);
  }
  out.append(reinterpret_cast<const char*>(pairs_.data()), pairs_.size());
}

bool CommandHabit::load(Reader& in) {
  *this = CommandHabit();
  blocks_ = load_number<uint32_t>(in);
  uint64_t size = in.varint();
  if (size > kCommandsMax) return false;
  for (; size > 0; --size) {
    const uint64_t id = in.varint(), blocks = in.varint(), recent = in.varint();
    if (id > UINT16_MAX || blocks >= kBlocksMax || recent > UINT8_MAX) return false;
    known_.push_back({static_cast<uint16_t>(id), static_cast<uint8_t>(blocks), static_cast<uint8_t>(recent)});
  }
  const std::string_view pairs = in.take(pairs_.size());
  std::copy(pairs.begin(), pairs.end(), pairs_.begin());
  return in.ok();
}

}  // namespace yushi::detect
