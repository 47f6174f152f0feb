#include "serve/http.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <nlohmann/json.hpp>

namespace yushi::serve {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using Clock = std::chrono::steady_clock;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr size_t kReadBytes = 16 << 10;
// Of a refused request, so that its sender comes to read the refusal.
constexpr size_t kDrainBytes = 32 << 20;
constexpr milliseconds kDrainWait{2'000};

milliseconds left_until(Clock::time_point until) {
  return std::max(milliseconds(0), duration_cast<milliseconds>(until - Clock::now()) + milliseconds(1));
}

bool wait_for(int fd, short events, milliseconds most) {
  pollfd waiting{fd, events, 0};
  return ::poll(&waiting, 1, static_cast<int>(most.count())) > 0;
}

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

bool HttpConnection::wait(Milliseconds most) { return buffer_.size() > 0 || wait_for(fd_, POLLIN, most); }

std::optional<HttpRequest> HttpConnection::read() {
  if (broken_) return std::nullopt;
  http::request_parser<http::string_body> parser;
  parser.header_limit(kHeaderBytesMax);
  parser.body_limit(body_bytes_max_);
  parser.eager(true);
  auto until = Clock::now() + (buffer_.size() > 0 ? kRequestWait : kIdleWait);
  bool begun = buffer_.size() > 0;
  while (true) {
    beast::error_code error;
    try {
      while (buffer_.size() > 0 && !parser.is_done()) {
        const auto used = parser.put(buffer_.data(), error);
        buffer_.consume(used);
        if (error || used == 0) break;
      }
    } catch (const std::exception&) {  // of one field over 64 KiB
      error = http::error::header_limit;
    }
    if (error == http::error::need_more) error = {};
    if (error) {
      // What it says of itself, as far as it was read, says which of its parts is too long.
      const bool in_target = !parser.is_header_done() && parser.get().target().empty();
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
      return std::nullopt;
    }
    if (parser.is_done()) break;
    if (!wait_for(fd_, POLLIN, left_until(until)) && Clock::now() >= until) {
      if (begun)
        refuse(408, "the request did not arrive whole within " + std::to_string(kRequestWait.count() / 1000) + " s");
      return std::nullopt;
    }
    auto room = buffer_.prepare(kReadBytes);
    const auto got = ::recv(fd_, room.data(), room.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got <= 0) {
      if (const char* why = let_go_)
        refuse(503, why);
      else if (begun && got == 0)
        refuse(400, "the request broke off before its end");
      return std::nullopt;
    }
    buffer_.commit(static_cast<size_t>(got));
    if (!begun) until = Clock::now() + kRequestWait;
    begun = true;
  }
  auto message = parser.release();
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
  return request;
}

bool HttpConnection::refuse(unsigned status, const std::string& words) {
  HttpRequest closing;
  reply(closing, error_reply(status, "invalid", words));
  broken_ = true;
  ::shutdown(fd_, SHUT_WR);
  drain();
  return false;
}

// Closing a socket with unread bytes may take the answer away from its reader.
void HttpConnection::drain() {
  const auto until = Clock::now() + kDrainWait;
  char bytes[64 << 10];
  for (size_t read = 0; read < kDrainBytes;) {
    if (!wait_for(fd_, POLLIN, left_until(until)) || Clock::now() >= until) return;
    const auto got = ::recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return;
    if (got > 0) read += static_cast<size_t>(got);
  }
}

bool HttpConnection::write(std::string_view bytes) {
  auto progress = Clock::now();
  while (!bytes.empty() && !broken_) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
      progress = Clock::now();
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) {
      broken_ = true;
      break;
    }
    if (wait_for(fd_, POLLOUT, kStall)) continue;
    const auto waited = duration_cast<milliseconds>(Clock::now() - progress);
    if (on_stall ? !on_stall(waited) : waited >= kWriteWait) broken_ = true;
  }
  return !broken_;
}

bool HttpConnection::reply(const HttpRequest& request, const HttpReply& reply) {
  auto bytes = head_of(request, reply.status, reply.type) + "\r\nContent-Length: " + std::to_string(reply.body.size()) +
               "\r\n\r\n";
  if (request.method != "HEAD") bytes += reply.body;
  return write(bytes);
}

bool HttpConnection::begin(const HttpRequest& request, std::string_view type) {
  return write(head_of(request, 200, type) +
               (request.takes_chunks ? "\r\nTransfer-Encoding: chunked\r\n\r\n" : "\r\n\r\n"));
}

bool HttpConnection::send(const HttpRequest& request, std::string_view piece) {
  if (!request.takes_chunks) return write(piece);
  if (piece.empty()) return !broken_;
  char size[24];
  const int length = std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
  return write({size, static_cast<size_t>(length)}) && write(piece) && write("\r\n");
}

bool HttpConnection::end(const HttpRequest& request) { return request.takes_chunks ? write("0\r\n\r\n") : !broken_; }

void HttpConnection::let_go(const char* why) {
  let_go_ = why;
  ::shutdown(fd_, SHUT_RD);
}

}  // namespace yushi::serve
