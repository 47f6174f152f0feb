// What a store lacks of what was signed: a WAL that was cut or removed leaves a store that opens and looks whole.
#pragma once

#include <string>
#include <vector>

#include "storage/read/heads.h"
#include "storage/read/view.h"

namespace yushi::storage {

// By the file `heads` beside the store, in words, by log; empty when nothing is missing. Sizes only: `verify` proves
// roots. A file that is gone or damaged is told too, since without it nobody knows. `heads` is what stood there before
// the store was opened: a daemon may be writing both.
std::vector<std::string> cut_off(const std::string& heads_path, const Result<Heads>& heads, const StoreView& view);

}  // namespace yushi::storage
