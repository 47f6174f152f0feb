#include "serve/api.h"

#include <malloc.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "serve/peer.h"

namespace yushi::serve {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kWatch{100};  // between two looks at those who ask
constexpr milliseconds kPauseWithoutDescriptors{100};
constexpr milliseconds kTrimEvery{2'000};
constexpr milliseconds kStopWait{5'000};  // for all last lines at the stop
constexpr unsigned kWaitingMax = 128;     // questions that wait for their turn
constexpr size_t kLocalConnectionsMax = 256, kTcpConnectionsMax = 64;

const HttpReply& too_many_connections() {
  static const HttpReply reply = error_reply(503, "exhausted", "too many connections are open here; ask again later");
  return reply;
}

}  // namespace

Api::Api(std::vector<Listener> listeners, Sources sources, Limits limits, std::vector<std::string> may_see_secrets)
    : sources_(std::move(sources)),
      limits_(limits),
      may_see_secrets_(std::move(may_see_secrets)),
      pool_(limits.query_bytes, std::clamp(std::thread::hardware_concurrency(), 1u, 4u)),
      queue_({query::QueryPool::kQuestionsMax, kWaitingMax}),
      listeners_(std::move(listeners)) {}

Api::~Api() { stop(); }

void Api::start() {
  thread_ = std::thread([this] { run(); });
}

void Api::run() {
  // Decoded blocks leave holes in the heap which ingest does not fill: they are given back when the last question has
  // gone.
  bool asked = false;
  auto trimmed = Clock::now();
  while (!stopping_) {
    std::vector<pollfd> waiting;
    for (auto& listener : listeners_) waiting.push_back({listener.fd, POLLIN, 0});
    {
      MutexLock lock(mutex_);
      for (auto& peer : peers_) {
        const query::Budget* asking = peer->seen(*this).asking;
        if (asking && !asking->over()) waiting.push_back({peer->fd, 0, 0});  // tells when it hangs up
      }
    }
    ::poll(waiting.data(), waiting.size(), static_cast<int>(kWatch.count()));
    reap();
    watch();
    const auto counts = queue_.counts();
    asked = asked || counts.running > 0;
    if (asked && counts.running + counts.waiting == 0 && Clock::now() - trimmed > kTrimEvery) {
      ::malloc_trim(0);
      asked = false;
      trimmed = Clock::now();
    }
    for (size_t i = 0; i < listeners_.size(); ++i)
      if (waiting[i].revents) accept(listeners_[i]);
  }
}

// Questions whose asker has gone, or whose time is over, end. A peer that only ended its own writing still reads.
void Api::watch() {
  MutexLock lock(mutex_);
  for (auto& peer : peers_) {
    const Peer::Seen& seen = peer->seen(*this);
    if (!seen.asking || seen.asking->over()) continue;
    pollfd hung_up{peer->fd, 0, 0};
    if (::poll(&hung_up, 1, 0) > 0) seen.asking->end("the asker went away");
    if (seen.deadline && Clock::now() > *seen.deadline) {
      seen.asking->end("it took longer than limits.query_seconds allows, which is " +
                       std::to_string(limits_.query_time.count()) + " s");
    }
  }
}

void Api::accept(const Listener& listener) {
  int fd = ::accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) {  // no descriptor to be had: the asker waits, and asking again at once would only burn the CPU
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) std::this_thread::sleep_for(kPauseWithoutDescriptors);
    return;
  }
  std::unique_ptr<Peer> refused;
  try {
    refused = std::make_unique<Peer>(fd, listener.is_local);
  } catch (const std::bad_alloc&) {
    ::close(fd);
    return;
  }
  MutexLock lock(mutex_);
  size_t open = 0;
  Peer* silent = nullptr;
  for (auto& peer : peers_) {
    const Peer::Seen& seen = peer->seen(*this);
    if (peer->is_local != listener.is_local || peer->done || seen.is_let_go) continue;
    ++open;
    if (seen.is_silent && (!silent || seen.since < silent->seen(*this).since)) silent = peer.get();
  }
  const bool full = open >= (listener.is_local ? kLocalConnectionsMax : kTcpConnectionsMax);
  if (full && silent) {
    silent->seen(*this).is_let_go = true;
    silent->http.let_go("too many connections are open here, and this one has been silent for longest; ask again");
  }
  if (!full || silent) {
    try {
      auto& peer = peers_.emplace_back();  // before the thread, which nothing may leave behind
      try {
        refused->thread = std::thread([this, &accepted = *refused] {
          try {
            accepted.serve(*this);
          } catch (const std::exception&) {
            // No memory for this one.
          }
          try {
            accepted.flush_told(*this);
          } catch (const std::exception&) {
          }
          ::shutdown(accepted.fd, SHUT_RDWR);
          accepted.done = true;
        });
        peer = std::move(refused);
        return;
      } catch (const std::system_error&) {  // no thread to be had: this asker goes, collecting goes on
        peers_.pop_back();
      }
    } catch (const std::bad_alloc&) {
    }
  }
  refused->http.reply({}, too_many_connections());
}

void Api::reap() {
  std::list<std::unique_ptr<Peer>> over;
  {
    MutexLock lock(mutex_);
    for (auto peer = peers_.begin(); peer != peers_.end();) {
      auto next = std::next(peer);
      if ((*peer)->done) over.splice(over.end(), peers_, peer);
      peer = next;
    }
  }
  for (auto& peer : over) peer->thread.join();
}

void Api::stop() {
  if (listeners_.empty()) return;
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  listeners_.clear();
  const auto until = Clock::now() + kStopWait;
  for (bool left = true; left;) {
    reap();
    {
      MutexLock lock(mutex_);
      left = !peers_.empty();
      for (auto& peer : peers_) {
        if (auto* asking = peer->seen(*this).asking) asking->end("the daemon is stopping");
        ::shutdown(peer->fd, Clock::now() < until ? SHUT_RD : SHUT_RDWR);
      }
    }
    if (left) std::this_thread::sleep_for(milliseconds(10));
  }
}

}  // namespace yushi::serve
