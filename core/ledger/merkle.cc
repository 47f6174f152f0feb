// RFC 9162 section 2.1. Everything here rests on one cut: a tree of n > 1 leaves is split at k, the largest power of
// two below n, into a complete left part and the rest. A range of leaves that begins at a multiple of its complete
// subtree's width is therefore always named by (level, index), which is what a store keeps.
#include "core/ledger/merkle.h"

#include <bit>

#include "core/base/bytes.h"

namespace yushi {
namespace {

uint64_t split_point(uint64_t size) { return std::bit_floor(size - 1); }  // size > 1

// Root of leaves [begin, begin + size), size > 0, where begin is a multiple of bit_ceil(size).
Result<Hash> range_root(uint64_t begin, uint64_t size, const Subtree& subtree) {
  // From the right: the complete subtrees of the range, smallest first.
  bool any = false;
  Hash root{};
  while (size) {
    int level = std::countr_zero(size);
    size &= size - 1;
    auto part = YUSHI_TRY(subtree(level, (begin + size) >> level));
    root = any ? node_hash(part, root) : part;
    any = true;
  }
  return root;
}

}  // namespace

Hash leaf_hash(std::string_view entry) { return sha256(std::string_view("\0", 1), entry); }

Hash node_hash(const Hash& left, const Hash& right) {
  char bytes[65];
  bytes[0] = 1;
  std::memcpy(bytes + 1, left.data(), 32);
  std::memcpy(bytes + 33, right.data(), 32);
  return sha256({bytes, sizeof bytes});
}

Hash empty_root() { return sha256({}); }

Hash CompactRange::root() const {
  if (edge_.empty()) return empty_root();
  Hash root = edge_.back();
  for (size_t i = edge_.size() - 1; i-- > 0;) root = node_hash(edge_[i], root);
  return root;
}

Result<CompactRange> CompactRange::at(uint64_t size, const Subtree& subtree) {
  CompactRange out;
  uint64_t begin = 0;
  for (int level = 63; level >= 0; --level) {
    if ((size >> level & 1) == 0) continue;
    out.edge_.push_back(YUSHI_TRY(subtree(level, begin >> level)));
    begin += uint64_t{1} << level;
  }
  out.size_ = size;
  return out;
}

std::string CompactRange::encode() const {
  std::string out;
  put_be64(out, size_);
  for (const Hash& hash : edge_) out.append(as_bytes(hash));
  return out;
}

Result<CompactRange> CompactRange::decode(std::string_view bytes) {
  Reader reader(bytes);
  CompactRange range;
  range.size_ = reader.be64();
  auto hashes = static_cast<size_t>(std::popcount(range.size_));
  if (!reader.ok() || reader.left() != hashes * sizeof(Hash))
    return fail(Code::corrupt, "reading a compact range: " + std::to_string(bytes.size()) +
                                   " bytes do not fit its size " + std::to_string(range.size_) +
                                   "; rebuild it from the tree's leaves");
  range.edge_.resize(hashes);
  for (Hash& hash : range.edge_) std::memcpy(hash.data(), reader.take(sizeof(Hash)).data(), sizeof(Hash));
  return range;
}

bool verify_inclusion(uint64_t index, uint64_t size, const Hash& leaf, const std::vector<Hash>& proof,
                      const Hash& root) {
  if (index >= size) return false;
  uint64_t node = index, last = size - 1;
  Hash hash = leaf;
  for (const Hash& each : proof) {
    if (last == 0) return false;
    if ((node & 1) || node == last) {
      hash = node_hash(each, hash);
      if (!(node & 1)) do
          node >>= 1, last >>= 1;
        while (!(node & 1) && node);
    } else {
      hash = node_hash(hash, each);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == root;
}

bool verify_consistency(uint64_t old_size, uint64_t new_size, const std::vector<Hash>& proof, const Hash& old_root,
                        const Hash& new_root) {
  if (old_size > new_size) return false;
  if (old_size == new_size) return proof.empty() && old_root == new_root && (old_size || old_root == empty_root());
  if (old_size == 0) return proof.empty() && old_root == empty_root();  // the empty tree is a prefix of every tree
  if (proof.empty()) return false;
  uint64_t node = old_size - 1, last = new_size - 1;
  while (node & 1) node >>= 1, last >>= 1;
  // When the old tree is complete, its root is where the proof begins and is not sent.
  size_t at = 0;
  Hash first = node ? proof[at++] : old_root;
  Hash second = first;
  for (; at < proof.size(); ++at) {
    if (last == 0) return false;
    if ((node & 1) || node == last) {
      first = node_hash(proof[at], first);
      second = node_hash(proof[at], second);
      while (!(node & 1) && node) node >>= 1, last >>= 1;
    } else {
      second = node_hash(second, proof[at]);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && first == old_root && second == new_root;
}

Result<std::vector<Hash>> prove_inclusion(uint64_t index, uint64_t size, const Subtree& subtree) {
  if (index >= size)
    return fail(Code::invalid, "proving record " + std::to_string(index) + " in a tree of " + std::to_string(size) +
                                   ": it is not in it; ask for a larger tree");
  // From the root down; the proof is read from the leaf up.
  std::vector<Hash> proof;
  uint64_t begin = 0;
  while (size > 1) {
    uint64_t left = split_point(size);
    bool in_left = index - begin < left;
    auto sibling =
        YUSHI_TRY(in_left ? range_root(begin + left, size - left, subtree) : range_root(begin, left, subtree));
    proof.push_back(sibling);
    if (in_left) {
      size = left;
    } else {
      begin += left;
      size -= left;
    }
  }
  return std::vector<Hash>(proof.rbegin(), proof.rend());
}

Result<std::vector<Hash>> prove_consistency(uint64_t old_size, uint64_t new_size, const Subtree& subtree) {
  if (old_size > new_size)
    return fail(Code::invalid, "proving that a tree of " + std::to_string(old_size) + " is the beginning of one of " +
                                   std::to_string(new_size) + ": it is larger; swap the sizes");
  std::vector<Hash> proof;
  if (old_size == 0 || old_size == new_size) return proof;
  uint64_t begin = 0, size = new_size, old_left = old_size;
  bool is_old_root = true;  // SUBPROOF's b: the part at hand is the whole old tree, whose root the verifier has
  while (old_left != size) {
    uint64_t left = split_point(size);
    bool in_left = old_left <= left;
    auto sibling =
        YUSHI_TRY(in_left ? range_root(begin + left, size - left, subtree) : range_root(begin, left, subtree));
    proof.push_back(sibling);
    if (in_left) {
      size = left;
    } else {
      begin += left;
      size -= left;
      old_left -= left;
      is_old_root = false;
    }
  }
  if (!is_old_root) {
    auto rest = YUSHI_TRY(range_root(begin, size, subtree));
    proof.push_back(rest);
  }
  return std::vector<Hash>(proof.rbegin(), proof.rend());
}

Result<Hash> root_at(uint64_t size, const Subtree& subtree) {
  if (size == 0) return empty_root();
  return range_root(0, size, subtree);
}

}  // namespace yushi
