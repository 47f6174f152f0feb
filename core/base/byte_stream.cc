#include "core/base/byte_stream.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

namespace yushi {
namespace {

bool is_for_later(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(int fd) : fd_(fd) {}

  Outcome read(char* to, size_t room, size_t* got) override {
    ssize_t n;
    do {
      n = ::recv(fd_, to, room, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0) return is_for_later(errno) ? Outcome::nothing : Outcome::ended;
    *got = static_cast<size_t>(n);
    return n == 0 ? Outcome::ended : Outcome::some;
  }

  Outcome write(std::string_view bytes, size_t* taken) override {
    ssize_t n;
    do {
      n = ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0) return is_for_later(errno) ? Outcome::nothing : Outcome::ended;
    *taken = static_cast<size_t>(n);
    return Outcome::some;
  }

  void shut() override { ::shutdown(fd_, SHUT_WR); }

  size_t readable() const override {
    int bytes = 0;
    return ::ioctl(fd_, FIONREAD, &bytes) == 0 && bytes > 0 ? static_cast<size_t>(bytes) : 0;
  }

 private:
  const int fd_;
};

}  // namespace

std::unique_ptr<ByteStream> plain_stream(int fd) { return std::make_unique<PlainStream>(fd); }

}  // namespace yushi
