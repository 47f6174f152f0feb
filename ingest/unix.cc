#include "ingest/unix.h"

#include <sys/socket.h>

#include <cerrno>

#include "core/ledger/entry.h"
#include "ingest/datagram_socket.h"
#include "ingest/unix_listener.h"

namespace yushi {
namespace {

class UnixSocket final : public DatagramSocket {
 public:
  UnixSocket(const InputSettings& settings, const InputContext& context, std::shared_ptr<Tally> tally)
      : DatagramSocket(settings, context, 0, *tally), tally_(std::move(tally)) {
    source_.address = "unix:" + settings.path;
    source_.source = encode_source(source_.address);
  }

 private:
  // Local datagrams may be as large as the sender's buffer allows, some megabytes: ask for the size first.
  Outcome read_once() override {
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
    batch_.begin_read(static_cast<size_t>(got), 1);
    batch_.append(source_, {room_.get(), static_cast<size_t>(got)});
    return Outcome::some;
  }

  void delivered() override {
    if (room_bytes_ <= (256 << 10)) return;
    room_.reset();
    room_bytes_ = 0;
  }

  const std::shared_ptr<Tally> tally_;
  DatagramSource source_;
  std::unique_ptr<char[]> room_;
  size_t room_bytes_ = 0;
};

class UnixInput final : public DatagramInput {
 public:
  UnixInput(const InputSettings& settings, const InputContext& context) : DatagramInput(settings, context) {
    name_ = "unix " + settings.path;
  }

  Result<void> start() override {
    auto listener =
        UnixListener::bind("listening on " + name_, settings_.path, SOCK_DGRAM | SOCK_NONBLOCK, settings_.path_mode);
    if (!listener) return tl::unexpected(listener.error());
    listener_ = std::move(*listener);
    set_receive_buffer(listener_.fd(), settings_.receive_buffer_bytes);
    std::vector<OwnedFd> fds;
    fds.push_back(listener_.take_fd());
    run({std::make_shared<UnixSocket>(settings_, context_, tally_)}, std::move(fds));
    return {};
  }

 private:
  void stopped() override { listener_.remove_file(); }

  UnixListener listener_;
};

}  // namespace

std::unique_ptr<Input> make_unix_input(const InputSettings& settings, const InputContext& context) {
  return std::make_unique<UnixInput>(settings, context);
}

}  // namespace yushi
