// Who speaks for whom. The host.name of a header, or of a body that a parser reads where the header named none, is the
// sender's own word; we can only hold it against what its address has said before, and know by config which addresses
// (`relays`) may speak for other hosts.
//
// On the ingest threads: mark_relays() before a batch is understood, because the host of a second header counts only
// from a relay; judge() after it. What they find travels and is stored in RawMessage::marks, so that whoever reads the
// record again finds the same without the config.
//
// A sender's host is the first name that it says. Another one is marked (yushi.host.unconfirmed) until the first has
// not been heard for kRenamedAfter: then the machine has been renamed. The name may be cut at a dot ("web1", then
// "web1.example"); localhost and the sender's own address are names of nobody else, and say nothing. A sender for whom
// there is no room is unknown: all hosts that it names are marked.
//
// Any address is treated so, 127.0.0.1 and a unix socket too: what local programs say is said of this machine.
//
// Memory   Of a log at most `senders_max` senders, some 150 bytes each; those silent for kRenamedAfter make room.
// Threads  Any; one lock a run of records of one sender.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/mutex.h"
#include "core/record/batch.h"
#include "ingest/net/origin_map.h"
#include "storage/store/known_logs.h"

namespace yushi::daemon {

class SenderHosts {
 public:
  static constexpr int64_t kRenamedAfter = int64_t{24} * 3600 * 1'000'000'000;

  explicit SenderHosts(size_t senders_max) : senders_max_(senders_max) {}

  // `relays`: the networks that it maps to any number but 0.
  static void mark_relays(Batch& batch, const ingest::OriginMap& relays);
  void judge(Batch& batch);  // adds notes of what it marked
  uint64_t unconfirmed() const { return unconfirmed_.load(std::memory_order_relaxed); }

  // All that is known, when it changed since the last call; else empty. Logs go by name there. What is of a log that
  // `logs` does not have yet comes with the next call.
  std::string save(const storage::KnownLogs& logs);
  // As if each had been heard at `now_ns`: a restart must not make room for another name. False when the bytes are not
  // ours; then nothing is known.
  bool load(std::string_view bytes, const storage::KnownLogs& logs, int64_t now_ns);

 private:
  struct Sender {
    std::string host;
    int64_t heard_ns = 0;  // receipt of the last record with this host
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct Senders {
    std::unordered_map<std::string, Sender, Hash, std::equal_to<>> by_source;
    int64_t cleared_ns = 0;  // when room was made last
  };

  Sender* find(LogId log, std::string_view source, std::string_view host, int64_t now_ns) YUSHI_REQUIRES(mutex_);
  bool is_confirmed(Sender& sender, std::string_view host, int64_t now_ns) YUSHI_REQUIRES(mutex_);

  const size_t senders_max_;
  std::atomic<uint64_t> unconfirmed_{0};
  Mutex mutex_;
  std::unordered_map<LogId, Senders> logs_ YUSHI_GUARDED_BY(mutex_);
  bool changed_ YUSHI_GUARDED_BY(mutex_) = false;
};

}  // namespace yushi::daemon
