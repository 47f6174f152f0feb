// What `_audit` says of this node and of all its logs, and what is held to it: how their records were understood, the
// root over all of them, their births, and the keys that handed over.
//
// `_audit` comes first: take() gets its records in their order, and the notes of the logs are told as they are opened.
// The checks come when that is done. Where a part of `_audit` cannot be read, births and contexts are not checked; to
// say so is the caller's.
//
// Threads  One.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/event/own_record.h"
#include "core/ledger/key_ring.h"
#include "core/ledger/log_roots.h"
#include "core/record/record.h"
#include "storage/block/parse_context.h"

namespace yushi::audit {

// A record's id: "finance/1024".
std::string at(std::string_view log, uint64_t index);

class Binding {
 public:
  using Contradict = std::function<void(const std::string& log, const std::string& place, std::string what)>;
  // A root of a log that a record of `_audit` says. The newest of each day will do: it covers all records before it.
  struct BoundRoot {
    int64_t day = 0;
    LogRoot root;
    std::string place;
  };
  // How a segment says that its records were understood.
  struct StoredContexts {
    uint64_t first;
    uint32_t records;
    bool sealed;
    storage::ParseContexts parsed;
  };

  // `key_rotations`: as the store keeps them; it must live as long as this.
  Binding(const std::string& key_rotations, Contradict contradict)
      : key_rotations_(key_rotations), contradict_(std::move(contradict)) {}

  void take(const Record& record);  // of `_audit`, by yushid itself
  // A checkpoint of `_audit` whose signature by a key of before holds.
  void take_old_signature(const std::string& key, uint64_t size, const std::string& place) {
    old_signatures_.push_back({key, size, place});
  }
  // The newest checkpoint of a log that its records fit.
  void take_signed(const std::string& log, uint64_t size);

  bool has_started(uint32_t engine) const { return engines_.contains(engine); }
  const std::vector<BoundRoot>& roots_of(const std::string& log) { return bound_roots_[log]; }

  // The records of a segment must have been understood as `_audit` says that they were.
  void check_contexts(const std::string& log, const StoredContexts& stored) const;
  // Every log has a record of its birth, every log that was born is there, a key that handed over signs no more, and
  // `_audit` is signed last.
  void check_births(const std::vector<std::string>& logs, bool audit_is_whole, const KeyRing& keys) const;

 private:
  struct OldSignature {
    std::string key;
    uint64_t size;
    std::string place;
  };

  void take_roots(const LogRoots& said, const Record& record);
  bool is_to_be_sealed_anew(const StoredContexts& stored, const storage::ParseContext& how) const;
  void check_keys(const KeyRing& keys) const;

  const std::string& key_rotations_;
  const Contradict contradict_;
  ToldContexts told_;
  LogRootMap bound_;  // as the records of `_audit` so far have them
  std::map<std::string, std::vector<BoundRoot>> bound_roots_;
  std::set<uint32_t> engines_;               // that started here
  std::map<std::string, uint64_t> retired_;  // keys, by the record by which they handed over
  std::vector<OldSignature> old_signatures_;
  uint64_t last_roots_ = 0, audit_signed_ = 0, signed_logs_ = 0;
};

}  // namespace yushi::audit
