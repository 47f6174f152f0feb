#include "ingest/net/unix_listener.h"

#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace yushi::ingest {
namespace {

// Makes room for the socket's file.
Result<void> clear_path(const std::string& doing, const std::string& path, const sockaddr_un& address, int type) {
  struct stat there;
  if (::lstat(path.c_str(), &there) != 0) return {};
  if (!S_ISSOCK(there.st_mode)) {
    return fail(Code::refused, doing +
                                   ": there is something else than a socket at this path; remove it or choose "
                                   "another path");
  }
  // Not waiting: where the queue of connections is full somebody is there too.
  OwnedFd probe(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe) return fail_errno(doing, errno);
  const bool connected = ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (connected || errno == EAGAIN || errno == EPROTOTYPE) {
    return fail(Code::refused, doing + ": another process listens there; stop it or choose another path");
  }
  if (errno != ECONNREFUSED)
    return fail_errno(doing, errno, "cannot tell whether that socket is in use; choose another path");
  ::unlink(path.c_str());
  return {};
}

}  // namespace

Result<UnixListener> UnixListener::bind(const std::string& doing, const std::string& path, int type, mode_t mode) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(Code::invalid, doing + ": the path must have 1 to " + std::to_string(sizeof address.sun_path - 1) +
                                   " bytes; choose a shorter one");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  YUSHI_TRY(clear_path(doing, path, address, type));

  UnixListener listener;
  listener.path_ = path;
  listener.fd_ = OwnedFd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!listener.fd_) return fail_errno(doing, errno);
  const auto mask = ::umask(0177);  // nobody else may connect before the mode is set
  const bool bound = ::bind(listener.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int error = errno;
  ::umask(mask);
  if (!bound) return fail_errno(doing, error, "does the directory exist, and may this user write there?");
  if (::chmod(path.c_str(), mode) != 0 || ::lstat(path.c_str(), &listener.bound_) != 0) return fail_errno(doing, errno);
  return listener;
}

UnixListener::UnixListener(UnixListener&& other) noexcept
    : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, {})), bound_(other.bound_) {}

UnixListener::~UnixListener() {
  struct stat there;
  if (::lstat(path_.c_str(), &there) == 0 && there.st_dev == bound_.st_dev && there.st_ino == bound_.st_ino) {
    ::unlink(path_.c_str());
  }
}

}  // namespace yushi::ingest
