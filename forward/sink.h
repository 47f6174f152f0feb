// Where a forwarder sends to: the seam on the way out. begin, send, commit a cursor.
//
// The loop (forwarder.h) reads the store and says what is sent, in which order, and how far it is; a sink brings it
// there. There are two kinds, and keeps_cursor() tells them apart:
//
//   The store keeps the cursor   It moves over what the sink has reported as delivered. After a crash some messages
//                                come twice and none never. commit() has nothing to do.
//   The sink keeps the cursor    It is written there together with the messages, all or nothing, by commit(), and
//                                begin() reads it back: it is the truth, the store's a hint. Each message is there
//                                once, whatever dies.
//
// Threads  All is called on the forwarder's thread, and the listener is called from inside these calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/result.h"
#include "forward/cursor.h"
#include "forward/message.h"

namespace yushi::forward {

// Messages on their way, all of a forwarder together, with what is kept around them.
constexpr size_t kInFlightBytesMax = 64 << 20;

class SinkListener {
 public:
  enum class Outcome : uint8_t {
    delivered,
    too_large,  // it was alone, and is not taken; shorter it may be
    failed,     // the sink must begin anew
  };
  virtual void on_report(uint64_t token, Outcome outcome, size_t key_bytes, size_t value_bytes) = 0;

  enum class Trouble : uint8_t {
    passing,   // the sink goes on by itself
    all_away,  // nobody can be reached; it goes on trying
    fatal,     // it must begin anew
  };
  virtual void on_error(std::string_view words, Trouble trouble) = 0;

 protected:
  ~SinkListener() = default;
};

class Sink {
 public:
  virtual ~Sink() = default;  // gives up what is on its way; no reports

  // Makes itself ready to send, first and after each end(), and says from where: its own cursor, where it keeps one and
  // has one, else `stored`, the store's. One of another store is not taken.
  // unavailable: not yet, call it again; it may have waited a second or two. The listener lives until end().
  virtual Result<Cursor> begin(const Cursor& stored, SinkListener& listener) = 0;

  enum class What : uint8_t { record, alert, checkpoint };
  enum class Queued : uint8_t { yes, full, too_large, failed };
  // Takes a copy; a report names it by its token. `alone`: nothing else is on its way, until it is reported.
  virtual Queued send(What what, const Message& message, std::string_view format, uint64_t token, bool alone) = 0;
  // A message with a value of so many bytes is to go alone.
  virtual size_t alone_from_bytes() const { return SIZE_MAX; }

  // Hears reports, waits for them so long at most.
  virtual void serve(int milliseconds) = 0;
  // Whether somebody is there who takes what is sent; waits so long at most.
  virtual bool is_answered(int milliseconds) = 0;
  // Whether what is on its way waits for the sink's own pace, and nobody owes an answer.
  virtual bool holds_back() const { return false; }

  virtual bool keeps_cursor() const = 0;
  // Of a sink that keeps it: all that was sent is reported as delivered, and `cursor` stands behind it. unavailable:
  // not yet, call it again with the same cursor. Any other error: begin anew.
  virtual Result<void> commit(const Cursor& cursor) = 0;

  // Gives up all that is on its way; no reports of it come any more.
  virtual void end() = 0;
};

}  // namespace yushi::forward
