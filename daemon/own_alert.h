// What the daemon itself has to say of what it keeps or cannot do, as an alert.
//
// Threads  Pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "core/event/alert.h"
#include "detect/finding.h"

namespace yushi::daemon {

// A clock that was set back must not silence what is due until it has caught up.
inline bool is_due(int64_t last_ns, int64_t now_ns, int64_t interval_ns) {
  return now_ns < last_ns || now_ns - last_ns >= interval_ns;
}
constexpr int64_t kAlertIntervalNs = kHour;  // of one thing that comes and goes

// Where only English is at hand, the alert has its rule's title in Chinese before it.
struct OwnWords {
  std::string en, zh = {};
};

// The records that show it are put in when it is committed.
Alert own_alert(const detect::FindingKind& kind, Severity severity, uint32_t score, OwnWords words, int64_t now_ns);

}  // namespace yushi::daemon
