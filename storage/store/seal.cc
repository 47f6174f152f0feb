// Which open block is sealed when. The work itself is done by the sealer's thread.
#include <algorithm>

#include "core/base/clock.h"
#include "storage/store/sealer.h"
#include "storage/store/store.h"

namespace yushi::storage {
namespace {

constexpr uint64_t kSmallBlockBytes = 1 << 20;

}  // namespace

void Store::hand_to_sealer(const LogState& log, OpenBlock block) {
  sealer_->add({log.name, retention_of(log), std::move(block)});
}

uint32_t Store::retention_of(const LogState& log) const {
  if (const uint32_t days = log.known->retention_days) return days;
  uint32_t longest = options_.retention_days;
  const auto all = logs();
  for (auto& known : *all) longest = std::max(longest, known->retention_days.load());
  for (auto& blocks : database_->blocks_families()) longest = std::max(longest, blocks.days);
  return longest;
}

Result<void> Store::seal_due(int64_t now_ns, bool all) {
  if (auto failed = sealer_->failed()) return tl::unexpected(*failed);
  // A block must not come before the record that says how it was understood.
  if (!contexts_to_tell_.empty() || !to_seal_when_told_.empty()) YUSHI_TRY(begin().finish());
  size_t total = 0;
  for (auto& log : logs_) {
    auto& open = log.open;
    if (open.records.empty()) continue;
    if (now_ns < open.opened_ns) open.opened_ns = now_ns;  // the clock was set back
    int64_t age = now_ns - open.opened_ns;
    bool due = all || open.due || open.raw_bytes >= kBlockBytesMax || open.records.size() >= kBlockRecordsMax ||
               age >= (open.raw_bytes >= kSmallBlockBytes ? 10 * kMinute : kDay);
    if (due) {
      hand_to_sealer(log, std::exchange(log.open, OpenBlock{}));
    } else {
      total += open.memory_bytes;
    }
  }
  while (total > options_.open_bytes_max) {
    auto fullest = std::max_element(logs_.begin(), logs_.end(),
                                    [](auto& a, auto& b) { return a.open.memory_bytes < b.open.memory_bytes; });
    total -= fullest->open.memory_bytes;
    hand_to_sealer(*fullest, std::exchange(fullest->open, OpenBlock{}));
  }
  counters_.open_bytes = total;
  return {};
}

const Pulse& Store::sealer_pulse() const { return sealer_->pulse(); }

Result<void> Store::wait_sealed() { return sealer_->wait(); }

}  // namespace yushi::storage
