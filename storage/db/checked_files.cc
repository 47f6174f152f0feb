#include "storage/db/checked_files.h"

#define XXH_INLINE_ALL
#include <rocksdb/env.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/file_system.h>
#include <xxhash.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace yushi::storage {
namespace {

using rocksdb::IOStatus;

// The end of a table (format version 2 to 5): checksum kind, handle of the metaindex, handle of the index, zeros up to
// 41 bytes, format version, magic number.
constexpr size_t kFooterBytes = 53;
constexpr std::string_view kMagic("\xf7\xcf\xf4\x85\xb7\x41\xe2\x88");
constexpr char kXxHash64 = 3;
constexpr size_t kTrailerBytes = 5;            // of a block: kind of compression, checksum over block and kind
constexpr uint64_t kBlockBytesMax = 16 << 20;  // properties have some 1,500

struct Handle {
  uint64_t offset, size;
};

Handle read_handle(Reader& in) {
  auto offset = in.varint();
  return {offset, in.varint()};
}

class TableFile {
 public:
  TableFile(const rocksdb::FSRandomAccessFile& file, uint64_t size) : file_(file), size_(size) {}

  // io, or corrupt with what is wrong.
  Result<void> check() const {
    if (size_ < kFooterBytes) return fail(Code::corrupt, "it is too short");
    auto footer = YUSHI_TRY(read(size_ - kFooterBytes, kFooterBytes));
    if (!footer.ends_with(kMagic) || footer[0] != kXxHash64) return fail(Code::corrupt, "its footer is damaged");
    Reader in(std::string_view(footer).substr(1));
    auto metaindex = YUSHI_TRY(block(read_handle(in), "metaindex"));
    auto properties = find(metaindex, "rocksdb.properties");
    if (!properties) return fail(Code::corrupt, "its metaindex names no properties");
    auto whole = block(*properties, "properties");
    if (!whole) return tl::unexpected(whole.error());
    return {};
  }

 private:
  Result<std::string> read(uint64_t offset, size_t size) const {
    std::string bytes(size, '\0');
    rocksdb::Slice got;
    auto status = file_.Read(offset, size, rocksdb::IOOptions(), &got, bytes.data(), nullptr);
    if (!status.ok()) return fail(Code::io, status.ToString());
    return got.ToString();
  }

  // Only when it fits its checksum.
  Result<std::string> block(Handle handle, std::string_view name) const {
    auto damaged = fail(Code::corrupt, "its " + std::string(name) + " block is damaged");
    auto end = size_ - kFooterBytes;
    if (handle.size > kBlockBytesMax || handle.offset > end || handle.size + kTrailerBytes > end - handle.offset)
      return damaged;
    auto bytes = read(handle.offset, handle.size + kTrailerBytes);
    if (!bytes) return bytes;
    if (bytes->size() != handle.size + kTrailerBytes) return damaged;
    auto sum = static_cast<uint32_t>(XXH64(bytes->data(), handle.size + 1, 0));
    if (sum != get_le32(bytes->data() + handle.size + 1)) return damaged;
    bytes->resize(handle.size);
    return bytes;
  }

  // Entries of a block of meta data: bytes shared with the key before (none here: each is a restart), length of the
  // rest of the key, length of the value, and both.
  static std::optional<Handle> find(std::string_view metaindex, std::string_view wanted) {
    Reader in(metaindex);
    while (in.left() > 0) {
      auto shared = in.varint(), key_bytes = in.varint(), value_bytes = in.varint();
      auto key = in.take(key_bytes), value = in.take(value_bytes);
      if (shared != 0 || key != wanted) continue;
      Reader handle(value);
      auto found = read_handle(handle);
      if (handle.ok()) return found;
    }
    return std::nullopt;
  }

  const rocksdb::FSRandomAccessFile& file_;
  uint64_t size_;
};

// A WAL or MANIFEST is blocks of 32 KiB, each of whole records: checksum over kind and payload, length of the payload
// (both little endian), kind. Less than a header's room at the end of a block stays empty.
constexpr size_t kLogBlockBytes = 32 << 10;
constexpr size_t kLogHeaderBytes = 7;

// Where the first damaged record of a block begins.
std::optional<size_t> damaged_record(const std::string_view whole) {
  for (auto block = whole; block.size() >= kLogHeaderBytes;) {
    auto at = whole.size() - block.size();
    if (block.substr(0, kLogHeaderBytes) == std::string_view("\0\0\0\0\0\0\0", kLogHeaderBytes)) return std::nullopt;
    auto sum = get_le32(block.data());
    auto checked = block.substr(kLogHeaderBytes - 1);  // from its kind on
    auto bytes =
        1 + (static_cast<size_t>(static_cast<unsigned char>(block[5])) << 8 | static_cast<unsigned char>(block[4]));
    if (bytes <= checked.size()) {
      if (masked_crc32c(checked.substr(0, bytes)) != sum) return at;
      block.remove_prefix(kLogHeaderBytes - 1 + bytes);
      continue;
    }
    // Cut off by a crash, or of another length: then its checksum fits that one.
    for (bytes = 1; bytes <= checked.size(); ++bytes)
      if (masked_crc32c(checked.substr(0, bytes)) == sum) return at;
    return std::nullopt;
  }
  return std::nullopt;
}

bool is_log(std::string_view path) {
  return path.ends_with(".log") || path.substr(path.rfind('/') + 1).starts_with("MANIFEST-");
}

Result<void> check_log(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string block(kLogBlockBytes, '\0');
  for (uint64_t begin = 0; in.read(block.data(), kLogBlockBytes), in.gcount() > 0; begin += kLogBlockBytes) {
    std::string_view bytes(block.data(), static_cast<size_t>(in.gcount()));
    if (auto at = damaged_record(bytes)) {
      return fail(Code::corrupt, "the record at byte " + std::to_string(begin + *at) + " is damaged");
    }
  }
  if (!in.eof()) return fail(Code::io, "it cannot be read");
  return {};
}

class CheckedFiles : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "CheckedFiles"; }

  IOStatus NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                               rocksdb::IODebugContext* debug) override {
    auto opened = target()->NewRandomAccessFile(path, options, file, debug);
    if (!opened.ok() || !path.ends_with(".sst")) return opened;
    uint64_t size = 0;
    if (auto sized = target()->GetFileSize(path, rocksdb::IOOptions(), &size, debug); !sized.ok()) return sized;
    if (auto checked = TableFile(**file, size).check(); !checked) return refuse(path, checked.error(), *file);
    return opened;
  }

  IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* file,
                             rocksdb::IODebugContext* debug) override {
    auto opened = target()->NewSequentialFile(path, options, file, debug);
    if (!opened.ok() || !is_log(path)) return opened;
    if (auto checked = check_log(path); !checked) return refuse(path, checked.error(), *file);
    return opened;
  }

 private:
  template <class File>
  static IOStatus refuse(const std::string& path, const Error& error, std::unique_ptr<File>& file) {
    file.reset();
    return error.code == Code::corrupt ? IOStatus::Corruption(path, error.message)
                                       : IOStatus::IOError(path, error.message);
  }
};

}  // namespace

uint32_t masked_crc32c(std::string_view bytes) {
  static const auto factory = rocksdb::GetFileChecksumGenCrc32cFactory();
  auto sum = factory->CreateFileChecksumGenerator({});
  sum->Update(bytes.data(), bytes.size());
  sum->Finalize();
  auto crc = get_be32(sum->GetChecksum().data());
  return (crc >> 15 | crc << 17) + 0xa282ead8;
}

Result<void> each_log_record(const std::string& path, const std::function<void(std::string_view record)>& visit) {
  enum Kind : unsigned char { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };
  std::ifstream in(path, std::ios::binary);
  std::string block(kLogBlockBytes, '\0'), record;
  std::optional<uint64_t> damaged;
  bool is_begun = false;
  for (uint64_t begin = 0; in.read(block.data(), kLogBlockBytes), in.gcount() > 0; begin += kLogBlockBytes) {
    std::string_view left(block.data(), static_cast<size_t>(in.gcount()));
    while (left.size() >= kLogHeaderBytes) {
      auto at = begin + static_cast<size_t>(left.data() - block.data());
      auto sum = get_le32(left.data());
      size_t bytes = static_cast<unsigned char>(left[4]) | static_cast<size_t>(static_cast<unsigned char>(left[5]))
                                                               << 8;
      auto kind = static_cast<unsigned char>(left[6]);
      if (sum == 0 && bytes == 0 && kind == 0) break;  // allocated, not written
      auto checked = left.substr(kLogHeaderBytes - 1, 1 + bytes);
      bool fits = checked.size() == 1 + bytes && masked_crc32c(checked) == sum;
      left.remove_prefix(std::min(left.size(), kLogHeaderBytes + bytes));
      if (!fits || kind < kFull || kind > kLast) {
        if (!damaged) damaged = at;
        is_begun = false;
        continue;
      }
      if (kind == kFull || kind == kFirst) record.clear();
      if (kind == kFull || kind == kFirst) is_begun = true;
      if (!is_begun) continue;
      record += checked.substr(1);
      if (kind != kFull && kind != kLast) continue;
      visit(record);
      is_begun = false;
    }
  }
  if (!in.eof()) return fail(Code::io, "it cannot be read to its end");
  if (damaged) return fail(Code::corrupt, "the record at byte " + std::to_string(*damaged) + " is damaged");
  return {};
}

Result<void> check_logs(const std::string& directory) {
  std::error_code error;
  for (std::filesystem::directory_iterator file(directory, error), end; !error && file != end; file.increment(error)) {
    auto path = file->path().native();
    if (!is_log(path)) continue;
    auto checked = check_log(path);
    // The running store removes old ones.
    if (!checked && std::filesystem::exists(path, error))
      return fail(checked.error().code, path + ": " + checked.error().message);
  }
  if (error) return fail(Code::io, directory + ": " + error.message());
  return {};
}

std::shared_ptr<rocksdb::FileSystem> checked_files(std::shared_ptr<rocksdb::FileSystem> target) {
  return std::make_shared<CheckedFiles>(std::move(target));
}

}  // namespace yushi::storage
