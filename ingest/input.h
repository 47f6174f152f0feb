// An input: a socket that listens, and hands on what it hears as batches of framed messages.
//
// It is bound when it is made and reads from start() on. A daemon binds all of its inputs before it opens its store: an
// address that cannot be bound is found before anything is made on disk, and who sends while the store loads is
// neither refused nor dropped but waits in the kernel, in the queue of connections and the receive buffers. What does
// not fit there is counted with the kernel's drops. When the start fails after all, what waited is lost as in a crash.
//
// Threads  One io_context per ingest thread, each run by exactly one thread of the caller's, shared by all inputs. They
//          must run from before stop() is called until it has returned, and outlive the input. start(), stop() and the
//          destructor belong to one other thread (not an ingest thread); the rest may be called by any once it has
//          started.
// Memory   Everything is bounded: one read buffer a thread, unfinished messages by unfinished_bytes_max, connections by
//          Connections; an idle connection keeps some hundred bytes. What was delivered is the sink's to bound.
// Errors   InputConfig::bind() (inputs.h) says which address, why, and what to do; trouble with one connection closes
//          that connection only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/record/batch.h"
#include "ingest/net/connections.h"
#include "ingest/net/routing.h"
#include "ingest/net/source_limit.h"

namespace boost::asio {
class io_context;
}

namespace yushi::ingest {

// Where batches go. Called on the ingest threads, concurrently, in arrival order for each connection. Not returning is
// how a stage behind says that it is full: the thread then reads nothing, and TCP pushes back on the sender.
class BatchSink {
 public:
  virtual ~BatchSink() = default;
  // `ingest_thread` is the position in SharedByInputs::threads. A batch may have notes only.
  virtual void deliver(unsigned ingest_thread, std::unique_ptr<Batch> batch) = 0;
  // Whether deliver() would not return soon. Who must not wait, since what comes meanwhile would be dropped, asks
  // before.
  virtual bool would_wait() const { return false; }
};

// What an input must know before it is started.
struct BoundFor {
  unsigned ingest_threads = 1;
  size_t message_bytes_max = 64 << 10;  // longer ones become parts
};

// What all inputs of a daemon share.
struct SharedByInputs {
  std::vector<boost::asio::io_context*> threads;
  BatchSink* sink = nullptr;
  std::shared_ptr<const Routing> routing = std::make_shared<Routing>();
  std::shared_ptr<SourceLimit> sources = std::make_shared<SourceLimit>();
  std::shared_ptr<Connections> connections = std::make_shared<Connections>();
  // What an input has to say of itself, in words: a certificate that cannot be read.
  std::function<void(const std::string& what)> trouble;
  // Where the input of this name stood in the last synced commit (Batch::position); empty: it never said.
  std::function<std::string(std::string_view input)> position;
};

// Since start(); the same numbers travel as Notes, by source.
struct InputCounts {
  uint64_t bytes = 0, messages = 0, empty_lines = 0, resyncs = 0, over_long = 0, truncated = 0;
  uint64_t connections_opened = 0, connections_closed = 0, connections_refused = 0, connections_displaced = 0;
  uint64_t kernel_drops = 0, source_drops = 0, possible_doubles = 0, handshakes_failed = 0;
};

class Input {
 public:
  virtual ~Input() = default;

  // Begins to read. Once; `context` has as many threads as it was bound for, and holds the input's last position.
  virtual void start(const SharedByInputs& context) = 0;

  // Takes what was readable when it was called, and what comes until the socket is empty twice or for 2 s more;
  // delivers it, unfinished messages too; closes. The time that the sink takes does not count. Only closes when not
  // started.
  virtual void stop() = 0;

  // "tcp 127.0.0.1:5514", with the port that was bound; "unix /run/yushi/log.sock". Also Note::input.
  virtual std::string name() const = 0;
  virtual uint16_t port() const = 0;  // that was bound; 0 for unix_socket
  virtual InputCounts counts() const = 0;

  // Reads again what it has of files: certificates. What cannot be read is told, and stays as it was. Any thread.
  virtual void reload() {}
  // When its certificate ends, Unix time; 0: it has none. Any thread.
  virtual int64_t expires_ns() const { return 0; }
};

}  // namespace yushi::ingest
