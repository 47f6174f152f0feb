// The one Store: commits records durably and in order, seals them into blocks, signs what is there.
//
// A record is durable here before anything else happens to it; forwarders and searches are readers (read/view.h).
//
// Invariants  A commit is one synced WriteBatch: records, alerts, source counters, tree and detector state, or nothing.
//             Indexes and source-seq are dense; both are given here and nowhere else.
// Memory      Open blocks hold their batches, together at most options.open_bytes_max; the fullest is sealed early.
// Threads     open(), commits, checkpoints and close() belong to one thread, the committer. Sealing runs on a thread of
//             its own. counters() and database() may be used by any thread.
// Errors      io or exhausted: the commit did not happen, and the Store must be closed and opened again.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/mutex.h"
#include "core/base/result.h"
#include "core/event/alert.h"
#include "core/event/own_record.h"
#include "core/ledger/checkpoint.h"
#include "core/ledger/key_ring.h"
#include "core/ledger/log_roots.h"
#include "storage/db/database.h"
#include "storage/read/heads.h"
#include "storage/read/kept.h"
#include "storage/read/view.h"
#include "storage/store/log_state.h"
#include "storage/store/pulse.h"
#include "storage/tail/chunk.h"

namespace yushi::storage {

constexpr TenantId kAudit = 1;                 // of the log `_audit`
constexpr uint32_t kRetentionFloorDays = 184;  // Cybersecurity Law: six months

struct StoreOptions {
  std::string data_dir;  // holds store/, heads, keys/
  std::string key_dir;   // empty: data_dir/keys
  std::string node;      // empty: the name the store was made with, or fallback_node for a new store
  std::string fallback_node = "localhost";
  // By TenantId: 0 `default`, 1 `_audit`, then the tenants. The Store puts behind them the logs that it finds whose
  // tenant is no longer named.
  std::vector<std::string> logs;
  uint32_t retention_days = kRetentionFloorDays;
  // Files elsewhere to which each signed note is appended, as a line of `heads`: best on another machine's disk. One
  // that cannot be written is told by on_witness_failure, and holds nothing up.
  std::vector<std::string> witness_files;
  std::function<void(const Error&)> on_witness_failure;
  std::vector<uint32_t> log_retention_days;  // by TenantId; 0, or none: retention_days
  size_t open_bytes_max = 192 << 20;
  Reparse reparse;
  // How the Store's own records of `_audit` are understood until somebody else commits to it. It must be there.
  std::shared_ptr<const ParseContext> own_context;
  std::shared_ptr<Disk> disk = std::make_shared<Disk>();
  // Called once the database is open and before the first record is read: `reparse` may need it.
  std::function<void(const std::shared_ptr<Database>&)> opened;
};

struct StoreCounters {
  std::atomic<uint64_t> commits{0}, records{0}, raw_bytes{0}, blocks_sealed{0}, block_bytes{0}, sync_ns{0};
  std::atomic<uint64_t> open_bytes{0}, signings{0};
};

// Records of the node's own for `_audit`, received now, as they are before anybody understands them.
std::unique_ptr<Batch> own_batch(const std::vector<std::string>& jsons);

class Store {
 public:
  // invalid for a wrong node name, refused for a retention under the floor, corrupt when the store is behind `heads`.
  static Result<std::unique_ptr<Store>> open(StoreOptions options);
  ~Store();

  // One atomic write. Fill it, finish() it once; a commit thrown away unfinished is a bug.
  class Commit {
   public:
    // Gives each record its index and source_seq and hashes its leaf. Order of calls is the order of records.
    void append(PreparedBatch&& batch);
    // Into the index of alerts. `audit_index` is that of the alert's own record in `_audit`, of this commit too.
    void add_alert(uint64_t audit_index, const Alert& alert);
    void put_state(std::string_view name, std::string_view bytes);
    Result<void> finish();
    uint64_t number() const { return number_; }

   private:
    friend class Store;
    explicit Commit(Store& store);
    void append(ChunkGroup& group, const std::shared_ptr<Batch>& batch);
    void append_own(const OwnRecord& own);
    const std::shared_ptr<const ParseContext>& audit_context() const;  // as `_audit` was told last in this run
    void append_contexts();
    void append_roots(const LogRootMap& roots);
    void tell_context(LogState& log, uint64_t first, const std::shared_ptr<const ParseContext>& context);
    Result<void> write();
    Result<void> sign(int64_t now_ns);
    Store& store_;
    uint64_t number_;
    struct Pending;
    std::shared_ptr<Pending> pending_;
  };
  Commit begin() { return Commit(*this); }

  // Hands open blocks to the sealer whose time has come; `all` at a clean stop. Blocks while the sealer is behind.
  Result<void> seal_due(int64_t now_ns, bool all = false);
  Result<void> wait_sealed();

  // Signs all logs together if one grew and the last signature is `at_least_ns` old: a commit of its own, that ends
  // `_audit` with the root over the others. Then writes `heads`.
  Result<void> sign_checkpoints(int64_t now_ns, int64_t at_least_ns);

  // A new key takes over from the node's, by a record of `_audit` that the old one signs, and the new one from there
  // on. For a store that nobody commits to beside.
  Result<void> rotate_key(int64_t now_ns);

  // The state as a data folder of its own, without the key: store/ and heads. `directory` must not be there. The
  // committer's thread, or all of it may not be signed. io, or invalid for a folder that is there.
  Result<void> backup(const std::string& directory) const;

  // Once a second or so: counts the store day by the boot clock, never past the wall clock's day.
  Result<void> tick(int64_t boottime_ns, int64_t wall_ns);

  // Keeps the parser files of a set by their digest, durably, before records name it.
  Result<void> keep_parsers(const std::string& digest, std::string_view encoded_files);

  // Clean stop: seals, signs, flushes.
  Result<void> close(int64_t now_ns);

  // What is kept for others between runs (detectors, books, cursors): under a code that only this node can make.
  // not_found; corrupt when it is not what was written.
  Result<std::string> read_state(std::string_view name) const YUSHI_EXCLUDES(states_mutex_);
  // Any thread; a write of its own.
  Result<void> write_state(std::string_view name, std::string_view bytes) YUSHI_EXCLUDES(states_mutex_);

  // The store as it is now. Any thread.
  std::shared_ptr<const StoreView> view() const;
  const std::shared_ptr<Database>& database() const { return database_; }
  const StoreOptions& options() const { return options_; }
  const StoreCounters& counters() const { return counters_; }
  // Tails that open() found to be of another engine (a crash, then another version of the program): the fields that
  // they had at commit are lost; those that today's engine gives are sealed by the first seal_due().
  struct OtherEngine {
    std::string log;
    uint32_t engine;
    uint64_t first_index, records;
  };
  const std::vector<OtherEngine>& other_engines() const { return other_engines_; }
  // What open() found and what it did about it, in words.
  const std::vector<std::string>& findings() const { return findings_; }
  const SigningKey& key() const { return key_; }
  uint64_t log_size(TenantId tenant) const { return logs_[tenant].tree.size(); }
  uint64_t commit_number() const { return commit_; }
  // Stepped by the committer; rests while the sealer is behind.
  Pulse& pulse() { return pulse_; }
  const Pulse& sealer_pulse() const;
  // Every source that a log has heard of; before the first commit only.
  void for_each_source(const std::function<void(TenantId, const std::string&, const SourceState&)>& visit) const;
  // Records of a log that are durable. Any thread.
  uint64_t committed_size(TenantId tenant) const { return committed_sizes_[tenant]; }

 private:
  Store() = default;
  Result<void> load();
  Result<void> take_up_logs_without_a_tenant(const StoreView& view);
  Result<void> load_log(const StoreView& view, LogState& log);
  Result<void> compare_with_heads(const StoreView& view);
  Result<void> load_key(const std::string& path);
  Result<void> load_states() YUSHI_EXCLUDES(states_mutex_);
  Result<void> check_what_binds(const StoreView& view);
  Result<void> check_chain(const StoreView& view);
  Result<void> check_contexts_to_tell(const StoreView& view);
  Result<CompactRange> signed_tree(const StoreView& view, const std::string& log, uint64_t size, const Hash& root);
  Hash code_of_bound(const std::string& audit_note, const std::string& root) const;
  void found(std::string what);
  void number_part(Record& record, const Record* before, Arena& arena);
  void hand_to_sealer(const LogState& log, OpenBlock block);
  uint32_t retention_of(const LogState& log) const;
  Result<void> write_heads_if_due();
  struct Sealer;

  StoreOptions options_;
  std::shared_ptr<Database> database_;
  SigningKey key_;
  KeyRing keys_;  // that one, and those before
  Heads heads_;
  std::vector<LogState> logs_;
  std::unique_ptr<std::atomic<uint64_t>[]> committed_sizes_;
  std::vector<OtherEngine> other_engines_;
  std::vector<std::string> findings_;
  LogRootMap bound_;  // as the newest record of roots has them
  // With the next commit: what open() had to decide.
  std::vector<LogContext> contexts_to_tell_;
  std::vector<std::pair<LogState*, OpenBlock>> to_seal_when_told_;
  std::set<std::pair<LogState*, std::string_view>> to_write_;  // sources whose counters changed
  CommitChain chain_;
  mutable Mutex states_mutex_;  // held while one is written, so that the last code is of the last values
  KeptStates states_ YUSHI_GUARDED_BY(states_mutex_);
  std::unordered_map<uint64_t, uint64_t>
      first_parts_;  // of connections in an over-long message: source-seq of its first
  int64_t signed_ns_ = 0;
  bool heads_written_ = true;
  Heads witnessed_;  // as the witness files have them
  uint32_t roots_day_ = UINT32_MAX;
  uint64_t commit_ = 0;
  size_t commit_bytes_ = 0;  // of the last one: the next is likely as large, and growing by halves copies it all
  uint32_t store_day_ = 0;
  int64_t day_ran_ns_ = 0, boottime_ns_ = 0, day_saved_ns_ = 0;
  std::atomic<uint32_t> seal_day_{0};
  StoreCounters counters_;
  Pulse pulse_;
  std::unique_ptr<Sealer> sealer_;
};

}  // namespace yushi::storage
