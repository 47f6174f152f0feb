#include "core/ledger/log_roots.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/base/bytes.h"
#include "core/ledger/merkle.h"

namespace yushi {
namespace {

Hash hmac(const Hash& key, std::string_view text) {
  Hash out{};
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), out.data(), nullptr);
  return out;
}

}  // namespace

std::string log_leaf(std::string_view name, const LogRoot& log) {
  return std::string(name) + " " + std::to_string(log.size) + " " + to_base64(as_bytes(log.root));
}

Hash root_over(const LogRootMap& logs) {
  CompactRange tree;
  for (auto& [name, log] : logs) tree.append(leaf_hash(log_leaf(name, log)));
  return tree.root();
}

std::pair<uint64_t, std::vector<Hash>> prove_log(const LogRootMap& logs, std::string_view name) {
  std::vector<Hash> leaves;
  uint64_t place = 0;
  for (auto& [each, log] : logs) {
    if (each == name) place = leaves.size();
    leaves.push_back(leaf_hash(log_leaf(each, log)));
  }
  Subtree subtree = [&](int level, uint64_t index) -> Result<Hash> {
    CompactRange range;
    for (auto i = index << level; i < (index + 1) << level; ++i) range.append(leaves[i]);
    return range.root();
  };
  return {place, *prove_inclusion(place, leaves.size(), subtree)};
}

void CommitChain::begin(std::string_view at) { code_ = hmac(key_, "begin\n" + std::string(at)); }

void CommitChain::add(uint64_t commit, const std::map<std::string_view, std::string>& moved) {
  std::string text(as_bytes(code_));
  put_be64(text, commit);
  for (auto& [log, edge] : moved) {
    put_text(text, log);
    put_text(text, edge);
  }
  code_ = hmac(key_, text);
}

}  // namespace yushi
