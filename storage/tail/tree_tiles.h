// The inner hashes of a log's tree that are stored, so that a proof reads few of them and few records.
//
// They are in tiles of 256, of the levels 8, 16, … of RFC 9162's tree, which are the levels 1, 2, … of tiles. Leaf
// hashes are not stored, nor what lies between: both are made anew, from the records and from the tiles.
//
// Threads  One owner: the committer, or who rebuilds a tree.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/ledger/sha256.h"

namespace yushi::storage {

// The newest tile of each level, as far as it is filled; a full one never changes.
class TreeTiles {
 public:
  // Takes what CompactRange::append() completed, in that order; other levels are passed over. `put(level, tile,
  // hashes)` stores a tile: called when one is full and, by flush(), for those that grew since.
  template <class Put>
  void add(int tree_level, uint64_t index, const Hash& hash, Put&& put) {
    if (tree_level == 0 || tree_level % 8 != 0) return;
    auto level = static_cast<size_t>(tree_level / 8 - 1);
    if (levels_.size() <= level) levels_.resize(level + 1);
    auto& tile = levels_[level];
    if (index % 256 == 0) tile.hashes.clear();
    tile.index = index / 256;
    tile.hashes.append(as_bytes(hash));
    tile.grew = true;
    if (index % 256 == 255) {
      put(static_cast<int>(level) + 1, tile.index, tile.hashes);
      tile.grew = false;
    }
  }
  template <class Put>
  void flush(Put&& put) {
    for (size_t level = 0; level < levels_.size(); ++level) {
      auto& tile = levels_[level];
      if (tile.grew) put(static_cast<int>(level) + 1, tile.index, tile.hashes);
      tile.grew = false;
    }
  }
  // The newest tile of a level as read back, before the first add().
  void restore(int level, uint64_t index, std::string hashes);

 private:
  struct Tile {
    uint64_t index = 0;
    std::string hashes;
    bool grew = false;
  };
  std::vector<Tile> levels_;
};

}  // namespace yushi::storage
