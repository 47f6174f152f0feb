// The thread that turns open blocks into sealed ones: build, then block, summary and the end of its tail in one write.
// So a record is in the tail or in a block, never in both or none, wherever that ends.
//
// Memory   A job owns its block, and with it the batches, until it is sealed: kQueueMax wait, one is in work.
// Threads  add(), wait() and failed() belong to the committer. add() blocks while kQueueMax blocks wait: back-pressure.
//          Any may look at pulse().
// Errors   The first block that cannot be written ends all sealing: failed() and wait() say it from then on, add() does
//          not block, and what is handed over stays in the tail, where the next start takes it up.
#pragma once

#include <atomic>
#include <deque>
#include <optional>
#include <string>
#include <thread>

#include "core/base/mutex.h"
#include "storage/store/store.h"

namespace yushi::storage {

struct Store::Sealer {
  struct Job {
    std::string log;
    uint32_t retention_days;
    OpenBlock block;
  };

  // The references are the Store's, which outlives this. `store_day`: under which blocks are sealed. `committer` rests
  // while add() waits.
  Sealer(std::shared_ptr<Database> database, OpenTail& open_tail, StoreCounters& counters, std::string node,
         const std::atomic<uint32_t>& store_day, Pulse& committer);
  ~Sealer();  // ends the block in work; those that wait stay in the tail

  void add(Job job);
  Result<void> wait();                     // until all are durable; the first failure if there was one
  void tidy();                             // when no block waits: Database::flush()
  void wait_for_one();                     // until a block less waits or is in work, or one failed
  size_t waiting_bytes() const;            // of memory, of the jobs that wait; 0: none does
  size_t bytes() const { return bytes_; }  // of all, with the one in work
  std::optional<Error> failed() const;     // that one, without waiting
  const Pulse& pulse() const { return pulse_; }

 private:
  static constexpr size_t kQueueMax = 2;

  void run();
  Result<void> seal(Job& job) YUSHI_EXCLUDES(mutex_);

  std::shared_ptr<Database> database_;
  OpenTail& open_tail_;
  StoreCounters& counters_;
  const std::string node_;
  const std::atomic<uint32_t>& store_day_;
  Pulse& committer_;

  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Job> queue_ YUSHI_GUARDED_BY(mutex_);
  bool busy_ YUSHI_GUARDED_BY(mutex_) = false;
  bool stop_ YUSHI_GUARDED_BY(mutex_) = false;
  std::optional<Error> failed_ YUSHI_GUARDED_BY(mutex_);
  bool tidy_ YUSHI_GUARDED_BY(mutex_) = false;
  uint64_t sealed_ YUSHI_GUARDED_BY(mutex_) = 0;
  std::atomic<size_t> bytes_{0};  // of memory, of all jobs
  Pulse pulse_;                   // stepped under mutex_: by add() when there is work again, then by the sealer
  std::thread thread_;
};

}  // namespace yushi::storage
