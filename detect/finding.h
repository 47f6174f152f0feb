// What a detector found, before it is folded and becomes an Alert.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/time_text.h"
#include "core/event/alert.h"

namespace yushi::detect {

// What a detector finds, as a rule of its own: alerts carry it. Its digest is that of its name and version: raise the
// version whenever the same records could give another answer.
struct FindingKind {
  std::string_view id, title;
  int version;
  std::string_view tag;  // ATT&CK's technique
  // What the tests demand of each: its title in Chinese, and the tactic that its technique is a step of.
  std::string_view title_zh = {}, tactic = {};
};

// The ids of all findings of the detectors, by which exceptions name them.
std::span<const std::string_view> finding_names();

struct Finding {
  const FindingKind* kind = nullptr;
  Severity severity = Severity::medium;
  uint32_t score = 50;
  std::string key;
  int64_t fold_ns = kHour;  // repetitions of the key within it are one alert
  std::string reason;
  std::string baseline;
  bool learning = false;
  std::vector<uint64_t> records;  // indexes in the log, oldest first, the judged record last
  std::string log;                // of what a tick found; else the record's
  std::string reason_zh;          // the reason in Chinese
  // Whom it is about, where that is not what the judged record says: ECS fields of the alert.
  std::vector<std::pair<std::string, std::string>> fields;
  int64_t at_ns = 0;  // of what a tick found: when it happened, in event time; 0: then
};

}  // namespace yushi::detect
