// RocksDB with our column families: the only file that knows its options. Everything above speaks of logs and records.
//
// Threads  All calls may be made from any thread, but blocks_family() (sealer only).
// Errors   io or corrupt with RocksDB's words and what was being done. A full disk is waited for as Disk was told to
//          (core/base/disk.h), else exhausted. After a call on the disk that failed nothing is written nor read any
//          more, for what memory has may be ahead of it: close it and open it again (disk_files.h).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/disk.h"
#include "core/base/mutex.h"
#include "core/base/result.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Env;
class Snapshot;
class Status;
class WriteBatch;
}  // namespace rocksdb

namespace yushi::storage {

class DiskFiles;
struct Salvaged;

// A column family: a plain value, good as long as its Database.
class Family {
 public:
  Family() = default;

 private:
  friend class Database;
  friend class Write;
  explicit Family(rocksdb::ColumnFamilyHandle* handle) : handle_(handle) {}
  explicit Family(void* salvaged) : salvaged_(salvaged) {}
  rocksdb::ColumnFamilyHandle* handle_ = nullptr;
  void* salvaged_ = nullptr;  // of one that was salvaged: its Salvaged::Entries
};

// What becomes durable together, or not at all: Database::write().
class Write {
 public:
  explicit Write(size_t expected_bytes = 0);
  ~Write();
  Write(Write&&) noexcept;
  Write& operator=(Write&&) noexcept;

  void put(Family family, std::string_view key, std::string_view value);
  void erase(Family family, std::string_view key);
  void erase_range(Family family, std::string_view from_key, std::string_view to_key);  // `to_key` stays
  size_t bytes() const;

 private:
  friend class Database;
  std::unique_ptr<rocksdb::WriteBatch> batch_;
};

class Database {
 public:
  enum class Mode { read_write, read_only };
  static constexpr size_t kMemtableBytes = 64 << 20;  // of all families together
  // read_write makes one where there is none. unavailable: another process writes to it.
  static Result<std::unique_ptr<Database>> open(const std::string& directory, Mode mode,
                                                std::shared_ptr<Disk> disk = std::make_shared<Disk>(),
                                                size_t memtable_bytes = kMemtableBytes);
  // What is whole of a store that does not open (storage/db/salvage.h), to be read only.
  static Result<std::unique_ptr<Database>> salvage(const std::string& directory, const Error& not_opened);
  bool is_salvaged() const { return salvaged_ != nullptr; }
  // Of one that was salvaged: why it does not open, then what was left out, in words; and what can be made of the rest
  // is put beside it.
  const std::vector<std::string>& damage() const;
  std::vector<std::string> salvaged_keys(Family family) const;
  void put_salvaged(Family family, std::string_view key, std::string_view value);
  // Held as long as what it gives: no other process has the store open. unavailable when one has.
  static Result<std::shared_ptr<void>> lock(const std::string& directory);
  // Removes what is in the folder, but not while another process has it open: unavailable.
  static Result<void> take_away(const std::string& directory);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  struct Families {
    Family tail, filters, tree, alerts, state, meta;
  };
  const Families& families() const { return families_; }
  // `blocks.<store-day>.<days>`: blocks sealed on one store day, to be kept for so many.
  struct Blocks {
    uint32_t store_day, days;
    Family family;
  };
  // That family, made when it is not there.
  Result<Family> blocks_family(uint32_t store_day, uint32_t days);
  std::vector<Blocks> blocks_families() const;  // ascending by store day, then days

  // Durable when it returns: the WAL is synced.
  Result<void> write(Write& write, std::string_view doing);
  // nullopt: there is no such key.
  Result<std::optional<std::string>> get(Family family, std::string_view key,
                                         const rocksdb::Snapshot* snapshot = nullptr) const;
  // Every (key, value) whose key begins with `prefix`, ascending; visit returns false to stop.
  Result<void> scan(Family family, std::string_view prefix,
                    const std::function<bool(std::string_view key, std::string_view value)>& visit,
                    const rocksdb::Snapshot* snapshot = nullptr, std::string_view from_key = {}) const;
  // The same over the whole family, descending from its end.
  Result<void> scan_back(Family family, const std::function<bool(std::string_view key, std::string_view value)>& visit,
                         const rocksdb::Snapshot* snapshot) const;
  // The greatest key that is not above `key`.
  Result<std::optional<std::string>> key_at_or_before(Family family, std::string_view key,
                                                      const rocksdb::Snapshot* snapshot) const;
  std::shared_ptr<const rocksdb::Snapshot> snapshot() const;

  // A copy as of now in a folder that is made: tables and blobs are linked where the file system lets them, else
  // copied. Durable when it returns.
  Result<void> copy_to(const std::string& directory);
  // Flushes memtables, so that no WAL is needed any more, and compacts the tail, so that what the seals deleted leaves
  // the disk: at a clean stop, and when there is little else to do.
  Result<void> flush();
  // Into other files, so that a damaged one goes of which nothing is needed. io when something in there is.
  Result<void> rewrite(Family family);
  // Re-reads every table, blob, WAL and MANIFEST and checks RocksDB's own checksums.
  Result<void> verify_checksums() const;
  struct Memory {
    uint64_t memtables, tables,
        cache;  // those being flushed too; of open tables what is always in memory; of their data
  };
  Memory memory() const;
  const std::string& directory() const { return directory_; }
  Mode mode() const { return mode_; }

 private:
  Database() = default;
  // What failed, if not what a call was told of it: that may be of what the disk does not have.
  Result<void> checked(const rocksdb::Status& status, std::string_view doing) const;
  // A block that RocksDB does not read, from whichever blob file has it whole.
  std::optional<std::string> whole_block(std::string_view key) const YUSHI_EXCLUDES(blobs_mutex_);
  std::string directory_;
  Mode mode_ = Mode::read_write;
  size_t memtable_bytes_ = kMemtableBytes;
  std::shared_ptr<DiskFiles> files_;
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<Salvaged> salvaged_;
  std::unique_ptr<rocksdb::DB> db_;
  Families families_{};
  mutable Mutex blobs_mutex_;
  mutable std::shared_ptr<const Salvaged> blobs_ YUSHI_GUARDED_BY(blobs_mutex_);  // looked for at the first need
  mutable Mutex blocks_mutex_;
  std::map<std::pair<uint32_t, uint32_t>, Family> blocks_ YUSHI_GUARDED_BY(blocks_mutex_);
  std::vector<rocksdb::ColumnFamilyHandle*> handles_ YUSHI_GUARDED_BY(blocks_mutex_);  // of all families
};

}  // namespace yushi::storage
