// The connections of one TCP input on one ingest thread.
//
// A connection waits for "readable", then reads once, at most kReadBytes, and goes to the end of the thread's queue: a
// busy sender gives the others their turn. It reads into the thread's buffer behind what it carried over. A large read
// gives the buffer itself to the batch; a small one is copied, so that no few bytes pin a large buffer. What is
// unfinished and long stays in a buffer of the connection's own, so that a slow sender of a long message costs no copy
// a read.
//
// A message that is all there but for what only the next byte can tell (Framer::waits()) is given when none has come
// for kIdleWait.
//
// Threads  Its ingest thread only.
// Memory   An idle connection keeps its unfinished bytes and some hundred bytes beside.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "ingest/address.h"
#include "ingest/connections.h"
#include "ingest/delivery.h"

namespace yushi::ingest {

// What the threads of one input share.
struct TcpShared {
  TcpShared(const InputSettings& s, const SharedByInputs& c) : settings(s), context(c) {}
  const InputSettings settings;
  const SharedByInputs context;
  AtomicCounts tally;
  std::atomic<size_t> unfinished_bytes{0};
};

class TcpReceiver : public std::enable_shared_from_this<TcpReceiver> {
 public:
  TcpReceiver(std::shared_ptr<TcpShared> shared, unsigned ingest_thread);

  boost::asio::io_context& io() { return io_; }
  Delivery& delivery() { return delivery_; }

  struct Connection;
  // A connection on its way from the acceptor to its thread, and its place in SharedByInputs::connections.
  struct Accepted {
    std::shared_ptr<Connections::Place> place;
    std::weak_ptr<Connection> connection;  // from accept() on
  };

  void begin();  // the one-second tick
  void accept(OwnedFd socket, const SocketAddress& peer, std::shared_ptr<Accepted> accepted);
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
  Origin* prepare(const Connection& connection);
  void send(Connection& connection, const FrameCounts& counts, Origin* origin);
  void tick();
  void watch_idle(Connection& connection);
  void start_idle_timer();
  void give_idle();

  const std::shared_ptr<TcpShared> shared_;
  boost::asio::io_context& io_;
  Delivery delivery_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer idle_timer_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Connection>> waiting_;  // those whose message waits for the next byte, each once
  std::unique_ptr<char[]> scratch_;
  Origin* origin_ = nullptr;  // of the batch in the making, not delivered yet
  bool stopped_ = false;
};

}  // namespace yushi::ingest
