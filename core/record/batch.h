// The unit that moves between stages, and the only owner of its records' bytes.
//
// Ingest threads make a Batch of what one read of one connection gave; the committer consumes it; readers of the store
// make one of each block or tail chunk.
//
// Memory   `arena` owns captures, origins and dynamic fields; `buffers` the read buffers that raws view into; `keep`
//          whatever else the records view into (the parser set, a decoded block).
// Threads  One owner at a time; handed on by move of its unique_ptr.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/arena.h"
#include "core/record/record.h"

namespace yushi {

// A stateless rule that matched a record of the batch: found on the ingest thread, acted on by the committer in order.
struct RuleHit {
  uint32_t record;  // position in Batch::records
  uint32_t rule;    // number of the rule in the RuleSet that Batch::keep holds
};

// What an input counted for one source beside its records; travels with the batch so that the committer can balance
// the books (the minute's ledger in `_audit`): messages = committed + refused with a reason.
struct Note {
  enum class Kind : uint8_t {
    connection_opened,
    connection_closed,
    connection_refused,    // limits.connections, limits.connections_per_source
    connection_displaced,  // closed by us, to give its place to an address that holds fewer
    bytes,                 // read from the socket
    messages,              // framed
    empty_line,            // between newline frames: no message
    frame_resync,          // a frame that did not fit, kept raw to the next LF
    over_long,             // messages kept as numbered parts
    truncated,             // an unfinished last frame, kept
    possible_double,       // records that may stand there already: sent again over a new connection
    handshake_failed,      // connections that did not come to speak: no certificate, or none that holds
    host_unconfirmed,      // records whose header names another host than their sender did before
    kernel_drop,           // datagrams that the kernel dropped before we could read them: a loss
    source_drop,           // datagrams that we dropped, since their source had more than its share waiting: a loss
    input_up,
    input_down,
  };
  Kind kind;
  LogId log_id = 0;
  std::string_view source;  // empty: speaks of the input
  std::string_view input;   // "udp 0.0.0.0:514"
  uint64_t count = 1;
};

// How far an input has read of what is there to be read again: a file's offset, a journal's cursor. Written by the
// commit that holds the batch, and handed back at the next start, so that nothing is read twice or left out.
struct Position {
  std::string input;  // its name
  std::string at;     // in the input's own words
};

struct Batch {
  Arena arena;
  std::vector<std::unique_ptr<char[]>> buffers;
  std::vector<std::shared_ptr<const void>> keep;
  std::vector<Record> records;
  std::vector<RuleHit> hits;  // ascending by record
  std::vector<Note> notes;
  size_t bytes = 0;  // memory counted against limits.in_flight_bytes
  // Permission to tell the sender that it is safe: called once, by the committer, after the synced commit that holds
  // the batch, and never when that fails. It must not wait: an input hands it over to the thread that brought the
  // batch.
  std::function<void()> ack;
  std::optional<Position> position;

  Batch() = default;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
};

}  // namespace yushi
