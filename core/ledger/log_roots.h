// What binds the logs of a node to each other: one root over all of them, by which no single log can be cut back,
// rewritten, deleted or put in; and between two signatures a chain of codes, which nobody continues without the node's
// key. storage/FORMAT.md, section 9, has both byte for byte.
//
// Before `_audit` is signed, its last record states this root (core/event/own_record.h, LogRoots). The leaves are the
// other logs in the order of their names, each `name SP size SP base64-root`, in a tree of RFC 9162: a unit can be
// shown that its log is among them without being shown the others.
// Threads  None of their own; a CommitChain has one owner.
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
  uint64_t size = 0;  // records
  Hash root{};        // of the log's tree at that size
  bool operator==(const LogRoot&) const = default;
};
using LogRootMap = std::map<std::string, LogRoot, std::less<>>;  // by name, without `_audit`

// The leaf of a log: `name SP size SP base64-root`.
std::string log_leaf(std::string_view name, const LogRoot& log);
// empty_root() of no logs. Cost: two hashes a log.
Hash root_over(const LogRootMap& logs);
// That log `name`, which must be among them, is: its place in the order of names, and the path from its leaf to the
// root (verify_inclusion()).
std::pair<uint64_t, std::vector<Hash>> prove_log(const LogRootMap& logs, std::string_view name);

// The chain of codes over the commits since the newest signature (HMAC-SHA-256, RFC 2104). Each commit stores the
// newest code with what it writes; the next start makes the chain again from the records and compares, before it signs.
// It shows what was changed or put in, not that its end was cut off.
class CommitChain {
 public:
  explicit CommitChain(const SigningKey& key) : key_(key.derive("yushi commit chain")) {}
  CommitChain() = default;  // of nobody: only there to be replaced
  // Begins anew behind what was signed (the note of `_audit`), or with a new store ("node " and its name).
  void begin(std::string_view at);
  // Once for each commit that moved a log, in their order. `moved`: log -> the encoded edge of its tree after the
  // commit (CompactRange::encode()).
  void add(uint64_t commit, const std::map<std::string_view, std::string>& moved);
  const Hash& code() const { return code_; }  // over all since begin()

 private:
  Hash key_{}, code_{};
};

}  // namespace yushi
