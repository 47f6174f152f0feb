#include "ingest/net/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>

namespace yushi::ingest {
namespace {

const sockaddr_in& ipv4(const SocketAddress& a) { return reinterpret_cast<const sockaddr_in&>(a.storage); }
const sockaddr_in6& ipv6(const SocketAddress& a) { return reinterpret_cast<const sockaddr_in6&>(a.storage); }

}  // namespace

uint16_t SocketAddress::port() const {
  if (storage.ss_family == AF_INET) return ntohs(ipv4(*this).sin_port);
  if (storage.ss_family == AF_INET6) return ntohs(ipv6(*this).sin6_port);
  return 0;
}

Address SocketAddress::address() const {
  Address out{};
  if (storage.ss_family == AF_INET) {
    out[10] = out[11] = 0xff;
    std::memcpy(out.data() + 12, &ipv4(*this).sin_addr, 4);
  } else if (storage.ss_family == AF_INET6) {
    std::memcpy(out.data(), &ipv6(*this).sin6_addr, 16);
  }
  return out;
}

uint32_t SocketAddress::scope() const { return storage.ss_family == AF_INET6 ? ipv6(*this).sin6_scope_id : 0; }

std::string SocketAddress::address_text() const {
  char text[INET6_ADDRSTRLEN];
  const Address bytes = address();
  if (storage.ss_family == AF_INET || IN6_IS_ADDR_V4MAPPED(reinterpret_cast<const in6_addr*>(bytes.data()))) {
    return inet_ntop(AF_INET, bytes.data() + 12, text, sizeof text);
  }
  std::string out = inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
  if (scope() != 0 && IN6_IS_ADDR_LINKLOCAL(&ipv6(*this).sin6_addr)) {
    char name[IF_NAMESIZE];
    out += '%';
    out += if_indextoname(scope(), name) ? std::string(name) : std::to_string(scope());
  }
  return out;
}

std::string SocketAddress::endpoint_text() const {
  const std::string host = address_text();
  const std::string number = std::to_string(port());
  return host.find(':') == host.npos ? host + ":" + number : "[" + host + "]:" + number;
}

Result<SocketAddress> parse_listen(std::string_view text) {
  const auto bad = [&](const char* why) {
    return fail(Code::invalid, "listen address \"" + std::string(text) + "\": " + why);
  };
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return bad("the port is missing; write it as in 0.0.0.0:514 or [::]:514");
  std::string host(text.substr(0, colon));
  const std::string_view number = text.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), port);
  if (error != std::errc() || end != number.data() + number.size()) return bad("the port is a number from 0 to 65535");
  const bool brackets = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  SocketAddress out;
  auto& v4 = reinterpret_cast<sockaddr_in&>(out.storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(out.storage);
  if (!brackets && inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    out.length = sizeof v4;
    return out;
  }
  if (brackets) {
    const size_t percent = host.find('%');
    if (percent != host.npos) {
      v6.sin6_scope_id = if_nametoindex(host.c_str() + percent + 1);
      if (v6.sin6_scope_id == 0) return bad("there is no such network interface");
      host.resize(percent);
    }
    if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(port);
      out.length = sizeof v6;
      return out;
    }
  }
  return bad("write an address of this machine, not a name: 0.0.0.0:514 or [::]:514");
}

OwnedFd& OwnedFd::operator=(OwnedFd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}

OwnedFd::~OwnedFd() {
  if (fd_ >= 0) ::close(fd_);
}

Result<SocketAddress> bound_address(int fd) {
  SocketAddress out;
  if (::getsockname(fd, out.get(), &out.length) != 0) return fail_errno("asking for the port that was bound", errno);
  return out;
}

tl::unexpected<Error> fail_errno(const std::string& doing, int error, const char* advice) {
  std::string message = doing + ": " + std::generic_category().message(error);
  if (*advice) message += std::string("; ") + advice;
  return fail(Code::io, std::move(message));
}

tl::unexpected<Error> fail_bind(const std::string& doing, int error, const SocketAddress& address) {
  constexpr uint16_t kFirstFreePort = 1024;  // unless somebody changed net.ipv4.ip_unprivileged_port_start
  switch (error) {
    case EADDRINUSE:
      return fail_errno(doing, error,
                        "`ss -tulpn` as root says which process has this port; stop it or choose another port");
    case EACCES:
    case EPERM:
      if (address.port() >= kFirstFreePort) break;
      return fail_errno(
          doing, error,
          "a port below 1024 needs CAP_NET_BIND_SERVICE, as yushid.service gives it (AmbientCapabilities=); "
          "start yushid by systemd or choose a port from 1024 on");
    case EADDRNOTAVAIL:
      return fail_errno(
          doing, error,
          "this machine has no such address (`ip address` lists those it has); 0.0.0.0 or [::] takes all");
    case EAFNOSUPPORT:
      return fail_errno(doing, error, "IPv6 is off on this machine; listen on an IPv4 address");
    default:
      break;
  }
  return fail_errno(doing, error, "is the address this machine's, the port free, and may this user bind it?");
}

}  // namespace yushi::ingest
