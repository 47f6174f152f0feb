#include "flood/sender.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace yushi::flood {
namespace {

constexpr size_t kBufferBytes = 4 << 20;
constexpr size_t kPieceBytes = 256 << 10;  // one write
constexpr size_t kDatagramsAtOnce = 64;
constexpr double kDrainSecondsMax = 20;

double now_seconds() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

double cpu_seconds() {
  rusage r{};
  getrusage(RUSAGE_SELF, &r);
  auto of = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return of(r.ru_utime) + of(r.ru_stime);
}

void sleep_seconds(double seconds) {
  timespec t{static_cast<time_t>(seconds),
             static_cast<long>((seconds - static_cast<double>(static_cast<time_t>(seconds))) * 1e9)};
  nanosleep(&t, nullptr);
}

std::string words_of(int error) { return std::strerror(error); }

struct Socket {
  int fd = -1;
  Socket() = default;
  Socket(Socket&& other) noexcept : fd(std::exchange(other.fd, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd, other.fd);
    return *this;
  }
  ~Socket() {
    if (fd >= 0) close(fd);
  }
};

// Connection c speaks for tenant c % tenants + 1 from an address of its own, so that tenants can be told by address.
sockaddr_in source_address(uint32_t connection, uint32_t tenants) {
  sockaddr_in from{};
  from.sin_family = AF_INET;
  uint32_t tenant = connection % tenants + 1, nth = connection / tenants + 1;
  from.sin_addr.s_addr = htonl(127u << 24 | tenant << 8 | nth);
  return from;
}

Result<Socket> connect_to(const SendOptions& options, uint32_t connection) {
  using Transport = SendOptions::Transport;
  Socket socket;
  if (options.transport == Transport::unix_datagram) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (options.unix_path.size() >= sizeof to.sun_path) return fail(Code::invalid, "--unix: the path is too long");
    std::memcpy(to.sun_path, options.unix_path.c_str(), options.unix_path.size() + 1);
    socket.fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket.fd < 0 || connect(socket.fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
      return fail(Code::unavailable, "connecting to " + options.unix_path + ": " + words_of(errno));
    return socket;
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(options.port);
  if (inet_pton(AF_INET, options.host.c_str(), &to.sin_addr) != 1 || ntohl(to.sin_addr.s_addr) >> 24 != 127)
    return fail(Code::refused, "--host " + options.host + ": this load generator sends to 127.0.0.0/8 only");
  std::string where = options.host + ":" + std::to_string(options.port);
  bool tcp = options.transport == Transport::tcp;
  socket.fd = ::socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
  if (socket.fd < 0) return fail(Code::io, "socket: " + words_of(errno));
  sockaddr_in from = source_address(connection, options.tenants);
  int on = 1;
  setsockopt(socket.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind(socket.fd, reinterpret_cast<sockaddr*>(&from), sizeof from) != 0)
    return fail(Code::io, "binding to " + std::string(inet_ntoa(from.sin_addr)) + ": " + words_of(errno));
  if (connect(socket.fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
    return fail(Code::unavailable, "connecting to " + where + ": " + words_of(errno));
  if (tcp && fcntl(socket.fd, F_SETFL, O_NONBLOCK) != 0) return fail(Code::io, "fcntl: " + words_of(errno));
  return socket;
}

// Whole messages in the first `bytes` of a piece.
uint64_t count_messages(std::string_view piece, size_t bytes, Framing framing) {
  uint64_t messages = 0;
  size_t at = 0;
  while (at < bytes) {
    if (framing == Framing::newline) {
      size_t lf = piece.find('\n', at);
      if (lf == std::string_view::npos || lf >= bytes) break;
      messages += lf > at;
      at = lf + 1;
    } else {
      size_t length = 0;
      auto digits = std::from_chars(piece.data() + at, piece.data() + piece.size(), length).ptr;
      size_t end = static_cast<size_t>(digits - piece.data()) + 1 + length;
      if (end > bytes) break;
      ++messages;
      at = end;
    }
  }
  return messages;
}

class TcpSender {
 public:
  TcpSender(const Traffic& traffic, const SendOptions& options) : traffic_(traffic), options_(options) {}

  Result<Sent> run() {
    for (uint32_t c = 0; c < options_.connections; ++c) {
      auto socket = connect_to(options_, c);
      if (!socket) return tl::unexpected(socket.error());
      ways_.push_back({std::move(*socket), &traffic_.lanes()[c]});
    }
    double start = now_seconds(), cpu = cpu_seconds();
    deadline_ = start + options_.seconds_max;
    uint64_t wire_total = 0;
    for (const auto& lane : traffic_.lanes()) wire_total += lane.wire_bytes;
    double bytes_per_second =
        options_.rate > 0 && traffic_.messages() > 0
            ? options_.rate * static_cast<double>(wire_total) / static_cast<double>(traffic_.messages())
            : 0;
    std::vector<pollfd> polled;
    while (true) {
      polled.clear();
      for (auto& way : ways_)
        if (!way.done()) polled.push_back({way.socket.fd, POLLOUT, 0});
      if (polled.empty() || !sent_.trouble.empty()) break;
      if (now_seconds() > deadline_) {
        sent_.trouble = "--max-seconds is over";
        break;
      }
      if (poll(polled.data(), polled.size(), 100) < 0 && errno != EINTR)
        return fail(Code::io, "poll: " + words_of(errno));
      if (bytes_per_second > 0) {
        double due = (now_seconds() - start) * bytes_per_second;
        budget_ = due > static_cast<double>(sent_.wire_bytes) ? static_cast<uint64_t>(due) - sent_.wire_bytes : 0;
        if (budget_ < 512) {
          sleep_seconds(0.001);
          continue;
        }
      }
      size_t at = 0;
      uint64_t share = std::max<uint64_t>(budget_ / polled.size(), 512);
      for (auto& way : ways_) {
        if (way.done()) continue;
        if (polled[at++].revents & (POLLOUT | POLLERR | POLLHUP))
          write_some(way, bytes_per_second > 0 ? share : UINT64_MAX);
      }
    }
    sent_.seconds = now_seconds() - start;
    for (auto& way : ways_) count(way);
    sent_.complete = sent_.trouble.empty();
    drain();
    sent_.drained_seconds = now_seconds() - start;
    sent_.cpu_seconds = cpu_seconds() - cpu;
    return sent_;
  }

 private:
  struct Way {
    Socket socket;
    const Lane* lane;
    size_t piece = 0, offset = 0;
    bool done() const { return piece == lane->pieces.size(); }
  };

  void write_some(Way& way, uint64_t most) {
    auto piece = way.lane->pieces[way.piece].substr(way.offset);
    ssize_t n =
        ::send(way.socket.fd, piece.data(), std::min<uint64_t>({piece.size(), kPieceBytes, most}), MSG_NOSIGNAL);
    if (n < 0) {
      if (errno != EAGAIN && errno != EINTR) sent_.trouble = "sending: " + words_of(errno);
      return;
    }
    sent_.wire_bytes += static_cast<uint64_t>(n);
    way.offset += static_cast<size_t>(n);
    if (way.offset == way.lane->pieces[way.piece].size()) ++way.piece, way.offset = 0;
  }

  void count(const Way& way) {
    if (way.done()) {
      sent_.messages += way.lane->messages;
      return;
    }
    const auto& pieces = way.lane->pieces;
    for (size_t i = 0; i <= way.piece; ++i)
      sent_.messages += count_messages(pieces[i], i < way.piece ? pieces[i].size() : way.offset, traffic_.framing());
  }

  // Says that nothing more comes and waits for the daemon to have read it all: closing at once could reset the
  // connection under bytes that it has not read yet.
  void drain() {
    for (auto& way : ways_) shutdown(way.socket.fd, SHUT_WR);
    double until = std::max(deadline_, now_seconds() + 1);
    until = std::min(until, now_seconds() + kDrainSecondsMax);
    for (auto& way : ways_) {
      char byte[256];
      while (now_seconds() < until) {
        pollfd p{way.socket.fd, POLLIN, 0};
        if (poll(&p, 1, 100) == 1 && recv(way.socket.fd, byte, sizeof byte, MSG_DONTWAIT) <= 0) break;
      }
    }
  }

  const Traffic& traffic_;
  const SendOptions& options_;
  std::vector<Way> ways_;
  Sent sent_;
  uint64_t budget_ = 0;
  double deadline_ = 0;
};

// Datagrams carry no frame: a lane's lines are cut again, which is cheap beside a datagram's way through the kernel.
Result<Sent> send_datagrams(const Traffic& traffic, const SendOptions& options) {
  struct Way {
    Socket socket;
    const Lane* lane;
    size_t piece = 0, offset = 0;
  };
  std::vector<Way> ways;
  for (uint32_t c = 0; c < options.connections; ++c) {
    auto socket = connect_to(options, c);
    if (!socket) return tl::unexpected(socket.error());
    ways.push_back({std::move(*socket), &traffic.lanes()[c]});
  }
  Sent sent;
  double start = now_seconds(), cpu = cpu_seconds();
  std::vector<mmsghdr> headers(kDatagramsAtOnce);
  std::vector<iovec> vectors(kDatagramsAtOnce);
  bool more = true;
  while (more && sent.trouble.empty()) {
    more = false;
    for (auto& way : ways) {
      double now = now_seconds();
      if (now - start > options.seconds_max) {
        sent.trouble = "--max-seconds is over";
        break;
      }
      size_t most = kDatagramsAtOnce;
      if (options.rate > 0) {
        double due = (now - start) * options.rate - static_cast<double>(sent.messages);
        if (due < 1) {
          sleep_seconds(std::min(0.001, (1 - due) / options.rate));
          more = true;
          continue;
        }
        most = std::min(most, static_cast<size_t>(due));
      }
      size_t n = 0;
      while (n < most && way.piece < way.lane->pieces.size()) {
        auto piece = way.lane->pieces[way.piece];
        size_t lf = std::min(piece.find('\n', way.offset), piece.size());
        if (lf > way.offset) {
          vectors[n] = {const_cast<char*>(piece.data() + way.offset), lf - way.offset};
          headers[n].msg_hdr = {};
          headers[n].msg_hdr.msg_iov = &vectors[n];
          headers[n].msg_hdr.msg_iovlen = 1;
          ++n;
        }
        way.offset = lf + 1;
        if (way.offset >= piece.size()) ++way.piece, way.offset = 0;
      }
      for (size_t done = 0; done < n;) {
        int m = sendmmsg(way.socket.fd, headers.data() + done, static_cast<unsigned>(n - done), 0);
        if (m < 0) {
          if (errno == EINTR || errno == ENOBUFS) continue;
          sent.trouble = "sending: " + words_of(errno);
          break;
        }
        for (size_t i = done; i < done + static_cast<size_t>(m); ++i) sent.wire_bytes += vectors[i].iov_len;
        done += static_cast<size_t>(m);
        sent.messages += static_cast<uint64_t>(m);
      }
      more = more || way.piece < way.lane->pieces.size();
    }
  }
  sent.seconds = sent.drained_seconds = now_seconds() - start;
  sent.cpu_seconds = cpu_seconds() - cpu;
  sent.complete = sent.trouble.empty();
  return sent;
}

}  // namespace

Traffic::~Traffic() {
  if (mapped_ != nullptr) munmap(mapped_, mapped_bytes_);
}

void Traffic::add(uint32_t lane, std::string_view message) {
  auto& buffers = buffers_[lane];
  if (buffers.empty() || buffers.back().size() + message.size() + 16 > buffers.back().capacity()) {
    buffers.emplace_back();
    buffers.back().reserve(std::max(kBufferBytes, message.size() + 16));
  }
  auto& out = buffers.back();
  if (framing_ == Framing::octet_counted) {
    char digits[20];
    out.append(digits, static_cast<size_t>(std::to_chars(digits, digits + sizeof digits, message.size()).ptr - digits));
    out += ' ';
    out += message;
  } else {
    out += message;
    out += '\n';
  }
  ++lanes_[lane].messages;
  ++messages_;
  message_bytes_ += message.size();
}

Result<void> Traffic::add_file(const std::string& path) {
  Socket file;
  file.fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat about {};
  if (file.fd < 0 || fstat(file.fd, &about) != 0) return fail(Code::io, "opening " + path + ": " + words_of(errno));
  if (about.st_size == 0) return {};
  mapped_bytes_ = static_cast<size_t>(about.st_size);
  void* at = mmap(nullptr, mapped_bytes_, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file.fd, 0);
  if (at == MAP_FAILED) return fail(Code::io, "mapping " + path + ": " + words_of(errno));
  mapped_ = at;
  std::string_view text(static_cast<const char*>(at), mapped_bytes_);
  uint32_t lane = 0;
  for (size_t begin = 0; begin < text.size();) {
    size_t lf = text.find('\n', std::min(begin + (64 << 10), text.size() - 1));
    size_t end = lf == std::string_view::npos ? text.size() : lf + 1;
    auto piece = text.substr(begin, end - begin);
    begin = end;
    uint64_t messages = 0;
    for (size_t from = 0; from < piece.size();) {
      size_t to = std::min(piece.find('\n', from), piece.size());
      if (to > from) {
        ++messages;
        if (framing_ == Framing::octet_counted)
          add(lane, piece.substr(from, to - from));
        else
          message_bytes_ += to - from;
      }
      from = to + 1;
    }
    if (framing_ == Framing::newline) {
      lanes_[lane].pieces.push_back(piece);
      lanes_[lane].messages += messages;
      messages_ += messages;
    }
    lane = (lane + 1) % static_cast<uint32_t>(lanes_.size());
  }
  return {};
}

void Traffic::finish() {
  for (size_t i = 0; i < lanes_.size(); ++i) {
    for (const auto& buffer : buffers_[i]) lanes_[i].pieces.emplace_back(buffer);
    lanes_[i].wire_bytes = 0;
    for (auto piece : lanes_[i].pieces) lanes_[i].wire_bytes += piece.size();
  }
}

Result<Sent> send(const Traffic& traffic, const SendOptions& options) {
  if (options.tls || options.relp) {
    return send_secure(traffic, options, [&](uint32_t connection) -> Result<int> {
      auto socket = YUSHI_TRY(connect_to(options, connection));
      if (fcntl(socket.fd, F_SETFL, 0) != 0) return fail(Code::io, "fcntl: " + words_of(errno));
      return std::exchange(socket.fd, -1);
    });
  }
  if (options.transport == SendOptions::Transport::tcp) return TcpSender(traffic, options).run();
  return send_datagrams(traffic, options);
}

}  // namespace yushi::flood
