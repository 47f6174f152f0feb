// Tails the store into a sink: one loop for all kinds of sinks.
//
// The sink may be away for a week: the forwarder waits with bounded memory, the store is the queue. When a sink fails,
// it begins anew, and the loop goes on at the cursor. Whether a record may then come twice (its `id` tells) is the
// sink's to say (sink.h); that one never comes is nobody's.
//
// Checkpoints  The newest of each log goes out when it was signed, and again after a start: whoever reads them can hold
//              the store to them. They have no cursor, and what was replaced by a newer one is not sent.
//
// Memory   At most kInFlightBytesMax of messages, what a client keeps around them included.
// Threads  start() makes one; all else is called from outside. wake() may be called by any thread, also often.
// Errors   Counted, told by state() and retried. An outage that lasts is told once by on_away, and its end by on_back.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/filter/secret_mask.h"
#include "forward/sinks.h"
#include "forward/source.h"

namespace yushi::forward {

// What a forwarder asks and tells its daemon.
struct ForwarderCalls {
  // By what secrets are hidden in records and alerts, asked anew for each batch: a reload changes it.
  std::function<std::shared_ptr<const SecretRules>()> secrets;
  // On the forwarder's thread; must not wait.
  std::function<void(const std::string& why)> on_away;  // the last error; may be empty
  std::function<void(int64_t since_ns)> on_back;        // when the outage had begun
};

// Read by any thread at any time.
struct ForwardMetrics {
  std::atomic<uint64_t> sent{0};       // handed to the sink; a record sent again counts again
  std::atomic<uint64_t> delivered{0};  // acknowledged by it
  std::atomic<uint64_t> truncated{0};  // too large for it
  std::atomic<uint64_t> alerts_delivered{0};
  std::atomic<uint64_t> errors{0};  // of the sink, or reading the store
  std::atomic<uint64_t> done{0};    // records of all logs up to the first that is neither delivered nor left out
  std::atomic<uint64_t> in_flight_bytes{0};
  std::atomic<uint64_t> up{0};  // 1 while the sink is answered
};

struct ForwardState {
  int64_t away_since_ns = 0;  // 0: somebody answers, or was not given up yet
  std::string last_error;     // empty: none since the last outage
  int64_t last_error_ns = 0;
};

class Forwarder {
 public:
  Forwarder(std::shared_ptr<const ForwarderConfig> config, std::unique_ptr<Sink> sink,
            std::unique_ptr<RecordSource> source, ForwarderCalls calls);
  ~Forwarder();  // stops

  void start();
  // Gives what is on its way `seconds_max` to be acknowledged, saves the cursor, ends the thread.
  void stop(double seconds_max = 2);
  void wake();  // something was committed

  const ForwardMetrics& metrics() const;
  ForwardState state() const;
  // Records committed and not yet delivered; of a route, alerts that wait in it.
  uint64_t lag() const;
  std::string name() const;  // as its config has it
  bool is_route() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace yushi::forward
