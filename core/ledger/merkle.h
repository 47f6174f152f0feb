// The Merkle tree of RFC 9162 section 2.1, as the compact range that appending needs, and proofs over it.
//
// A complete subtree is named by (level, index): it is over the leaves [index << level, (index + 1) << level), and at
// level 0 it is the leaf's own hash. No more of a tree is ever stored than such hashes; where they lie is the caller's
// matter (storage/FORMAT.md, family `tree`).
//
// Threads  Functions: any. A CompactRange has one owner.
// Memory   No call keeps a reference to what it was given.
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

Hash leaf_hash(std::string_view entry);               // SHA-256(0x00 || entry); core/ledger/entry.h makes entries
Hash node_hash(const Hash& left, const Hash& right);  // SHA-256(0x01 || left || right)
Hash empty_root();                                    // SHA-256 of nothing: the root of a tree without leaves

// Gives the root of a complete subtree of the tree at hand. Its error ends whatever asked, and comes out unchanged.
using Subtree = std::function<Result<Hash>(int level, uint64_t index)>;

// The right edge of a growing tree: the roots of its complete subtrees, largest first, one for each bit set in its
// size. Append-only, and cheap to copy: at most 64 hashes. One made anew is the tree without leaves.
//
// Cost     Of an append one hash, and one more on average for the subtrees that it completes.
class CompactRange {
 public:
  // `completed(level, index, hash)` is called for each subtree that the append completes, from the leaf upwards. Each
  // (level, index) comes once in a tree's life.
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
  uint64_t size() const { return size_; }  // leaves
  Hash root() const;                       // of all leaves; empty_root() of none
  // The edge that a tree had at `size`. Errors: those of `subtree`, which is asked for the complete subtrees of the
  // edge only, at most 64.
  static Result<CompactRange> at(uint64_t size, const Subtree& subtree);

  // size:be64, then the edge. decode: corrupt when the bytes are not as many as the size wants; the hashes are
  // believed.
  std::string encode() const;
  static Result<CompactRange> decode(std::string_view bytes);

 private:
  uint64_t size_ = 0;
  std::vector<Hash> edge_;
};

// RFC 9162 2.1.3.2 and 2.1.4.2: true when the proof holds. They trust nothing that they are given: a proof that is too
// long or too short, an index behind the tree or an old size above the new one is false, never an assert. Each tree
// begins with the empty one, by an empty proof.
bool verify_inclusion(uint64_t index, uint64_t size, const Hash& leaf, const std::vector<Hash>& proof,
                      const Hash& root);
bool verify_consistency(uint64_t old_size, uint64_t new_size, const std::vector<Hash>& proof, const Hash& old_root,
                        const Hash& new_root);

// Make such proofs (RFC 9162 2.1.3.1, 2.1.4.1), from the leaf up. invalid: no such leaf, or an old size above the new
// one; else the errors of `subtree`. Some log2(size)² / 2 calls of it at most.
Result<std::vector<Hash>> prove_inclusion(uint64_t index, uint64_t size, const Subtree& subtree);
Result<std::vector<Hash>> prove_consistency(uint64_t old_size, uint64_t new_size, const Subtree& subtree);
// The root that a tree had at `size`, out of the same subtrees as CompactRange::at(). Errors: those of `subtree`.
Result<Hash> root_at(uint64_t size, const Subtree& subtree);

}  // namespace yushi
