// Brings back from a copy what a store has lost, each record proved against the store's own signed tree before it goes
// in.
//
//   opens, and blocks of it cannot be read    they are put back in their place, and nothing else is touched
//   does not open, or what stands beside the  a new store is made beside it of what is whole in either of the two:
//   blocks cannot be read                     records are taken, all that is derived of them is derived again; it is
//                                             verified, held to `heads`, and then takes the damaged one's place, which
//                                             is kept (rebuild.h)
//
// The copy need not be trusted: what it says is held to checkpoints that the store has, by the node's key.
//
// Threads  One call, one thread; no daemon may run on the store.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "storage/db/database.h"
#include "storage/read/reparse.h"

namespace yushi::audit {

struct RepairOptions {
  std::string data_dir;  // of the store: store/ and heads
  std::string copy_dir;  // the same of the copy: of `yushi backup`, or the folder as it was
  std::string key_path;  // the node's; needed for a store that does not open
  // How raw messages of a database are understood again.
  std::function<storage::Reparse(const std::shared_ptr<storage::Database>&)> reparse;
  // Called about once a segment; false ends it, and nothing was changed but blocks that are back already.
  std::function<bool(std::string_view log, uint64_t done, uint64_t size)> progress;
};

struct RepairReport {
  uint64_t segments = 0, records = 0;  // that came from the copy
  std::vector<std::string> missing;    // what could not be brought back, in words
  std::string set_aside;               // where the damaged store lies now; empty: it was mended in its place
};

// unavailable: a daemon runs on it, or progress() said so; corrupt: what is left of both does not make a store that the
// signed checkpoints prove; io.
Result<RepairReport> repair_store(const RepairOptions& options);

}  // namespace yushi::audit
