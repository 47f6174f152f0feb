#include "ingest/unix.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/ledger/entry.h"
#include "ingest/datagram_socket.h"

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
    const std::string doing = "listening on " + name_;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (settings_.path.empty() || settings_.path.size() >= sizeof address.sun_path) {
      return fail(Code::invalid, doing + ": the path must have 1 to " + std::to_string(sizeof address.sun_path - 1) +
                                     " bytes; choose a shorter one");
    }
    std::memcpy(address.sun_path, settings_.path.data(), settings_.path.size());
    const auto* name = reinterpret_cast<const sockaddr*>(&address);

    struct stat there;
    if (::lstat(settings_.path.c_str(), &there) == 0) {
      if (!S_ISSOCK(there.st_mode)) {
        return fail(Code::refused, doing + ": there is something else than a socket at this path; remove it or choose "
                                           "another path");
      }
      OwnedFd probe(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      if (!probe) return fail_errno(doing, errno);
      if (::connect(probe.get(), name, sizeof address) == 0 || errno != ECONNREFUSED) {
        return fail(Code::refused, doing + ": another process listens there; stop it or choose another path");
      }
      ::unlink(settings_.path.c_str());  // nobody listens: left over from a process that died
    }
    std::vector<OwnedFd> fds;
    fds.emplace_back(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fds[0]) return fail_errno(doing, errno);
    if (::bind(fds[0].get(), name, sizeof address) != 0 || ::chmod(settings_.path.c_str(), settings_.path_mode) != 0) {
      return fail_errno(doing, errno, "does the directory exist, and may this user write there?");
    }
    if (::lstat(settings_.path.c_str(), &bound_) != 0) return fail_errno(doing, errno);
    set_receive_buffer(fds[0].get(), settings_.receive_buffer_bytes);
    run({std::make_shared<UnixSocket>(settings_, context_, tally_)}, std::move(fds));
    return {};
  }

 private:
  // The file goes with us, unless it is a successor's by now.
  void stopped() override {
    struct stat there;
    if (::lstat(settings_.path.c_str(), &there) == 0 && there.st_dev == bound_.st_dev && there.st_ino == bound_.st_ino) {
      ::unlink(settings_.path.c_str());
    }
  }

  struct stat bound_ {};
};

}  // namespace

std::unique_ptr<Input> make_unix_input(const InputSettings& settings, const InputContext& context) {
  return std::make_unique<UnixInput>(settings, context);
}

}  // namespace yushi
