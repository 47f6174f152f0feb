// What a detector found, before it is folded and becomes an Alert.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/event/alert.h"

namespace yushi::detect {

// Event times are kept within years 1843 to 2096, so that the difference of any two fits.
constexpr int64_t kTimeMaxNs = 4'000'000'000'000'000'000;
inline int64_t bounded_time(int64_t ns) { return std::clamp(ns, -kTimeMaxNs, kTimeMaxNs); }

// A detector that is code, not a rule file. Its digest is that of its name and version: raise the version whenever the
// same records could give another answer.
struct DetectorName {
  std::string_view id, title;
  int version;
  std::string_view tag;  // ATT&CK
};

struct Finding {
  const DetectorName* detector = nullptr;
  Severity severity = Severity::medium;
  uint32_t score = 50;
  std::string key;
  std::string reason;
  std::string baseline;
  bool learning = false;
  std::vector<uint64_t> records;  // indexes in the log, oldest first, the judged record last
};

// A login or an attempt to log in, as a record tells it. Views into the record.
struct LoginEvent {
  int64_t at_ns = 0;        // event time as the engine counts it
  bool of_receipt = false;  // which is the receipt's: the record has no time of its own
  uint64_t index = 0;
  std::string_view user;
  std::string_view source;  // source.ip as text; empty when the record has none
  std::string_view host;    // empty when the record has none
  std::string_view way;     // of the message: its pattern, to tell two lines of one attempt from two attempts
  uint64_t times = 1;       // a line may stand for several attempts: `message repeated 5 times: [ Failed password …]`
  std::string_view teller;  // event.dataset: sshd and auditd may tell of one login
};

}  // namespace yushi::detect
