// The tree of one log as proofs read it: subtree hashes from stored tiles, and the leaves of the 256 around an edge
// hashed from the records, once.
//
// Threads  One owner.
// Errors   corrupt names the tile or record that cannot be read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/ledger/merkle.h"
#include "storage/read/view.h"

namespace yushi::query {

class TreeReader {
 public:
  // The view must outlive it.
  TreeReader(const storage::StoreView& view, std::string log) : view_(view), log_(std::move(log)) {}
  // The hash over the 2^level leaves from number index * 2^level on, which must all be there.
  Result<Hash> subtree(int level, uint64_t index);
  Subtree as_function() {
    return [this](int level, uint64_t index) { return subtree(level, index); };
  }

 private:
  Result<const std::vector<Hash>*> leaves(uint64_t tile);

  const storage::StoreView& view_;
  std::string log_;
  std::map<uint64_t, std::vector<Hash>> leaves_;  // by tile of 256
  std::optional<uint64_t> batch_first_;           // first index of batch_
  std::unique_ptr<Batch> batch_;                  // the segment read last: both edges may lie in one
};

}  // namespace yushi::query
