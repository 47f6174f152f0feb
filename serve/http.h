// One connection of HTTP/1.1 as a server sees it: every wait has an end, and whatever is refused is refused in words.
//
// A request is read whole before anything is done for it. What is no request, is too long or comes too slowly is
// answered here with a 4xx or 5xx; then what is still on its way is read and thrown away for a moment, so that the
// words arrive.
//
// Threads  One owner; let_go() by any thread.
// Memory   kHeaderBytesMax and `body_bytes_max` of a request. Nothing is queued for a reader that does not read.
#pragma once

#include <atomic>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace yushi::serve {

struct HttpRequest {
  std::string method, target, host;
  std::string body;
  bool is_form = false;  // the body's type is application/x-www-form-urlencoded
  bool keep_alive = false;
  bool takes_chunks = true;  // HTTP/1.1
};

struct HttpReply {
  unsigned status = 200;
  std::string type = "text/plain";
  std::string body;
};
// {"error":{"code":…,"message":…}}
HttpReply error_reply(unsigned status, std::string_view code, std::string_view message);

class HttpConnection {
 public:
  using Milliseconds = std::chrono::milliseconds;
  // A query of 64 KiB, three bytes for each when it is percent-encoded, and 64 KiB beside it.
  static constexpr uint32_t kHeaderBytesMax = 256 << 10;
  static constexpr uint64_t kBodyBytesMax = 64 << 10;
  static constexpr Milliseconds kRequestWait{10'000};  // from its first byte to its last
  static constexpr Milliseconds kIdleWait{30'000};     // for the first byte
  static constexpr Milliseconds kWriteWait{30'000};    // without any progress
  static constexpr Milliseconds kStall{1'000};

  // The socket stays the caller's.
  explicit HttpConnection(int fd, uint64_t body_bytes_max = kBodyBytesMax) : fd_(fd), body_bytes_max_(body_bytes_max) {}

  // Whether there is something to read, or its end, within `most`.
  bool wait(Milliseconds most);
  // The next request. nullopt: there is none, and the connection is to be closed; the peer was told why.
  std::optional<HttpRequest> read();

  // False when it did not arrive: then nothing more does.
  bool reply(const HttpRequest& request, const HttpReply& reply);
  // The same piece by piece: a head, any number of pieces, an end.
  bool begin(const HttpRequest& request, std::string_view type);
  bool send(const HttpRequest& request, std::string_view piece);
  bool end(const HttpRequest& request);

  // What is done while a piece waits for its reader: called each kStall without progress, with the time since the last;
  // false gives up. Without one kWriteWait is the bound.
  std::function<bool(Milliseconds without_progress)> on_stall;

  // A request that has not arrived whole is not waited for any longer; what is being answered is not touched.
  void let_go(const char* why);

 private:
  bool refuse(unsigned status, const std::string& words);
  bool write(std::string_view bytes);
  void drain();

  const int fd_;
  const uint64_t body_bytes_max_;
  bool broken_ = false;
  boost::beast::flat_buffer buffer_;
  std::atomic<const char*> let_go_{nullptr};
};

}  // namespace yushi::serve
