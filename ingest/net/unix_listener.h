// A unix socket that is bound to a file of its own: it takes no other file's place and no other process's. The file
// goes with it, unless it is a successor's by then.
//
// Threads  One at a time.
#pragma once

#include <sys/stat.h>

#include <string>

#include "ingest/net/address.h"

namespace yushi::ingest {

class UnixListener {
 public:
  UnixListener(UnixListener&& other) noexcept;
  UnixListener& operator=(UnixListener&&) = delete;
  ~UnixListener();

  // `type` as for socket(2). A socket file to which nobody listens, left over from a process that died, is replaced;
  // refused: something else is there, or somebody listens. `doing` begins the messages.
  static Result<UnixListener> bind(const std::string& doing, const std::string& path, int type, mode_t mode);

  int fd() const { return fd_.get(); }
  OwnedFd take_fd() { return std::move(fd_); }

 private:
  UnixListener() = default;

  OwnedFd fd_;
  std::string path_;  // empty: moved from
  struct stat bound_ {};
};

}  // namespace yushi::ingest
