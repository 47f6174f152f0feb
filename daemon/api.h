// The HTTP API on the unix socket: questions (query/questions.h) under /api/v1, /metrics, /healthz, /readyz.
//
// Each use of a question is a record in `_audit`, refused ones too.
//
// Threads  One accepts; each connection has one of its own, at most kConnectionsMax. Where the system gives none, the
//          connection is closed.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "core/base/result.h"
#include "daemon/pipeline.h"
#include "ingest/unix_listener.h"
#include "query/questions.h"

namespace yushi {

class Api {
 public:
  struct Sources {
    Store* store;
    Pipeline* pipeline;
    std::function<std::string()> metrics;   // Prometheus text
    std::function<std::string()> status;    // JSON: what the daemon adds to the store's status
  };
  // `listener` listens already: who asks before start() waits.
  Api(UnixListener listener, Sources sources);
  ~Api();
  void start();
  void stop();  // ends running answers

  uint64_t requests() const { return requests_; }

 private:
  struct Connection;
  void accept();
  void serve(int fd);
  Sources sources_;
  std::optional<UnixListener> listener_;  // until stop()
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::set<int> open_;  // sockets; protected by mutex_
  std::atomic<uint64_t> requests_{0};
  std::thread thread_;
};

}  // namespace yushi
