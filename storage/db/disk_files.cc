#include "storage/db/disk_files.h"

#include <fcntl.h>
#include <rocksdb/env.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <utility>

namespace yushi::storage {
namespace {

using rocksdb::IOStatus;

class WritableFile : public rocksdb::FSWritableFile {
 public:
  WritableFile(DiskFiles& files, std::string path) : files_(files), path_(std::move(path)) {
    if (files_.is_lost()) return;
    files_.note(files_.disk().open(path_, O_WRONLY | O_CREAT | O_TRUNC, 0644, fd_), "making " + path_);
  }
  ~WritableFile() override { close(); }

  IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    size_ += data.size();
    if (is_open()) files_.note(files_.disk().write(fd_, {data.data(), data.size()}, path_), "writing " + path_);
    return IOStatus::OK();
  }
  IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options, const rocksdb::DataVerificationInfo&,
                  rocksdb::IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Flush(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    if (is_open()) files_.note(files_.disk().sync(fd_, path_), "syncing " + path_);
    return IOStatus::OK();
  }
  bool IsSyncThreadSafe() const override { return true; }
  // Ahead of a sync, so that it has less to do; what fails here fails there again.
  IOStatus RangeSync(uint64_t offset, uint64_t bytes, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    if (is_open()) {
      (void)::sync_file_range(fd_, static_cast<off64_t>(offset), static_cast<off64_t>(bytes), SYNC_FILE_RANGE_WRITE);
    }
    return IOStatus::OK();
  }
  // A file system that cannot do it takes room as it is written.
  IOStatus Allocate(uint64_t offset, uint64_t bytes, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    if (is_open() && ::fallocate(fd_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(bytes)) == 0)
      allocated_ = true;
    return IOStatus::OK();
  }
  IOStatus Truncate(uint64_t size, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    size_ = size;
    return IOStatus::OK();
  }
  IOStatus InvalidateCache(size_t, size_t) override { return IOStatus::OK(); }
  uint64_t GetFileSize(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override { return size_; }
  IOStatus Close(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    close();
    return IOStatus::OK();
  }

 private:
  bool is_open() const { return fd_ >= 0 && !files_.is_lost(); }
  void close() {
    if (fd_ < 0) return;
    // Gives back what was allocated and not written.
    if (allocated_ && is_open() && ::ftruncate(fd_, static_cast<off_t>(size_)) != 0)
      files_.note(errno, "ending " + path_);
    ::close(std::exchange(fd_, -1));
  }

  DiskFiles& files_;
  const std::string path_;
  int fd_ = -1;
  uint64_t size_ = 0;
  bool allocated_ = false;
};

// Made and renamed files are durable when their folder is synced.
class Folder : public rocksdb::FSDirectoryWrapper {
 public:
  Folder(DiskFiles& files, std::string path, std::unique_ptr<rocksdb::FSDirectory> folder)
      : FSDirectoryWrapper(std::move(folder)), files_(files), path_(std::move(path)) {}

  IOStatus Fsync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override { return sync(); }
  IOStatus FsyncWithDirOptions(const rocksdb::IOOptions&, rocksdb::IODebugContext*,
                               const rocksdb::DirFsyncOptions&) override {
    return sync();
  }

 private:
  IOStatus sync() {
    if (!files_.is_lost()) files_.note(files_.disk().sync_folder_of(path_ + "/"), "syncing the folder " + path_);
    return IOStatus::OK();
  }

  DiskFiles& files_;
  const std::string path_;
};

// RocksDB's own words. Its file system would write them through the assertion above; a line that finds no room is left
// out.
class InfoLog : public rocksdb::Logger {
 public:
  explicit InfoLog(const std::string& path)
      : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {}
  ~InfoLog() override {
    if (fd_ >= 0) ::close(fd_);
  }
  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    char line[1024];
    const auto now = ::time(nullptr);
    tm parts{};
    ::gmtime_r(&now, &parts);
    auto used = std::strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%SZ ", &parts);
    auto more = std::vsnprintf(line + used, sizeof line - used, format, arguments);
    used = std::min(used + static_cast<size_t>(std::max(more, 0)), sizeof line - 1);
    line[used++] = '\n';
    if (fd_ >= 0 && ::write(fd_, line, used) < 0) return;
  }

 private:
  const int fd_;
};

IOStatus status_of(int error, const std::string& path) {
  return error == 0 ? IOStatus::OK() : IOStatus::IOError(path, std::strerror(error));
}

class RandomAccessFile : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  RandomAccessFile(DiskFiles& files, std::string path, std::unique_ptr<rocksdb::FSRandomAccessFile> file)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), files_(files), path_(std::move(path)) {}

  IOStatus Read(uint64_t offset, size_t bytes, const rocksdb::IOOptions& options, rocksdb::Slice* got, char* scratch,
                rocksdb::IODebugContext* debug) const override {
    if (int error = files_.disk().fault(Disk::Call::read, path_)) return status_of(error, path_);
    return target()->Read(offset, bytes, options, got, scratch, debug);
  }

 private:
  DiskFiles& files_;
  const std::string path_;
};

class SequentialFile : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  SequentialFile(DiskFiles& files, std::string path, std::unique_ptr<rocksdb::FSSequentialFile> file)
      : FSSequentialFileOwnerWrapper(std::move(file)), files_(files), path_(std::move(path)) {}

  IOStatus Read(size_t bytes, const rocksdb::IOOptions& options, rocksdb::Slice* got, char* scratch,
                rocksdb::IODebugContext* debug) override {
    if (int error = files_.disk().fault(Disk::Call::read, path_)) return status_of(error, path_);
    return target()->Read(bytes, options, got, scratch, debug);
  }

 private:
  DiskFiles& files_;
  const std::string path_;
};

}  // namespace

DiskFiles::DiskFiles(std::string folder, std::shared_ptr<Disk> disk)
    : FileSystemWrapper(rocksdb::FileSystem::Default()), folder_(std::move(folder)), disk_(std::move(disk)) {}

bool DiskFiles::is_ours(const std::string& path) const {
  return path.starts_with(folder_) && (path.size() == folder_.size() || path[folder_.size()] == '/');
}

void DiskFiles::note(int error, const std::string& doing) {
  if (error == 0) return;
  MutexLock lock(mutex_);
  if (lost_) return;
  const bool full = error == ENOSPC || error == EDQUOT;
  error_ = {full ? Code::exhausted : Code::io,
            doing + ": " + std::strerror(error) + (full ? "; free space on the disk" : "; look at the disk")};
  lost_ = true;
}

Result<void> DiskFiles::lost() const {
  if (!lost_) return {};
  MutexLock lock(mutex_);
  return tl::unexpected(error_);
}

IOStatus DiskFiles::NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* file, Debug* debug) {
  if (int error = disk_->fault(Disk::Call::open, path)) return status_of(error, path);
  auto opened = target()->NewSequentialFile(path, options, file, debug);
  if (opened.ok()) *file = std::make_unique<SequentialFile>(*this, path, std::move(*file));
  return opened;
}

IOStatus DiskFiles::NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* file, Debug* debug) {
  if (int error = disk_->fault(Disk::Call::open, path)) return status_of(error, path);
  auto opened = target()->NewRandomAccessFile(path, options, file, debug);
  if (opened.ok()) *file = std::make_unique<RandomAccessFile>(*this, path, std::move(*file));
  return opened;
}

IOStatus DiskFiles::NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file, Debug* debug) {
  if (!is_ours(path)) return target()->NewWritableFile(path, options, file, debug);
  *file = std::make_unique<WritableFile>(*this, path);
  return IOStatus::OK();
}

IOStatus DiskFiles::NewDirectory(const std::string& path, const Options& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* folder, Debug* debug) {
  auto opened = target()->NewDirectory(path, options, folder, debug);
  if (opened.ok() && is_ours(path)) *folder = std::make_unique<Folder>(*this, path, std::move(*folder));
  return opened;
}

IOStatus DiskFiles::RenameFile(const std::string& from, const std::string& to, const Options& options, Debug* debug) {
  if (!is_ours(to)) return target()->RenameFile(from, to, options, debug);
  if (lost_) return IOStatus::OK();
  int error = disk_->rename(from, to);
  if (error == ENOENT) return IOStatus::PathNotFound(from);
  note(error, "renaming " + from + " to " + to);
  return IOStatus::OK();
}

IOStatus DiskFiles::DeleteFile(const std::string& path, const Options& options, Debug* debug) {
  return lost_ && is_ours(path) ? IOStatus::OK() : target()->DeleteFile(path, options, debug);
}

IOStatus DiskFiles::Truncate(const std::string& path, size_t size, const Options& options, Debug* debug) {
  return lost_ && is_ours(path) ? IOStatus::OK() : target()->Truncate(path, size, options, debug);
}

IOStatus DiskFiles::NewLogger(const std::string& path, const Options&, std::shared_ptr<rocksdb::Logger>* log, Debug*) {
  *log = std::make_shared<InfoLog>(path);
  return IOStatus::OK();
}

}  // namespace yushi::storage
