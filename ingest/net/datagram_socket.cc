#include "ingest/net/datagram_socket.h"

#include <future>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>

#include "core/base/assert.h"

namespace yushi::ingest {
namespace {

constexpr size_t kTurnBytes = 256 << 10;
// A turn is what is parsed before the socket is looked at again: some milliseconds' work, however short the messages
// are.
constexpr int kReadsPerTurn = 16, kReadsOfOnePerTurn = 64;  // UDP reads 64 datagrams at once, unix one
constexpr int kReadsAheadMax = 256;
constexpr std::chrono::milliseconds kPauseWhileFull{2};

}  // namespace

DatagramSocket::DatagramSocket(const DatagramSettings& settings, const SharedByInputs& context, unsigned ingest_thread,
                               AtomicCounts& tally, size_t staged_bytes_max)
    : settings_(settings),
      context_(context),
      delivery_(ingest_thread, *context.sink, tally),
      stage_(staged_bytes_max > 0 ? staged_bytes_max : SIZE_MAX),
      reads_ahead_(staged_bytes_max > 0),
      batch_(delivery_, settings.transport, settings.message_bytes_max),
      io_(*context.threads[ingest_thread]),
      socket_(io_),
      timer_(io_),
      pause_(io_) {}

void DatagramSocket::begin(OwnedFd fd) {
  fd_ = fd.get();
  socket_.assign(fd.release());
  tick();
  wait();
}

void DatagramSocket::wait() {
  if (armed_) return;
  armed_ = true;
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->armed_ = false;
                       if (!error) self->take_turn();
                     });
}

// With the lock for each read, so that two readers take turns.
DatagramSocket::Outcome DatagramSocket::read(int reads_max) {
  Outcome outcome = Outcome::some;
  for (int i = 0; i < reads_max && outcome == Outcome::some; ++i) {
    MutexLock lock(mutex_);
    if (!reads_ahead_ && stage_.bytes() >= kTurnBytes) break;
    outcome = read_once();
  }
  return outcome;
}

size_t DatagramSocket::staged_bytes() {
  MutexLock lock(mutex_);
  return stage_.bytes();
}

bool DatagramSocket::read_ahead() {
  {
    MutexLock lock(mutex_);
    if (!helped_) return false;
  }
  (void)read(kReadsAheadMax);
  MutexLock lock(mutex_);
  if (stage_.empty()) return false;
  if (std::exchange(idle_, false)) call();
  return true;
}

bool DatagramSocket::end_help() {
  MutexLock lock(mutex_);
  if (!helped_) return true;
  if (!stage_.empty()) return false;
  helped_ = idle_ = false;
  call();
  return true;
}

void DatagramSocket::call() {
  boost::asio::post(io_, [self = shared_from_this()] { self->take_turn(); });
}

void DatagramSocket::take_turn() {
  if (stopped_) return;
  bool helped, more = false;
  {
    MutexLock lock(mutex_);
    helped = helped_;
  }
  Outcome outcome = Outcome::empty;
  if (!helped) {
    outcome = read(kReadsOfOnePerTurn);
    more = outcome == Outcome::some;
  }
  const bool must_wait = reads_ahead_ && context_.sink->would_wait();
  if (!must_wait) hand_on();
  bool staged, wants_help;
  {
    MutexLock lock(mutex_);
    staged = !stage_.empty();
    wants_help = !helped && on_behind && (more || staged);
    helped_ = helped |= wants_help;
    idle_ = helped && !staged;
  }
  if (wants_help) on_behind();
  if (must_wait && staged) {
    // To wait there would be to read nothing meanwhile.
    pause_.expires_after(kPauseWhileFull);
    pause_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->take_turn();
    });
  } else if (staged || (more && !helped)) {
    call();
  } else if (helped) {
    return;  // the helper calls
  } else if (outcome == Outcome::empty) {
    wait();
  } else {
    failed_ = true;  // the tick tries again: no busy loop
  }
}

// One batch of what is staged.
void DatagramSocket::hand_on() {
  std::vector<DatagramStage::Read> reads;
  {
    MutexLock lock(mutex_);
    stage_.tell_drops(delivery_);
    reads = stage_.take(kTurnBytes, reads_ahead_ ? kReadsPerTurn : kReadsOfOnePerTurn);
  }
  if (reads.empty()) return;
  for (auto& read : reads) batch_.append(std::move(read));
  batch_.deliver();
  MutexLock lock(mutex_);
  delivered();
}

void DatagramSocket::ask_drops() {
  const uint32_t drops = kernel_drops(fd());
  delivery_.note_later(Note::Kind::kernel_drop, 0, {}, drops - drops_);  // wraps as the kernel's counter does
  drops_ = drops;
}

void DatagramSocket::tick() {
  if (stopped_) return;
  ask_drops();
  if (!reads_ahead_ || !context_.sink->would_wait()) delivery_.flush();
  if (failed_) {
    failed_ = false;
    wait();
  }
  timer_.expires_after(std::chrono::seconds(1));
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->tick();
  });
}

void DatagramSocket::drain() {
  stopped_ = true;
  timer_.cancel();
  pause_.cancel();
  boost::system::error_code ignored;
  socket_.cancel(ignored);
  while (staged_bytes() > 0) hand_on();  // nobody else reads any more
  const auto began = std::chrono::steady_clock::now();
  const auto sink_before = delivery_.time_in_sink();
  for (int empty_reads = 0; empty_reads < 2;) {
    const Outcome outcome = read(1);
    if (outcome == Outcome::failed) break;
    if (outcome == Outcome::empty || staged_bytes() >= kTurnBytes) hand_on();
    if (outcome == Outcome::empty && ++empty_reads < 2) std::this_thread::sleep_for(kStopPause);
    const auto spent = std::chrono::steady_clock::now() - began - (delivery_.time_in_sink() - sink_before);
    if (spent > kStopReadingAfter) break;
  }
  while (staged_bytes() > 0) hand_on();
  {
    MutexLock lock(mutex_);
    stage_.tell_drops(delivery_);
  }
  ask_drops();
  delivery_.flush();
  socket_.close(ignored);
}

DatagramInput::~DatagramInput() { YUSHI_ASSERT(sockets_.empty(), "%s is destroyed before stop()", name_.c_str()); }

void DatagramInput::start(const SharedByInputs& context) {
  YUSHI_ASSERT(!fds_.empty() && fds_.size() <= context.threads.size(), "%s: %zu sockets for %zu threads", name_.c_str(),
               fds_.size(), context.threads.size());
  for (size_t i = 0; i < fds_.size(); ++i) sockets_.push_back(make_socket(context, static_cast<unsigned>(i)));
  started();
  for (size_t i = 0; i < fds_.size(); ++i) {
    sockets_[i]->delivery().set_input(name_);
    if (i == 0) sockets_[i]->delivery().note_later(Note::Kind::input_up, 0, {}, 1);
    boost::asio::post(sockets_[i]->io(),
                      [socket = sockets_[i], fd = std::move(fds_[i])]() mutable { socket->begin(std::move(fd)); });
  }
  fds_.clear();
}

void DatagramInput::stop() {
  fds_.clear();
  stopping();
  std::vector<std::promise<void>> drained(sockets_.size());
  for (size_t i = 0; i < sockets_.size(); ++i) {
    // The socket lives until its thread is done with it; handlers that were cancelled hold it too.
    boost::asio::post(sockets_[i]->io(), [socket = sockets_[i], i, &drained] {
      if (i == 0) socket->delivery().note_later(Note::Kind::input_down, 0, {}, 1);
      socket->drain();
      drained[i].set_value();
    });
  }
  for (auto& promise : drained) promise.get_future().wait();
  sockets_.clear();
  stopped();
}

}  // namespace yushi::ingest
