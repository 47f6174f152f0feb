#include "core/base/disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <thread>

#include "core/base/clock.h"

namespace yushi {
namespace {

constexpr auto kAgain = std::chrono::milliseconds(100);

bool is_full(int error) { return error == ENOSPC || error == EDQUOT; }

}  // namespace

template <class Try>
int Disk::with_room(const std::string& path, Try&& attempt) {
  int error = attempt();
  if (!is_full(error) || clock_ns(CLOCK_MONOTONIC) >= wait_until_ns_) return error;
  if (waiting_++ == 0 && on_wait_) on_wait_(path, true);
  while (is_full(error) && clock_ns(CLOCK_MONOTONIC) < wait_until_ns_) {
    std::this_thread::sleep_for(kAgain);
    error = attempt();
  }
  if (--waiting_ == 0 && on_wait_) on_wait_(path, false);
  return error;
}

int Disk::open(const std::string& path, int flags, mode_t mode, int& fd) {
  return with_room(path, [&] {
    if (int error = fault(Call::open, path)) return error;
    do fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return fd < 0 ? errno : 0;
  });
}

int Disk::write(int fd, std::string_view bytes, const std::string& path) {
  return with_room(path, [&] {
    if (int error = fault(Call::write, path)) return error;
    while (!bytes.empty()) {
      auto n = ::write(fd, bytes.data(), bytes.size());
      if (n < 0 && errno != EINTR) return errno;
      if (n == 0) return EIO;
      if (n > 0) bytes.remove_prefix(static_cast<size_t>(n));
    }
    return 0;
  });
}

// Not tried again: what a failed one leaves behind nobody knows.
int Disk::sync(int fd, const std::string& path) {
  if (int error = fault(Call::sync, path)) return error;
  return ::fdatasync(fd) == 0 ? 0 : errno;
}

int Disk::sync_folder_of(const std::string& path) {
  auto slash = path.rfind('/');
  auto folder = slash == path.npos ? std::string(".") : path.substr(0, slash + 1);
  int fd = -1;
  int error = open(folder, O_RDONLY | O_DIRECTORY, 0, fd);
  if (error) return error;
  error = fault(Call::sync, folder);
  if (!error && ::fsync(fd) != 0) error = errno;
  ::close(fd);
  return error;
}

int Disk::rename(const std::string& from, const std::string& to) {
  return with_room(to, [&] {
    if (int error = fault(Call::rename, to)) return error;
    return std::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  });
}

}  // namespace yushi
