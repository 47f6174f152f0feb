// Where it is asked: how the bytes of an accepted socket are read and written, and who is at its other end.
//
// A listener under TLS is one more function that makes these: its stream deciphers, and its asker has the name that the
// certificate proves, which is there with the first request.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "core/base/byte_stream.h"

namespace yushi::serve {

// Empty: not known.
struct Asker {
  std::string user, user_id;
  std::string login_user, login_id;  // as which the session began, whatever it became by su or sudo since
};

struct Accepted {
  std::unique_ptr<ByteStream> stream;
  std::function<Asker()> asker;  // called with the first question, by a thread that may wait; none: no questions here
};

struct Listener {
  int fd;                                      // listens already
  std::shared_ptr<void> owner;                 // of the socket: goes at the stop, so that nobody connects any more
  size_t connections_max;                      // then the one that has been silent for longest goes
  std::function<Accepted(int socket)> accept;  // the socket outlives what it gives
};

// The daemon's unix socket: the kernel says who asks.
Listener listener_of_questions(int fd, std::shared_ptr<void> owner);
// Health and metrics for anybody, and nothing else.
Listener listener_of_health(int fd, std::shared_ptr<void> owner);

}  // namespace yushi::serve
