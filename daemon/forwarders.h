// The forwarders that run: started, changed by a reload, told of commits.
//
// Threads  start(), change() and stop() belong to one thread; the rest may be called by any.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/mutex.h"
#include "daemon/pipeline.h"
#include "forward/forwarder.h"
#include "storage/store/store.h"

namespace yushi::daemon {

class Forwarders {
 public:
  Forwarders(storage::Store& store, Pipeline& pipeline) : store_(store), pipeline_(pipeline) {}
  ~Forwarders() { stop(); }

  Result<void> start(const forward::ForwarderConfigs& wanted);
  // Those that stand there as they did are left alone. What was done, in words; empty: nothing.
  std::string change(const forward::ForwarderConfigs& wanted);
  void wake();  // something was committed
  void stop();

  struct Running {
    unsigned number;  // in metrics: the least that no other one has
    std::shared_ptr<forward::Forwarder> forwarder;
  };
  std::vector<Running> running() const;

 private:
  struct Known {
    std::shared_ptr<const forward::ForwarderConfig> config;
    Running running;
  };
  Result<void> start_one(const std::shared_ptr<const forward::ForwarderConfig>& config);

  storage::Store& store_;
  Pipeline& pipeline_;
  mutable Mutex mutex_;
  std::vector<Known> known_ YUSHI_GUARDED_BY(mutex_);
};

}  // namespace yushi::daemon
