// One connection of HTTP/1.1 as a server sees it: every wait has an end, and whatever is refused is refused in words.
//
// A request is read whole before anything is done for it. What is no request, is too long or comes too slowly is
// answered here with a 4xx or 5xx; then what is still on its way is read and thrown away for a moment, so that the
// words arrive. A connection that waits costs no thread: the API's thread reads and writes all of them, and tick() ends
// what takes too long.
//
// Threads  The API's, but for what writes an answer, wait_for_room() and break_off(): those are of whoever answers, one
//          at a time.
// Memory   kHeaderBytesMax and `body_bytes_max` of a request. Of an answer what wait_for_room() has let through and one
//          piece more.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/byte_stream.h"
#include "core/base/mutex.h"

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

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  using Milliseconds = std::chrono::milliseconds;
  using Clock = std::chrono::steady_clock;
  // A query of 64 KiB, three bytes for each when it is percent-encoded, and 64 KiB beside it.
  static constexpr uint32_t kHeaderBytesMax = 256 << 10;
  static constexpr uint64_t kBodyBytesMax = 64 << 10;
  static constexpr Milliseconds kRequestWait{10'000};  // from its first byte to its last
  static constexpr Milliseconds kIdleWait{30'000};     // for the first byte
  static constexpr Milliseconds kWriteWait{30'000};    // without any progress

  // Owns the socket, which `stream` reads and writes.
  HttpConnection(boost::asio::io_context& io, int socket, std::unique_ptr<ByteStream> stream, uint64_t body_bytes_max);

  // Until it closes, which `closed` hears: each whole request goes to `take`, which answers it and calls answered().
  void begin(std::function<void(HttpRequest)> take, std::function<void()> closed);
  // `again`: the connection may be used again. It closes once all is written.
  void answered(bool again);
  // Ends waits that took too long.
  void tick(Clock::time_point now);
  // Refuses what has not arrived whole; what is being answered is not touched.
  void refuse(unsigned status, const std::string& words);
  void close();

  bool is_closed() const { return phase_ == Phase::closed; }
  // Since when no request of it is being answered; nullopt: one is, or it has been refused.
  std::optional<Clock::time_point> silent_since() const;
  bool has_hung_up();
  bool is_refused() const { return phase_ == Phase::refused; }

  // By whoever answers, who does not wait for it to be sent.
  void reply(const HttpRequest& request, const HttpReply& reply) YUSHI_EXCLUDES(mutex_);
  // The same piece by piece: a head, any number of pieces, an end.
  void reply_begin(const HttpRequest& request, std::string_view type) YUSHI_EXCLUDES(mutex_);
  void reply_piece(const HttpRequest& request, std::string_view piece) YUSHI_EXCLUDES(mutex_);
  void reply_end(const HttpRequest& request) YUSHI_EXCLUDES(mutex_);
  // Whether its reader takes more, or is gone, within `most`.
  bool wait_for_room(Milliseconds most) YUSHI_EXCLUDES(mutex_);
  Milliseconds without_progress() const YUSHI_EXCLUDES(mutex_);
  bool is_broken() const YUSHI_EXCLUDES(mutex_);  // nothing more arrives
  void break_off() YUSHI_EXCLUDES(mutex_);

 private:
  // `waiting` for the first byte of a request.
  enum class Phase { waiting, reading, answering, answered, refused, closed };
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  void wait_to_read();
  void read();
  void next_request();
  void parse();
  void refuse_for(const boost::beast::error_code& error);
  void send(std::string bytes) YUSHI_EXCLUDES(mutex_);
  void write() YUSHI_EXCLUDES(mutex_);
  void when_written();

  boost::asio::io_context& io_;
  boost::asio::posix::stream_descriptor socket_;
  const std::unique_ptr<ByteStream> stream_;
  const uint64_t body_bytes_max_;
  std::function<void(HttpRequest)> take_;
  std::function<void()> closed_;
  Phase phase_ = Phase::waiting;
  Clock::time_point since_ = Clock::now(), until_;  // of the phase; `since_` of `reading` is that of the wait before
  bool again_ = false;                              // of `answered`
  bool is_shut_ = false;                            // of `refused`: all is written
  size_t thrown_away_ = 0;
  bool has_more_ = false;  // of the stream, maybe: the last read took all that it had room for
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::string writing_;  // some of it is sent
  size_t written_ = 0;
  bool waits_to_read_ = false, waits_to_write_ = false;

  mutable Mutex mutex_;
  CondVar changed_;
  std::string out_ YUSHI_GUARDED_BY(mutex_);       // behind `writing_`
  size_t unsent_ YUSHI_GUARDED_BY(mutex_) = 0;     // of both
  bool is_told_ YUSHI_GUARDED_BY(mutex_) = false;  // the API's thread, that there is something to write
  bool is_broken_ YUSHI_GUARDED_BY(mutex_) = false;
  Clock::time_point progress_ YUSHI_GUARDED_BY(mutex_);
};

}  // namespace yushi::serve
