#include "storage/tail/open_tail.h"

#include <utility>

namespace yushi::storage {

void OpenTail::add(const std::string& log, std::shared_ptr<const Batch> batch, std::vector<const Record*> records) {
  if (records.empty()) return;
  const uint64_t first = records.front()->index;
  auto chunk = std::make_shared<const Chunk>(Chunk{std::move(batch), std::move(records)});
  MutexLock lock(mutex_);
  logs_[log][first] = std::move(chunk);
}

void OpenTail::erase(const std::string& log, uint64_t from_index, uint64_t to_index) {
  std::vector<std::shared_ptr<const Chunk>> gone;  // freed without the lock
  MutexLock lock(mutex_);
  auto at = logs_.find(log);
  if (at == logs_.end()) return;
  auto& chunks = at->second;
  const auto from = chunks.lower_bound(from_index), to = chunks.lower_bound(to_index);
  for (auto chunk = from; chunk != to; ++chunk) gone.push_back(std::move(chunk->second));
  chunks.erase(from, to);
  if (chunks.empty()) logs_.erase(at);
}

std::unique_ptr<Batch> OpenTail::read(std::string_view log, uint64_t index) const {
  std::shared_ptr<const Chunk> chunk;
  {
    MutexLock lock(mutex_);
    auto at = logs_.find(log);
    if (at == logs_.end()) return nullptr;
    auto next = at->second.upper_bound(index);
    if (next == at->second.begin()) return nullptr;
    chunk = std::prev(next)->second;
  }
  if (index - chunk->records.front()->index >= chunk->records.size()) return nullptr;
  auto out = std::make_unique<Batch>();
  out->records.reserve(chunk->records.size());
  for (const Record* record : chunk->records) {
    out->records.push_back(*record);
    out->bytes += record->raw.size();
  }
  out->keep.push_back(std::move(chunk));
  return out;
}

}  // namespace yushi::storage
