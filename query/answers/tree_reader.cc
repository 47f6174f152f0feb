#include "query/answers/tree_reader.h"

#include <algorithm>

namespace yushi::query {

constexpr uint64_t kTileLeaves = 256;

Result<const std::vector<Hash>*> TreeReader::leaves(uint64_t tile) {
  if (auto known = leaves_.find(tile); known != leaves_.end()) return &known->second;
  std::vector<Hash> out;
  uint64_t index = tile * kTileLeaves, to = index + kTileLeaves;
  while (index < to) {
    auto segment = YUSHI_TRY(view_.segment_at(log_, index));
    if (!segment) break;  // the log ends here
    auto first = segment->summary.first_index;
    if (batch_first_ != first) {
      auto batch = YUSHI_TRY(view_.read(*segment));
      batch_ = std::move(batch);
      batch_first_ = first;
    }
    if (index - first >= batch_->records.size())
      return fail(Code::corrupt, "record " + log_ + "/" + std::to_string(index) + " is gone");
    for (; index < to && index - first < batch_->records.size(); ++index) {
      out.push_back(storage::leaf_of(batch_->records[index - first]));
    }
  }
  return &(leaves_[tile] = std::move(out));
}

Result<Hash> TreeReader::subtree(int level, uint64_t index) {
  if (level >= 8) return view_.subtree(log_, level, index);
  uint64_t from = index << level, to = (index + 1) << level;
  auto hashes = YUSHI_TRY(leaves(from / kTileLeaves));
  uint64_t begin = from / kTileLeaves * kTileLeaves;
  if (to - begin > hashes->size()) {
    return fail(Code::corrupt, "record " + log_ + "/" + std::to_string(begin + hashes->size()) + " is gone");
  }
  CompactRange range;
  for (; from < to; ++from) range.append((*hashes)[from - begin]);
  return range.root();
}

}  // namespace yushi::query
