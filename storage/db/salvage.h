// Reads what is whole of a store that RocksDB does not open: each table, blob file and WAL by itself, in the order in
// which they were written, without CURRENT and MANIFEST.
//
// What is damaged is left out and named: of a table the blocks that do not fit their checksums, or all of it when it
// does not open; of a blob file the records; of a WAL the records. What was removed from the store may be among what is
// found: of a log that is one and the same record, in a chunk and in the block that took its place.
//
// Memory  All but the blocks, which stay in their files: keys, summaries, tiles, chunks.
// Errors  io when the folder cannot be read.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace rocksdb {
class Env;
}

namespace yushi::storage {

struct Salvaged {
  // Bytes, or where they stand in a blob file: then they are checked as they are read.
  struct Value {
    std::string bytes, file;
    uint64_t at = 0, size = 0;
  };
  using Entries = std::map<std::string, Value, std::less<>>;
  std::map<std::string, Entries> families;  // but for those of blocks
  // By store day and the days to keep them, as a table says, else by the day of its summary; 0 is what nothing tells.
  std::map<std::pair<uint32_t, uint32_t>, Entries> blocks;
  std::vector<std::string> damage;  // what is left out, in words
};

Result<Salvaged> salvage(const std::string& directory, rocksdb::Env* env);

// The blocks in the blob files of a store that opens: RocksDB reads none of a file whose end is damaged.
Salvaged::Entries salvage_blobs(const std::string& directory);

// corrupt: the file and the byte of a record that does not fit its checksum.
Result<std::string> read_salvaged(const std::string& key, const Salvaged::Value& value);

}  // namespace yushi::storage
