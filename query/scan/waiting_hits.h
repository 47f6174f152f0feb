// Hits of a scan that may not be given yet, since others may still be found that come before them (query/scan/scan.h).
//
// What a unit yields comes in its order, run by run. A run keeps its keys, and what was rendered as an LZ4 block:
// records of one kind differ little, so that five to ten times as many can wait. Runs are merged as they are taken, and
// only the front of those whose times overlap is unpacked.
//
// Threads  One at a time; pack() is nobody's, so that it is done without a lock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "query/scan/scan.h"

namespace yushi::query {

class WaitingHits {
  // Of a key in place, so that its log is not copied.
  using KeyView = std::tuple<int64_t, std::string_view, uint64_t>;

 public:
  class Run {
   public:
    size_t bytes() const;

   private:
    friend class WaitingHits;
    struct Key {
      int64_t event_ns;
      uint64_t index;
      uint32_t end;  // of what was rendered, in texts_
    };
    KeyView key(size_t place) const { return {keys_[place].event_ns, log_, keys_[place].index}; }
    void pack();
    void unpack();
    void cut(size_t end);  // of its keys those from there on, and their texts; one at least stays

    std::string log_;
    std::vector<Key> keys_;
    size_t next_ = 0;  // those before it were taken
    std::string texts_;
    size_t texts_bytes_ = 0;  // unpacked
    bool is_packed_ = false;
  };

  explicit WaitingHits(bool newest_first) : newest_first_(newest_first) {}

  // `hits`, one at least, are of one log and stand in the order of the scan.
  static Run pack(const std::vector<ScanHit>& hits);
  void add(Run&& run);

  size_t size() const { return size_; }
  size_t bytes() const { return bytes_; }
  // The next in order, which must be there.
  RecordKey front() const;
  ScanHit take();

  // How many come before `key`, and the key that so many come before: less than size().
  size_t count_before(const RecordKey& key) const;
  RecordKey key_at(size_t number) const;
  // Lets go of `key` and what comes behind it.
  void drop_from(const RecordKey& key);

 private:
  bool comes_before(const KeyView& a, const KeyView& b) const { return newest_first_ ? b < a : a < b; }
  // The heap's top is the run whose front comes first.
  auto later() const {
    return [this](const Run& a, const Run& b) { return comes_before(b.key(b.next_), a.key(a.next_)); };
  }
  // Where in the run what does not come before `key` begins.
  size_t place_of(const Run& run, const RecordKey& key) const;

  const bool newest_first_;
  std::vector<Run> runs_;  // a heap, by their fronts
  size_t size_ = 0, bytes_ = 0;
};

}  // namespace yushi::query
