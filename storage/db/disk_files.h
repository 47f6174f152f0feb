// RocksDB's files, written through Disk: a full disk is waited for, and what else fails stops all writing.
//
// RocksDB 7.8 goes on calling a file whose write has failed, and an assertion ends the process for it
// (file/writable_file_writer.h, AssertFalseAndGetStatusForPrevError). So it never hears of one: from the first failing
// call on nothing of what it writes, renames or removes reaches the disk, as if the power had gone. What is there is
// what a crash leaves, and a next start takes it up. Whoever writes through Database asks lost() behind it.
//
// Threads  Any.
#pragma once

#include <rocksdb/file_system.h>

#include <atomic>
#include <memory>
#include <string>

#include "core/base/disk.h"
#include "core/base/mutex.h"
#include "core/base/result.h"

namespace yushi::storage {

class DiskFiles : public rocksdb::FileSystemWrapper {
 public:
  // Of what is not under `folder`, a copy of the store, a failure is the caller's alone.
  DiskFiles(std::string folder, std::shared_ptr<Disk> disk);
  const char* Name() const override { return "DiskFiles"; }

  // The first call that failed; none, as long as all is written. `exhausted` says that the disk was full.
  Result<void> lost() const YUSHI_EXCLUDES(mutex_);
  bool is_lost() const { return lost_; }
  // Notes the first errno that is not 0.
  void note(int error, const std::string& doing) YUSHI_EXCLUDES(mutex_);
  Disk& disk() const { return *disk_; }

  using Status = rocksdb::IOStatus;
  using Options = rocksdb::IOOptions;
  using Debug = rocksdb::IODebugContext;
  Status NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSSequentialFile>* file, Debug* debug) override;
  Status NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                             std::unique_ptr<rocksdb::FSRandomAccessFile>* file, Debug* debug) override;
  Status NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                         std::unique_ptr<rocksdb::FSWritableFile>* file, Debug* debug) override;
  Status NewDirectory(const std::string& path, const Options& options, std::unique_ptr<rocksdb::FSDirectory>* folder,
                      Debug* debug) override;
  Status RenameFile(const std::string& from, const std::string& to, const Options& options, Debug* debug) override;
  Status DeleteFile(const std::string& path, const Options& options, Debug* debug) override;
  Status Truncate(const std::string& path, size_t size, const Options& options, Debug* debug) override;
  Status NewLogger(const std::string& path, const Options& options, std::shared_ptr<rocksdb::Logger>* log,
                   Debug* debug) override;

 private:
  bool is_ours(const std::string& path) const;

  const std::string folder_;
  const std::shared_ptr<Disk> disk_;
  std::atomic<bool> lost_{false};
  mutable Mutex mutex_;
  Error error_ YUSHI_GUARDED_BY(mutex_);
};

}  // namespace yushi::storage
