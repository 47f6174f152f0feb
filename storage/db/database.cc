#include "storage/db/database.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <cstdlib>
#include <filesystem>

#include "storage/db/checked_files.h"
#include "storage/db/disk_files.h"
#include "storage/db/keys.h"
#include "storage/db/salvage.h"

#ifdef __SANITIZE_THREAD__
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

namespace yushi::storage {
namespace {

using keys::day_and_days;
using keys::kBlocks;

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const rocksdb::Slice& s) { return {s.data(), s.size()}; }

tl::unexpected<Error> failed(const rocksdb::Status& status, std::string_view doing) {
  return fail(status.IsCorruption() ? Code::corrupt : Code::io, std::string(doing) + ": " + status.ToString());
}

tl::unexpected<Error> not_opened(const rocksdb::Status& status, const std::string& directory) {
  auto error = failed(status, "opening the store " + directory).value();
  std::error_code unknown;
  if (status.ToString().find("Permission denied") != std::string::npos)
    error.message += "; ask as the user that the folder belongs to, or as root";
  else if (!std::filesystem::exists(directory + "/CURRENT", unknown) && !unknown)
    error.message += "; its file CURRENT is gone; `yushi repair` makes it anew with a copy of the store";
  else if (status.IsCorruption() || status.ToString().find("No such file") != std::string::npos)
    error.message += "; `yushi repair` makes it anew with a copy of the store";
  return tl::unexpected(std::move(error));
}

rocksdb::DBOptions db_options(rocksdb::Env* env, size_t memtable_bytes) {
  rocksdb::DBOptions o;
  o.env = env;
  o.create_if_missing = true;
  o.create_missing_column_families = true;
  // The default drops every synced record after one flipped byte in the middle of the WAL, without a word.
  o.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  o.track_and_verify_wals_in_manifest = true;
  // A checksum of each SST and blob file as a whole, kept in the MANIFEST: block checksums leave out footers and
  // padding.
  o.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
  o.max_background_jobs = 2;
  o.max_open_files = -1;
  o.keep_log_file_num = 4;
  o.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  // Small families keep old WALs alive until they are flushed; this bounds the WALs.
  o.max_total_wal_size = 512 << 20;
  // Families flush by sizes of their own, which together are less; but there is one of blocks for each retention.
  o.write_buffer_manager = std::make_shared<rocksdb::WriteBufferManager>(memtable_bytes);
  o.wal_bytes_per_sync = 1 << 20;
  o.bytes_per_sync = 1 << 20;
  return o;
}

// Of a family that is being flushed there are two memtables for the while.
rocksdb::ColumnFamilyOptions family_options(std::string_view name, size_t memtable_bytes,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions o;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.checksum = rocksdb::ChecksumType::kxxHash64;  // this and the version as checked_files() knows them
  table.format_version = 5;
  o.compression = rocksdb::kNoCompression;  // everything large is compressed or random already
  o.write_buffer_size = memtable_bytes / 16;
  if (name == "tail") {
    // Most chunks die here, under their seal's range delete, and never reach an SST.
    o.write_buffer_size = memtable_bytes * 3 / 8;
  } else if (name.starts_with(kBlocks)) {
    o.enable_blob_files = true;  // compaction moves keys only, never blocks
    o.min_blob_size = 0;
    o.blob_file_size = 256 << 20;
    o.write_buffer_size = memtable_bytes / 8;
  } else if (name == "filters") {
    table.block_size = 64 << 10;
    o.write_buffer_size = memtable_bytes / 16;
  } else if (name == "state" || name == "tree") {
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  }
  o.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return o;
}

const std::shared_ptr<rocksdb::Cache>& shared_cache() {
  // A block of `state` may hold the detectors' megabytes: it must fit into a shard, or each question about a key beside
  // them reads them again.
  static const auto cache = rocksdb::NewLRUCache(32 << 20, /*num_shard_bits=*/1);
  return cache;
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::string& directory, Mode mode, std::shared_ptr<Disk> disk,
                                                 size_t memtable_bytes) {
  std::unique_ptr<Database> database(new Database);
  database->directory_ = directory;
  database->mode_ = mode;
  database->files_ = std::make_shared<DiskFiles>(directory, std::move(disk));
  database->env_ = rocksdb::NewCompositeEnv(checked_files(database->files_));
  const auto options = db_options(database->env_.get(), memtable_bytes);
  database->memtable_bytes_ = memtable_bytes;
  std::vector<std::string> names;
  auto listed = rocksdb::DB::ListColumnFamilies(options, directory, &names);
  if (!listed.ok()) {
    if (mode == Mode::read_only) return not_opened(listed, directory);
    // Only an empty or absent folder becomes a new store: one whose CURRENT is gone must not be begun anew over the
    // old.
    std::error_code ignored;
    if (std::filesystem::exists(directory, ignored) && !std::filesystem::is_empty(directory, ignored)) {
      return not_opened(listed, directory);
    }
    names.clear();
  }
  std::vector<std::string> wanted = {
      rocksdb::kDefaultColumnFamilyName, "tail", "filters", "tree", "alerts", "state", "meta"};
  for (auto& name : names) {
    if (name.starts_with(kBlocks)) wanted.push_back(name);
  }
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (auto& name : wanted) descriptors.emplace_back(name, family_options(name, memtable_bytes, shared_cache()));

  rocksdb::DB* db = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  // The overload with families: without them RocksDB 7.8 answers NotFound for blob values, without an error.
  auto status = mode == Mode::read_write ? rocksdb::DB::Open(options, directory, descriptors, &handles, &db)
                                         : rocksdb::DB::OpenForReadOnly(options, directory, descriptors, &handles, &db);
  if (status.IsIOError() && status.ToString().find("lock file") != std::string::npos && mode == Mode::read_write) {
    return fail(Code::unavailable, "another yushid runs on the store " + directory +
                                       "; stop it or choose another data_dir (" + status.ToString() + ")");
  }
  if (auto written = database->files_->lost(); !written) {
    if (status.ok()) {
      for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
      delete db;
    }
    return fail(written.error().code, "opening the store " + directory + ": " + written.error().message);
  }
  if (!status.ok()) return not_opened(status, directory);
  database->db_.reset(db);
  database->families_ = {Family(handles[1]), Family(handles[2]), Family(handles[3]),
                         Family(handles[4]), Family(handles[5]), Family(handles[6])};
  {
    MutexLock lock(database->blocks_mutex_);
    for (size_t i = 7; i < handles.size(); ++i) database->blocks_[*day_and_days(wanted[i])] = Family(handles[i]);
    database->handles_ = std::move(handles);
  }
  return database;
}

Result<std::unique_ptr<Database>> Database::salvage(const std::string& directory, const Error& not_opened) {
  std::unique_ptr<Database> database(new Database);
  database->directory_ = directory;
  database->mode_ = Mode::read_only;
  database->files_ = std::make_shared<DiskFiles>(directory, std::make_shared<Disk>());
  database->env_ = rocksdb::NewCompositeEnv(checked_files(database->files_));
  database->salvaged_ = std::make_unique<Salvaged>(YUSHI_TRY(storage::salvage(directory, database->env_.get())));
  auto& damage = database->salvaged_->damage;
  damage.insert(damage.begin(), not_opened.message);
  auto& families = database->salvaged_->families;
  auto of = [&](const char* name) { return Family(static_cast<void*>(&families[name])); };
  database->families_ = {of("tail"), of("filters"), of("tree"), of("alerts"), of("state"), of("meta")};
  MutexLock lock(database->blocks_mutex_);
  for (auto& [day_and_days, entries] : database->salvaged_->blocks)
    database->blocks_[day_and_days] = Family(static_cast<void*>(&entries));
  return database;
}

const std::vector<std::string>& Database::damage() const { return salvaged_->damage; }

std::vector<std::string> Database::salvaged_keys(Family family) const {
  std::vector<std::string> out;
  for (auto& [key, value] : *static_cast<const Salvaged::Entries*>(family.salvaged_)) out.push_back(key);
  return out;
}

void Database::put_salvaged(Family family, std::string_view key, std::string_view value) {
  (*static_cast<Salvaged::Entries*>(family.salvaged_))[std::string(key)] = {std::string(value), "", 0, 0};
}

Result<std::shared_ptr<void>> Database::lock(const std::string& directory) {
  auto* env = rocksdb::Env::Default();
  rocksdb::FileLock* lock = nullptr;
  if (auto locked = env->LockFile(directory + "/LOCK", &lock); !locked.ok()) {
    return fail(Code::unavailable, "another yushid runs on the store " + directory +
                                       "; stop it or choose another data_dir (" + locked.ToString() + ")");
  }
  return std::shared_ptr<void>(lock, [env](void* held) { env->UnlockFile(static_cast<rocksdb::FileLock*>(held)); });
}

Result<void> Database::take_away(const std::string& directory) {
  auto held = YUSHI_TRY(lock(directory));
  std::error_code error;
  for (std::filesystem::directory_iterator file(directory, error), end; !error && file != end; file.increment(error))
    if (file->path().filename() != "LOCK") std::filesystem::remove(file->path(), error);
  held.reset();
  std::filesystem::remove(directory + "/LOCK", error);
  if (error) return fail(Code::io, "taking away " + directory + ": " + error.message());
  return {};
}

Result<void> Database::checked(const rocksdb::Status& status, std::string_view doing) const {
  if (auto written = files_->lost(); !written)
    return fail(written.error().code, std::string(doing) + ": " + written.error().message);
  if (!status.ok()) return failed(status, doing);
  return {};
}

Database::~Database() {
  if (!db_) return;
  for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  db_->Close();
}

Result<Family> Database::blocks_family(uint32_t store_day, uint32_t days) {
  {
    MutexLock lock(blocks_mutex_);
    if (auto it = blocks_.find({store_day, days}); it != blocks_.end()) return it->second;
  }
  auto name = std::string(kBlocks) + std::to_string(store_day) + "." + std::to_string(days);
  rocksdb::ColumnFamilyHandle* handle = nullptr;
  auto status = db_->CreateColumnFamily(family_options(name, memtable_bytes_, shared_cache()), name, &handle);
  if (status.ok()) {
    MutexLock lock(blocks_mutex_);
    handles_.push_back(handle);
  }
  YUSHI_TRY(checked(status, "making the column family " + name));
  MutexLock lock(blocks_mutex_);
  return blocks_[{store_day, days}] = Family(handle);
}

std::vector<Database::Blocks> Database::blocks_families() const {
  MutexLock lock(blocks_mutex_);
  std::vector<Blocks> out;
  for (auto& [day_and_days, family] : blocks_) out.push_back({day_and_days.first, day_and_days.second, family});
  return out;
}

Write::Write(size_t expected_bytes) : batch_(std::make_unique<rocksdb::WriteBatch>(expected_bytes)) {}
Write::~Write() = default;
Write::Write(Write&&) noexcept = default;
Write& Write::operator=(Write&&) noexcept = default;

// Of these calls none fails but for memory: RocksDB looks at the families when the batch is written.
void Write::put(Family family, std::string_view key, std::string_view value) {
  batch_->Put(family.handle_, slice(key), slice(value));
}
void Write::erase(Family family, std::string_view key) { batch_->Delete(family.handle_, slice(key)); }
void Write::erase_range(Family family, std::string_view from_key, std::string_view to_key) {
  batch_->DeleteRange(family.handle_, slice(from_key), slice(to_key));
}
size_t Write::bytes() const { return batch_->GetDataSize(); }

// RocksDB writes the batches of several threads together, ordered by atomics that the thread sanitizer does not see
// since the distribution's library is not built for it: what this thread reads and writes in there is not ours to
// judge.
struct RocksDbOrdersItself {
#ifdef __SANITIZE_THREAD__
  RocksDbOrdersItself() { AnnotateIgnoreReadsBegin(__FILE__, __LINE__), AnnotateIgnoreWritesBegin(__FILE__, __LINE__); }
  ~RocksDbOrdersItself() { AnnotateIgnoreWritesEnd(__FILE__, __LINE__), AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
#else
  RocksDbOrdersItself() {}  // not trivial, so that no compiler calls it unused
#endif
};

Result<void> Database::write(Write& write, std::string_view doing) {
  rocksdb::WriteOptions options;
  options.sync = true;
  RocksDbOrdersItself quiet;
  return checked(db_->Write(options, write.batch_.get()), doing);
}

Result<std::optional<std::string>> Database::get(Family family, std::string_view key,
                                                 const rocksdb::Snapshot* snapshot) const {
  if (auto* salvaged = static_cast<const Salvaged::Entries*>(family.salvaged_)) {
    auto found = salvaged->find(key);
    if (found == salvaged->end()) return std::nullopt;
    return YUSHI_TRY(read_salvaged(found->first, found->second));
  }
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  std::string value;
  auto status = db_->Get(options, family.handle_, slice(key), &value);
  const bool is_there = !status.IsNotFound();
  if (is_there && !status.ok() && !files_->is_lost() && family.handle_->GetName().starts_with(kBlocks))
    if (auto block = whole_block(key)) return block;
  YUSHI_TRY(checked(is_there ? status : rocksdb::Status::OK(), "reading from " + family.handle_->GetName()));
  if (!is_there) return std::nullopt;
  return value;
}

std::optional<std::string> Database::whole_block(std::string_view key) const {
  MutexLock lock(blobs_mutex_);
  if (!blobs_) {
    Salvaged found;
    found.blocks[{}] = salvage_blobs(directory_);
    blobs_ = std::make_shared<const Salvaged>(std::move(found));
  }
  auto& blocks = blobs_->blocks.at({});
  auto found = blocks.find(key);
  if (found == blocks.end()) return std::nullopt;
  auto block = read_salvaged(found->first, found->second);
  return block ? std::optional(std::move(*block)) : std::nullopt;
}

Result<void> Database::scan(Family family, std::string_view prefix,
                            const std::function<bool(std::string_view, std::string_view)>& visit,
                            const rocksdb::Snapshot* snapshot, std::string_view from_key) const {
  if (auto* salvaged = static_cast<const Salvaged::Entries*>(family.salvaged_)) {
    for (auto at = salvaged->lower_bound(from_key.empty() ? prefix : from_key); at != salvaged->end(); ++at) {
      if (!at->first.starts_with(prefix)) break;
      auto value = YUSHI_TRY(read_salvaged(at->first, at->second));
      if (!visit(at->first, value)) break;
    }
    return {};
  }
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  options.fill_cache = false;
  std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, family.handle_));
  it->Seek(slice(from_key.empty() ? prefix : from_key));
  for (; it->Valid(); it->Next()) {
    auto key = view(it->key());
    if (!key.starts_with(prefix)) break;
    if (!visit(key, view(it->value()))) break;
  }
  return checked(it->status(), "reading from " + family.handle_->GetName());
}

Result<void> Database::scan_back(Family family, const std::function<bool(std::string_view, std::string_view)>& visit,
                                 const rocksdb::Snapshot* snapshot) const {
  if (auto* salvaged = static_cast<const Salvaged::Entries*>(family.salvaged_)) {
    for (auto at = salvaged->rbegin(); at != salvaged->rend(); ++at) {
      auto value = YUSHI_TRY(read_salvaged(at->first, at->second));
      if (!visit(at->first, value)) break;
    }
    return {};
  }
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  options.fill_cache = false;
  std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, family.handle_));
  for (it->SeekToLast(); it->Valid(); it->Prev())
    if (!visit(view(it->key()), view(it->value()))) break;
  return checked(it->status(), "reading from " + family.handle_->GetName());
}

Result<std::optional<std::string>> Database::key_at_or_before(Family family, std::string_view key,
                                                              const rocksdb::Snapshot* snapshot) const {
  if (auto* salvaged = static_cast<const Salvaged::Entries*>(family.salvaged_)) {
    auto behind = salvaged->upper_bound(key);
    if (behind == salvaged->begin()) return std::nullopt;
    return std::prev(behind)->first;
  }
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, family.handle_));
  it->SeekForPrev(slice(key));
  YUSHI_TRY(checked(it->status(), "reading from " + family.handle_->GetName()));
  if (!it->Valid()) return std::nullopt;
  return it->key().ToString();
}

std::shared_ptr<const rocksdb::Snapshot> Database::snapshot() const {
  auto* db = db_.get();
  if (!db) return nullptr;  // salvaged
  return {db->GetSnapshot(), [db](const rocksdb::Snapshot* s) {
            if (s) db->ReleaseSnapshot(s);
          }};
}

Result<void> Database::copy_to(const std::string& directory) {
  rocksdb::Checkpoint* made = nullptr;
  auto status = rocksdb::Checkpoint::Create(db_.get(), &made);
  std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (status.ok()) status = checkpoint->CreateCheckpoint(directory);
  return checked(status, "copying the store to " + directory);
}

Result<void> Database::flush() {
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  {
    MutexLock lock(blocks_mutex_);
    handles = handles_;
  }
  for (auto* handle : handles) {
    auto status = db_->Flush(rocksdb::FlushOptions(), handle);
    YUSHI_TRY(checked(status, "flushing " + handle->GetName()));
  }
  auto status = db_->CompactRange(rocksdb::CompactRangeOptions(), families_.tail.handle_, nullptr, nullptr);
  return checked(status, "compacting tail");
}

Database::Memory Database::memory() const {
  Memory out{};
  out.cache = shared_cache()->GetUsage();
  if (!db_) return out;
  db_->GetAggregatedIntProperty(rocksdb::DB::Properties::kSizeAllMemTables, &out.memtables);
  db_->GetAggregatedIntProperty(rocksdb::DB::Properties::kEstimateTableReadersMem, &out.tables);
  return out;
}

Result<void> Database::rewrite(Family family) {
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  options.blob_garbage_collection_policy = rocksdb::BlobGarbageCollectionPolicy::kForce;
  options.blob_garbage_collection_age_cutoff = 1.0;
  return checked(db_->CompactRange(options, family.handle_, nullptr, nullptr),
                 "writing " + family.handle_->GetName() + " anew");
}

Result<void> Database::verify_checksums() const {
  if (salvaged_) return fail(Code::corrupt, directory_ + " does not open: it was only salvaged");
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = false;
  auto status = db_->VerifyChecksum(options);
  if (status.ok()) status = db_->VerifyFileChecksums(options);
  if (!status.ok()) return failed(status, "checking RocksDB's checksums");
  return check_logs(directory_);  // read when the store was opened; other bytes may stand there by now
}

}  // namespace yushi::storage
