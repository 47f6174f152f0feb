#include "ingest/syslog/udp.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>

#include "core/base/mutex.h"
#include "ingest/net/datagram_socket.h"

namespace yushi::ingest {
namespace {

constexpr size_t kDatagramsPerRead = 64;
constexpr size_t kDatagramBytesMax = 64 << 10;  // UDP's length field has 16 bits
// From one datagram's room to the next: 64 KiB apart, the beginnings of all 64 would share a few lines of the cache.
constexpr size_t kRoomBytes = kDatagramBytesMax + 65 * 64;

class UdpSocket final : public DatagramSocket {
 public:
  UdpSocket(const DatagramSettings& settings, const SharedByInputs& context, unsigned ingest_thread,
            std::shared_ptr<AtomicCounts> tally)
      : DatagramSocket(settings, context, ingest_thread, *tally, settings.staged_bytes_max),
        tally_(std::move(tally)),
        sources_(context_),
        // 4 MiB of addresses; the kernel gives memory only to what datagrams have touched.
        room_(new char[kDatagramsPerRead * kRoomBytes]) {
    for (size_t i = 0; i < kDatagramsPerRead; ++i) {
      pieces_[i] = {room_.get() + i * kRoomBytes, kDatagramBytesMax};
      messages_[i].msg_hdr = {};
      messages_[i].msg_hdr.msg_iov = &pieces_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
      messages_[i].msg_hdr.msg_name = peers_[i].get();
    }
  }

 private:
  Outcome read_once() override YUSHI_REQUIRES(mutex_) {
    for (size_t i = 0; i < kDatagramsPerRead; ++i) messages_[i].msg_hdr.msg_namelen = sizeof peers_[i].storage;
    int n;
    do {
      n = ::recvmmsg(fd(), messages_, kDatagramsPerRead, MSG_DONTWAIT, nullptr);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) return n == 0 || errno == EAGAIN || errno == EWOULDBLOCK ? Outcome::empty : Outcome::failed;
    const auto datagrams = static_cast<size_t>(n);
    for (size_t i = 0; i < datagrams; ++i) {
      const std::string_view datagram(static_cast<const char*>(pieces_[i].iov_base), messages_[i].msg_len);
      if (DatagramSource* source = sources_.find(peers_[i])) {
        stage_.offer(*source, datagram);
      } else {
        stage_.offer(sources_.overflow(sources_.log_of(peers_[i])), datagram, peers_[i].address_text());
      }
    }
    stage_.end_read();
    return datagrams == kDatagramsPerRead ? Outcome::some : Outcome::empty;
  }

  void delivered() override YUSHI_REQUIRES(mutex_) {
    if (stage_.empty()) sources_.trim();
  }

  const std::shared_ptr<AtomicCounts> tally_;
  DatagramSources sources_ YUSHI_GUARDED_BY(mutex_);
  std::unique_ptr<char[]> room_ YUSHI_GUARDED_BY(mutex_);
  mmsghdr messages_[kDatagramsPerRead] YUSHI_GUARDED_BY(mutex_) = {};
  iovec pieces_[kDatagramsPerRead] YUSHI_GUARDED_BY(mutex_);
  SocketAddress peers_[kDatagramsPerRead] YUSHI_GUARDED_BY(mutex_);
};

// Reads a socket on while its ingest thread does not keep up: a thread that does little else is let run at once, also
// on a busy machine, and what the kernel's buffer holds is a tenth of a second's flood. Sleeps otherwise.
class ReaderAhead {
 public:
  explicit ReaderAhead(std::shared_ptr<DatagramSocket> socket) : socket_(std::move(socket)) {
    socket_->on_behind = [this] { wake(); };
    thread_ = std::thread([this] { run(); });
  }
  ~ReaderAhead() { stop(); }

  // It has to stay as long as the socket, which may call it.
  void stop() {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

 private:
  static constexpr std::chrono::milliseconds kEvery{1}, kUntilQuiet{100};
  static constexpr int kNice = -10;

  void wake() {
    if (awake_.load(std::memory_order_relaxed)) return;
    MutexLock lock(mutex_);
    awake_ = true;
    changed_.notify_all();
  }

  void run() {
    ::pthread_setname_np(::pthread_self(), "udp-ahead");
    // Of this thread alone. Who may not (RLIMIT_NICE) reads ahead like any other.
    (void)::setpriority(PRIO_PROCESS, 0, kNice);
    MutexLock lock(mutex_);
    while (true) {
      while (!awake_ && !stopping_) changed_.wait(lock);
      for (auto busy = std::chrono::steady_clock::now(); !stopping_;) {
        lock.unlock();
        const auto now = std::chrono::steady_clock::now();
        if (socket_->read_ahead()) busy = now;
        lock.lock();
        if (now - busy > kUntilQuiet) break;
        const auto until = std::chrono::steady_clock::now() + kEvery;
        while (!stopping_ && changed_.wait_until(lock, until)) {
        }
      }
      if (stopping_) return;
      awake_ = false;  // first: who wants help from now on wakes us again
      lock.unlock();
      const bool ended = socket_->end_help();
      lock.lock();
      if (!ended) awake_ = true;
    }
  }

  const std::shared_ptr<DatagramSocket> socket_;
  Mutex mutex_;
  CondVar changed_;
  std::atomic<bool> awake_{false};
  bool stopping_ YUSHI_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

class UdpInput final : public DatagramInput {
 public:
  using DatagramInput::DatagramInput;

 private:
  std::shared_ptr<DatagramSocket> make_socket(const SharedByInputs& context, unsigned ingest_thread) override {
    return std::make_shared<UdpSocket>(settings_, context, ingest_thread, tally_);
  }
  void started() override {
    for (auto& socket : sockets()) ahead_.push_back(std::make_unique<ReaderAhead>(socket));
  }
  void stopping() override {
    for (auto& ahead : ahead_) ahead->stop();
  }
  void stopped() override { ahead_.clear(); }

  std::vector<std::unique_ptr<ReaderAhead>> ahead_;
};

OwnedFd open(const SocketAddress& address, bool shared) {
  OwnedFd fd(::socket(address.storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fd;
  const int on = 1, off = 0;
  if (shared) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (address.storage.ss_family == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(fd.get(), address.get(), address.length) != 0) {
    const int error = errno;
    fd = OwnedFd();
    errno = error;
  }
  return fd;
}

}  // namespace

Result<std::unique_ptr<Input>> bind_udp_input(const DatagramSettings& settings, unsigned ingest_threads) {
  auto address = YUSHI_TRY(parse_listen(settings.listen));
  const std::string doing = "udp " + settings.listen;
  // SO_REUSEPORT would let us share the port with another daemon of the same user without a word: ask first.
  if (address.port() != 0 && !open(address, false)) return fail_bind(doing, errno, address);
  std::vector<OwnedFd> fds;
  for (unsigned i = 0; i < ingest_threads; ++i) {
    fds.push_back(open(address, true));
    if (!fds.back()) return fail_bind(doing, errno, address);
    set_receive_buffer(fds.back().get(), settings.receive_buffer_bytes);
    if (i == 0) address = YUSHI_TRY(bound_address(fds[0].get()));  // the others take the port that the first one got
  }
  return std::make_unique<UdpInput>(settings, "udp " + address.endpoint_text(), address.port(), std::move(fds));
}

}  // namespace yushi::ingest
