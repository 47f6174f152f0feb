// The outer form of a block: named streams of bytes, packed into sections that are compressed and checked each alone.
//
// The builder adds streams in an order of its own; the reader takes them in the same order. A large stream is a section
// by itself, so that a search reads only what it needs; small ones share a section with others of their kind, since a
// zstd frame of 40 bytes pays for its own header and nothing else. FORMAT.md has the bytes.
//
// Memory   The writer holds compressed sections and the open shared ones. The reader inflates its sections when it
//          opens, or each when a stream of it is asked for; their sizes are bounded before anything is allocated.
// Threads  One owner at a time; zstd contexts are kept per thread.
// Errors   corrupt, naming the section; refused for a version that this program does not know.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace yushi::storage {

constexpr uint32_t kBlockVersion = 3;
constexpr uint32_t kBlockRecordsMax = 64 << 10;
constexpr uint64_t kBlockRawBytesMax = 64 << 20;
constexpr uint64_t kBlockCapturesMax = 16 << 20;
constexpr uint64_t kBlockInflatedMax = 256 << 20;  // all sections together; four times the raw bytes

// What is alike compresses alike. Stored in no block: only the order of sections 1..5 follows from it.
enum class StreamKind : uint8_t { structure, numbers, indexes, text, binary };
constexpr size_t kStreamKinds = 5;

// What the header says before any section is read.
struct BlockCounts {
  uint64_t first_index = 0;
  uint32_t records = 0;
  uint64_t raw_bytes = 0;
  uint64_t captures = 0;
};

class SectionWriter {
 public:
  explicit SectionWriter(int zstd_level) : level_(zstd_level) {}
  void add(StreamKind kind, std::string_view bytes);
  // The whole block.
  std::string finish(const BlockCounts& counts);

 private:
  struct Section {
    std::string stored;
    uint64_t inflated_bytes = 0;
    bool compressed = false;
  };
  struct Stream {
    uint32_t section;
    uint64_t bytes;
  };
  Section pack(std::string_view bytes) const;

  int level_;
  std::array<std::string, kStreamKinds> shared_;
  std::vector<Section> own_;
  std::vector<Stream> streams_;
};

class SectionReader {
 public:
  // `lazily`: a section is inflated when a stream of it is asked for, from `block`, which must be there until then.
  static Result<SectionReader> open(std::string_view block, bool lazily = false);
  const BlockCounts& counts() const { return counts_; }
  // The next stream, with at least kStreamSlack readable bytes behind its end; empty past the last or when it does not
  // inflate, and then ok() is false.
  std::string_view next();
  void skip(size_t streams) { at_ += streams; }
  // Which stream is next, counted from 0; go_to() comes back to it.
  size_t at() const { return at_; }
  void go_to(size_t stream) { at_ = stream; }
  // The last stream, which says what the others are.
  std::string_view last();
  bool ok() const { return ok_ && at_ <= streams_.size(); }
  // Why a section could not be inflated, if one could not.
  const std::optional<Error>& failure() const { return failure_; }
  size_t streams_left() const { return streams_.size() - at_; }

  static constexpr size_t kStreamSlack = 32;

 private:
  struct Section {
    bool compressed;
    uint64_t inflated_bytes;
    uint32_t sum;
    std::string_view stored;
    std::unique_ptr<char[]> bytes;  // once it is inflated
  };
  struct Stream {
    uint32_t section;
    uint64_t at, bytes;  // in it
  };
  Result<void> inflate(size_t section);
  std::string_view stream(size_t number);

  BlockCounts counts_;
  std::vector<Section> sections_;
  std::vector<Stream> streams_;
  std::optional<Error> failure_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace yushi::storage
