// The connections of one input on one ingest thread.
//
// A connection waits for "readable", then reads once, at most kReadBytes, and goes to the end of the thread's queue: a
// busy sender gives the others their turn. It reads into the thread's buffer behind what it carried over. A large read
// gives the buffer itself to the batch; a small one is copied, so that no few bytes pin a large buffer. What is
// unfinished and long stays in a buffer of the connection's own, so that a slow sender of a long message costs no copy
// a read.
//
// A message that is all there but for what only the next byte can tell (Protocol::waits()) is given when none has come
// for kIdleWait. What a protocol answers is sent when it says so, and when what it gave is committed; a sender that
// does not read its answers has them kept up to kRepliesMax, then it is read no more until it does.
//
// Threads  Its ingest thread only, but for the acks of its batches, which come from the committer and are handed over.
// Memory   An idle connection keeps its unfinished bytes and some hundred bytes beside.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "ingest/net/address.h"
#include "ingest/net/byte_stream.h"
#include "ingest/net/connections.h"
#include "ingest/net/delivery.h"
#include "ingest/net/stream_input.h"

namespace yushi::ingest {

// What the threads of one input share.
struct StreamShared {
  StreamShared(const StreamSettings& s, const SharedByInputs& c) : settings(s), context(c) {}
  const StreamSettings settings;
  const SharedByInputs context;
  AtomicCounts tally;
  std::atomic<size_t> unfinished_bytes{0};
};

class StreamReceiver : public std::enable_shared_from_this<StreamReceiver> {
 public:
  StreamReceiver(std::shared_ptr<StreamShared> shared, unsigned ingest_thread);

  boost::asio::io_context& io() { return io_; }
  Delivery& delivery() { return delivery_; }

  struct Connection;
  // A connection on its way from the acceptor to its thread, and its place in SharedByInputs::connections.
  struct Accepted {
    std::shared_ptr<Connections::Place> place;
    std::weak_ptr<Connection> connection;  // from accept() on
  };

  void begin();  // the one-second tick
  // `bytes` reads `socket`; `name` is the one that the sender has proved, if any.
  void accept(OwnedFd socket, std::unique_ptr<ByteStream> bytes, const SocketAddress& peer, std::string name,
              std::shared_ptr<Accepted> accepted);
  // Its place is another's: keeps what it has sent so far, as at the stop, and closes it.
  void displace(const Accepted& accepted);
  void drain();  // the stop contract; then it is done for good

 private:
  enum class Outcome { filled, some, empty, ended };

  void wait(const std::shared_ptr<Connection>& connection);
  void take_turn(const std::shared_ptr<Connection>& connection);
  Outcome read_once(Connection& connection);
  void frame(Connection& connection, std::unique_ptr<char[]>& buffer, size_t bytes, size_t buffer_bytes);
  void keep(Connection& connection, std::string_view rest);
  void close(Connection& connection);
  void take_acks();
  void answer(Connection& connection);
  bool send_replies(Connection& connection);
  void route(Connection& connection);
  void reroute(Connection& connection);
  Origin* prepare(const Connection& connection);
  void send(Connection& connection, const FrameCounts& counts, Origin* origin);
  void tick();
  void watch_idle(Connection& connection);
  void start_idle_timer();
  void give_idle();

  const std::shared_ptr<StreamShared> shared_;
  boost::asio::io_context& io_;
  Delivery delivery_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer idle_timer_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Connection>> waiting_;  // those whose message waits for the next byte, each once
  std::unique_ptr<char[]> scratch_;
  Origin* origin_ = nullptr;  // of the batch in the making, not delivered yet
  // What the committer has told: of which connection how many messages are safe.
  struct Acks;
  const std::shared_ptr<Acks> acks_;
  bool stopped_ = false;
};

}  // namespace yushi::ingest
