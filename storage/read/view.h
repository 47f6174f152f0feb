// One snapshot of the store, as searches, the forwarder, proofs and `verify` read it: tail chunks and sealed blocks
// alike are segments that give a Batch of records.
//
// Works on a running daemon's database and, without a daemon, on one opened read-only (`--store DIR`).
//
// Threads  Immutable after open; any thread may read segments.
// Errors   corrupt names the log and the first index of the segment that cannot be read.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/ledger/checkpoint.h"
#include "core/ledger/merkle.h"
#include "storage/block/block.h"
#include "storage/block/day_head.h"
#include "storage/db/database.h"
#include "storage/read/alert_entry.h"
#include "storage/read/reparse.h"
#include "storage/tail/leaf.h"
#include "storage/tail/open_tail.h"
#include "storage/tail/source_state.h"

namespace yushi::storage {

struct Segment {
  std::string log;
  BlockSummary summary;  // without its words
  bool sealed = false;
  uint32_t store_day = 0;  // of a sealed one
};

// What there is of a log, before its blocks are looked at.
struct LogOutline {
  std::map<uint32_t, DayHead> days;  // by store day: its blocks
  std::vector<Segment> tail;         // behind them, ascending
  bool is_stored = true;             // else the heads were made of all summaries: some were missing, or do not fit
};

// Of all that stands beside blocks and chunks, which have versions of their own. A store of another format is refused.
constexpr const char* kStoreFormat = "3";

class StoreView {
 public:
  // Of a store that its daemon has open (Store::view()). Cheap: a snapshot.
  static std::shared_ptr<const StoreView> of(std::shared_ptr<const Database> database,
                                             std::shared_ptr<const OpenTail> open_tail, Reparse reparse,
                                             std::string node, std::string key_path);
  // Of one that was opened to be read alone (salvage.h); parser versions come from the store itself through `reparse`.
  static Result<std::shared_ptr<const StoreView>> open(std::shared_ptr<const Database> database, Reparse reparse);

  const std::string& node() const { return node_; }
  // Of the node as the store keeps it, 32 bytes; empty when it is not known.
  Result<std::string> public_key() const;
  // How the keys before it handed over (core/ledger/key_ring.h), oldest first.
  Result<std::string> key_rotations() const;
  // Where the node's signing key is, or would be: a copy of a store goes without it.
  const std::string& key_path() const { return key_path_; }
  Result<std::vector<std::string>> logs() const;
  struct LogHead {
    uint64_t size;
    Hash root;
    CompactRange tree;
  };
  Result<LogHead> head(const std::string& log) const;

  // Where the tail and a block overlap the block stands alone. Reads an entry a day and the tail's heads; in a store of
  // before, or one that was salvaged or mended, all summaries.
  Result<LogOutline> outline(const std::string& log) const;
  // The blocks of one log and store day, ascending.
  Result<std::vector<Segment>> blocks(const std::string& log, uint32_t store_day) const;
  // Of one log those that hold a record from `index` on, ascending, and never all at once: `visit` returns false to
  // stop.
  Result<void> each_segment(const std::string& log, uint64_t index,
                            const std::function<bool(const Segment& segment)>& visit) const;
  Result<std::vector<Segment>> segments(const std::string& log, uint64_t index = 0) const;
  // The records of one log from `index` on: the segment that holds it; nullopt when the log ends before.
  Result<std::optional<Segment>> segment_at(const std::string& log, uint64_t index) const;
  Result<std::optional<Segment>> newest_segment(const std::string& log) const;
  // Of a sealed one: its summary with its words.
  Result<BlockSummary> whole_summary(const Segment& segment) const;
  // Empty where it holds nothing back: of the tail, and of a block of which it is lost or damaged.
  std::string token_filter(const Segment& segment) const;
  // As they are stored, those that can be read.
  Result<std::map<uint32_t, DayHead>> stored_days(const std::string& log) const;
  // Of what a running daemon has in memory yet, from there.
  Result<std::unique_ptr<Batch>> read(const Segment& segment) const;
  // A sealed segment, for who does not need all of it.
  Result<std::unique_ptr<BlockReader>> open_block(const Segment& segment) const;
  // With what stands above the records, as it is on the disk.
  Result<DecodedBlock> read_whole(const Segment& segment) const;
  Result<std::string> block_bytes(const Segment& segment) const;  // of a sealed one

  Result<std::vector<std::pair<std::string, SourceState>>> sources(const std::string& log) const;
  Result<std::vector<std::string>> checkpoints(const std::string& log) const;  // notes, ascending by size
  Result<std::optional<std::string>> newest_checkpoint(const std::string& log) const;
  // The index of alerts, in the order in which they were raised, or the newest first: where each one's record stands in
  // `_audit`, and its entry, or that it is damaged. `visit` returns false to stop.
  using VisitAlert = std::function<bool(uint64_t audit_index, const Result<AlertEntry>& entry)>;
  Result<void> each_alert(uint64_t from_audit_index, bool newest_first, const VisitAlert& visit) const;
  // What was done to them, in that order: an act comes behind its alert.
  using VisitAlertAct = std::function<bool(uint64_t audit_index, const Result<AlertActEntry>& entry)>;
  Result<void> each_alert_act(uint64_t from_audit_index, const VisitAlertAct& visit) const;
  Result<std::string> tile(const std::string& log, int level, uint64_t index) const;
  // The root of the complete subtree of 2^level leaves; what lies under stored tiles is hashed from the records.
  Result<Hash> subtree(const std::string& log, int level, uint64_t index) const;

  const Database& database() const { return *database_; }
  const Reparse& reparse() const { return reparse_; }

 private:
  StoreView() = default;
  std::vector<uint32_t> days() const;  // ascending
  Result<void> each_in_alerts(uint64_t from_audit_index, bool newest_first,
                              const std::function<bool(uint64_t, std::string_view)>& visit) const;
  Result<std::vector<Segment>> tail(const std::string& log, uint64_t sealed_to) const;
  Result<std::optional<Segment>> block_at(const std::string& log, uint32_t store_day, uint64_t index) const;
  Result<std::optional<Segment>> chunk_at(const std::string& log, uint64_t index) const;
  std::shared_ptr<const Database> database_;
  std::shared_ptr<const rocksdb::Snapshot> snapshot_;
  std::shared_ptr<const OpenTail> open_tail_;  // none without a daemon
  Reparse reparse_;
  std::string node_;
  std::string key_path_;
};

}  // namespace yushi::storage
