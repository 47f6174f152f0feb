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

Hash root_over(const LogRootMap& logs) {
  CompactRange tree;
  for (auto& [name, log] : logs) {
    tree.append(leaf_hash(name + " " + std::to_string(log.size) + " " + to_base64(as_bytes(log.root))));
  }
  return tree.root();
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
