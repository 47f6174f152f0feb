#include "storage/store/sealer.h"

#include <pthread.h>

#include "storage/block/block.h"
#include "storage/db/keys.h"
#include "storage/read/summaries.h"

namespace yushi::storage {

Store::Sealer::Sealer(std::shared_ptr<Database> database, OpenTail& open_tail, StoreCounters& counters,
                      std::string node, const std::atomic<uint32_t>& store_day, Pulse& committer)
    : database_(std::move(database)),
      open_tail_(open_tail),
      counters_(counters),
      node_(std::move(node)),
      store_day_(store_day),
      committer_(committer),
      thread_([this] { run(); }) {}

Store::Sealer::~Sealer() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Store::Sealer::add(Job job) {
  MutexLock lock(mutex_);
  committer_.rest();
  while (queue_.size() >= kQueueMax && !failed_) changed_.wait(lock);
  committer_.step();
  if (pulse_.rests() && !failed_) pulse_.step();
  bytes_ += job.block.memory_bytes;
  queue_.push_back(std::move(job));
  changed_.notify_all();
}

Result<void> Store::Sealer::wait() {
  MutexLock lock(mutex_);
  while ((!queue_.empty() || tidy_ || busy_) && !failed_) changed_.wait(lock);
  if (failed_) return tl::unexpected(*failed_);
  return {};
}

void Store::Sealer::tidy() {
  MutexLock lock(mutex_);
  if (pulse_.rests() && !failed_) pulse_.step();
  tidy_ = true;
  changed_.notify_all();
}

void Store::Sealer::wait_for_one() {
  MutexLock lock(mutex_);
  const auto before = sealed_;
  committer_.rest();
  while (sealed_ == before && (busy_ || !queue_.empty()) && !failed_) changed_.wait(lock);
  committer_.step();
}

size_t Store::Sealer::waiting_bytes() const {
  MutexLock lock(mutex_);
  size_t out = 0;
  for (auto& job : queue_) out += job.block.memory_bytes;
  return out;
}

std::optional<Error> Store::Sealer::failed() const {
  MutexLock lock(mutex_);
  return failed_;
}

void Store::Sealer::run() {
  ::pthread_setname_np(::pthread_self(), "sealer");
  MutexLock lock(mutex_);
  while (true) {
    // What waits at destruction is durable in the tail; a restart takes it up again.
    while (!stop_ && ((queue_.empty() && !tidy_) || failed_)) changed_.wait(lock);
    if (stop_) return;
    std::optional<Job> job;
    if (!queue_.empty()) {
      job = std::move(queue_.front());
      queue_.pop_front();
    } else {
      tidy_ = false;
    }
    busy_ = true;
    lock.unlock();
    changed_.notify_all();
    const auto held = job ? job->block.memory_bytes : 0;
    auto done = job ? seal(*job) : database_->flush();
    // Also what could not be written: from then on it is read from the tail's chunks.
    if (job) open_tail_.erase(job->log, job->block.first_index, job->block.first_index + job->block.records.size());
    job.reset();
    bytes_ -= held;
    lock.lock();
    ++sealed_;
    if (!done) failed_ = done.error();
    busy_ = false;
    if (queue_.empty() || failed_)
      pulse_.rest();
    else
      pulse_.step();
    changed_.notify_all();
  }
}

Result<void> Store::Sealer::seal(Job& job) {
  auto& open = job.block;
  auto block = build_block({job.log, node_, std::move(open.parsed)}, open.records);
  uint32_t day = store_day_;
  auto family = YUSHI_TRY(database_->blocks_family(day, job.retention_days));
  auto first = keys::record(job.log, open.first_index);
  Write write;
  write.put(family, first, block.bytes);
  YUSHI_TRY(add_summary(write, *database_, day, job.log, block.summary));
  write.erase_range(database_->families().tail, first, keys::record(job.log, open.first_index + open.records.size()));
  YUSHI_TRY(database_->write(write, "sealing a block of log " + job.log));
  counters_.blocks_sealed += 1;
  counters_.block_bytes += block.bytes.size() + block.summary.token_filter.size();
  return {};
}

}  // namespace yushi::storage
