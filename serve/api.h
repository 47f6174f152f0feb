// The HTTP API: questions (query/questions.h) under /api/v1 where a listener knows who asks, which is the unix socket;
// /metrics, /healthz and /readyz there and, where the config names an address, over TCP on loopback, which answers
// nothing else.
//
// Each use of a question is a record in `_audit`, refused ones too, with the asker's uid and login uid. What the CLI
// asks beside a question to prove its answer (checkpoints, consistency) is counted in that question's record. Secrets
// are hidden but from users whom the config names, when they ask to see them; that too stands in the record.
//
// Bounds   Connections are cheap and never lock anybody out: where there are too many, the one that has been silent for
//          longest is let go. Only questions about content wait for each other (serve/question_queue.h); they share
//          limits.query_bytes, end after limits.query_seconds or when the asker goes, and run at a low priority.
// Threads  One has all connections, and answers what waits for nothing. Answers are made on two bounded pools: little
//          ones, and those about content. Who waits (for a request, a turn, a commit) holds none of these.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/result.h"
#include "core/event/own_record.h"
#include "query/questions.h"
#include "serve/listener.h"
#include "serve/question_queue.h"
#include "serve/workers.h"
#include "storage/read/heads.h"

namespace yushi::serve {

class Api {
 public:
  // What the daemon gives to those who ask. All are called by many threads at once.
  struct Sources {
    std::function<std::shared_ptr<const storage::StoreView>()> view;
    std::function<Result<storage::Heads>()> heads;
    std::function<Result<void>()> sign_now;  // what is synced
    std::function<void()> wait_judged;       // until the alerts of what is committed are there; some seconds at most
    // Signs all, and calls `at_signed` before anything else is committed; it does not when the daemon is stopping.
    std::function<Result<void>(std::function<void()> at_signed)> sign_all;
    std::function<uint64_t()> newest_commit;                           // that is durable
    std::function<bool()> is_full;                                     // the disk is below its reserve
    std::function<void(OwnRecord)> tell;                               // a record in `_audit`
    std::function<Result<void>(OwnRecord)> tell_durably;               // the same, and waits until it is committed
    std::function<query::Means()> means;                               // those of now, without the prover
    std::function<std::string(const QuestionQueue::Counts&)> metrics;  // Prometheus text; waits for nothing
  };
  struct Limits {
    uint64_t query_bytes;
    std::chrono::seconds query_time;
  };
  // The listeners listen already: who asks before start() waits. `may_see_secrets` are names of users.
  Api(std::vector<Listener> listeners, Sources sources, Limits limits, std::vector<std::string> may_see_secrets = {});
  ~Api();
  void start();
  void stop();                                      // ends running answers, which say so
  size_t leased_bytes() { return pool_.leased(); }  // of memory, by questions

 private:
  using Clock = std::chrono::steady_clock;
  struct Peer;
  struct Asking;
  struct Door {
    Listener listener;
    boost::asio::posix::stream_descriptor socket;
    bool is_waiting = false;  // for who comes next
  };
  void run();
  void wait_at(Door& door);
  void accept(Door& door);
  void tick();

  const Sources sources_;
  const Limits limits_;
  const std::vector<std::string> may_see_secrets_;
  query::QueryPool pool_;
  QuestionQueue queue_;
  std::atomic<bool> stopping_{false};
  std::atomic<unsigned> without_turn_{0};  // answers that hold a thread without a turn: their readers have stopped

  // The API's thread's.
  boost::asio::io_context io_;
  boost::asio::steady_timer timer_;
  std::list<Door> doors_;
  std::list<std::shared_ptr<Peer>> peers_;
  Clock::time_point stop_until_, trimmed_;
  bool asked_ = false;  // about content, since the heap was trimmed

  std::thread thread_;
  Workers little_, content_;  // last, so that they end first
};

}  // namespace yushi::serve
