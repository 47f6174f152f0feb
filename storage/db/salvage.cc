#include "storage/db/salvage.h"

#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string_view>
#include <utility>

#include "core/base/bytes.h"
#include "storage/db/checked_files.h"
#include "storage/db/keys.h"

namespace yushi::storage {
namespace {

namespace fs = std::filesystem;

// In the order in which Database makes them.
constexpr const char* kFamilies[] = {"default", "tail", "filters", "tree", "alerts", "state", "meta"};
constexpr size_t kFamiliesEnd = std::size(kFamilies);

// A blob file (db/blob/blob_log_format.h of RocksDB 7.8): a header of 30 bytes, records, and at a clean end a footer of
// 32 bytes. A record is 32 bytes, key, value: key length, value length, expiration, a checksum over these three, and
// one over key and value. All little endian.
constexpr size_t kBlobFileHeader = 30, kBlobHeader = 32;
constexpr uint32_t kBlobMagic = 2395959;
constexpr uint64_t kBlobKeyMax = 1 << 10, kBlobValueMax = 1 << 30;

class Salvager {
 public:
  Salvager(const std::string& directory, rocksdb::Env* env) : directory_(directory) {
    if (env) options_.env = env;
  }

  Result<Salvaged> run() {
    std::error_code error;
    for (auto& path : tables(error)) read_table(path);
    for (auto& path : files(".blob", error)) read_blobs(path);
    for (auto& path : files(".log", error)) read_log(path);
    if (error) return fail(Code::io, "reading " + directory_ + ": " + error.message());
    std::map<std::string_view, uint32_t> days;
    for (auto& [key, summary] : out_.families["filters"])
      if (keys::is_summary(key)) days[std::string_view(key).substr(4)] = keys::day_of_summary(key);
    for (auto& [key, block] : blocks_) {
      auto day = days.find(key);
      auto kept = kept_.find(key);
      out_.blocks[kept != kept_.end() ? kept->second : std::pair(day == days.end() ? 0 : day->second, 0u)][key] =
          std::move(block);
    }
    for (auto* name : kFamilies) out_.families[name];
    return std::move(out_);
  }

  Salvaged::Entries blobs() {
    std::error_code error;
    for (auto& path : files(".blob", error)) read_blobs(path);
    return std::move(blocks_);
  }

 private:
  // Their names are numbers of one width, given in the order of making.
  std::vector<fs::path> files(std::string_view extension, std::error_code& error) const {
    std::vector<fs::path> out;
    for (fs::directory_iterator file(directory_, error), end; !error && file != end; file.increment(error))
      if (file->path().extension() == extension) out.push_back(file->path());
    std::sort(out.begin(), out.end());
    return out;
  }

  // Oldest first. A table that was made of others has a greater number than newer ones beside it, but the time of the
  // oldest of them, and no time of a first key.
  std::vector<fs::path> tables(std::error_code& error) const {
    std::map<std::pair<uint64_t, bool>, std::vector<fs::path>> by_time;
    for (auto& path : files(".sst", error)) {
      rocksdb::SstFileReader reader(options_);
      const bool opens = reader.Open(path.native()).ok();
      auto of = opens ? reader.GetTableProperties() : nullptr;
      by_time[{of ? of->creation_time : 0, of && of->oldest_key_time != 0}].push_back(path);
    }
    std::vector<fs::path> out;
    for (auto& [time, paths] : by_time) out.insert(out.end(), paths.begin(), paths.end());
    return out;
  }

  void say(const fs::path& path, const std::string& what) { out_.damage.push_back(path.native() + ": " + what); }

  void keep(const std::string& family, std::string_view key, std::string_view value) {
    auto& kept = out_.families[family][std::string(key)].bytes;
    // The size of a log comes first in its state, and only grows.
    if (family == "state" && key.starts_with(keys::log_state("")) && kept.substr(0, 8) > value.substr(0, 8)) return;
    kept = value;
  }

  void read_table(const fs::path& path) {
    rocksdb::SstFileReader reader(options_);
    if (auto opened = reader.Open(path.native()); !opened.ok()) return say(path, opened.ToString());
    auto family = reader.GetTableProperties()->column_family_name;
    const auto day_and_days = keys::day_and_days(family);
    if (!day_and_days && std::find(std::begin(kFamilies), std::end(kFamilies), family) == std::end(kFamilies)) return;
    const auto take = [&](const rocksdb::Iterator& at) {
      if (day_and_days)  // what it has of a block is the place in a blob file
        kept_[at.key().ToString()] = *day_and_days;
      else
        keep(family, at.key().ToStringView(), at.value().ToStringView());
    };
    // From both ends: what is between them is damaged.
    std::unique_ptr<rocksdb::Iterator> at(reader.NewIterator(rocksdb::ReadOptions()));
    for (at->SeekToFirst(); at->Valid(); at->Next()) take(*at);
    if (at->status().ok()) return;
    say(path, at->status().ToString());
    at.reset(reader.NewIterator(rocksdb::ReadOptions()));
    for (at->SeekToLast(); at->Valid(); at->Prev()) take(*at);
  }

  void read_blobs(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::error_code error;
    const uint64_t size = fs::file_size(path, error);
    char header[kBlobHeader];
    for (uint64_t at = kBlobFileHeader; !error && at + kBlobHeader <= size;) {
      in.clear();
      in.seekg(static_cast<std::streamoff>(at));
      if (!in.read(header, kBlobHeader)) break;
      auto key_bytes = get_le64(header), value_bytes = get_le64(header + 8);
      bool fits = is_header(header);
      std::string key(fits ? key_bytes : 0, '\0');
      if (fits) fits = at + kBlobHeader + key_bytes + value_bytes <= size && in.read(key.data(), std::ssize(key));
      if (!fits) {
        if (at + kBlobHeader == size && get_le32(header) == kBlobMagic) break;  // the footer
        auto from = std::exchange(at, next_header(in, at + 1, size));
        say(path, "no record can be read from byte " + std::to_string(from) + " to " + std::to_string(at));
        continue;
      }
      blocks_[key] = {"", path.native(), at, value_bytes};
      at += kBlobHeader + key_bytes + value_bytes;
    }
    if (error || size < kBlobFileHeader) say(path, "it is cut off");
  }

  static bool is_header(const char* header) {
    return get_le64(header) <= kBlobKeyMax && get_le64(header + 8) <= kBlobValueMax &&
           masked_crc32c({header, 24}) == get_le32(header + 24);
  }
  // The end of the file when there is none.
  static uint64_t next_header(std::ifstream& in, uint64_t from, uint64_t size) {
    constexpr size_t kWindow = 1 << 20;
    std::string window(kWindow + kBlobHeader, '\0');
    for (; from + kBlobHeader <= size; from += kWindow) {
      in.clear();
      in.seekg(static_cast<std::streamoff>(from));
      in.read(window.data(), std::ssize(window));
      auto got = static_cast<size_t>(in.gcount());
      for (size_t i = 0; i < kWindow && i + kBlobHeader <= got; ++i)
        if (is_header(window.data() + i)) return from + i;
    }
    return size;
  }

  void read_log(const fs::path& path) {
    auto damaged = each_log_record(path.native(), [this](std::string_view record) {
      rocksdb::WriteBatch batch{std::string(record)};
      Taker taker(*this);
      (void)batch.Iterate(&taker);
    });
    if (!damaged) say(path, damaged.error().message);
  }

  struct Taker : rocksdb::WriteBatch::Handler {
    explicit Taker(Salvager& salvager) : salvager_(salvager) {}
    rocksdb::Status PutCF(uint32_t family, const rocksdb::Slice& key, const rocksdb::Slice& value) override {
      if (family < kFamiliesEnd)
        salvager_.keep(kFamilies[family], key.ToStringView(), value.ToStringView());
      else
        salvager_.blocks_[key.ToString()] = {value.ToString(), "", 0, 0};
      return rocksdb::Status::OK();
    }
    // What a seal removes from the tail stands in its block.
    rocksdb::Status DeleteCF(uint32_t, const rocksdb::Slice&) override { return rocksdb::Status::OK(); }
    rocksdb::Status DeleteRangeCF(uint32_t, const rocksdb::Slice&, const rocksdb::Slice&) override {
      return rocksdb::Status::OK();
    }
    Salvager& salvager_;
  };

  const std::string directory_;
  rocksdb::Options options_;
  Salvaged out_;
  Salvaged::Entries blocks_;
  std::map<std::string, std::pair<uint32_t, uint32_t>, std::less<>> kept_;  // by a block's key: store day, days
};

}  // namespace

Result<Salvaged> salvage(const std::string& directory, rocksdb::Env* env) { return Salvager(directory, env).run(); }

Salvaged::Entries salvage_blobs(const std::string& directory) { return Salvager(directory, nullptr).blobs(); }

Result<std::string> read_salvaged(const std::string& key, const Salvaged::Value& value) {
  if (value.file.empty()) return value.bytes;
  std::ifstream in(value.file, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(value.at));
  std::string record(kBlobHeader + key.size() + value.size, '\0');
  auto place = value.file + ": the record at byte " + std::to_string(value.at);
  if (!in.read(record.data(), std::ssize(record))) return fail(Code::io, place + " cannot be read");
  auto checked = std::string_view(record).substr(kBlobHeader);
  if (masked_crc32c(checked) != get_le32(record.data() + 28)) return fail(Code::corrupt, place + " is damaged");
  return record.substr(kBlobHeader + key.size());
}

}  // namespace yushi::storage
