// The units of some groups in the order in which a scan comes to them: by their nearest end, clipped to the time that
// is asked. A group is opened when it comes first, so that whoever has enough never looks at the others.
//
// Memory   Opened groups, each until the last of its units is let go; some 600 bytes a unit.
// Threads  One at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "query/scan/scan.h"

namespace yushi::query {

class UnitQueue {
 public:
  struct Entry {
    int64_t near_ns, far_ns;  // all that is asked of it lies between
    size_t group;
    size_t number = 0;                                   // of the unit in its group
    std::shared_ptr<const std::vector<ScanUnit>> units;  // none: the group as a whole, not opened yet
    bool is_group() const { return !units; }
    const ScanUnit& unit() const { return (*units)[number]; }
  };

  // The groups must live as long as it; times are both inclusive.
  UnitQueue(const std::vector<UnitGroup>& groups, int64_t from_ns, int64_t to_ns, bool newest_first)
      : groups_(groups), from_ns_(from_ns), to_ns_(to_ns), newest_first_(newest_first) {}

  // From the beginning, without what ends before `begin_ns`.
  void begin(std::optional<int64_t> begin_ns = {});
  bool empty() const { return heap_.empty(); }
  const Entry& front() const { return heap_.front(); }
  Entry take();
  // Of the group that comes first its units take the place. With an error it is taken out.
  Result<void> open_front();
  // Units of the groups that are left, and of those that are open.
  uint64_t units_at_most() const;

 private:
  void add(Entry entry, const std::vector<storage::TimeRange>& times);
  bool comes_before(int64_t a, int64_t b) const { return newest_first_ ? a > b : a < b; }
  auto later() const {
    return [this](const Entry& a, const Entry& b) {
      if (a.near_ns != b.near_ns) return comes_before(b.near_ns, a.near_ns);
      return a.group != b.group ? a.group > b.group : a.number > b.number;
    };
  }

  const std::vector<UnitGroup>& groups_;
  const int64_t from_ns_, to_ns_;
  const bool newest_first_;
  std::optional<int64_t> begin_ns_;
  std::vector<Entry> heap_;
};

}  // namespace yushi::query
