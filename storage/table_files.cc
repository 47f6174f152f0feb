#include "storage/table_files.h"

#define XXH_INLINE_ALL
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <xxhash.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace yushi {
namespace {

using rocksdb::IOStatus;

// The end of a table (format version 2 to 5): checksum kind, handle of the metaindex, handle of the index, zeros up to 41
// bytes, format version, magic number.
constexpr size_t kFooterBytes = 53;
constexpr size_t kMagicBytes = 8;
constexpr std::string_view kMagic("\xf7\xcf\xf4\x85\xb7\x41\xe2\x88", kMagicBytes);
constexpr char kXxHash64 = 3;
constexpr size_t kTrailerBytes = 5;  // of a block: kind of compression, checksum over block and kind
constexpr uint64_t kBlockBytesMax = 16 << 20;  // properties have some 1,500

struct Handle {
  uint64_t offset, size;
};

Handle read_handle(Reader& in) {
  auto offset = in.varint();
  return {offset, in.varint()};
}

uint32_t little_endian32(const char* at) {
  return __builtin_bswap32(get_be32(at));
}

class TableFile {
 public:
  TableFile(const rocksdb::FSRandomAccessFile& file, uint64_t size) : file_(file), size_(size) {}

  // io, or corrupt with what is wrong.
  Result<void> check() const {
    if (size_ < kFooterBytes) return fail(Code::corrupt, "it is too short");
    auto footer = read(size_ - kFooterBytes, kFooterBytes);
    if (!footer) return tl::unexpected(footer.error());
    if (!footer->ends_with(kMagic) || (*footer)[0] != kXxHash64) return fail(Code::corrupt, "its footer is damaged");
    Reader in(std::string_view(*footer).substr(1));
    auto metaindex = block(read_handle(in), "metaindex");
    if (!metaindex) return tl::unexpected(metaindex.error());
    auto properties = find(*metaindex, "rocksdb.properties");
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
    if (handle.size > kBlockBytesMax || handle.offset > end || handle.size + kTrailerBytes > end - handle.offset) return damaged;
    auto bytes = read(handle.offset, handle.size + kTrailerBytes);
    if (!bytes) return bytes;
    if (bytes->size() != handle.size + kTrailerBytes) return damaged;
    auto sum = static_cast<uint32_t>(XXH64(bytes->data(), handle.size + 1, 0));
    if (sum != little_endian32(bytes->data() + handle.size + 1)) return damaged;
    bytes->resize(handle.size);
    return bytes;
  }

  // Entries of a block of meta data: bytes shared with the key before (none here: each is a restart), length of the rest
  // of the key, length of the value, and both.
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

class CheckedTables : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "CheckedTables"; }

  IOStatus NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* file, rocksdb::IODebugContext* debug) override {
    auto opened = target()->NewRandomAccessFile(path, options, file, debug);
    if (!opened.ok() || !path.ends_with(".sst")) return opened;
    uint64_t size = 0;
    if (auto sized = target()->GetFileSize(path, rocksdb::IOOptions(), &size, debug); !sized.ok()) return sized;
    auto checked = TableFile(**file, size).check();
    if (checked) return opened;
    file->reset();
    auto& error = checked.error();
    return error.code == Code::corrupt ? IOStatus::Corruption(path, error.message) : IOStatus::IOError(path, error.message);
  }
};

}  // namespace

rocksdb::Env* checked_tables() {
  // Never deleted: RocksDB's own threads may use it while the process ends.
  static auto* env = rocksdb::NewCompositeEnv(std::make_shared<CheckedTables>(rocksdb::FileSystem::Default())).release();
  return env;
}

}  // namespace yushi
