// A connection, and who is at its other end.
//
// Threads  The API's; while a question is being answered, what is told belongs to whoever answers it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/event/own_record.h"
#include "serve/api.h"
#include "serve/http.h"

namespace yushi::serve {

struct Api::Peer : std::enable_shared_from_this<Api::Peer> {
  const Listener* const listener;
  const std::function<Asker()> find_asker;  // none: no questions are answered here
  const std::shared_ptr<HttpConnection> http;
  std::shared_ptr<Asking> asking;  // the question that is being answered

  std::optional<Asker> asker;  // from the first question on
  // A question's record that waits for the proofs which belong to it, or proofs that wait for their question.
  std::optional<OwnRecord> told;
  std::map<std::string, uint64_t> proofs;
  Clock::time_point told_at;  // the question, or the first of the proofs

  Peer(Api& api, const Listener& at, int socket, Accepted accepted);

  void take(Api& api, HttpRequest request);
  // Ends waits that took too long, its question's too.
  void tick(Api& api, Clock::time_point now);
  void take_finished();  // its question, if it is
  bool is_over() const { return http->is_closed() && !asking; }

  // A record of what the peer asked, but for the question.
  OwnRecord record_of(std::string action, std::string message) const;
  void tell(Api& api, OwnRecord record);
  void tell_proof(Api& api, const std::string& name);
  void flush_told(Api& api);

 private:
  HttpReply answer_at_once(Api& api, const HttpRequest& request) const;
};

}  // namespace yushi::serve
