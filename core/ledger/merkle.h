// The Merkle tree of RFC 9162 section 2.1, as the compact range that appending needs, and proofs over it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/ledger/sha256.h"

namespace yushi {

Hash leaf_hash(std::string_view entry);               // SHA-256(0x00 || entry)
Hash node_hash(const Hash& left, const Hash& right);  // SHA-256(0x01 || left || right)
Hash empty_root();                                    // SHA-256 of nothing

// The right edge of a growing tree: the roots of its complete subtrees, largest first. Append-only.
// Memory: at most 64 hashes. Threads: one owner.
class CompactRange {
 public:
  // `completed(level, index, hash)` is called for each subtree that the append completes, level 0 (the leaf) included:
  // `hash` is the root of leaves [index << level, (index + 1) << level).
  template <class Completed>
  void append(const Hash& leaf, Completed&& completed) {
    Hash hash = leaf;
    uint64_t index = size_++;
    completed(0, index, hash);
    for (int level = 0; index & 1; ++level) {
      hash = node_hash(edge_.back(), hash);
      edge_.pop_back();
      index >>= 1;
      completed(level + 1, index, hash);
    }
    edge_.push_back(hash);
  }
  void append(const Hash& leaf) {
    append(leaf, [](int, uint64_t, const Hash&) {});
  }
  uint64_t size() const { return size_; }
  Hash root() const;
  // The edge at `size` of a tree of which `subtree(level, index)` gives the root of a complete subtree.
  static Result<CompactRange> at(uint64_t size, const std::function<Result<Hash>(int level, uint64_t index)>& subtree);

  std::string encode() const;
  static Result<CompactRange> decode(std::string_view bytes);

 private:
  uint64_t size_ = 0;
  std::vector<Hash> edge_;
};

// RFC 9162 2.1.3.2 and 2.1.4.2: true when the proof holds. Proof lengths that cannot be are false.
bool verify_inclusion(uint64_t index, uint64_t size, const Hash& leaf, const std::vector<Hash>& proof,
                      const Hash& root);
bool verify_consistency(uint64_t old_size, uint64_t new_size, const std::vector<Hash>& proof, const Hash& old_root,
                        const Hash& new_root);

// Makes proofs over any tree of which `subtree(level, index)` gives the root of a complete subtree (RFC 9162 2.1.3.1,
// 2.1.4.1).
using Subtree = std::function<Result<Hash>(int level, uint64_t index)>;
Result<std::vector<Hash>> prove_inclusion(uint64_t index, uint64_t size, const Subtree& subtree);
Result<std::vector<Hash>> prove_consistency(uint64_t old_size, uint64_t new_size, const Subtree& subtree);
Result<Hash> root_at(uint64_t size, const Subtree& subtree);

}  // namespace yushi
