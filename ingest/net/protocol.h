// What one connection speaks above its bytes: it cuts them into messages, and may answer.
//
// A StreamReceiver (stream_receiver.h) reads, gives what it has read to feed(), and sends what take_replies() has. A
// protocol that acknowledges is told when what it gave is durable.
//
// Threads  The ingest thread of its connection only.
// Memory   What feed() is not done with is kept by the receiver and given again, with more behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/record.h"

namespace yushi::ingest {

// What was seen; added to, never reset.
struct FrameCounts {
  uint64_t messages = 0;  // records: each part is one
  uint64_t empty_lines = 0;
  uint64_t resyncs = 0;
  uint64_t over_long = 0;  // messages kept as parts
  uint64_t truncated = 0;
  uint64_t possible_doubles = 0;  // messages that may be such as were given before, on a connection that ended
};

class Protocol {
 public:
  virtual ~Protocol() = default;

  // Appends the messages that are complete in `bytes` to `out`, as views; returns how many bytes are done with.
  virtual size_t feed(std::string_view bytes, const Origin* origin, std::vector<Record>& out, FrameCounts& counts) = 0;
  // Gives most of an unfinished message as parts, because memory is short. `rest` is what feed() left. Returns how many
  // bytes of it are done with; 0: it cannot.
  virtual size_t release(std::string_view rest, const Origin* origin, std::vector<Record>& out,
                         FrameCounts& counts) = 0;
  // The connection has ended and `rest` is what feed() left.
  virtual void finish(std::string_view rest, const Origin* origin, std::vector<Record>& out, FrameCounts& counts) = 0;

  // Whether `rest`, which feed() left, waits for nothing but the next byte; then idle() gives the message that is there
  // when none has come for a while, and says how many bytes are done with.
  virtual bool waits(std::string_view) const { return false; }
  virtual size_t idle(std::string_view, const Origin*, std::vector<Record>&, FrameCounts&) { return 0; }

  // What is to be sent is appended to `out`, and then its own no more.
  virtual void take_replies(std::string&) {}
  // How many messages it has given of which the sender wants to hear that they are safe; 0: of none.
  virtual uint64_t given() const { return 0; }
  // The first `count` of them are durable.
  virtual void committed(uint64_t) {}
  // Nothing more is read; what is given is still committed and told. Before the connection is closed from our side.
  virtual void close() {}
  // The other side is done, or speaks something else: the connection is to be closed once the replies are sent.
  virtual bool is_done() const { return false; }
};

}  // namespace yushi::ingest
