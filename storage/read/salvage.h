// A store that is read without its daemon: opened, or where it does not open what is whole of it (db/salvage.h).
//
// Of what was salvaged the blocks that lost their summary get one that holds nothing back, and a log that lost its size
// gets that of what is there. Nothing proves such a store: its tree may be no more than a size.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "storage/db/database.h"

namespace yushi::storage {

// With an error only where nothing can be read: that of opening it.
Result<std::shared_ptr<Database>> open_or_salvage(const std::string& directory);

}  // namespace yushi::storage
