#include "storage/tail/tree_tiles.h"

namespace yushi::storage {

void TreeTiles::restore(int level, uint64_t index, std::string hashes) {
  auto at = static_cast<size_t>(level - 1);
  if (levels_.size() <= at) levels_.resize(at + 1);
  levels_[at] = {index, std::move(hashes), false};
}

}  // namespace yushi::storage
