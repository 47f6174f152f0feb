// The HTTP API: questions (query/questions.h) under /api/v1 on the unix socket; /metrics, /healthz and /readyz there
// and, where the config names an address, over TCP on loopback, which answers nothing else.
//
// Each use of a question is a record in `_audit`, refused ones too, with the asker's uid and login uid. What the CLI
// asks beside a question to prove its answer (checkpoints, consistency) is counted in that question's record. Secrets
// are hidden but from users whom the config names, when they ask to see them; that too stands in the record.
//
// Bounds   Connections are cheap and never lock anybody out: where there are too many, the one that has been silent for
//          longest is let go. Only questions about content wait for each other (daemon/question_queue.h); they share
//          limits.query_bytes, end after limits.query_seconds or when the asker goes, and run at a low priority.
// Threads  One accepts and watches; each connection has one of its own, and each question about content.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/mutex.h"
#include "core/base/result.h"
#include "daemon/pipeline.h"
#include "daemon/question_queue.h"
#include "ingest/net/unix_listener.h"
#include "query/questions.h"

namespace yushi::daemon {

class Api {
 public:
  struct Sources {
    storage::Store* store;
    Pipeline* pipeline;
    std::function<std::string(const QuestionQueue::Counts&)> metrics;  // Prometheus text
    std::function<std::string()> status;  // JSON: what the daemon adds to the store's status
  };
  struct Limits {
    uint64_t query_bytes;
    std::chrono::seconds query_time;
  };
  // The listeners listen already: who asks before start() waits. `metrics` may be none.
  // `may_see_secrets` are names of users.
  Api(ingest::UnixListener listener, ingest::OwnedFd metrics, Sources sources, Limits limits,
      std::vector<std::string> may_see_secrets = {});
  ~Api();
  void start();
  void stop();  // ends running answers, which say so

 private:
  struct Peer;
  struct Asking;
  void run();
  void accept(int listener, bool is_local) YUSHI_EXCLUDES(mutex_);
  void watch() YUSHI_EXCLUDES(mutex_);
  void reap() YUSHI_EXCLUDES(mutex_);

  Sources sources_;
  const Limits limits_;
  const std::vector<std::string> may_see_secrets_;
  query::QueryPool pool_;
  QuestionQueue queue_;
  std::optional<ingest::UnixListener> listener_;  // until stop()
  ingest::OwnedFd metrics_;
  std::atomic<bool> stopping_{false};
  Mutex mutex_;
  std::list<std::unique_ptr<Peer>> peers_ YUSHI_GUARDED_BY(mutex_);  // and what Peer::seen() shows
  std::thread thread_;
};

}  // namespace yushi::daemon
