// What was made of kinds of messages: found once a kind, not once a record.
//
// Each is remembered by a copy, and held to the records of each batch again: at its address another one may be by now.
//
// Memory   kKindsMax; one that falls into the place of another takes it.
// Threads  One owner.
#pragma once

#include <array>
#include <cstdint>

#include "core/record/record.h"
#include "detect/behaviours/detectors.h"
#include "detect/event.h"

namespace yushi::detect {

class KnownKinds {
 public:
  static constexpr size_t kKindsMax = 256;

  struct Known {
    MessageKind message;
    EventKind kind;  // of the copy
    uint64_t wanted_by = 0;
    bool is_followed = false;  // by stories
  };

  explicit KnownKinds(const Detectors& detectors) : detectors_(detectors) {}

  // Kinds stay where they are until this is called again.
  void begin_batch() { is_known_.fill(nullptr); }
  // Lives until the next of(), or forget().
  const Known& of(const MessageKind& kind);
  // Other detectors may want other ones.
  void forget() { known_.fill({}); }

 private:
  const Detectors& detectors_;
  std::array<Known, kKindsMax> known_;
  std::array<const MessageKind*, kKindsMax> is_known_{};  // which have been held to the records of this batch
};

}  // namespace yushi::detect
