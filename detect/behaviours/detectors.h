// The detectors: what remembers events and says what is odd about one. A new one is a file and a line in the table.
// Silence (silence.h) alone stands beside it: it hears of every record, also of those without a kind of event.
//
// The engine shows a detector the events that it wants, in commit order, and a tick a second; what it finds becomes
// alerts (detect/alerts/folds.h). Rules are no detectors: what they match stands in their files.
//
// Invariants  Two inputs only, events and ticks, and no clock: the same commits give the same findings. Integers only.
//             State is kept for each log by itself, since a replay shows one log after the other within a commit.
// Memory      Each bounds its own for each log, and shows it, so that all together are bounded (detect/memory/room.h).
// Threads     The table is filled before main(). A detector belongs to its engine.
// Errors      None: what a record lacks makes no event of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/time_text.h"
#include "detect/engine.h"
#include "detect/event.h"
#include "detect/finding.h"
#include "detect/memory/profiles.h"
#include "detect/memory/room.h"

namespace yushi::detect {

struct Tick {
  uint64_t commit = 0;      // that it is in
  int64_t received_ns = 0;  // receipt time
};

class Detector {
 public:
  virtual ~Detector() = default;
  // Asked once a kind and batch: only events of such a kind are shown.
  virtual bool wants(const EventKind& kind) const = 0;
  virtual void observe(const Event& event, std::vector<Finding>& findings) = 0;
  // A finding names its log and the records that show it.
  virtual void tick(const Tick&, std::vector<Finding>&) {}

  // Appends the maps in which it remembers something, but for profiles of accounts.
  virtual void hold(Holdings&) {}
  virtual void save(std::string& out) const = 0;
  // Into a new one; false: it is none of ours, and what was read is thrown away.
  virtual bool load(Reader& in) = 0;
};

class Detectors;
class Silence;

// What the engine lends its detectors for as long as they live.
struct Surroundings {
  const DetectOptions& options;
  const Detectors& detectors;
  const Silence& silence;  // when hosts spoke last
  Profiles& profiles;      // what they remember of accounts
};

struct DetectorRow {
  std::string_view id;
  std::string_view title;
  uint32_t version;  // of its state: raise it whenever save() writes what an older load() would not understand
  std::unique_ptr<Detector> (*make)(const Surroundings&);
};

// In the order in which an event is shown to them and their findings are told.
std::vector<DetectorRow>& detector_table();

// A line of the table that stands elsewhere: a global of a program with detectors of its own.
struct AddDetector {
  explicit AddDetector(const DetectorRow& row) { detector_table().push_back(row); }
};

// Those of one engine.
class Detectors {
 public:
  static constexpr size_t kDetectorsMax = 64;  // bits of a mask

  Detectors(const DetectOptions& options, const Silence& silence, Profiles& profiles);
  Detectors(const Detectors&) = delete;
  Detectors& operator=(const Detectors&) = delete;

  uint64_t wanted_by(const EventKind& kind) const;  // a bit for each detector, in the table's order
  void observe(const Event& event, uint64_t wanted_by, std::vector<Finding>& findings);
  void tick(const Tick& tick, std::vector<Finding>& findings);
  void hold(Holdings& out);

  // The one of this class, for a detector that asks what another has learned; nullptr when it is not in the table.
  template <class Wanted>
  const Wanted* find() const {
    static const size_t number = number_of(typeid(Wanted));  // the table is that of the program
    return number < size() ? static_cast<const Wanted*>(running_[number].detector.get()) : nullptr;
  }

  size_t size() const { return running_.size(); }
  const DetectorRow& row(size_t i) const { return running_[i].row; }
  const Detector& operator[](size_t i) const { return *running_[i].detector; }
  std::optional<size_t> number_of(std::string_view id) const;
  size_t number_of(const std::type_info& its_class) const;  // size(): there is none

  // One of each as the table makes it, without a memory, to load into; and what takes their places.
  std::vector<std::unique_ptr<Detector>> make_all() const;
  void replace(std::vector<std::unique_ptr<Detector>> all);

 private:
  struct Running {
    DetectorRow row;
    std::unique_ptr<Detector> detector;
  };
  const Surroundings surroundings_;
  std::vector<Running> running_;
};

}  // namespace yushi::detect
