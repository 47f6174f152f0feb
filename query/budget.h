// What questions may cost: the memory of all together, how many read stored records at once, and for each one whether
// it must end before its end, and why.
//
// A QueryPool stands behind all questions of a process, a Budget behind one. Whoever sees a bound met (the API for
// time, a dropped connection or a stop; an answer for memory) says so with end(); what works for the question looks at
// over() and leaves; the end of the answer tells the reason.
//
// Memory   Half of the pool is for kQuestionsMax questions in equal shares, which each has whatever the others take;
//          the other half is lent to those that ask for more. Decoded segments are not counted: `readers` that are
//          being read, and what a follower has in hand (query/scan/arrivals.h), who has a turn of the daemon's queue
//          meanwhile.
// Threads  Any.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <list>
#include <string>

#include "core/base/mutex.h"

namespace yushi::query {

class ReadTurn;

class QueryPool {
 public:
  static constexpr unsigned kQuestionsMax = 4;  // with a share each; more at once share what is there for these

  QueryPool(size_t bytes, unsigned readers) : bytes_(bytes), lendable_(bytes / 2), readers_free_(readers) {}

  size_t bytes() const { return bytes_; }
  size_t share() const { return bytes_ / 2 / kQuestionsMax; }
  size_t leased() YUSHI_EXCLUDES(mutex_);  // now, by all questions

 private:
  friend class Budget;
  friend class ReadTurn;
  const size_t bytes_;
  Mutex mutex_;
  CondVar changed_;
  size_t lendable_ YUSHI_GUARDED_BY(mutex_);
  size_t leased_ YUSHI_GUARDED_BY(mutex_) = 0;
  unsigned readers_free_ YUSHI_GUARDED_BY(mutex_);
  std::list<const ReadTurn*> waiting_ YUSHI_GUARDED_BY(mutex_);  // for a place, in the order they came
};

class Budget {
 public:
  explicit Budget(QueryPool& pool) : pool_(&pool) {}
  ~Budget();
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  QueryPool& pool() const { return *pool_; }
  // Bytes that the question may hold from now on, `most` if they are free; its share at least. Given back at its end.
  // Once.
  size_t lease(size_t most);

  // The question must end; the first reason stays. Never undone.
  void end(const std::string& why);
  const std::atomic<bool>& over() const { return over_; }
  std::string why() const;

  // Called by whoever writes the answer, on the thread that answers, when the reader has taken nothing for a second:
  // what can be had again is let go. Set by the answer.
  std::function<void()> on_stall;

 private:
  QueryPool* pool_;
  size_t borrowed_ YUSHI_GUARDED_BY(pool_->mutex_) = 0, leased_ YUSHI_GUARDED_BY(pool_->mutex_) = 0;
  std::atomic<bool> over_{false};
  mutable Mutex mutex_;
  std::string why_ YUSHI_GUARDED_BY(mutex_);
};

// One of the pool's places to read and decode a segment of the store, for as long as it lives. Those who wait get one
// in the order they came, so that a long search does not keep a short one out.
class ReadTurn {
 public:
  // Waits for a place, or until `over()` (looked at each 50 ms); then it holds none. Without a pool there is always
  // one.
  ReadTurn(QueryPool* pool, const std::function<bool()>& over);
  ~ReadTurn();
  ReadTurn(const ReadTurn&) = delete;
  ReadTurn& operator=(const ReadTurn&) = delete;

 private:
  QueryPool* pool_;
};

}  // namespace yushi::query
