#include "serve/api.h"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "serve/asking.h"
#include "serve/peer.h"

namespace yushi::serve {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{100};  // between two looks at what takes too long, and at what a follower waits for
constexpr milliseconds kTickAtStop{10};
constexpr milliseconds kTrimEvery{2'000};
constexpr milliseconds kStopWait{5'000};  // for all last lines at the stop
constexpr unsigned kWaitingMax = 128;     // questions that wait for their turn

// Collecting goes first: beside a busy thread what works for a question has a tenth of its core. Not SCHED_IDLE, which
// has a three hundredth: whatever else fills the machine would keep the auditor waiting for minutes. Of Linux, nice is
// a thread's; threads made later inherit it.
void lower_priority() { (void)::setpriority(PRIO_PROCESS, 0, 10); }

}  // namespace

Api::Api(std::vector<Listener> listeners, Sources sources, Limits limits, std::vector<std::string> may_see_secrets)
    : sources_(std::move(sources)),
      limits_(limits),
      may_see_secrets_(std::move(may_see_secrets)),
      pool_(limits.query_bytes, std::clamp(std::thread::hardware_concurrency(), 1u, 4u)),
      queue_({query::QueryPool::kQuestionsMax, kWaitingMax}),
      io_(1),
      timer_(io_),
      content_(lower_priority) {
  for (auto& listener : listeners) {
    const int fd = listener.fd;
    doors_.push_back({std::move(listener), boost::asio::posix::stream_descriptor(io_, fd)});
  }
}

Api::~Api() { stop(); }

void Api::start() {
  thread_ = std::thread([this] { run(); });
}

void Api::run() {
  tick();
  while (true) {
    try {
      io_.run();
      return;
    } catch (const std::exception&) {
      // No memory for one of them: tick() ends its wait.
    }
  }
}

void Api::tick() {
  const auto now = Clock::now();
  timer_.expires_after(stopping_ ? kTickAtStop : kTick);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();  // else another is set
  });
  if (stopping_) {
    if (stop_until_ == Clock::time_point()) stop_until_ = now + kStopWait;
    for (auto& door : doors_) {
      if (door.socket.is_open()) door.socket.release();
      door.listener.owner.reset();
    }
  }
  queue_.tick();
  for (auto each = peers_.begin(); each != peers_.end();) {
    Peer& peer = **each;
    if (stopping_ && peer.asking) peer.asking->budget.end("the daemon is stopping");
    if (stopping_ && (now > stop_until_ || peer.http->silent_since())) peer.http->close();
    peer.tick(*this, now);
    each = peer.is_over() ? peers_.erase(each) : std::next(each);
  }
  if (stopping_ && peers_.empty()) io_.stop();
  for (auto& door : doors_) wait_at(door);
  // Decoded blocks leave holes in the heap which ingest does not fill: they are given back when the last question has
  // gone.
  const auto counts = queue_.counts();
  asked_ = asked_ || counts.running > 0;
  if (asked_ && counts.running + counts.waiting == 0 && now - trimmed_ > kTrimEvery) {
    ::malloc_trim(0);
    asked_ = false;
    trimmed_ = now;
  }
}

void Api::wait_at(Door& door) {
  if (stopping_ || std::exchange(door.is_waiting, true)) return;
  door.socket.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [this, &door](const boost::system::error_code& error) {
                           door.is_waiting = false;
                           if (!error && !stopping_) accept(door);
                         });
}

void Api::accept(Door& door) {
  const int socket = ::accept4(door.listener.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  // No descriptor to be had: the asker waits until tick(), and asking again at once would only burn the CPU.
  if (socket < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) return;
  if (socket >= 0) {
    size_t open = 0, refused = 0;
    Peer *silent = nullptr, *first_refused = nullptr;
    for (auto& peer : peers_) {
      if (peer->listener != &door.listener || peer->http->is_closed()) continue;
      if (peer->http->is_refused()) {
        if (++refused == 1) first_refused = peer.get();
        continue;
      }
      ++open;
      const auto since = peer->http->silent_since();
      if (since && (!silent || *since < *silent->http->silent_since())) silent = peer.get();
    }
    std::shared_ptr<Peer> peer;
    try {
      peer = std::make_shared<Peer>(*this, door.listener, socket, door.listener.accept(socket));
      peers_.push_back(peer);
    } catch (const std::exception&) {  // no memory for this one
      if (!peer) ::close(socket);
      return;
    }
    // They are few too, so that they take no descriptors from the store: one has had its time to read the refusal.
    if (refused >= door.listener.connections_max) first_refused->http->close();
    const bool is_full = open >= door.listener.connections_max;
    if (is_full && silent) {
      silent->http->refuse(503,
                           "too many connections are open here, and this one has been silent for longest; ask again");
    }
    if (is_full && !silent) {
      peer->http->refuse(503, "too many connections are open here; ask again later");
    } else {
      peer->http->begin(
          [this, peer = peer.get()](HttpRequest request) {
            try {
              peer->take(*this, std::move(request));
            } catch (const std::exception&) {
              peer->http->close();
            }
          },
          [this, peer = peer.get()] {
            if (!peer->asking) peer->flush_told(*this);
          });
    }
  }
  wait_at(door);
}

void Api::stop() {
  stopping_ = true;
  if (thread_.joinable()) {
    boost::asio::post(io_, [this] { tick(); });
    thread_.join();
  }
  for (auto& door : doors_)
    if (door.socket.is_open()) door.socket.release();
  doors_.clear();
  little_.stop();
  content_.stop();
}

}  // namespace yushi::serve
