// A small approximate set of 64-bit hashes: may say yes wrongly (about 1 in 256), never no wrongly.
//
// One per sealed block: a search reads it before the block. Built by storage/block_builder from the tokens of the
// block. It is a binary fuse filter (Graf, Lemire 2022): each hash owns three slots of one byte, and their exclusive or
// is the hash's fingerprint. About 9 bits a hash for 100,000 hashes, where a Bloom filter of the same precision
// needs 11.5.
//
// Invariants  The bytes depend on the set of hashes alone, not on their order or number: `verify` builds them again.
// Cost        Building takes about 40 ns a distinct hash and 3 ns a duplicate; asking, three byte reads.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace yushi {

// Whether filters hold this word. They leave out the fraction of a second of a UTC time ("003123Z"): each record has
// another one, so that they were half of a filter's words, and hardly anybody looks for one. A search that does reads
// the blocks.
inline bool is_in_token_filter(std::string_view token) {
  if (token.size() < 4 || token.size() > 10 || (token.back() | 0x20) != 'z') return true;
  for (size_t i = 0; i + 1 < token.size(); ++i)
    if (token[i] < '0' || token[i] > '9') return true;
  return false;
}

// Builds the filter's bytes; `hashes` may hold duplicates and is reordered.
std::string build_token_filter(std::vector<uint64_t>& hashes);

// View over the bytes, which must outlive it. Damaged bytes answer true to all.
class TokenFilter {
 public:
  explicit TokenFilter(std::string_view bytes);
  bool may_contain(uint64_t hash) const;

 private:
  std::string_view slots_;
  uint64_t seed_ = 0;
  uint32_t segment_length_ = 0;
  uint32_t segment_count_length_ = 0;
  enum class Answer : uint8_t { look, always, never } answer_ = Answer::always;
};

// Gathers hashes for build_token_filter(). Nearly all tokens of a block are repeats of a few thousand: a small
// direct-mapped memory keeps most of those out of the vector.
class TokenGatherer {
 public:
  void add(uint64_t hash) {
    uint64_t& last = recent_[hash >> 52];
    if (last == hash) return;
    last = hash;
    hashes_.push_back(hash);
  }
  std::vector<uint64_t>& hashes() { return hashes_; }

 private:
  std::array<uint64_t, 4096> recent_{};  // 0 would be kept out at first: see build_token_filter, which adds it always
  std::vector<uint64_t> hashes_;
};

}  // namespace yushi
