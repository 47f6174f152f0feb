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

Result<SectionReader> SectionReader::open(std::string_view block, bool lazily) {
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
  std::vector<uint64_t> stored_bytes;
  uint64_t inflated = 0, stored = 0;
  for (uint64_t i = 0; i < sections && h.ok(); ++i) {
    Section section{};
    auto method = h.byte();
    if (method > 1) return damaged("section " + std::to_string(i) + " is packed in an unknown way");
    section.compressed = method == 1;
    stored_bytes.push_back(h.varint());
    section.inflated_bytes = h.varint();
    section.sum = h.be32();
    if (section.inflated_bytes > kBlockInflatedMax || stored_bytes[i] > block.size() ||
        (!section.compressed && stored_bytes[i] != section.inflated_bytes))
      return damaged("the size of section " + std::to_string(i) + " cannot be");
    inflated += section.inflated_bytes;
    stored += stored_bytes[i];
    out.sections_.push_back(std::move(section));
  }
  if (!h.ok() || h.left() != 0 || inflated > kBlockInflatedMax || stored != in.left())
    return damaged("its list of sections does not fit its size");
  for (size_t i = 0; i < out.sections_.size(); ++i) out.sections_[i].stored = in.take(stored_bytes[i]);

  YUSHI_TRY(out.inflate(0));
  Reader directory({out.sections_[0].bytes.get(), out.sections_[0].inflated_bytes});
  auto streams = directory.varint();
  if (streams > kStreamsMax || streams > directory.left()) return damaged("its directory of streams is damaged");
  out.streams_.resize(streams);
  for (auto& stream : out.streams_) {
    auto number = directory.varint();
    if (number == 0 || number >= out.sections_.size()) return damaged("a stream stands in a section that is not there");
    stream.section = static_cast<uint32_t>(number);
  }
  std::vector<uint64_t> used(out.sections_.size());
  for (auto& stream : out.streams_) {
    stream.at = used[stream.section];
    stream.bytes = directory.varint();
    if (stream.bytes > out.sections_[stream.section].inflated_bytes - stream.at)
      return damaged("a stream is longer than its section");
    used[stream.section] += stream.bytes;
  }
  if (!directory.ok() || directory.left() != 0) return damaged("its directory of streams is damaged");
  for (size_t i = 1; !lazily && i < out.sections_.size(); ++i) {
    YUSHI_TRY(out.inflate(i));
  }
  return out;
}

Result<void> SectionReader::inflate(size_t number) {
  auto& section = sections_[number];
  if (checksum(section.stored) != section.sum)
    return damaged("the checksum of section " + std::to_string(number) + " does not fit");
  std::unique_ptr<char[]> memory(new char[section.inflated_bytes + kStreamSlack]);
  if (section.compressed) {
    auto size = ZSTD_decompressDCtx(decompressor(), memory.get(), section.inflated_bytes, section.stored.data(),
                                    section.stored.size());
    if (ZSTD_isError(size) || size != section.inflated_bytes)
      return damaged("section " + std::to_string(number) + " does not inflate to its size");
  } else {
    std::memcpy(memory.get(), section.stored.data(), section.stored.size());
  }
  std::memset(memory.get() + section.inflated_bytes, 0, kStreamSlack);
  section.bytes = std::move(memory);
  return {};
}

std::string_view SectionReader::stream(size_t number) {
  static constexpr char kNothing[kStreamSlack] = {};
  if (number < streams_.size()) {
    auto& [section, at, bytes] = streams_[number];
    if (!sections_[section].bytes) {
      if (auto inflated = inflate(section); !inflated) failure_ = inflated.error();
    }
    if (sections_[section].bytes) return {sections_[section].bytes.get() + at, bytes};
  }
  ok_ = false;
  return std::string_view(kNothing);
}

std::string_view SectionReader::next() { return stream(at_++); }

std::string_view SectionReader::last() { return streams_.empty() ? std::string_view() : stream(streams_.size() - 1); }

}  // namespace yushi::storage
