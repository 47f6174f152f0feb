#include "storage/block/sections.h"

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

#include "core/base/assert.h"
#include "core/base/bytes.h"

namespace yushi::storage {
namespace {

constexpr std::string_view kMagic = "YUSHIBLK";
constexpr size_t kOwnSectionBytes = 4 << 10;  // a stream of this size is a section by itself
constexpr size_t kSectionsMax = 1 << 16;
constexpr size_t kStreamsMax = 1 << 20;

ZSTD_CCtx* compressor() {
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  thread_local std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
  return context.get();
}

ZSTD_DCtx* decompressor() {
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  thread_local std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  return context.get();
}

uint32_t checksum(std::string_view bytes) { return static_cast<uint32_t>(XXH3_64bits(bytes.data(), bytes.size())); }

tl::unexpected<Error> damaged(const std::string& what) {
  return fail(Code::corrupt, "reading a block: " + what + "; `yushi repair` brings it back from a copy");
}

}  // namespace

SectionWriter::Section SectionWriter::pack(std::string_view bytes) const {
  Section section;
  section.inflated_bytes = bytes.size();
  if (bytes.size() >= 16) {
    section.stored.resize(ZSTD_compressBound(bytes.size()));
    auto size = ZSTD_compressCCtx(compressor(), section.stored.data(), section.stored.size(), bytes.data(),
                                  bytes.size(), level_);
    YUSHI_ASSERT(!ZSTD_isError(size), "zstd: %s", ZSTD_getErrorName(size));
    if (size < bytes.size()) {
      section.stored.resize(size);
      section.stored.shrink_to_fit();
      section.compressed = true;
      return section;
    }
  }
  section.stored.assign(bytes);
  return section;
}

void SectionWriter::add(StreamKind kind, std::string_view bytes) {
  if (bytes.size() >= kOwnSectionBytes && own_.size() < kSectionsMax - 16) {
    streams_.push_back({static_cast<uint32_t>(1 + kStreamKinds + own_.size()), bytes.size()});
    own_.push_back(pack(bytes));
    return;
  }
  auto k = static_cast<size_t>(kind);
  streams_.push_back({static_cast<uint32_t>(1 + k), bytes.size()});
  shared_[k].append(bytes);
}

std::string SectionWriter::finish(const BlockCounts& counts) {
  std::string directory;
  put_varint(directory, streams_.size());
  for (auto& stream : streams_) put_varint(directory, stream.section);
  for (auto& stream : streams_) put_varint(directory, stream.bytes);

  std::vector<Section> first;
  first.push_back(pack(directory));
  for (auto& bytes : shared_) first.push_back(pack(bytes));

  std::string header;
  put_varint(header, counts.first_index);
  put_varint(header, counts.records);
  put_varint(header, counts.raw_bytes);
  put_varint(header, counts.captures);
  put_text(header, {});  // sealed by no key
  put_varint(header, first.size() + own_.size());
  uint64_t total = 0;
  auto describe = [&](const Section& section) {
    header.push_back(section.compressed ? 1 : 0);
    put_varint(header, section.stored.size());
    put_varint(header, section.inflated_bytes);
    put_be32(header, checksum(section.stored));
    total += section.stored.size();
  };
  for (auto& section : first) describe(section);
  for (auto& section : own_) describe(section);

  std::string block(kMagic);
  block.reserve(kMagic.size() + 16 + header.size() + total);
  put_be32(block, kBlockVersion);
  put_be32(block, static_cast<uint32_t>(header.size()));
  block += header;
  put_be32(block, checksum(block));
  for (auto& section : first) block += section.stored;
  for (auto& section : own_) block += section.stored;
  return block;
}

Result<SectionReader> SectionReader::open(std::string_view block, bool last_only) {
  Reader in(block);
  if (in.take(kMagic.size()) != kMagic) return damaged("it does not begin with the mark of a block");
  auto version = in.be32();
  if (in.ok() && version != kBlockVersion)
    return fail(Code::refused, "reading a block: its format version is " + std::to_string(version) +
                                   ", this program knows " + std::to_string(kBlockVersion) + "; use a newer yushi");
  auto header = in.take(in.be32());
  auto covered = block.size() - in.left();
  auto sum = in.be32();
  if (!in.ok()) return damaged("it ends within its header");
  if (sum != checksum(block.substr(0, covered))) return damaged("the checksum of its header does not fit");

  SectionReader out;
  Reader h(header);
  out.counts_.first_index = h.varint();
  auto records = h.varint();
  out.counts_.raw_bytes = h.varint();
  out.counts_.captures = h.varint();
  if (auto key = h.text(); h.ok() && !key.empty()) {
    return fail(Code::refused, "reading a block: it is sealed by the key " + std::string(key) +
                                   "; this yushi has no keys to open sealed records with");
  }
  auto sections = h.varint();
  if (!h.ok() || records > kBlockRecordsMax || out.counts_.raw_bytes > kBlockRawBytesMax ||
      out.counts_.captures > kBlockCapturesMax || sections < 1 + kStreamKinds || sections > kSectionsMax)
    return damaged("a count in its header is beyond what a block may hold");
  out.counts_.records = static_cast<uint32_t>(records);

  // First look at all sizes, then allocate.
  struct Entry {
    bool compressed;
    uint64_t stored, inflated;
    uint32_t sum;
  };
  std::vector<Entry> entries;
  uint64_t inflated = 0, stored = 0;
  for (uint64_t i = 0; i < sections && h.ok(); ++i) {
    Entry entry;
    auto method = h.byte();
    if (method > 1) return damaged("section " + std::to_string(i) + " is packed in an unknown way");
    entry.compressed = method == 1;
    entry.stored = h.varint();
    entry.inflated = h.varint();
    entry.sum = h.be32();
    if (entry.inflated > kBlockInflatedMax || entry.stored > block.size() ||
        (!entry.compressed && entry.stored != entry.inflated))
      return damaged("the size of section " + std::to_string(i) + " cannot be");
    inflated += entry.inflated;
    stored += entry.stored;
    entries.push_back(entry);
  }
  if (!h.ok() || h.left() != 0 || inflated > kBlockInflatedMax || stored != in.left())
    return damaged("its list of sections does not fit its size");

  std::vector<std::string_view> packed, bytes(entries.size());
  for (auto& entry : entries) packed.push_back(in.take(entry.stored));
  auto inflate = [&](size_t i) -> Result<void> {
    auto& entry = entries[i];
    if (checksum(packed[i]) != entry.sum)
      return damaged("the checksum of section " + std::to_string(i) + " does not fit");
    std::unique_ptr<char[]> memory(new char[entry.inflated + kStreamSlack]);
    if (entry.compressed) {
      auto size = ZSTD_decompressDCtx(decompressor(), memory.get(), entry.inflated, packed[i].data(), packed[i].size());
      if (ZSTD_isError(size) || size != entry.inflated)
        return damaged("section " + std::to_string(i) + " does not inflate to its size");
    } else {
      std::memcpy(memory.get(), packed[i].data(), packed[i].size());
    }
    std::memset(memory.get() + entry.inflated, 0, kStreamSlack);
    bytes[i] = {memory.get(), entry.inflated};
    out.sections_.push_back(std::move(memory));
    return {};
  };

  if (auto inflated_one = inflate(0); !inflated_one) return tl::unexpected<Error>(inflated_one.error());
  Reader directory(bytes[0]);
  auto streams = directory.varint();
  if (streams > kStreamsMax || streams > directory.left()) return damaged("its directory of streams is damaged");
  std::vector<uint32_t> section_of(streams);
  for (auto& section : section_of) {
    auto number = directory.varint();
    if (number == 0 || number >= bytes.size()) return damaged("a stream stands in a section that is not there");
    section = static_cast<uint32_t>(number);
  }
  std::vector<uint64_t> left;
  for (size_t i = 0; i < entries.size(); ++i) {
    left.push_back(entries[i].inflated);
    if (i == 0 || (last_only && (section_of.empty() || section_of.back() != i))) continue;
    if (auto inflated_one = inflate(i); !inflated_one) return tl::unexpected<Error>(inflated_one.error());
  }
  out.streams_.reserve(streams);
  for (auto section : section_of) {
    auto length = directory.varint();
    if (length > left[section]) return damaged("a stream is longer than its section");
    left[section] -= length;
    out.streams_.push_back(bytes[section].substr(0, length));
    bytes[section].remove_prefix(out.streams_.back().size());
  }
  if (!directory.ok() || directory.left() != 0) return damaged("its directory of streams is damaged");
  return out;
}

std::string_view SectionReader::next() {
  static constexpr char kNothing[kStreamSlack] = {};
  if (at_ == streams_.size()) {
    ok_ = false;
    return std::string_view(kNothing);
  }
  return streams_[at_++];
}

}  // namespace yushi::storage
