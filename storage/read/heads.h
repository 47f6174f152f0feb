// The file `heads` beside the store: the newest signed checkpoint of each log, so that a store whose WAL was cut or
// deleted, or that was rolled back, is seen at the next start. RocksDB alone opens such a store without an error.
//
// One line a log: origin SP size SP base64-root SP base64-signature LF, sorted by origin. Written whole: write, fsync,
// rename, fsync the directory. A file elsewhere (`checkpoints.files`) has such lines too, appended one behind the
// other.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/base/disk.h"
#include "core/base/result.h"

namespace yushi::storage {

using Heads = std::map<std::string, std::string, std::less<>>;  // log -> signed note

Result<void> write_heads(const std::string& path, const Heads& heads, Disk& disk);
// Appends lines for the notes that are not among `before`, synced. The file is made when it is not there; a line that
// an earlier write left unfinished is ended first.
Result<void> append_heads(const std::string& path, const Heads& heads, const Heads& before, Disk& disk);
// The newest line of each log counts. not_found when there is no file; corrupt with the line when one is not as
// written. Signatures are the caller's to check.
Result<Heads> read_heads(const std::string& path);
// Every line of a file that append_heads() wrote, in its order, as notes. `unreadable` gets the numbers of those that
// are none, as a write that was cut short leaves them. not_found, io.
Result<std::vector<std::string>> read_appended_heads(const std::string& path, std::vector<int>& unreadable);

}  // namespace yushi::storage
