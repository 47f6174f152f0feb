// One root over all logs of a node, by which no single log can be cut back, rewritten, deleted or put in.
//
// Before `_audit` is signed, its last record states this root (core/event/own_record.h, LogRoots). The leaves are the
// other logs in the order of their names, each `name SP size SP base64-root`, in a tree of RFC 9162: a unit can be
// shown that its log is among them without being shown the others.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/name.h"
#include "core/ledger/checkpoint.h"
#include "core/ledger/sha256.h"

namespace yushi {

struct LogRoot {
  uint64_t size = 0;
  Hash root{};
  bool operator==(const LogRoot&) const = default;
};
using LogRootMap = std::map<std::string, LogRoot, std::less<>>;  // by name, without `_audit`

std::string log_leaf(std::string_view name, const LogRoot& log);  // `name SP size SP base64-root`
Hash root_over(const LogRootMap& logs);
// That log `name`, which must be among them, is: its place in the order of names, and the path from its leaf to the
// root (verify_inclusion()).
std::pair<uint64_t, std::vector<Hash>> prove_log(const LogRootMap& logs, std::string_view name);

// A chain of codes over commits, made with a key that only the node has: what is not signed yet cannot be continued by
// somebody else. HMAC-SHA-256 (RFC 2104).
class CommitChain {
 public:
  explicit CommitChain(const SigningKey& key) : key_(key.derive("yushi commit chain")) {}
  CommitChain() = default;
  // Begins anew behind what was signed (the note of `_audit`), or with a new store (its node's name).
  void begin(std::string_view at);
  // `moved`: log -> the encoded edge of its tree after the commit (CompactRange::encode()).
  void add(uint64_t commit, const std::map<std::string_view, std::string>& moved);
  const Hash& code() const { return code_; }

 private:
  Hash key_{}, code_{};
};

}  // namespace yushi
