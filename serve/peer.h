// A connection, and who is at its other end.
//
// Threads  One of its own; what seen() shows also the one that accepts and watches.
#pragma once

#include <sys/socket.h>

#include <map>
#include <optional>
#include <string>

#include "core/event/own_record.h"
#include "serve/api.h"
#include "serve/http.h"

namespace yushi::serve {

struct Api::Peer {
  const int fd;  // closed with it
  const bool is_local;
  HttpConnection http;
  ucred credentials{};
  std::optional<uid_t> login;
  std::string user, login_user;
  std::thread thread;
  std::atomic<bool> done{false};
  // What the thread that accepts and watches sees of it, too.
  struct Seen {
    bool is_silent = true;  // no request of it is being answered
    bool is_let_go = false;
    Clock::time_point since = Clock::now();
    query::Budget* asking = nullptr;  // of the question that is being answered
    std::optional<Clock::time_point> deadline;
  };
  Seen& seen([[maybe_unused]] Api& api) YUSHI_REQUIRES(api.mutex_) { return seen_; }

  // A question's record that waits for the proofs which belong to it, or proofs that wait for their question. The
  // connection's own.
  std::optional<OwnRecord> told;
  std::map<std::string, uint64_t> proofs;
  Clock::time_point told_at;  // the question, or the first of the proofs

  Peer(int socket, bool local);
  ~Peer();

  void serve(Api& api);
  bool answer_request(Api& api, const HttpRequest& request);
  // A record of what the peer asked, but for the question.
  OwnRecord record_of(std::string action, std::string message) const;
  void tell(Api& api, OwnRecord record);
  void tell_proof(Api& api, const std::string& name);
  void flush_told(Api& api);

 private:
  Seen seen_;
};

}  // namespace yushi::serve
