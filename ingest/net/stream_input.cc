#include "ingest/net/stream_input.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <future>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/ledger/entry.h"
#include "ingest/net/stream_receiver.h"
#include "ingest/net/tls_handshakes.h"

namespace yushi::ingest {
namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr std::chrono::milliseconds kPauseWithoutDescriptors{100};

void set_option(int fd, int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); }

// A peer that vanished without a word is noticed after some two minutes.
void keep_alive(int fd) {
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 6);
}

// Accepts on the first ingest thread.
class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(std::shared_ptr<StreamShared> shared, std::vector<std::shared_ptr<StreamReceiver>> receivers,
           std::shared_ptr<TlsHandshakes> handshakes)
      : shared_(std::move(shared)),
        receivers_(std::move(receivers)),
        handshakes_(std::move(handshakes)),
        socket_(receivers_[0]->io()),
        timer_(socket_.get_executor()) {}

  void begin(OwnedFd socket) {
    socket_.assign(socket.release());
    wait();
  }

  // What is in the accept queue would be reset when the listener closes.
  void drain() {
    stopped_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
    timer_.cancel();
    while (accept_one()) {
    }
    socket_.close(ignored);
  }

 private:
  void wait() {
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                         if (!error) self->take_turn();
                       });
  }

  void take_turn() {
    if (stopped_) return;
    for (int i = 0; i < kAcceptsPerTurn && accept_one(); ++i) {
    }
    if (!out_of_descriptors_) {
      wait();
      return;
    }
    // The connection stays in the queue; asking again at once would only burn the CPU.
    shared_->context.connections->displace_one();
    timer_.expires_after(kPauseWithoutDescriptors);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && !self->stopped_) self->wait();
    });
  }

  // Whether to ask again.
  bool accept_one() {
    SocketAddress peer;
    OwnedFd fd(::accept4(socket_.native_handle(), peer.get(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    out_of_descriptors_ = false;
    if (!fd) {
      if (errno == EINTR || errno == ECONNABORTED) return true;
      out_of_descriptors_ = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
      return false;
    }
    const std::shared_ptr<StreamReceiver>& to = receivers_[next_ % receivers_.size()];
    auto connection = std::make_shared<StreamReceiver::Accepted>();
    connection->place =
        shared_->context.connections->admit(peer.address(), realtime_ns(), [to, accepted = std::weak_ptr(connection)] {
          boost::asio::post(to->io(), [to, accepted] {
            if (auto known = accepted.lock()) to->displace(*known);
          });
        });
    if (!connection->place) {
      receivers_[0]->delivery().note_later(Note::Kind::connection_refused,
                                           shared_->context.routing->find(peer.address(), {}),
                                           encode_source(peer.address_text()), 1);
      return true;
    }
    ++next_;
    keep_alive(fd.get());
    if (handshakes_) {
      handshakes_->begin(std::move(fd), [this, self = shared_from_this(), to, peer, connection](
                                            OwnedFd shaken, std::unique_ptr<TlsStream> stream) {
        if (stream) return give(to, peer, connection, std::move(shaken), std::move(stream));
        shared_->context.connections->leave(*connection->place);
        boost::asio::post(receivers_[0]->io(), [self, peer] {
          self->receivers_[0]->delivery().note_later(Note::Kind::handshake_failed,
                                                     self->shared_->context.routing->find(peer.address(), {}),
                                                     encode_source(peer.address_text()), 1);
        });
      });
      return true;
    }
    auto bytes = plain_stream(fd.get());
    boost::asio::post(to->io(), [to, peer, connection, fd = std::move(fd), bytes = std::move(bytes)]() mutable {
      to->accept(std::move(fd), std::move(bytes), peer, {}, std::move(connection));
    });
    return true;
  }

  static void give(const std::shared_ptr<StreamReceiver>& to, const SocketAddress& peer,
                   std::shared_ptr<StreamReceiver::Accepted> connection, OwnedFd fd,
                   std::unique_ptr<TlsStream> stream) {
    auto name = stream->peer_name();
    boost::asio::post(to->io(), [to, peer, connection = std::move(connection), fd = std::move(fd),
                                 stream = std::move(stream), name = std::move(name)]() mutable {
      to->accept(std::move(fd), std::move(stream), peer, std::move(name), std::move(connection));
    });
  }

  const std::shared_ptr<StreamShared> shared_;
  const std::vector<std::shared_ptr<StreamReceiver>> receivers_;
  const std::shared_ptr<TlsHandshakes> handshakes_;  // none: plain
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer timer_;
  size_t next_ = 0;
  bool out_of_descriptors_ = false;
  bool stopped_ = false;
};

class StreamInput final : public Input {
 public:
  StreamInput(StreamSettings settings, const SocketAddress& bound, OwnedFd socket)
      : settings_(std::move(settings)),
        name_(settings_.name + " " + bound.endpoint_text()),
        port_(bound.port()),
        socket_(std::move(socket)) {}

  ~StreamInput() override { YUSHI_ASSERT(!acceptor_, "%s is destroyed before stop()", name_.c_str()); }

  void start(const SharedByInputs& context) override {
    YUSHI_ASSERT(!acceptor_ && socket_, "%s is started twice", name_.c_str());
    shared_ = std::make_shared<StreamShared>(settings_, context);
    for (unsigned i = 0; i < context.threads.size(); ++i) {
      receivers_.push_back(std::make_shared<StreamReceiver>(shared_, i));
      receivers_[i]->delivery().set_input(name_);
    }
    receivers_[0]->delivery().note_later(Note::Kind::input_up, 0, {}, 1);
    if (settings_.tls) handshakes_ = std::make_shared<TlsHandshakes>(settings_.tls, name_, context.trouble);
    acceptor_ = std::make_shared<Acceptor>(shared_, receivers_, handshakes_);
    for (auto& receiver : receivers_) boost::asio::post(receiver->io(), [receiver] { receiver->begin(); });
    boost::asio::post(receivers_[0]->io(), [acceptor = acceptor_, socket = std::move(socket_)]() mutable {
      acceptor->begin(std::move(socket));
    });
  }

  void stop() override {
    socket_ = OwnedFd();
    if (!acceptor_) return;
    // First the acceptor, so that its last connections are with their threads before these are drained.
    std::promise<void> accepted;
    boost::asio::post(receivers_[0]->io(), [&] {
      acceptor_->drain();
      accepted.set_value();
    });
    accepted.get_future().wait();
    if (handshakes_) handshakes_->stop();
    std::vector<std::promise<void>> drained(receivers_.size());
    for (size_t i = 0; i < receivers_.size(); ++i) {
      boost::asio::post(receivers_[i]->io(), [this, i, &drained] {
        if (i == 0) receivers_[0]->delivery().note_later(Note::Kind::input_down, 0, {}, 1);
        receivers_[i]->drain();
        drained[i].set_value();
      });
    }
    for (auto& promise : drained) promise.get_future().wait();
    acceptor_.reset();
    handshakes_.reset();
    receivers_.clear();
  }

  std::string name() const override { return name_; }
  uint16_t port() const override { return port_; }
  InputCounts counts() const override { return shared_ ? shared_->tally.read() : InputCounts{}; }
  void reload() override {
    if (handshakes_) handshakes_->reload();
  }
  int64_t expires_ns() const override { return settings_.tls ? settings_.tls->expires_ns() : 0; }

 private:
  const StreamSettings settings_;
  const std::string name_;
  const uint16_t port_;
  OwnedFd socket_;                        // until start()
  std::shared_ptr<StreamShared> shared_;  // from start() on
  std::vector<std::shared_ptr<StreamReceiver>> receivers_;
  std::shared_ptr<TlsHandshakes> handshakes_;
  std::shared_ptr<Acceptor> acceptor_;
};

}  // namespace

Result<std::unique_ptr<Input>> bind_stream(StreamSettings settings) {
  auto address = YUSHI_TRY(parse_listen(settings.listen));
  const std::string doing = settings.name + " " + settings.listen;
  OwnedFd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fail_bind(doing, errno, address);
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.storage.ss_family == AF_INET6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (::bind(fd.get(), address.get(), address.length) != 0 || ::listen(fd.get(), SOMAXCONN) != 0) {
    return fail_bind(doing, errno, address);
  }
  auto bound = YUSHI_TRY(bound_address(fd.get()));
  return std::make_unique<StreamInput>(std::move(settings), bound, std::move(fd));
}

}  // namespace yushi::ingest
