#include "ingest/syslog/unix.h"

#include <sys/socket.h>

#include <cerrno>
#include <optional>

#include "core/ledger/entry.h"
#include "ingest/net/datagram_socket.h"
#include "ingest/net/unix_listener.h"

namespace yushi::ingest {
namespace {

class UnixSocket final : public DatagramSocket {
 public:
  UnixSocket(const DatagramSettings& settings, const SharedByInputs& context, std::shared_ptr<AtomicCounts> tally)
      : DatagramSocket(settings, context, 0, *tally, 0), tally_(std::move(tally)) {
    source_.address = "unix:" + settings.path;
    source_.source = encode_source(source_.address);
  }

 private:
  // Local datagrams may be as large as the sender's buffer allows, some megabytes: ask for the size first.
  Outcome read_once() override YUSHI_REQUIRES(mutex_) {
    ssize_t size;
    do {
      size = ::recv(fd(), nullptr, 0, MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC);
    } while (size < 0 && errno == EINTR);
    if (size < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Outcome::empty : Outcome::failed;
    const auto bytes = static_cast<size_t>(size);
    if (room_bytes_ < bytes) {
      room_bytes_ = std::max<size_t>(bytes, 64 << 10);
      room_.reset(new char[room_bytes_]);
    }
    ssize_t got;
    do {
      got = ::recv(fd(), room_.get(), room_bytes_, MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Outcome::empty : Outcome::failed;
    stage_.offer(source_, {room_.get(), static_cast<size_t>(got)});
    stage_.end_read();
    return Outcome::some;
  }

  void delivered() override YUSHI_REQUIRES(mutex_) {
    if (room_bytes_ <= (256 << 10)) return;
    room_.reset();
    room_bytes_ = 0;
  }

  const std::shared_ptr<AtomicCounts> tally_;
  DatagramSource source_ YUSHI_GUARDED_BY(mutex_);
  std::unique_ptr<char[]> room_ YUSHI_GUARDED_BY(mutex_);
  size_t room_bytes_ YUSHI_GUARDED_BY(mutex_) = 0;
};

class UnixInput final : public DatagramInput {
 public:
  UnixInput(const DatagramSettings& settings, std::vector<OwnedFd> fds, UnixListener listener)
      : DatagramInput(settings, "unix " + settings.path, 0, std::move(fds)), listener_(std::move(listener)) {}

 private:
  std::shared_ptr<DatagramSocket> make_socket(const SharedByInputs& context, unsigned) override {
    return std::make_shared<UnixSocket>(settings_, context, tally_);
  }
  void stopped() override { listener_.reset(); }

  std::optional<UnixListener> listener_;  // its file; the socket itself is with the one who reads it
};

}  // namespace

Result<std::unique_ptr<Input>> bind_unix_input(const DatagramSettings& settings) {
  auto listener = YUSHI_TRY(
      UnixListener::bind("unix " + settings.path, settings.path, SOCK_DGRAM | SOCK_NONBLOCK, settings.path_mode));
  set_receive_buffer(listener.fd(), settings.receive_buffer_bytes);
  std::vector<OwnedFd> fds;
  fds.push_back(listener.take_fd());
  return std::make_unique<UnixInput>(settings, std::move(fds), std::move(listener));
}

}  // namespace yushi::ingest
