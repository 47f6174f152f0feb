// The kinds of message of one pattern: one for each combination of its tables' outcomes, its variants, and capped or
// not.
//
// A combination is a number. Its MessageKind is made when the first such message comes and is kept as long as the set,
// since records point to it. 147 protocols on 300 patterns are 44,100 combinations, of which a site sees some hundred.
//
// Invariants  The same combination gives the same kind in each process, and the same pointer within one.
// Threads     get() may be called by any: a kind is published by one compare-and-swap, and reading it takes no lock.
// Cost        Two loads when the kind is there.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "core/base/mutex.h"
#include "core/record/record.h"

namespace yushi::parsers {

class PatternKinds {
 public:
  explicit PatternKinds(uint32_t combinations)
      : pages_(new std::atomic<Page*>[pages_of(combinations)]()), combinations_(combinations) {}
  ~PatternKinds();
  PatternKinds(const PatternKinds&) = delete;
  PatternKinds& operator=(const PatternKinds&) = delete;

  // `make(combination)` gives the MessageKind of one that nobody has asked for yet; of two threads' one is thrown away.
  template <class Make>
  const MessageKind* get(uint32_t combination, Make&& make) const {
    if (auto* page = pages_[combination / kPageKinds].load(std::memory_order_acquire))
      if (auto* kind = (*page)[combination % kPageKinds].load(std::memory_order_acquire)) return kind;
    return publish(combination, std::make_unique<const MessageKind>(make(combination)));
  }
  bool has(const MessageKind* kind) const;

 private:
  static constexpr uint32_t kPageKinds = 64;
  using Page = std::array<std::atomic<const MessageKind*>, kPageKinds>;
  static uint32_t pages_of(uint32_t combinations) { return (combinations + kPageKinds - 1) / kPageKinds; }
  const MessageKind* publish(uint32_t combination, std::unique_ptr<const MessageKind> kind) const;

  std::unique_ptr<std::atomic<Page*>[]> pages_;
  uint32_t combinations_;
};

// The kinds of message of a pattern with `message_of:`: its own and the inner message's as one. Kept as long as the
// set.
//
// Threads  Any; whoever asks keeps the answer.
class InnerKinds {
 public:
  const MessageKind* get(const MessageKind& outer, const MessageKind& inner);
  // Whether it is one of these, of an inner message that this parser knew. Also of a kind that was read from the store.
  static bool carries(const MessageKind& kind, std::string_view parser);

 private:
  static constexpr size_t kKindsMax = 65'536;
  Mutex mutex_;
  std::map<std::pair<const MessageKind*, const MessageKind*>, std::unique_ptr<const MessageKind>> kinds_
      YUSHI_GUARDED_BY(mutex_);
};

}  // namespace yushi::parsers
