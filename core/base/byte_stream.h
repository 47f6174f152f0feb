// A connection's bytes, plain or under TLS, read and written without waiting: those of inputs
// (ingest/net/stream_receiver.h) and of who asks (serve/http.h).
//
// The descriptor is the caller's, non-blocking, and outlives the stream. Whoever reads waits for it to be readable
// once read() gives nothing, and for it to be writable once write() takes nothing.
//
// Threads  One owner at a time.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string_view>

namespace yushi {

class ByteStream {
 public:
  virtual ~ByteStream() = default;

  enum class Outcome { some, nothing, ended };
  // Up to `room` bytes to `to`; their number to `got`. Less than `room`: there is nothing more now.
  virtual Outcome read(char* to, size_t room, size_t* got) = 0;
  // Of `bytes`, as many as there is room for; their number to `taken`.
  virtual Outcome write(std::string_view bytes, size_t* taken) = 0;
  // No more will be written.
  virtual void shut() = 0;
  // Bytes that can surely be read now, at least: the stop takes them.
  virtual size_t readable() const = 0;
};

std::unique_ptr<ByteStream> plain_stream(int fd);

}  // namespace yushi
