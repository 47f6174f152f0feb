// Writing files so that a full disk is waited for: what the store and the files beside it are written through.
//
// A write that finds no room (ENOSPC, EDQUOT) is tried again until there is some, so that whoever writes sees a slow
// disk and no error. Until wait_until() says so, and behind the time that it names, it fails at once.
//
// Threads  Any.
// Errors   Each call gives an errno, 0 when it is done.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace yushi {

class Disk {
 public:
  enum class Call { open, write, sync, rename, read };
  virtual ~Disk() = default;
  // Asked before each call, for a test: the errno with which it is to fail.
  virtual int fault(Call, const std::string& /*path*/) { return 0; }

  int open(const std::string& path, int flags, mode_t mode, int& fd);  // close-on-exec
  int write(int fd, std::string_view bytes, const std::string& path);  // all of it, at the file's place
  int sync(int fd, const std::string& path);                           // the data, and what is needed to read it
  int sync_folder_of(const std::string& path);
  int rename(const std::string& from, const std::string& to);

  // Until when, by the monotonic clock, a full disk is waited for. What waits and is late then fails.
  void wait_until(int64_t monotonic_ns) { wait_until_ns_ = monotonic_ns; }
  // Does somebody wait for room now?
  bool waits() const { return waiting_ > 0; }
  // Called when the first one begins to wait, and when the last one waits no more; by the thread that does. Before any
  // other thread writes.
  void on_wait(std::function<void(const std::string& path, bool begins)> call) { on_wait_ = std::move(call); }

 private:
  template <class Try>
  int with_room(const std::string& path, Try&& attempt);

  std::atomic<int64_t> wait_until_ns_{0};
  std::atomic<int> waiting_{0};
  std::function<void(const std::string&, bool)> on_wait_;
};

}  // namespace yushi
