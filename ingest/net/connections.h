// Who may hold a connection: limits.connections of all TCP inputs together, limits.connections_per_source of one
// address.
//
// When all places are taken, one of the address that holds most goes to a newcomer that holds fewer by two or more: the
// connection from which nothing came for longest. So one address with ever so many connections shuts nobody out, and
// where everybody holds about as many, whoever comes later is refused. The addresses of an IPv6 /64 count as one: a
// single host has all of them.
//
// Threads  admit() and displace_one() on one thread at a time; the rest by any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/base/mutex.h"
#include "ingest/net/origin_map.h"

namespace yushi::ingest {

class Connections {
 public:
  // A connection's place, from admit() to leave().
  class Place {
   public:
    // Something came. Cheap: called for each read.
    void used(int64_t now_ns) { used_ns_.store(now_ns, std::memory_order_relaxed); }

   private:
    friend class Connections;
    Address holder_{};  // set by admit()
    std::atomic<int64_t> used_ns_{0};
  };

  explicit Connections(size_t connections_max = 10'000, size_t per_source_max = 1000)
      : connections_max_(connections_max), per_source_max_(per_source_max) {}

  // nullptr: refused. `displace` is called when the place is given to another, at most once and from the thread of a
  // later call: the connection has to be closed soon, and leave() called as always.
  std::shared_ptr<Place> admit(const Address& from, int64_t now_ns, std::function<void()> displace);
  // For want of descriptors: takes a place from the address that holds most, if that has several.
  bool displace_one();
  void leave(const Place& place);

  size_t open() const;  // those that are being closed too

 private:
  // A connection that was displaced is closed on its own thread, which may be waiting for the committer meanwhile.
  static constexpr size_t kClosingMax = 128;

  struct Held {
    std::shared_ptr<Place> place;
    std::function<void()> displace;
  };

  static Address holder_of(const Address& address);
  bool displace_one_of_more_than(size_t held, std::function<void()>* displace) YUSHI_REQUIRES(mutex_);
  std::optional<Held> take(const Place& place) YUSHI_REQUIRES(mutex_);

  const size_t connections_max_, per_source_max_;
  mutable Mutex mutex_;
  std::map<Address, std::vector<Held>> by_holder_ YUSHI_GUARDED_BY(mutex_);
  std::set<std::pair<size_t, Address>> by_count_ YUSHI_GUARDED_BY(mutex_);  // how many each holds
  size_t open_ YUSHI_GUARDED_BY(mutex_) = 0;
  size_t closing_ YUSHI_GUARDED_BY(mutex_) = 0;  // displaced, and not left yet
};

}  // namespace yushi::ingest
