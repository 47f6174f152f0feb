// Which open block is sealed when. The work itself is done by the sealer's thread.
#include <algorithm>

#include "core/base/clock.h"
#include "storage/store/sealer.h"
#include "storage/store/store.h"

namespace yushi::storage {
namespace {

constexpr uint64_t kSmallBlockBytes = 1 << 20, kTinyBlockBytes = 64 << 10;  // of raw
constexpr uint64_t kCalmBytes = 4 << 20;                                    // of raw, in a minute
constexpr uint64_t kUntidyBytes = 16 << 20;                                 // that were written since it was tidied

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

// A small block costs a search as much as a large one does, so a log makes one an hour at most: 24 a day, some 4,400 in
// half a year, whatever its senders' rhythm. What is less than kTinyBlockBytes waits for a day: it is 64 MiB of a
// thousand logs.
bool Store::is_due(const LogState& log, int64_t now_ns) const {
  auto& open = log.open;
  if (open.due || open.raw_bytes >= kBlockBytesMax || open.records.size() >= kBlockRecordsMax) return true;
  if (now_ns - open.opened_ns >= (open.raw_bytes >= kSmallBlockBytes ? 10 * kMinute : kDay)) return true;
  if (now_ns - open.newest_ns < options_.quiet_ns || open.raw_bytes < kTinyBlockBytes) return false;
  return open.raw_bytes >= kSmallBlockBytes || log.small_sealed_ns == 0 ||
         now_ns - log.small_sealed_ns >= 60 * kMinute || now_ns < log.small_sealed_ns;
}

void Store::seal(LogState& log, int64_t now_ns) {
  if (log.open.raw_bytes < kSmallBlockBytes) log.small_sealed_ns = now_ns;
  open_bytes_ -= log.open.memory_bytes;
  hand_to_sealer(log, std::exchange(log.open, OpenBlock{}));
}

Result<void> Store::seal_due(int64_t now_ns, bool all) {
  if (auto failed = sealer_->failed()) return tl::unexpected(*failed);
  // A block must not come before the record that says how it was understood.
  if (!contexts_to_tell_.empty() || !to_seal_when_told_.empty()) YUSHI_TRY(begin().finish());
  size_t open_bytes = 0;
  for (auto& log : logs_) open_bytes += log.open.memory_bytes;
  open_bytes_ = open_bytes;
  for (auto& log : logs_) {
    auto& open = log.open;
    if (open.records.empty()) continue;
    // the clock was set back
    open.opened_ns = std::min(open.opened_ns, now_ns);
    open.newest_ns = std::min(open.newest_ns, now_ns);
    if (all || is_due(log, now_ns)) seal(log, now_ns);
  }
  // The sealer is given the fullest a little before there is no room, and waited for when there is none: so that it has
  // made room by then, and mostly nobody waits.
  const size_t begin = options_.open_bytes_max - options_.open_bytes_max / 8;
  while (open_bytes_ > 0 && !sealer_->failed()) {
    const auto waiting = sealer_->waiting_bytes();
    if (open_bytes_ + waiting <= (waiting == 0 ? begin : options_.open_bytes_max)) break;
    if (waiting == 0) {
      seal(*std::max_element(logs_.begin(), logs_.end(),
                             [](auto& a, auto& b) { return a.open.memory_bytes < b.open.memory_bytes; }),
           now_ns);
    } else {
      sealer_->wait_for_one();
    }
  }
  tidy_if_calm(now_ns);
  return {};
}

// What was sealed leaves the disk with the next compaction of the tail, and a WAL with the flush of the last family
// that has something in it: of a daemon that has nothing more to do neither would come.
void Store::tidy_if_calm(int64_t now_ns) {
  const uint64_t raw_bytes = counters_.raw_bytes;
  if (raw_bytes - calm_raw_bytes_ > kCalmBytes || now_ns < calm_ns_) {
    calm_raw_bytes_ = raw_bytes;
    calm_ns_ = now_ns;
  }
  const int64_t calm_after = std::min(kMinute, options_.quiet_ns);
  if (untidy_bytes_ < kUntidyBytes || now_ns - calm_ns_ < calm_after || sealer_->bytes() > 0) return;
  const bool will_seal = std::any_of(logs_.begin(), logs_.end(), [&](auto& log) {
    return log.open.raw_bytes >= kSmallBlockBytes && now_ns - log.open.newest_ns >= calm_after;
  });
  if (will_seal) return;  // soon, and then with what is sealed by then
  untidy_bytes_ = 0;
  sealer_->tidy();
}

size_t Store::open_bytes() const { return open_bytes_ + sealer_->bytes(); }

const Pulse& Store::sealer_pulse() const { return sealer_->pulse(); }

Result<void> Store::wait_sealed() { return sealer_->wait(); }

}  // namespace yushi::storage
