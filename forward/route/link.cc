#include "forward/route/link.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <deque>
#include <optional>

namespace yushi::forward {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using std::chrono::milliseconds;

namespace {

constexpr size_t kReceivedBytesMax = 128 << 10;  // what is more nobody has asked for

std::string words_of(const ErrorCode& error, asio::ssl::stream<tcp::socket>* stream) {
  if (stream && error.category() == asio::error::get_ssl_category()) {
    const long verified = SSL_get_verify_result(stream->native_handle());
    if (verified != X509_V_OK) return std::string("its certificate: ") + X509_verify_cert_error_string(verified);
  }
  return error.message();
}

bool is_address(const std::string& host) {
  ErrorCode error;
  asio::ip::make_address(host, error);
  return !error;
}

}  // namespace

Walk::Reader link_tls(Walk& walk, LinkSettings& out) {
  return [&walk, &out](const YAML::Node& node) {
    const auto file = [&](std::string where, std::string& path) -> Walk::Reader {
      return [&walk, where, &path](const YAML::Node& given) {
        walk.path(where, path)(given);
        if (!path.empty() && ::access(path.c_str(), R_OK) != 0)
          walk.problem(given, where + ": there is no file \"" + path + "\", or it may not be read");
      };
    };
    walk.map(node, "forward.tls.",
             {{"ca", file("forward.tls.ca", out.ca)},
              {"cert", file("forward.tls.cert", out.cert)},
              {"key", file("forward.tls.key", out.key)}});
    if (out.cert.empty() != out.key.empty()) walk.problem(node, "forward.tls: cert and key go together");
  };
}

struct Link::State {
  const LinkSettings settings;
  // What is under way when this ends is thrown away with it, never called.
  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  asio::ssl::context tls{asio::ssl::context::tls_client};
  std::optional<asio::ssl::stream<tcp::socket>> stream;  // without TLS its socket alone
  tcp::resolver resolver{io};
  std::deque<std::string> to_write;  // the first is under way, when it is open
  std::array<char, 4096> room;
  std::string received, trouble;
  bool is_open = false, has_ended = false;

  explicit State(LinkSettings given) : settings(std::move(given)) {}

  void fail(const std::string& what) {
    if (!trouble.empty()) return;
    trouble = settings.host + ":" + settings.port + ": " + what;
    ErrorCode ignored;
    if (stream) stream->next_layer().close(ignored);
  }

  // Calls `next` with what there is, when it went well.
  template <class... Given, class Next>
  auto then(Next next) {
    return [this, next](const ErrorCode& error, Given... given) {
      if (!trouble.empty()) return;
      if (error) return fail(words_of(error, stream ? &*stream : nullptr));
      next(given...);
    };
  }

  // False: one of the files cannot be used.
  bool prepare_tls() {
    ErrorCode error;
    const auto use = [&](const std::string& path, auto load) {
      if (path.empty() || error) return;
      load();
      if (error) fail("forward.tls: " + path + ": " + error.message());
    };
    tls.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
    tls.set_verify_mode(asio::ssl::verify_peer);
    if (settings.ca.empty()) tls.set_default_verify_paths(error);
    use(settings.ca, [&] { tls.load_verify_file(settings.ca, error); });
    use(settings.cert, [&] { tls.use_certificate_chain_file(settings.cert, error); });
    use(settings.key, [&] { tls.use_private_key_file(settings.key, asio::ssl::context::pem, error); });
    return trouble.empty();
  }

  void begin() {
    if (settings.tls && !prepare_tls()) return;
    stream.emplace(io, tls);
    resolver.async_resolve(settings.host, settings.port,
                           then<tcp::resolver::results_type>([this](const tcp::resolver::results_type& found) {
                             asio::async_connect(stream->next_layer(), found,
                                                 then<tcp::endpoint>([this](const tcp::endpoint&) { connected(); }));
                           }));
  }

  void connected() {
    stream->next_layer().set_option(tcp::no_delay(true));
    if (!settings.tls) return opened();
    if (!is_address(settings.host)) SSL_set_tlsext_host_name(stream->native_handle(), settings.host.c_str());
    stream->set_verify_callback(asio::ssl::host_name_verification(settings.host));
    stream->async_handshake(asio::ssl::stream_base::client, then([this] { opened(); }));
  }

  void opened() {
    is_open = true;
    read();
    if (!to_write.empty()) write_next();
  }

  // Always under way: it is what sees that the receiver has gone.
  void read() {
    const auto done = [this](const ErrorCode& error, size_t bytes) {
      received.append(room.data(), bytes);
      if (received.size() > kReceivedBytesMax) return fail("it sends more than anybody asked for");
      if (!error) return read();
      has_ended = true;
      if (error != asio::error::eof && error != asio::ssl::error::stream_truncated) fail(words_of(error, &*stream));
    };
    if (settings.tls)
      stream->async_read_some(asio::buffer(room), done);
    else
      stream->next_layer().async_read_some(asio::buffer(room), done);
  }

  void write_next() {
    const auto done = then<size_t>([this](size_t) {
      to_write.pop_front();
      if (!to_write.empty()) write_next();
    });
    if (settings.tls)
      asio::async_write(*stream, asio::buffer(to_write.front()), done);
    else
      asio::async_write(stream->next_layer(), asio::buffer(to_write.front()), done);
  }
};

Link::Link(const LinkSettings& settings) : state_(std::make_unique<State>(settings)) { state_->begin(); }
Link::~Link() = default;

void Link::serve(int milliseconds_max) {
  if (state_->io.run_one_for(milliseconds(milliseconds_max)) > 0) state_->io.poll();
}

bool Link::is_open() const { return state_->is_open; }
const std::string& Link::trouble() const { return state_->trouble; }

void Link::write(std::string bytes) {
  state_->to_write.push_back(std::move(bytes));
  if (state_->is_open && state_->trouble.empty() && state_->to_write.size() == 1) state_->write_next();
}

bool Link::is_acknowledged() const {
  if (!state_->is_open || !state_->to_write.empty() || !state_->trouble.empty()) return false;
  int left = 0;
  return ::ioctl(state_->stream->next_layer().native_handle(), SIOCOUTQ, &left) == 0 && left == 0;
}

const std::string& Link::received() const { return state_->received; }
void Link::forget() { state_->received.clear(); }
bool Link::has_ended() const { return state_->has_ended; }

bool link_opens(const LinkSettings& settings, int milliseconds_max) {
  const auto end = std::chrono::steady_clock::now() + milliseconds(milliseconds_max);
  Link link(settings);
  while (!link.is_open() && link.trouble().empty() && std::chrono::steady_clock::now() < end) link.serve(20);
  return link.is_open();
}

}  // namespace yushi::forward
