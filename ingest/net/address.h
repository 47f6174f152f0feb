// Socket addresses: from the config's text, and to the text that stands in records.
//
// Threads  Plain values; an OwnedFd has one owner.
// Errors   Each names what was being done, to which address, and what to do now.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "ingest/net/origin_map.h"

namespace yushi::ingest {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  uint16_t port() const;
  Address address() const;            // all zero when it is neither IPv4 nor IPv6
  uint32_t scope() const;             // of a link-local IPv6 address
  std::string address_text() const;   // without port; IPv4-mapped as IPv4; with "%eth0" when link-local
  std::string endpoint_text() const;  // "127.0.0.1:514", "[::1]:514"
};

// "127.0.0.1:514", "[::1]:514", "localhost:514". invalid: says what is wrong with it.
Result<SocketAddress> parse_listen(std::string_view text);

// A file descriptor that is closed when forgotten.
class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.release()) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept;
  ~OwnedFd();
  int get() const { return fd_; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// Asks the kernel what a socket is bound to.
Result<SocketAddress> bound_address(int fd);

// "tcp 0.0.0.0:514: Permission denied; …" from errno.
tl::unexpected<Error> fail_errno(const std::string& doing, int error, const char* advice = "");
// Why bind() or listen() refused an IP address, and what to do.
tl::unexpected<Error> fail_bind(const std::string& doing, int error, const SocketAddress& address);

}  // namespace yushi::ingest
