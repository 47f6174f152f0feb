// TLS and RELP, a thread for each connection: blocking calls, since what is measured is the other side.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "flood/sender.h"

namespace yushi::flood {
namespace {

constexpr uint64_t kWindow = 1024;  // frames of RELP that wait for their answers
constexpr size_t kPieceBytes = 64 << 10;

// Throws its trouble: each thread has one place to catch it.
struct Trouble {
  std::string words;
};

class Way {
 public:
  Way(int fd, SSL_CTX* tls) : fd_(fd) {
    if (!tls) return;
    ssl_ = SSL_new(tls);
    SSL_set_fd(ssl_, fd);
    if (SSL_connect(ssl_) != 1) throw Trouble{"the TLS handshake failed"};
  }
  ~Way() {
    if (ssl_) SSL_free(ssl_);
    ::close(fd_);
  }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ssl_ ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                          : static_cast<int>(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
      if (n <= 0) throw Trouble{"sending: the connection ended"};
      bytes.remove_prefix(static_cast<size_t>(n));
    }
  }
  // What is there, at least one byte; 0 at the end.
  size_t read(char* to, size_t room) {
    const auto n = ssl_ ? SSL_read(ssl_, to, static_cast<int>(room)) : static_cast<int>(::recv(fd_, to, room, 0));
    return n > 0 ? static_cast<size_t>(n) : 0;
  }
  // Nothing more comes; returns when the daemon has read it all and closed.
  void finish() {
    if (ssl_) SSL_shutdown(ssl_);
    ::shutdown(fd_, SHUT_WR);
    char bytes[4096];
    while (read(bytes, sizeof bytes) > 0) {
    }
  }

 private:
  const int fd_;
  SSL* ssl_ = nullptr;
};

// One RELP session; each answer lets one frame more be sent.
class Relp {
 public:
  explicit Relp(Way& way) : way_(way) {
    frame("open", "relp_version=0\nrelp_software=flood\ncommands=syslog");
    flush();
    wait_below(0);
  }
  void message(std::string_view text) {
    frame("syslog", text);
    if (out_.size() >= kPieceBytes || waiting_ >= kWindow) flush();
    if (waiting_ >= kWindow) wait_below(kWindow / 2);
  }
  void finish() {
    flush();
    wait_below(0);
    frame("close", "");
    flush();
  }

 private:
  void frame(std::string_view command, std::string_view data) {
    out_ += std::to_string(++txnr_) + " " + std::string(command) + " " + std::to_string(data.size());
    if (!data.empty()) (out_ += ' ') += data;
    out_ += '\n';
    ++waiting_;
  }
  void flush() {
    way_.write(out_);
    out_.clear();
  }
  // An answer is one line but for the first one, which has its lines counted.
  void wait_below(uint64_t most) {
    char bytes[16 << 10];
    while (waiting_ > most) {
      const auto n = way_.read(bytes, sizeof bytes);
      if (n == 0) throw Trouble{"RELP: the connection ended before all was answered"};
      in_.append(bytes, n);
      for (;;) {
        const auto command = in_.find(" rsp ");
        if (command == in_.npos) break;
        size_t size = 0;
        const auto* from = in_.data() + command + 5;
        const auto [end, error] = std::from_chars(from, in_.data() + in_.size(), size);
        if (end == in_.data() + in_.size()) break;  // another digit may come
        const auto all = static_cast<size_t>(end - in_.data()) + (size ? 1 + size : 0) + 1;
        if (error != std::errc() || in_.size() < all) break;
        in_.erase(0, all);
        --waiting_;
      }
    }
  }

  Way& way_;
  std::string out_, in_;
  uint64_t txnr_ = 0, waiting_ = 0;
};

void send_lane(const Lane& lane, const SendOptions& options, Way& way) {
  if (!options.relp) {
    for (auto piece : lane.pieces)
      for (; !piece.empty(); piece.remove_prefix(std::min(piece.size(), kPieceBytes)))
        way.write(piece.substr(0, kPieceBytes));
    return way.finish();
  }
  Relp relp(way);
  for (auto piece : lane.pieces) {
    while (!piece.empty()) {
      size_t length = 0;
      const auto* end = std::from_chars(piece.data(), piece.data() + piece.size(), length).ptr;
      piece.remove_prefix(static_cast<size_t>(end - piece.data()) + 1);
      relp.message(piece.substr(0, length));
      piece.remove_prefix(length);
    }
  }
  relp.finish();
  way.finish();
}

double seconds_of(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

}  // namespace

Result<Sent> send_secure(const Traffic& traffic, const SendOptions& options,
                         const std::function<Result<int>(uint32_t connection)>& connect) {
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> tls(options.tls ? SSL_CTX_new(TLS_client_method()) : nullptr,
                                                        &SSL_CTX_free);
  Sent sent;
  std::mutex mutex;
  std::vector<std::thread> threads;
  const auto start = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  for (uint32_t c = 0; c < options.connections; ++c) {
    threads.emplace_back([&, c] {
      auto& lane = traffic.lanes()[c];
      std::string trouble;
      try {
        auto fd = connect(c);
        if (!fd) throw Trouble{fd.error().message};
        Way way(*fd, tls.get());
        send_lane(lane, options, way);
      } catch (const Trouble& what) {
        trouble = what.words;
      }
      std::lock_guard lock(mutex);
      if (!trouble.empty()) sent.trouble = trouble;
      if (trouble.empty()) sent.messages += lane.messages, sent.wire_bytes += lane.wire_bytes;
    });
  }
  for (auto& thread : threads) thread.join();
  sent.complete = sent.trouble.empty();
  sent.seconds = sent.drained_seconds = seconds_of(CLOCK_MONOTONIC) - start;
  sent.cpu_seconds = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  return sent;
}

}  // namespace yushi::flood
