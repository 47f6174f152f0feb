#include "core/ledger/merkle.h"

#include <map>

#include <gtest/gtest.h>

#include "core/base/bytes.h"

namespace yushi {
namespace {

// The obvious one: RFC 9162 section 2.1.1, word by word.
Hash naive_root(const std::vector<Hash>& leaves, size_t begin, size_t end) {
  if (begin == end) return sha256({});
  if (end - begin == 1) return leaves[begin];
  size_t k = 1;
  while (k * 2 < end - begin) k *= 2;
  return node_hash(naive_root(leaves, begin, begin + k), naive_root(leaves, begin + k, end));
}

std::vector<Hash> make_leaves(size_t count) {
  std::vector<Hash> leaves;
  for (size_t i = 0; i < count; ++i) leaves.push_back(leaf_hash("entry " + std::to_string(i)));
  return leaves;
}

// What a store keeps: every complete subtree, as append() reports them.
class StoredTree {
 public:
  explicit StoredTree(const std::vector<Hash>& leaves) {
    CompactRange range;
    for (const Hash& leaf : leaves)
      range.append(leaf, [&](int level, uint64_t index, const Hash& hash) { nodes_[{level, index}] = hash; });
  }
  Subtree subtree() const {
    return [this](int level, uint64_t index) -> Result<Hash> {
      auto at = nodes_.find({level, index});
      if (at == nodes_.end()) return fail(Code::not_found, "no such subtree");
      return at->second;
    };
  }

 private:
  std::map<std::pair<int, uint64_t>, Hash> nodes_;
};

TEST(Merkle, GivesTheRootsOfCertificateTransparencysReferenceLeaves) {
  const char* leaves[] = {
      "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
  const char* roots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                         "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                         "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                         "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                         "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  CompactRange range;
  EXPECT_EQ(to_hex(as_bytes(range.root())), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (int i = 0; i < 8; ++i) {
    range.append(leaf_hash(*from_hex(leaves[i])));
    EXPECT_EQ(to_hex(as_bytes(range.root())), roots[i]) << i;
  }
}

TEST(Merkle, ACompactRangeHasTheRootOfTheWholeTreeAtEverySizeAlsoAfterEncoding) {
  auto leaves = make_leaves(70);
  CompactRange range;
  for (size_t size = 0; size <= 70; ++size) {
    if (size) range.append(leaves[size - 1]);
    EXPECT_EQ(range.root(), naive_root(leaves, 0, size)) << size;
    auto again = CompactRange::decode(range.encode());
    ASSERT_TRUE(again.has_value());
    range = *again;
    EXPECT_EQ(range.size(), size);
    StoredTree tree({leaves.begin(), leaves.begin() + static_cast<ptrdiff_t>(size)});
    EXPECT_EQ(*root_at(size, tree.subtree()), range.root());
  }
}

TEST(Merkle, DamagedCompactRangesAreRefused) {
  CompactRange range;
  for (const Hash& leaf : make_leaves(7)) range.append(leaf);
  std::string bytes = range.encode();
  for (size_t cut = 0; cut < bytes.size(); ++cut) EXPECT_FALSE(CompactRange::decode(bytes.substr(0, cut)).has_value());
  EXPECT_FALSE(CompactRange::decode(bytes + 'x').has_value());
}

TEST(Merkle, EveryInclusionProofHoldsAndNoChangedOneDoes) {
  auto leaves = make_leaves(40);
  StoredTree tree(leaves);
  for (uint64_t size = 1; size <= 40; ++size) {
    Hash root = naive_root(leaves, 0, size);
    for (uint64_t index = 0; index < size; ++index) {
      auto proof = prove_inclusion(index, size, tree.subtree());
      ASSERT_TRUE(proof.has_value()) << proof.error().message;
      ASSERT_TRUE(verify_inclusion(index, size, leaves[index], *proof, root)) << index << " of " << size;
      for (uint64_t other = 0; other < size + 2; ++other)
        EXPECT_EQ(verify_inclusion(other, size, leaves[index], *proof, root), other == index);
      EXPECT_FALSE(verify_inclusion(index, size, leaves[(index + 1) % 40], *proof, root));
      for (size_t i = 0; i < proof->size(); ++i) {
        auto changed = *proof;
        changed[i][i % 32] ^= 1;
        EXPECT_FALSE(verify_inclusion(index, size, leaves[index], changed, root));
        auto shorter = *proof;
        shorter.erase(shorter.begin() + static_cast<ptrdiff_t>(i));
        EXPECT_FALSE(verify_inclusion(index, size, leaves[index], shorter, root));
      }
      auto longer = *proof;
      longer.push_back(root);
      EXPECT_FALSE(verify_inclusion(index, size, leaves[index], longer, root));
    }
  }
  EXPECT_FALSE(verify_inclusion(0, 0, leaves[0], {}, leaves[0]));
  EXPECT_EQ(prove_inclusion(3, 3, tree.subtree()).error().code, Code::invalid);
}

TEST(Merkle, EveryConsistencyProofHoldsAndNoChangedOneDoes) {
  auto leaves = make_leaves(40);
  StoredTree tree(leaves);
  for (uint64_t size = 0; size <= 40; ++size) {
    Hash root = naive_root(leaves, 0, size);
    for (uint64_t old_size = 0; old_size <= size; ++old_size) {
      Hash old_root = naive_root(leaves, 0, old_size);
      auto proof = prove_consistency(old_size, size, tree.subtree());
      ASSERT_TRUE(proof.has_value()) << proof.error().message;
      ASSERT_TRUE(verify_consistency(old_size, size, *proof, old_root, root)) << old_size << " to " << size;
      Hash other = root;
      other[0] ^= 1;
      EXPECT_FALSE(verify_consistency(old_size, size, *proof, other, root));
      // From the empty tree every tree grows: there is nothing to prove.
      EXPECT_EQ(verify_consistency(old_size, size, *proof, old_root, other), old_size == 0 && size != 0);
      for (size_t i = 0; i < proof->size(); ++i) {
        auto changed = *proof;
        changed[i][31] ^= 0x80;
        EXPECT_FALSE(verify_consistency(old_size, size, changed, old_root, root));
        auto shorter = *proof;
        shorter.erase(shorter.begin() + static_cast<ptrdiff_t>(i));
        EXPECT_FALSE(verify_consistency(old_size, size, shorter, old_root, root));
      }
      auto longer = *proof;
      longer.push_back(root);
      EXPECT_FALSE(verify_consistency(old_size, size, longer, old_root, root));
    }
  }
  EXPECT_FALSE(verify_consistency(2, 1, {}, naive_root(leaves, 0, 2), leaves[0]));
}

TEST(Merkle, AHoleInTheStoredTreeIsSaidAndNotHashedOver) {
  Subtree none = [](int, uint64_t) -> Result<Hash> { return fail(Code::corrupt, "tile 0"); };
  EXPECT_EQ(prove_inclusion(0, 2, none).error().code, Code::corrupt);
  EXPECT_EQ(prove_consistency(3, 7, none).error().code, Code::corrupt);
  EXPECT_EQ(root_at(5, none).error().code, Code::corrupt);
}

}  // namespace
}  // namespace yushi
