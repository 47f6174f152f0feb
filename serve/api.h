// The HTTP API: questions (query/questions.h) under /api/v1 on the unix socket; /metrics, /healthz and /readyz there
// and, where the config names an address, over TCP on loopback, which answers nothing else.
//
// Each use of a question is a record in `_audit`, refused ones too, with the asker's uid and login uid. What the CLI
// asks beside a question to prove its answer (checkpoints, consistency) is counted in that question's record. Secrets
// are hidden but from users whom the config names, when they ask to see them; that too stands in the record.
//
// Bounds   Connections are cheap and never lock anybody out: where there are too many, the one that has been silent for
//          longest is let go. Only questions about content wait for each other (serve/question_queue.h); they share
//          limits.query_bytes, end after limits.query_seconds or when the asker goes, and run at a low priority.
// Threads  One accepts and watches; each connection has one of its own, and each question about content.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/mutex.h"
#include "core/base/result.h"
#include "core/event/own_record.h"
#include "query/questions.h"
#include "serve/question_queue.h"
#include "storage/read/heads.h"

namespace yushi::serve {

class Api {
 public:
  // What the daemon gives to those who ask. All are called by many threads at once.
  struct Sources {
    std::function<std::shared_ptr<const storage::StoreView>()> view;
    std::function<Result<storage::Heads>()> heads;
    std::function<Result<void>()> sign_now;  // what is synced
    // Signs all, and calls `at_signed` before anything else is committed; it does not when the daemon is stopping.
    std::function<Result<void>(std::function<void()> at_signed)> sign_all;
    // Waits until a commit after `commit` is durable, or `milliseconds` have passed; the newest number.
    std::function<uint64_t(uint64_t commit, int milliseconds)> wait_commit;
    std::function<bool()> is_full;                                     // the disk is below its reserve
    std::function<void(OwnRecord)> tell;                               // a record in `_audit`
    std::function<query::Means()> means;                               // those of now, without the prover
    std::function<std::string(const QuestionQueue::Counts&)> metrics;  // Prometheus text
  };
  // Where it is asked. The owner of a socket goes with it: at stop(), so that nobody connects any more.
  struct Listener {
    int fd;
    std::shared_ptr<void> owner;
    bool is_local;  // the unix socket: questions too, and the kernel says who asks
  };
  struct Limits {
    uint64_t query_bytes;
    std::chrono::seconds query_time;
  };
  // The listeners listen already: who asks before start() waits. `may_see_secrets` are names of users.
  Api(std::vector<Listener> listeners, Sources sources, Limits limits, std::vector<std::string> may_see_secrets = {});
  ~Api();
  void start();
  void stop();  // ends running answers, which say so

 private:
  using Clock = std::chrono::steady_clock;
  struct Peer;
  struct Asking;
  void run();
  void accept(const Listener& listener) YUSHI_EXCLUDES(mutex_);
  void watch() YUSHI_EXCLUDES(mutex_);
  void reap() YUSHI_EXCLUDES(mutex_);

  Sources sources_;
  const Limits limits_;
  const std::vector<std::string> may_see_secrets_;
  query::QueryPool pool_;
  QuestionQueue queue_;
  std::vector<Listener> listeners_;  // until stop()
  std::atomic<bool> stopping_{false};
  Mutex mutex_;
  std::list<std::unique_ptr<Peer>> peers_ YUSHI_GUARDED_BY(mutex_);  // and what Peer::seen() shows
  std::thread thread_;
};

}  // namespace yushi::serve
