// Gaps in the numbers that a teller gives its events, as the audit system of a host and each log of Windows do: what
// lies between was thrown away, or taken out on its way here.
//
// Not each number comes, since not each event is sent. So a step is a gap when it is kTimes the largest of the last
// kDays days, after kKnownMin steps, or after kWholeMin where none was missing; numbers that go back begin anew.
//
// Invariants  Integers only, event time, in commit order, no clock.
// Memory      Per log kTellersMax hosts and tellers, 100 bytes each; the one not heard of for longest goes.
// Threads     One owner.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "detect/behaviours/detectors.h"
#include "detect/memory/state.h"

namespace yushi::detect {

class Serials final : public Detector {
 public:
  explicit Serials(const Surroundings&) {}

  static constexpr int kDays = 14;
  static constexpr uint32_t kKnownMin = 200, kWholeMin = 60, kTimes = 3, kMissingMin = 5;
  static constexpr uint64_t kStepMax = 1'000'000;  // more is another count
  static constexpr size_t kTellersMax = 16'384;

  bool wants(const EventKind& kind) const override { return kind.serial != nullptr; }
  void observe(const Event& event, std::vector<Finding>& findings) override;

  void hold(Holdings& out) override {
    for (auto& [log, map] : by_log_) out.push_back({log, Kept::hosts, &map});
  }
  void save(std::string& out) const override;
  bool load(Reader& in) override;

 private:
  struct Teller {
    uint64_t last = 0, last_index = 0;
    int64_t last_ns = 0;  // event time of that number
    uint32_t known = 0;   // steps
    int64_t day = 0;
    std::array<uint32_t, kDays> largest{};  // step of each day, by the day's number
  };
  ByLog<LruMap<Teller>> by_log_;
};

}  // namespace yushi::detect
