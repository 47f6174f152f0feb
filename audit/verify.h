// Re-reads the whole store and proves it: everything stored is a leaf under a signed root, or is rebuilt from leaves
// and compared.
//
//   each record    raw and origin -> entry -> leaf -> tree; the tree's root at the size of each signed checkpoint
//   each block     parsed again with the parser versions that it names: fields, times; its summary and token filter
//                  rebuilt. Fields of another parser engine than this program's are not compared, and that is a flaw
//   each log       indexes dense, source-seq dense for each source, tiles, edge and source counters as recounted,
//                  losses too
//   each alert     in the index of alerts with its time, severity, id and tenant, and nothing else is there
//   `heads`, checkpoints that others remember, RocksDB's own checksums, the node's key where it lies beside the store
//
// Fails closed: what could not be proved is a flaw too. What a segment that cannot be read leaves undecided is one
// flaw of its log that names the segment: no contradiction is told that the readable records do not show.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "storage/read/heads.h"
#include "storage/read/view.h"

namespace yushi::audit {

// One place where the store is not proved to be as it was.
struct Flaw {
  std::string log;    // empty: speaks of the whole store
  std::string place;  // "default/4711", "block default/65536", "heads"
  std::string what;
  bool contradiction;  // true: something contradicts a hash, a signature or a checkpoint; false: could not be proved
};

struct VerifyOptions {
  std::string public_key;     // 32 bytes, of the node; empty: signatures cannot be proved
  std::string key_rotations;  // that led to it (core/ledger/key_ring.h)
  std::string heads_path;     // empty: there is none to compare with
  // What stands there, read before the view was made: of a store that grows, later heads name notes that the view does
  // not have. None: read now.
  std::optional<Result<storage::Heads>> heads;
  std::string key_path;                 // empty, absent or not ours to read: there is none to compare with
  std::vector<std::string> remembered;  // notes that somebody else kept
  bool is_copy = false;                 // may be older than what is remembered
};

struct VerifyReport {
  uint64_t logs = 0, records = 0, blocks = 0, checkpoints = 0, alerts = 0;
  std::vector<std::string> behind;  // of a copy: what was seen later than what it has, by log
  std::vector<Flaw> flaws;          // at most kFlawsMax, half of them contradictions; the first ones of each log

  static constexpr size_t kFlawsMax = 1000;
};

// `progress` is called about once a segment; false ends the verification with an `unavailable` error.
Result<VerifyReport> verify_store(
    const storage::StoreView& view, const VerifyOptions& options,
    const std::function<bool(std::string_view log, uint64_t done, uint64_t size)>& progress);

}  // namespace yushi::audit
