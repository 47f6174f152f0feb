#include "daemon/dataset_counts.h"

#include <algorithm>

namespace yushi::daemon {

void DatasetCounts::add(const Batch& batch) {
  for (const Record& record : batch.records) {
    auto& slot = slots_[(reinterpret_cast<uintptr_t>(record.kind) >> 6) % slots_.size()];
    if (slot.kind != record.kind || slot.counter == nullptr) [[unlikely]]
      slot = {record.kind, counter_of(record.kind)};
    auto& counter = *slot.counter;
    counter.records.store(counter.records.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (record.origin) counter.last_ns.store(record.origin->received_ns, std::memory_order_relaxed);
  }
}

void DatasetCounts::forget() { slots_.fill({}); }

DatasetCounts::Counter* DatasetCounts::counter_of(const MessageKind* kind) {
  constexpr size_t kDatasetsMax = 1024;
  Key key;
  if (kind) key = {kind->dataset, kind->parser};
  if (key.first.empty()) key.first = "none";
  MutexLock lock(mutex_);
  if (counters_.size() >= kDatasetsMax && !counters_.contains(key)) key = {"other", ""};
  return &counters_[std::move(key)];
}

void DatasetCounts::read(std::map<std::string, uint64_t>& into) const {
  MutexLock lock(mutex_);
  for (auto& [key, counter] : counters_) into[key.first] += counter.records.load(std::memory_order_relaxed);
}

void DatasetCounts::read_parsers(std::map<std::string, OfParser>& into) const {
  MutexLock lock(mutex_);
  for (auto& [key, counter] : counters_) {
    auto& parser = into[key.second];
    parser.records += counter.records.load(std::memory_order_relaxed);
    parser.last_ns = std::max(parser.last_ns, counter.last_ns.load(std::memory_order_relaxed));
  }
}

}  // namespace yushi::daemon
