#include "ingest/net/stream_receiver.h"

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>

#include "core/base/clock.h"
#include "core/ledger/entry.h"

namespace yushi::ingest {
namespace {

constexpr size_t kReadBytes = 256 << 10;
constexpr size_t kHandOverBytes = kReadBytes / 2;  // a read this large gives its buffer away, a smaller one is copied
constexpr size_t kCopiedBytes = 4 << 10;           // unfinished bytes that are copied in front of the next read
constexpr size_t kOwnRoomBytes = 32 << 10;         // least room behind longer unfinished bytes

constexpr size_t kRepliesMax = 1 << 20;  // of a sender that does not read them

constexpr std::chrono::milliseconds kIdleWait{200};  // more than what stands between two packets of one write

std::unique_ptr<char[]> new_buffer(size_t bytes) {
  return std::unique_ptr<char[]>(new char[bytes + kRawPaddingBytes]);  // not zeroed
}

}  // namespace

namespace {

// Never twice in the life of the process: the parts of a message are told by it.
uint64_t next_stream() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace

struct StreamReceiver::Connection {
  Connection(StreamReceiver& r, int fd, std::unique_ptr<ByteStream> b, const SocketAddress& p, std::string n)
      : receiver(r.shared_from_this()), socket(r.io_, fd), bytes(std::move(b)), peer(p), name(std::move(n)) {}

  const std::shared_ptr<StreamReceiver> receiver;
  boost::asio::posix::stream_descriptor socket;
  const std::unique_ptr<ByteStream> bytes;
  std::unique_ptr<Protocol> protocol;
  std::string replies;           // not sent yet
  uint64_t asked = 0, told = 0;  // messages of which an ack is wanted; those of which it has come
  bool waits_to_write = false;
  std::shared_ptr<Accepted> accepted;
  const SocketAddress peer;
  const std::string name;  // that the sender has proved; empty: none
  std::string source, address;
  LogId log_id = 0;
  uint64_t routed = 0;             // by which version of the routing
  bool is_inside_message = false;  // parts of one are in its log, and more will come
  const uint64_t stream = next_stream();
  size_t position = 0;  // in connections_
  std::unique_ptr<char[]> unfinished;
  size_t unfinished_bytes = 0, unfinished_capacity = 0;
  uint64_t unreported_bytes = 0;
  uint32_t message_bytes = 256;  // average of late, to reserve records
  int64_t promised_bytes = 0;    // readable when stop() came
  int empty_reads = 0;
  std::chrono::steady_clock::time_point read_at;  // when it began to wait for the next byte
  bool is_waiting = false;                        // stands in waiting_
  bool closed = false;
};

struct StreamReceiver::Acks {
  Mutex mutex;
  std::vector<std::pair<std::weak_ptr<Connection>, uint64_t>> waiting YUSHI_GUARDED_BY(mutex);
};

StreamReceiver::StreamReceiver(std::shared_ptr<StreamShared> shared, unsigned ingest_thread)
    : shared_(std::move(shared)),
      io_(*shared_->context.threads[ingest_thread]),
      delivery_(ingest_thread, *shared_->context.sink, shared_->tally),
      timer_(io_),
      idle_timer_(io_),
      acks_(std::make_shared<Acks>()) {}

void StreamReceiver::begin() { tick(); }

void StreamReceiver::tick() {
  if (stopped_) return;
  if (delivery_.flush()) origin_ = nullptr;
  timer_.expires_after(std::chrono::seconds(1));
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->tick();
  });
}

void StreamReceiver::watch_idle(Connection& c) {
  if (stopped_ || !c.protocol->waits({c.unfinished.get(), c.unfinished_bytes})) return;
  c.read_at = std::chrono::steady_clock::now();
  if (c.is_waiting) return;
  c.is_waiting = true;
  waiting_.push_back(connections_[c.position]);
  if (waiting_.size() == 1) start_idle_timer();
}

void StreamReceiver::start_idle_timer() {
  idle_timer_.expires_after(kIdleWait);
  idle_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->give_idle();
  });
}

void StreamReceiver::give_idle() {
  if (stopped_) return;
  const auto now = std::chrono::steady_clock::now();
  std::vector<std::shared_ptr<Connection>> later;
  for (auto& connection : waiting_) {
    Connection& c = *connection;
    c.is_waiting = false;
    if (c.closed || !c.protocol->waits({c.unfinished.get(), c.unfinished_bytes})) continue;
    if (now - c.read_at < kIdleWait) {
      c.is_waiting = true;
      later.push_back(connection);
      continue;
    }
    const auto buffer_bytes = c.unfinished_capacity + kRawPaddingBytes;
    const std::string_view all(c.unfinished.get(), c.unfinished_bytes);
    std::unique_ptr<char[]> handed_over = std::move(c.unfinished);
    shared_->unfinished_bytes -= std::exchange(c.unfinished_capacity, 0);
    Origin* origin = prepare(c);
    FrameCounts counts;
    const size_t done = c.protocol->idle(all, origin, delivery_.batch().records, counts);
    keep(c, all.substr(done));
    delivery_.own(std::move(handed_over), buffer_bytes);
    send(c, counts, origin);
  }
  waiting_ = std::move(later);
  if (!waiting_.empty()) start_idle_timer();
}

void StreamReceiver::accept(OwnedFd socket, std::unique_ptr<ByteStream> bytes, const SocketAddress& peer,
                            std::string name, std::shared_ptr<Accepted> accepted) {
  auto connection = std::make_shared<Connection>(*this, socket.release(), std::move(bytes), peer, std::move(name));
  connection->address = peer.address_text();
  connection->source = encode_source(connection->name.empty() ? connection->address : connection->name);
  route(*connection);
  connection->protocol = shared_->settings.speak(connection->source);
  connection->accepted = std::move(accepted);
  connection->accepted->connection = connection;
  connection->position = connections_.size();
  connections_.push_back(connection);
  delivery_.note_later(Note::Kind::connection_opened, connection->log_id, connection->source, 1);
  if (!stopped_) wait(connection);
}

void StreamReceiver::displace(const Accepted& accepted) {
  auto connection = accepted.connection.lock();
  if (!connection || connection->closed || stopped_) return;
  Connection& c = *connection;
  c.promised_bytes = static_cast<int64_t>(c.bytes->readable());
  while (c.promised_bytes > 0) {
    const Outcome outcome = read_once(c);
    if (outcome == Outcome::empty || outcome == Outcome::ended) break;
  }
  delivery_.note(Note::Kind::connection_displaced, c.log_id, c.source, 1);
  close(c);
}

void StreamReceiver::wait(const std::shared_ptr<Connection>& connection) {
  if (connection->replies.size() >= kRepliesMax) return;  // answer() goes on with it
  connection->socket.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                [connection](const boost::system::error_code& error) {
                                  if (!error) connection->receiver->take_turn(connection);
                                });
}

void StreamReceiver::take_turn(const std::shared_ptr<Connection>& connection) {
  if (connection->closed || stopped_) return;
  switch (read_once(*connection)) {
    case Outcome::filled:
      // There is more, surely; but the others come first.
      boost::asio::post(io_, [connection] { connection->receiver->take_turn(connection); });
      return;
    case Outcome::some:
    case Outcome::empty:
      wait(connection);
      return;
    case Outcome::ended:
      close(*connection);
      return;
  }
}

StreamReceiver::Outcome StreamReceiver::read_once(Connection& c) {
  const bool own = c.unfinished_bytes > kCopiedBytes;
  size_t capacity = kReadBytes;
  if (own) {
    if (c.unfinished_capacity < c.unfinished_bytes + kOwnRoomBytes) {
      keep(c, {c.unfinished.get(), c.unfinished_bytes});
    }
    capacity = c.unfinished_capacity;
  } else if (!scratch_) {
    scratch_ = new_buffer(kReadBytes);
  }
  std::unique_ptr<char[]>& buffer = own ? c.unfinished : scratch_;
  const size_t room = capacity - c.unfinished_bytes;
  size_t got = 0;
  switch (c.bytes->read(buffer.get() + c.unfinished_bytes, room, &got)) {
    case ByteStream::Outcome::nothing:
      return Outcome::empty;
    case ByteStream::Outcome::ended:
      return Outcome::ended;
    case ByteStream::Outcome::some:
      break;
  }
  c.unreported_bytes += got;
  c.accepted->place->used(realtime_ns());
  c.promised_bytes -= static_cast<int64_t>(got);
  if (c.routed != shared_->context.routing->version() && !c.is_inside_message) [[unlikely]]
    reroute(c);
  const size_t bytes = c.unfinished_bytes + got;
  if (!own && c.unfinished_bytes) std::memcpy(buffer.get(), c.unfinished.get(), c.unfinished_bytes);
  if (own || bytes >= kHandOverBytes) {
    frame(c, buffer, bytes, capacity);
  } else {
    auto exact = new_buffer(bytes);
    std::memcpy(exact.get(), buffer.get(), bytes);
    frame(c, exact, bytes, bytes);
  }
  watch_idle(c);
  answer(c);
  if (c.protocol->is_done() && c.replies.empty()) return Outcome::ended;
  return got == room ? Outcome::filled : Outcome::some;
}

// `buffer` holds unfinished and new bytes. It is moved into the batch if there is any message, else left alone.
void StreamReceiver::frame(Connection& c, std::unique_ptr<char[]>& buffer, size_t bytes, size_t buffer_bytes) {
  Origin* origin = prepare(c);
  auto& records = delivery_.batch().records;
  records.reserve(bytes / c.message_bytes + bytes / c.message_bytes / 8 + 4);
  const std::string_view all(buffer.get(), bytes);
  FrameCounts counts;
  size_t done = c.protocol->feed(all, origin, records, counts);
  if (bytes - done > kCopiedBytes &&
      shared_->unfinished_bytes.load(std::memory_order_relaxed) >= shared_->settings.unfinished_bytes_max) {
    done += c.protocol->release(all.substr(done), origin, records, counts);
  }
  if (records.empty()) {
    const bool own = &buffer == &c.unfinished;
    if (own && done == 0) {
      c.unfinished_bytes = bytes;
    } else {
      keep(c, all.substr(done));
    }
    if (counts.empty_lines + counts.resyncs > 0) send(c, counts, origin);
    return;
  }
  c.message_bytes = static_cast<uint32_t>(std::clamp<size_t>(done / records.size(), 32, 1 << 20));
  std::unique_ptr<char[]> handed_over = std::move(buffer);
  if (&buffer == &c.unfinished) {
    shared_->unfinished_bytes -= c.unfinished_capacity;
    c.unfinished_capacity = 0;
  }
  keep(c, all.substr(done));
  delivery_.own(std::move(handed_over), buffer_bytes + kRawPaddingBytes);
  send(c, counts, origin);
}

// Makes `rest`, which may lie in the same buffer, the connection's unfinished bytes.
void StreamReceiver::keep(Connection& c, std::string_view rest) {
  const size_t wanted = rest.size() <= kCopiedBytes ? rest.size() : rest.size() + std::max(rest.size(), kOwnRoomBytes);
  const bool fits = c.unfinished && c.unfinished_capacity >= wanted && c.unfinished_capacity <= 2 * wanted;
  if (rest.empty()) {
    shared_->unfinished_bytes -= c.unfinished_capacity;
    c.unfinished.reset();
    c.unfinished_capacity = 0;
  } else if (fits) {
    std::memmove(c.unfinished.get(), rest.data(), rest.size());
  } else {
    auto moved = new_buffer(wanted);
    std::memcpy(moved.get(), rest.data(), rest.size());
    shared_->unfinished_bytes += wanted - c.unfinished_capacity;  // unsigned on purpose: it wraps both ways
    c.unfinished = std::move(moved);
    c.unfinished_capacity = wanted;
  }
  c.unfinished_bytes = rest.size();
}

void StreamReceiver::route(Connection& c) {
  const auto& routing = *shared_->context.routing;
  c.routed = routing.version();  // before it is asked
  c.log_id = routing.find(c.peer.address(), c.name);
}

// A reload gave its sender to another tenant: what it sends from now on is booked there.
void StreamReceiver::reroute(Connection& c) {
  const auto before = c.log_id;
  route(c);
  if (c.log_id == before) return;
  delivery_.note_later(Note::Kind::connection_closed, before, c.source, 1);
  delivery_.note_later(Note::Kind::connection_opened, c.log_id, c.source, 1);
}

// The origin for what comes now, in the batch in the making. A read that completes no message uses it again.
Origin* StreamReceiver::prepare(const Connection& c) {
  if (origin_ == nullptr) origin_ = delivery_.batch().arena.make(Origin{});
  origin_->received_ns = realtime_ns();
  origin_->source = c.source;
  origin_->address = c.address;
  origin_->transport = shared_->settings.transport;
  origin_->log_id = c.log_id;
  origin_->stream = c.stream;
  return origin_;
}

void StreamReceiver::send(Connection& c, const FrameCounts& counts, Origin* origin) {
  if (const auto& records = delivery_.batch().records; !records.empty())
    c.is_inside_message = records.back().part != records.back().part_of;
  Arena& arena = delivery_.batch().arena;
  origin->source = arena.copy(c.source);
  origin->address = c.address == c.source ? origin->source : arena.copy(c.address);
  delivery_.note(Note::Kind::bytes, c.log_id, c.source, c.unreported_bytes);
  delivery_.note(counts, c.log_id, c.source);
  c.unreported_bytes = 0;
  origin_ = nullptr;
  if (const auto given = c.protocol->given(); given > c.asked) {
    c.asked = given;
    // On the committer's thread.
    delivery_.batch().ack = [acks = acks_, &io = io_, self = shared_from_this(), given,
                             connection = std::weak_ptr(connections_[c.position])] {
      MutexLock lock(acks->mutex);
      acks->waiting.emplace_back(connection, given);
      if (acks->waiting.size() == 1) boost::asio::post(io, [self] { self->take_acks(); });
    };
  }
  delivery_.deliver();
}

void StreamReceiver::take_acks() {
  std::vector<std::pair<std::weak_ptr<Connection>, uint64_t>> told;
  {
    MutexLock lock(acks_->mutex);
    told.swap(acks_->waiting);
  }
  for (auto& [connection, count] : told) {
    auto open = connection.lock();
    if (!open || open->closed) continue;
    open->told = std::max(open->told, count);
    open->protocol->committed(count);
    answer(*open);
    if (open->protocol->is_done() && open->replies.empty() && !stopped_) close(*open);
  }
}

// Sends what the protocol has to say, as far as there is room for it.
void StreamReceiver::answer(Connection& c) {
  c.protocol->take_replies(c.replies);
  if (c.replies.empty() || c.waits_to_write) return;
  if (send_replies(c) || stopped_) return;
  c.waits_to_write = true;
  c.socket.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                      [connection = connections_[c.position]](const boost::system::error_code& error) {
                        if (error || connection->closed) return;
                        Connection& waiting = *connection;
                        waiting.waits_to_write = false;
                        const bool was_full = waiting.replies.size() >= kRepliesMax;
                        waiting.receiver->answer(waiting);
                        if (waiting.protocol->is_done() && waiting.replies.empty())
                          waiting.receiver->close(waiting);
                        else if (was_full && waiting.replies.size() < kRepliesMax)
                          waiting.receiver->wait(connection);
                      });
}

// Whether all of it is sent, or nobody is there to read it.
bool StreamReceiver::send_replies(Connection& c) {
  size_t sent = 0;
  while (sent < c.replies.size()) {
    size_t taken = 0;
    const auto outcome = c.bytes->write(std::string_view(c.replies).substr(sent), &taken);
    if (outcome == ByteStream::Outcome::ended) sent = c.replies.size();
    if (outcome != ByteStream::Outcome::some) break;
    sent += taken;
  }
  c.replies.erase(0, sent);
  return c.replies.empty();
}

void StreamReceiver::close(Connection& c) {
  Origin* origin = prepare(c);
  FrameCounts counts;
  c.protocol->finish({c.unfinished.get(), c.unfinished_bytes}, origin, delivery_.batch().records, counts);
  shared_->unfinished_bytes -= c.unfinished_capacity;
  if (c.unfinished) delivery_.own(std::move(c.unfinished), c.unfinished_capacity + kRawPaddingBytes);
  c.unfinished_bytes = c.unfinished_capacity = 0;
  c.closed = true;
  boost::system::error_code ignored;
  c.socket.close(ignored);
  shared_->context.connections->leave(*c.accepted->place);
  delivery_.note(Note::Kind::connection_closed, c.log_id, c.source, 1);
  send(c, counts, origin);
  // Last: this may be the last owner of `c`, which a caller by reference must not use again.
  const size_t position = c.position;
  if (position + 1 != connections_.size()) {
    connections_.back()->position = position;
    std::swap(connections_[position], connections_.back());
  }
  connections_.pop_back();
}

void StreamReceiver::drain() {
  stopped_ = true;
  timer_.cancel();
  idle_timer_.cancel();
  waiting_.clear();
  for (auto& connection : connections_) {
    Connection& c = *connection;
    boost::system::error_code ignored;
    c.socket.cancel(ignored);
    c.promised_bytes = static_cast<int64_t>(c.bytes->readable());
    // Who is to be told what is safe is told first.
    if (c.protocol->given() == 0) c.bytes->shut();
  }
  const auto began = std::chrono::steady_clock::now();
  const auto sink_before = delivery_.time_in_sink();
  while (!connections_.empty()) {
    take_acks();
    const auto now = std::chrono::steady_clock::now();
    const bool late = now - began - (delivery_.time_in_sink() - sink_before) > kStopReadingAfter;
    bool any = false;
    for (size_t i = connections_.size(); i-- > 0;) {
      Connection& c = *connections_[i];
      const Outcome outcome = read_once(c);
      if (outcome == Outcome::empty) {
        c.promised_bytes = 0;
        ++c.empty_reads;
      } else if (outcome != Outcome::ended) {
        any = true;
      }
      const bool has_given_all = outcome == Outcome::ended || c.empty_reads >= 2 || (late && c.promised_bytes <= 0);
      const bool waits_for_ack = c.told < c.asked && outcome != Outcome::ended && now - began < kStopWaitingForAck;
      if (!has_given_all || waits_for_ack) continue;
      c.protocol->close();
      answer(c);
      close(c);
    }
    if (!any && !connections_.empty()) std::this_thread::sleep_for(kStopPause);
  }
  if (delivery_.flush()) origin_ = nullptr;
}

}  // namespace yushi::ingest
