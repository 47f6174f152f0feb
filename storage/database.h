// RocksDB with our column families: the only file that knows its options. Everything above speaks of logs and records.
//
// Threads  All calls may be made from any thread, but blocks_family() (sealer only).
// Errors   io or corrupt with RocksDB's words and what was being done.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/mutex.h"
#include "core/base/result.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Iterator;
class Snapshot;
class Status;
class WriteBatch;
}  // namespace rocksdb

namespace yushi::storage {

class Database {
 public:
  enum class Mode { read_write, read_only };
  static Result<std::unique_ptr<Database>> open(const std::string& directory, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  struct Families {
    rocksdb::ColumnFamilyHandle *tail, *filters, *tree, *alerts, *state, *meta;
  };
  const Families& families() const { return families_; }
  // The family `blocks.<store-day>.<days>`, made when it is not there.
  Result<rocksdb::ColumnFamilyHandle*> blocks_family(uint32_t store_day, uint32_t days);
  // All block families, by name; stable for the life of the Database.
  std::vector<rocksdb::ColumnFamilyHandle*> blocks_families() const;

  // Durable when it returns: the WAL is synced.
  Result<void> write(rocksdb::WriteBatch& batch, std::string_view doing);
  Result<std::optional<std::string>> get(rocksdb::ColumnFamilyHandle* family, std::string_view key,
                                         const rocksdb::Snapshot* snapshot = nullptr) const;
  // Every (key, value) whose key begins with `prefix`, ascending; visit returns false to stop.
  Result<void> scan(rocksdb::ColumnFamilyHandle* family, std::string_view prefix,
                    const std::function<bool(std::string_view key, std::string_view value)>& visit,
                    const rocksdb::Snapshot* snapshot = nullptr, std::string_view from_key = {}) const;
  // The same over the whole family, descending from its end.
  Result<void> scan_back(rocksdb::ColumnFamilyHandle* family,
                         const std::function<bool(std::string_view key, std::string_view value)>& visit,
                         const rocksdb::Snapshot* snapshot) const;
  // The greatest key that is not above `key`.
  Result<std::optional<std::string>> key_at_or_before(rocksdb::ColumnFamilyHandle* family, std::string_view key,
                                                      const rocksdb::Snapshot* snapshot) const;
  std::shared_ptr<const rocksdb::Snapshot> snapshot() const;

  // Flushes memtables so that nothing is left in the WAL; for a clean stop.
  Result<void> flush();
  // Re-reads every table, blob, WAL and MANIFEST and checks RocksDB's own checksums.
  Result<void> verify_checksums() const;
  const std::string& directory() const { return directory_; }
  Mode mode() const { return mode_; }

 private:
  Database() = default;
  std::string directory_;
  Mode mode_ = Mode::read_write;
  std::unique_ptr<rocksdb::DB> db_;
  Families families_{};
  mutable Mutex blocks_mutex_;
  std::map<std::string, rocksdb::ColumnFamilyHandle*> blocks_ YUSHI_GUARDED_BY(blocks_mutex_);
  std::vector<rocksdb::ColumnFamilyHandle*> handles_ YUSHI_GUARDED_BY(blocks_mutex_);  // of all families
};

}  // namespace yushi::storage
