#include "query/scan/unit_queue.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace yushi::query {

void UnitQueue::begin(std::optional<int64_t> begin_ns) {
  begin_ns_ = begin_ns;
  heap_.clear();
  for (size_t i = 0; i < groups_.size(); ++i) add({0, 0, i, 0, nullptr}, groups_[i].event_times);
}

void UnitQueue::add(Entry entry, const std::vector<storage::TimeRange>& times) {
  int64_t from = from_ns_, to = to_ns_;
  if (!times.empty()) {
    auto overlaps = [&](const storage::TimeRange& range) { return range.from_ns <= to_ns_ && range.to_ns >= from_ns_; };
    auto first = std::find_if(times.begin(), times.end(), overlaps);
    if (first == times.end()) return;
    auto last = std::find_if(times.rbegin(), times.rend(), overlaps);
    from = std::max(from, first->from_ns);
    to = std::min(to, last->to_ns);
  }
  if (from > to) return;
  entry.near_ns = newest_first_ ? to : from;
  entry.far_ns = newest_first_ ? from : to;
  if (begin_ns_ && comes_before(entry.far_ns, *begin_ns_)) return;
  heap_.push_back(std::move(entry));
  std::push_heap(heap_.begin(), heap_.end(), later());
}

UnitQueue::Entry UnitQueue::take() {
  std::pop_heap(heap_.begin(), heap_.end(), later());
  auto entry = std::move(heap_.back());
  heap_.pop_back();
  return entry;
}

Result<void> UnitQueue::open_front() {
  const auto group = take().group;
  Result<std::vector<ScanUnit>> opened;
  try {
    opened = groups_[group].open();
  } catch (const std::exception& error) {  // std::bad_alloc on a damaged length, say
    opened = fail(Code::corrupt, error.what());
  }
  auto units = std::make_shared<const std::vector<ScanUnit>>(YUSHI_TRY(std::move(opened)));
  for (size_t i = 0; i < units->size(); ++i) add({0, 0, group, i, units}, (*units)[i].summary.event_times);
  return {};
}

uint64_t UnitQueue::units_at_most() const {
  uint64_t out = 0;
  for (auto& entry : heap_) out += entry.is_group() ? groups_[entry.group].units : 1;
  return out;
}

}  // namespace yushi::query
