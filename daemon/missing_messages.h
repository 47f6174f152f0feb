// What the numbers of sources say is missing: told when nothing of it came after all, then once an hour.
//
// Memory   kSourcesMax sources with a gap.
// Threads  The committer's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/time_text.h"
#include "core/event/alert.h"
#include "storage/store/known_logs.h"
#include "storage/store/store.h"

namespace yushi::daemon {

class MissingMessages {
 public:
  static constexpr size_t kSourcesMax = 4096;
  static constexpr int64_t kSettleNs = 3 * kSecond;  // what only came late is no loss

  // Of records that are appended now.
  void hear(std::vector<storage::LossesMoved> moved, int64_t now_ns);
  // What is to be told now, each as an alert; of which log and source it is says its tenant and key.
  std::vector<Alert> due(const storage::KnownLogs& logs, int64_t now_ns);

 private:
  struct Missing {
    uint64_t told = 0, lost = 0;
    int64_t since_ns = 0, told_ns = 0, event_ns = 0;
    std::string host;  // of the last one
  };
  std::map<std::pair<LogId, std::string>, Missing> missing_;  // by source
};

}  // namespace yushi::daemon
