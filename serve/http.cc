#include "serve/http.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>

namespace yushi::serve {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using Clock = std::chrono::steady_clock;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr size_t kReadBytes = 16 << 10;
constexpr size_t kUnsentBytes = 64 << 10;  // an answer waits while so much of it has not been taken
// Of a refused request, so that its sender comes to read the refusal.
constexpr size_t kDrainBytes = 32 << 20;
constexpr milliseconds kDrainWait{2'000};

// Whether the first line does.
bool ends_in_bare_line_feed(const beast::flat_buffer& buffer) {
  const std::string_view bytes(static_cast<const char*>(buffer.data().data()), buffer.size());
  const auto end = bytes.find('\n');
  return end != bytes.npos && (end == 0 || bytes[end - 1] != '\r');
}

bool has_blank_in_target(const beast::flat_buffer& buffer) {
  std::string_view line(static_cast<const char*>(buffer.data().data()), buffer.size());
  line = line.substr(0, line.find('\r'));
  const auto target = line.find(' '), version = line.rfind(' ');
  return target != version && line.substr(version + 1).starts_with("HTTP/") &&
         line.substr(target + 1, version - target - 1).find(' ') != line.npos;
}

// `GET http://localhost/healthz`, as to a proxy, asks for the same as its path; who is asked is named there, and what
// Host says does not count (RFC 9112, 3.2.2).
void take_absolute_form(HttpRequest& request) {
  constexpr std::string_view kScheme = "http://";
  if (!beast::iequals(std::string_view(request.target).substr(0, kScheme.size()), kScheme)) return;
  const auto end = std::min(request.target.find_first_of("/?", kScheme.size()), request.target.size());
  request.host = request.target.substr(kScheme.size(), end - kScheme.size());
  request.target.erase(0, end);
  if (!request.target.starts_with('/')) request.target.insert(0, "/");
}

std::string head_of(const HttpRequest& request, unsigned status, std::string_view type) {
  std::string head = "HTTP/1.1 " + std::to_string(status) + " ";
  const auto words = http::obsolete_reason(static_cast<http::status>(status));
  head.append(words.data(), words.size());
  head += "\r\nContent-Type: ";
  head += type;
  if (status == static_cast<unsigned>(http::status::method_not_allowed))
    head += request.target.starts_with("/api/v1/") ? "\r\nAllow: GET, POST" : "\r\nAllow: GET";
  head += request.keep_alive ? (request.takes_chunks ? "" : "\r\nConnection: keep-alive") : "\r\nConnection: close";
  return head;
}

}  // namespace

HttpReply error_reply(unsigned status, std::string_view code, std::string_view message) {
  nlohmann::ordered_json problem;
  problem["error"] = {{"code", code}, {"message", message}};
  return {status, "application/json", problem.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
}

HttpConnection::HttpConnection(boost::asio::io_context& io, int socket, std::unique_ptr<ByteStream> stream,
                               uint64_t body_bytes_max)
    : io_(io), socket_(io, socket), stream_(std::move(stream)), body_bytes_max_(body_bytes_max) {}

void HttpConnection::begin(std::function<void(HttpRequest)> take, std::function<void()> closed) {
  take_ = std::move(take);
  closed_ = std::move(closed);
  next_request();
}

void HttpConnection::next_request() {
  since_ = Clock::now();
  phase_ = buffer_.size() > 0 ? Phase::reading : Phase::waiting;
  until_ = since_ + (buffer_.size() > 0 ? kRequestWait : kIdleWait);
  parser_.emplace();
  parser_->header_limit(kHeaderBytesMax);
  parser_->body_limit(body_bytes_max_);
  parser_->eager(true);
  // Not at once: an asker may have sent many that are answered at once.
  if (phase_ == Phase::waiting) return wait_to_read();
  boost::asio::post(io_, [self = shared_from_this()] {
    if (self->phase_ == Phase::reading) self->parse();
  });
}

void HttpConnection::wait_to_read() {
  if (std::exchange(waits_to_read_, true)) return;
  auto then = [self = shared_from_this()](const boost::system::error_code& error) {
    self->waits_to_read_ = false;
    if (!error) self->read();
  };
  if (std::exchange(has_more_, false))
    boost::asio::post(io_, [then] { then({}); });
  else
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read, then);
}

// Once, so that the others have their turn.
void HttpConnection::read() {
  const bool is_wanted = phase_ == Phase::waiting || phase_ == Phase::reading;
  if (!is_wanted && phase_ != Phase::refused) return;
  char bytes[kReadBytes];
  size_t got = 0;
  const auto outcome = stream_->read(bytes, sizeof bytes, &got);
  if (outcome == ByteStream::Outcome::ended) {
    if (phase_ == Phase::reading) return refuse(400, "the request broke off before its end");
    return close();
  }
  has_more_ = got == sizeof bytes;
  if (!is_wanted) {
    thrown_away_ += got;
    return thrown_away_ < kDrainBytes ? wait_to_read() : close();
  }
  if (got > 0) {
    buffer_.commit(boost::asio::buffer_copy(buffer_.prepare(got), boost::asio::buffer(bytes, got)));
    if (phase_ == Phase::waiting) until_ = Clock::now() + kRequestWait;
    phase_ = Phase::reading;
  }
  parse();
}

void HttpConnection::parse() {
  beast::error_code error;
  try {
    while (buffer_.size() > 0 && !parser_->is_done()) {
      const auto used = parser_->put(buffer_.data(), error);
      buffer_.consume(used);
      if (error || used == 0) break;
    }
  } catch (const std::exception&) {  // of one field over 64 KiB
    error = http::error::header_limit;
  }
  if (error && error != http::error::need_more) return refuse_for(error);
  if (!parser_->is_done()) return wait_to_read();
  auto message = parser_->release();
  HttpRequest request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  if (auto host = message.find(http::field::host); host != message.end()) request.host = std::string(host->value());
  take_absolute_form(request);
  if (auto type = message.find(http::field::content_type); type != message.end())
    request.is_form =
        beast::iequals(type->value().substr(0, type->value().find_first_of("; ")), "application/x-www-form-urlencoded");
  request.body = std::move(message.body());
  request.keep_alive = message.keep_alive();
  request.takes_chunks = message.version() >= 11;
  phase_ = Phase::answering;
  take_(std::move(request));
}

// What it says of itself, as far as it was read, says which of its parts is too long.
void HttpConnection::refuse_for(const beast::error_code& error) {
  const bool in_target = !parser_->is_header_done() && parser_->get().target().empty();
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    const auto most = std::to_string(kHeaderBytesMax >> 10) + " KiB";
    in_target ? refuse(414, "the target is longer than " + most + "; a query may have 64 KiB")
              : refuse(431, "the header is longer than " + most + ", or one of its fields than 64 KiB");
  } else if (error == http::error::body_limit) {
    refuse(413, "the body is longer than " + std::to_string(body_bytes_max_ >> 10) + " KiB");
  } else if (error == http::error::bad_version && ends_in_bare_line_feed(buffer_)) {
    refuse(400, "this is no request of HTTP/1.1: a line ends in LF alone, and must end in CR LF");
  } else if (error == http::error::bad_version && has_blank_in_target(buffer_)) {
    refuse(400, "this is no request of HTTP/1.1: a blank stands in the target; write %20 for it");
  } else if (error == http::error::bad_version) {
    refuse(505, "the request names no version of HTTP that is spoken here, which are HTTP/1.0 and HTTP/1.1");
  } else {
    refuse(400, "this is no request of HTTP/1.1: " + error.message());
  }
}

void HttpConnection::tick(Clock::time_point now) {
  if (now >= until_) {
    if (phase_ == Phase::waiting) return close();
    if (phase_ == Phase::reading) {
      return refuse(408,
                    "the request did not arrive whole within " + std::to_string(kRequestWait.count() / 1000) + " s");
    }
    if (phase_ == Phase::refused) return close();
  }
  if (phase_ == Phase::answered && without_progress() >= kWriteWait) close();
}

// Closing a socket with unread bytes may take the answer away from its reader: they are read for a moment.
void HttpConnection::refuse(unsigned status, const std::string& words) {
  const bool was_reading = phase_ == Phase::reading || phase_ == Phase::waiting;
  if (!was_reading) return;
  phase_ = Phase::refused;
  until_ = Clock::now() + kDrainWait;
  reply({}, error_reply(status, status == 503 ? "exhausted" : "invalid", words));
  write();
  if (phase_ == Phase::refused) wait_to_read();
}

void HttpConnection::answered(bool again) {
  if (phase_ != Phase::answering) return;
  if (is_broken()) return close();
  phase_ = Phase::answered;
  again_ = again;
  write();
}

void HttpConnection::close() {
  if (phase_ == Phase::closed) return;
  phase_ = Phase::closed;
  boost::system::error_code ignored;
  ::shutdown(socket_.native_handle(), SHUT_RDWR);
  socket_.close(ignored);
  break_off();
  if (closed_) closed_();
}

std::optional<HttpConnection::Clock::time_point> HttpConnection::silent_since() const {
  if (phase_ == Phase::waiting || phase_ == Phase::reading) return since_;
  return std::nullopt;
}

// A peer that only ended its own writing still reads.
bool HttpConnection::has_hung_up() {
  if (is_closed()) return true;
  pollfd socket{socket_.native_handle(), 0, 0};
  return ::poll(&socket, 1, 0) > 0;
}

// ------------------------------------------------------------------------------------------------------------ answers

void HttpConnection::send(std::string bytes) {
  MutexLock lock(mutex_);
  if (is_broken_) return;
  if (unsent_ == 0) progress_ = Clock::now();
  unsent_ += bytes.size();
  if (out_.empty())
    out_ = std::move(bytes);
  else
    out_ += bytes;
  if (is_told_) return;
  boost::asio::post(io_, [self = shared_from_this()] { self->write(); });
  is_told_ = true;
}

void HttpConnection::write() {
  if (phase_ == Phase::closed || waits_to_write_) return;
  while (true) {
    if (written_ == writing_.size()) {
      MutexLock lock(mutex_);
      is_told_ = false;
      writing_.clear();
      written_ = 0;
      if (out_.empty()) break;
      writing_.swap(out_);
    }
    size_t taken = 0;
    const auto outcome = stream_->write(std::string_view(writing_).substr(written_), &taken);
    if (outcome == ByteStream::Outcome::ended) {
      break_off();
      break;
    }
    if (outcome == ByteStream::Outcome::nothing) {
      waits_to_write_ = true;
      socket_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                         [self = shared_from_this()](const boost::system::error_code& error) {
                           self->waits_to_write_ = false;
                           if (!error) self->write();
                         });
      return;
    }
    written_ += taken;
    MutexLock lock(mutex_);
    unsent_ -= taken;
    progress_ = Clock::now();
    changed_.notify_all();
  }
  when_written();
}

void HttpConnection::when_written() {
  if (phase_ == Phase::refused && !std::exchange(is_shut_, true)) stream_->shut();
  if (phase_ != Phase::answered) return;
  again_ && !is_broken() ? next_request() : close();
}

bool HttpConnection::wait_for_room(Milliseconds most) {
  const auto until = Clock::now() + most;
  MutexLock lock(mutex_);
  while (unsent_ >= kUnsentBytes && !is_broken_)
    if (!changed_.wait_until(lock, until)) return false;
  return true;
}

HttpConnection::Milliseconds HttpConnection::without_progress() const {
  MutexLock lock(mutex_);
  return unsent_ == 0 ? Milliseconds(0) : std::chrono::duration_cast<Milliseconds>(Clock::now() - progress_);
}

bool HttpConnection::is_broken() const {
  MutexLock lock(mutex_);
  return is_broken_;
}

void HttpConnection::break_off() {
  MutexLock lock(mutex_);
  is_broken_ = true;
  changed_.notify_all();
}

void HttpConnection::reply(const HttpRequest& request, const HttpReply& reply) {
  auto bytes = head_of(request, reply.status, reply.type) + "\r\nContent-Length: " + std::to_string(reply.body.size()) +
               "\r\n\r\n";
  if (request.method != "HEAD") bytes += reply.body;
  send(std::move(bytes));
}

void HttpConnection::reply_begin(const HttpRequest& request, std::string_view type) {
  send(head_of(request, 200, type) + (request.takes_chunks ? "\r\nTransfer-Encoding: chunked\r\n\r\n" : "\r\n\r\n"));
}

void HttpConnection::reply_piece(const HttpRequest& request, std::string_view piece) {
  if (piece.empty()) return;
  if (!request.takes_chunks) return send(std::string(piece));
  char size[24];
  std::string bytes(size, static_cast<size_t>(std::snprintf(size, sizeof size, "%zx\r\n", piece.size())));
  send(bytes.append(piece).append("\r\n"));
}

void HttpConnection::reply_end(const HttpRequest& request) {
  if (request.takes_chunks) send("0\r\n\r\n");
}

}  // namespace yushi::serve
