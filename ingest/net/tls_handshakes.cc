#include "ingest/net/tls_handshakes.h"

#include <pthread.h>

#include <chrono>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

namespace yushi::ingest {
namespace {

constexpr std::chrono::seconds kHandshakeMax{10};
constexpr std::chrono::seconds kLookAtFiles{5};

}  // namespace

// One that is under way; the handlers that wait for it keep it.
class TlsHandshakes::Under : public std::enable_shared_from_this<Under> {
 public:
  Under(boost::asio::io_context& io, OwnedFd fd, std::unique_ptr<TlsStream> stream, Done done)
      : socket_(io, fd.release()), timer_(io), stream_(std::move(stream)), done_(std::move(done)) {}
  ~Under() {
    if (done_) done_({}, nullptr);  // the end of all of them
  }

  void begin() {
    timer_.expires_after(kHandshakeMax);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->end(false);
    });
    go_on();
  }

 private:
  void go_on() {
    if (!done_) return;
    using Socket = boost::asio::posix::stream_descriptor;
    switch (stream_->handshake()) {
      case TlsStream::Handshake::done:
        return end(true);
      case TlsStream::Handshake::failed:
        return end(false);
      case TlsStream::Handshake::wants_read:
        return wait(Socket::wait_read);
      case TlsStream::Handshake::wants_write:
        return wait(Socket::wait_write);
    }
  }

  void wait(boost::asio::posix::stream_descriptor::wait_type what) {
    socket_.async_wait(what, [self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->go_on();
    });
  }

  void end(bool through) {
    if (!done_) return;
    auto done = std::exchange(done_, nullptr);
    timer_.cancel();
    if (through) {
      done(OwnedFd(socket_.release()), std::move(stream_));
    } else {
      boost::system::error_code ignored;
      stream_.reset();
      socket_.close(ignored);
      done({}, nullptr);
    }
  }

  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<TlsStream> stream_;
  Done done_;
};

TlsHandshakes::TlsHandshakes(std::shared_ptr<TlsServer> server, std::string input,
                             std::function<void(const std::string&)> trouble)
    : server_(std::move(server)),
      input_(std::move(input)),
      trouble_(std::move(trouble)),
      work_(io_.get_executor()),
      timer_(io_) {
  boost::asio::post(io_, [this] { watch_files(); });
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "tls");
    io_.run();
  });
}

TlsHandshakes::~TlsHandshakes() { stop(); }

void TlsHandshakes::begin(OwnedFd fd, Done done) {
  boost::asio::post(io_, [this, fd = std::move(fd), done = std::move(done)]() mutable {
    auto stream = server_->accept(fd.get());
    if (!stream) return done({}, nullptr);
    std::make_shared<Under>(io_, std::move(fd), std::move(stream), std::move(done))->begin();
  });
}

void TlsHandshakes::reload() {
  boost::asio::post(io_, [this] { read_again(true); });
}

void TlsHandshakes::read_again(bool always) {
  auto read = server_->reload(always);
  if (!read && trouble_)
    trouble_(input_ + ": " + read.error().message + "; the certificate that was read before stays");
}

void TlsHandshakes::watch_files() {
  timer_.expires_after(kLookAtFiles);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    read_again(false);
    watch_files();
  });
}

void TlsHandshakes::stop() {
  if (!thread_.joinable()) return;
  work_.reset();
  io_.stop();
  thread_.join();
}

}  // namespace yushi::ingest
