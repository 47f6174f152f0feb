// One datagram socket on one ingest thread: waits, reads in turns, asks the kernel for its drops, drains at the stop.
// DatagramInput is the Input made of such sockets. UDP and unix sockets differ in how they bind and how they read.
//
// Threads  A DatagramSocket belongs to its ingest thread, but for read_ahead() and end_help(), which are a helper's:
//          from the call of on_behind to the end of its help it is the helper who reads. The lock guards the stage and
//          what read_once() uses; nobody does more with it than read once or move what was read, so that a thread that
//          is not scheduled keeps nobody waiting for long. DatagramInput as Input says.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/mutex.h"
#include "ingest/net/datagram_batch.h"

namespace yushi::ingest {

struct DatagramSettings {
  Transport transport = Transport::udp;  // udp or unix_socket
  std::string listen;                    // udp
  std::string path;                      // unix_socket
  unsigned path_mode = 0666;             // unix_socket: as /dev/log, anyone may write
  size_t message_bytes_max = 64 << 10;
  size_t receive_buffer_bytes = 16 << 20;  // the kernel's; beyond it drops
  size_t staged_bytes_max = 16 << 20;      // udp: read ahead on each thread; beyond it we drop, of who has most
};

class DatagramSocket : public std::enable_shared_from_this<DatagramSocket> {
 public:
  // `staged_bytes_max`: reads ahead of the pipeline, so much at most, and drops beyond it; 0: reads what the pipeline
  // takes.
  DatagramSocket(const DatagramSettings& settings, const SharedByInputs& context, unsigned ingest_thread,
                 AtomicCounts& tally, size_t staged_bytes_max);
  virtual ~DatagramSocket() = default;

  boost::asio::io_context& io() { return io_; }
  Delivery& delivery() { return delivery_; }

  void begin(OwnedFd fd);
  void drain();

  // Called when more comes than the ingest thread keeps up with: wants a helper. Set before begin(); empty: there is
  // none.
  std::function<void()> on_behind;
  // The helper's, where one is wanted: reads into the stage what is there. Whether something is in the stage.
  bool read_ahead();
  // The ingest thread reads itself again. False: something is in the stage, the help goes on.
  bool end_help();

 protected:
  enum class Outcome { some, empty, failed };
  // Reads what one call gives into stage_.
  virtual Outcome read_once() YUSHI_REQUIRES(mutex_) = 0;

  int fd() { return fd_; }

  const DatagramSettings settings_;
  const SharedByInputs context_;
  Delivery delivery_;
  Mutex mutex_;
  DatagramStage stage_ YUSHI_GUARDED_BY(mutex_);

 private:
  void wait();
  void take_turn();
  void call();  // take_turn(), on the ingest thread
  void hand_on() YUSHI_EXCLUDES(mutex_);
  Outcome read(int reads_max) YUSHI_EXCLUDES(mutex_);
  size_t staged_bytes() YUSHI_EXCLUDES(mutex_);
  void tick();
  void ask_drops();
  virtual void delivered() YUSHI_REQUIRES(mutex_) {}

  const bool reads_ahead_;
  DatagramBatch batch_;
  boost::asio::io_context& io_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer timer_, pause_;
  bool helped_ YUSHI_GUARDED_BY(mutex_) = false;
  // While helped: the ingest thread has to be called when something is in the stage.
  bool idle_ YUSHI_GUARDED_BY(mutex_) = false;
  int fd_ = -1;         // from begin() on
  bool armed_ = false;  // waits for the socket
  uint32_t drops_ = 0;
  bool failed_ = false;  // waits for the next tick
  bool stopped_ = false;
};

class DatagramInput : public Input {
 public:
  // fds: one socket for each of the first ingest threads.
  DatagramInput(const DatagramSettings& settings, std::string name, uint16_t port, std::vector<OwnedFd> fds)
      : settings_(settings), name_(std::move(name)), port_(port), fds_(std::move(fds)) {}
  ~DatagramInput() override;

  void start(const SharedByInputs& context) override;
  void stop() override;
  std::string name() const override { return name_; }
  uint16_t port() const override { return port_; }
  InputCounts counts() const override { return tally_->read(); }

 protected:
  virtual std::shared_ptr<DatagramSocket> make_socket(const SharedByInputs& context, unsigned ingest_thread) = 0;
  virtual void started() {}   // before any socket reads
  virtual void stopping() {}  // before any socket is drained
  virtual void stopped() {}
  const std::vector<std::shared_ptr<DatagramSocket>>& sockets() const { return sockets_; }

  const DatagramSettings settings_;
  const std::shared_ptr<AtomicCounts> tally_ = std::make_shared<AtomicCounts>();

 private:
  const std::string name_;
  const uint16_t port_;
  std::vector<OwnedFd> fds_;  // until start()
  std::vector<std::shared_ptr<DatagramSocket>> sockets_;
};

}  // namespace yushi::ingest
