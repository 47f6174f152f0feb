// Is every stage alive? systemd's watchdog is fed only then, so that a hung committer is not hidden by a main thread
// that is well.
//
// A stage without work is well, and so is one that waits for the stage behind it: on a full disk the committer goes on
// looking at the disk while the ingest threads wait for it.
//
// Threads  One, the main thread; the pulses are others'.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "storage/store/pulse.h"

namespace yushi::daemon {

class Watchdog {
 public:
  // The pulse must outlive the watchdog.
  void watch(std::string stage, const storage::Pulse& pulse) {
    stages_.push_back({std::move(stage), &pulse, pulse.count() - 1});
  }

  // The stages that have stood still since the last call that found none, in words; empty: all are well.
  std::string stuck() {
    std::string out;
    for (auto& stage : stages_)
      if (!stage.pulse->rests() && stage.pulse->count() == stage.count) out += (out.empty() ? "" : ", ") + stage.name;
    if (!out.empty()) return out;
    for (auto& stage : stages_) stage.count = stage.pulse->count();
    return out;
  }

 private:
  struct Stage {
    std::string name;
    const storage::Pulse* pulse;
    uint64_t count;
  };
  std::vector<Stage> stages_;
};

}  // namespace yushi::daemon
