// A small approximate set of 64-bit hashes: may say yes wrongly (about 1 in 250), never no wrongly.
//
// One per sealed block: a search reads it before the block. Built by storage/block_builder from the tokens of the block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace yushi {

// Builds the filter's bytes; `hashes` may hold duplicates and is reordered.
std::string build_token_filter(std::vector<uint64_t>& hashes);

// View over the bytes, which must outlive it. Damaged bytes answer true to all.
class TokenFilter {
 public:
  explicit TokenFilter(std::string_view bytes);
  bool may_contain(uint64_t hash) const;

 private:
  std::string_view bytes_;
};

}  // namespace yushi
