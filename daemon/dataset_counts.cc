#include "daemon/dataset_counts.h"

namespace yushi::daemon {

void DatasetCounts::add(const Batch& batch) {
  for (const Record& record : batch.records) {
    auto& slot = slots_[(reinterpret_cast<uintptr_t>(record.kind) >> 6) % slots_.size()];
    if (slot.kind != record.kind || slot.counter == nullptr) [[unlikely]]
      slot = {record.kind, counter_of(record.kind)};
    slot.counter->store(slot.counter->load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
}

void DatasetCounts::forget() { slots_.fill({}); }

DatasetCounts::Counter* DatasetCounts::counter_of(const MessageKind* kind) {
  constexpr size_t kDatasetsMax = 1024;
  std::string_view dataset = kind == nullptr || kind->dataset.empty() ? std::string_view("none") : kind->dataset;
  MutexLock lock(mutex_);
  if (counters_.size() >= kDatasetsMax && !counters_.contains(dataset)) dataset = "other";
  return &counters_.try_emplace(std::string(dataset)).first->second;
}

void DatasetCounts::read(std::map<std::string, uint64_t>& into) const {
  MutexLock lock(mutex_);
  for (auto& [dataset, count] : counters_) into[dataset] += count.load(std::memory_order_relaxed);
}

}  // namespace yushi::daemon
