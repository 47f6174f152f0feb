// The one Store: commits records durably and in order, seals them into blocks, signs what is there.
//
// A record is durable here before anything else happens to it; forwarders and searches are readers (read/view.h).
//
//   ingest threads  prepare() (tail/chunk.h): groups a batch by log and compresses it
//   committer       begin(), append() …, finish(): now it is durable
//                   seal_due(), sign_checkpoints(), tick(): after each commit, or once a second; they see what is due
//                   close(): a clean stop
//
// Invariants  A commit is one synced write: records, alerts, source counters, tree and detector state, or nothing.
//             Indexes and source-seq are dense; both are given here and nowhere else. What binds all of it, so that no
//             change goes unseen, is told in storage/FORMAT.md, section 9.
// Memory      Open blocks hold their batches; with those that wait for the sealer these are together at most
//             options.open_bytes_max, and a commit more: the fullest is sealed early, and seal_due() waits for it. The
//             block that the sealer has in work comes on top.
// Threads     The public members stand by who may call them: one thread at a time, the committer; then any. Sealing
// runs
//             on a thread of its own.
// Errors      io or exhausted: what was being written did not happen. Then nothing is written nor read any more
//             (db/database.h): destroy the Store and open it again; what finish() told is there. A full disk is no
//             error as long as Disk waits (core/base/disk.h).
// Time        Nothing here goes by a clock of its own, but the receipt of own records and a new store's first day.
//             `now_ns` is Unix time, given by the caller; it may go back.
#pragma once

#include <atomic>
#include <deque>
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
#include "storage/store/known_logs.h"
#include "storage/store/log_state.h"
#include "storage/store/pulse.h"
#include "storage/tail/chunk.h"

namespace yushi::storage {

constexpr LogId kAuditLogId = 1;               // of the log `_audit`
constexpr uint32_t kRetentionFloorDays = 184;  // Cybersecurity Law: six months

struct StoreOptions {
  std::string data_dir;  // holds store/, heads, keys/
  std::string key_dir;   // holds node.pem, mode 0600; empty: data_dir/keys
  std::string node;      // empty: the name the store was made with, or fallback_node for a new store
  std::string fallback_node = "localhost";
  uint32_t retention_days = kRetentionFloorDays;  // of a log of which log() says nothing else
  // Files elsewhere to which each signed note is appended, as a line of `heads`: best on another machine's disk. One
  // that cannot be written is told by on_witness_failure, on the committer's thread, at each signature; it holds
  // nothing up.
  std::vector<std::string> witness_files;
  std::function<void(const Error&)> on_witness_failure;
  size_t open_bytes_max = 128 << 20;  // memory of all open blocks and of those that wait for the sealer
  size_t memtable_bytes = Database::kMemtableBytes;
  int64_t quiet_ns = 10 * kMinute;  // a log that got nothing for so long is sealed
  Reparse reparse;                  // gives the fields of what is read back from the tail; must be there
  // How the Store's own records of `_audit` are understood until somebody else commits to it. It must be there.
  std::shared_ptr<const ParseContext> own_context;
  std::shared_ptr<Disk> disk = std::make_shared<Disk>();  // by which all is written: waits where there is no room
  // Called once the database is open and before the first record is read: `reparse` may need it.
  std::function<void(const std::shared_ptr<Database>&)> opened;
};

// Since open(); any thread reads them. raw_bytes: of messages as they came; block_bytes: of blocks as sealed; sync_ns:
// spent in the writes of commits.
struct StoreCounters {
  std::atomic<uint64_t> commits{0}, records{0}, raw_bytes{0}, blocks_sealed{0}, block_bytes{0}, sync_ns{0};
  std::atomic<uint64_t> signings{0};
};

// What a source's own numbers say is missing (storage/tail/losses.h), before and after a record.
struct LossesMoved {
  LogId log = 0;
  std::string source;
  uint64_t before = 0, after = 0;
  int64_t event_ns = 0;
  std::string host;  // of the record, by its word: a relay is one source of many hosts
};

// Records of the node's own for `_audit`, received now, as they are before anybody understands them: JSON as
// core/event/own_record.h writes it, one record each. The batch owns its bytes.
std::unique_ptr<Batch> own_batch(const std::vector<std::string>& jsons);

class Store {
 public:
  // Makes a store where there is none, else takes up the one that is there: replays what a crash left, reads the tail
  // back, and holds all of it to what was signed and to the codes since, before anything is signed over it.
  // invalid: a wrong node name, or that of another store; refused: a retention under the floor; unavailable: another
  // process has it open; corrupt: it is not as it was signed, or something of it cannot be read, with what and where
  // (storage/FORMAT.md, "What damage leads to"): no second try helps; io; exhausted.
  static Result<std::unique_ptr<Store>> open(StoreOptions options);
  // Without close(), as by a crash: nothing that finish() told is lost, the next open() takes up the tail.
  ~Store();

  // ------------------------------------------------------------------------------------------ the committer's thread

  // One atomic write, of which nothing is seen or kept before finish(). One at a time: fill it, finish() it once. The
  // indexes are given already while it is filled, so one that is thrown away leaves a Store that must be closed.
  class Commit {
   public:
    // Gives each record its index and source_seq, for whoever reads them from the batch after, and hashes its leaf.
    // Order of calls is the order of records. The batch is kept until its block is sealed; records keep their place.
    void append(PreparedBatch&& batch);
    // Into the index of alerts. `audit_index` is that of the alert's own record in `_audit`, of this commit too.
    void add_alert(uint64_t audit_index, const Alert& alert);
    void add_alert_act(uint64_t audit_index, const AlertAct& act);
    // As write_state(), with this commit or not at all.
    void put_state(std::string_view name, std::string_view bytes);
    // Once it has returned without an error all of it is durable, and senders may be told.
    Result<void> finish();
    // Of which sources the numbers in what was appended since tell of another count of losses than before.
    std::vector<LossesMoved> take_losses() { return std::exchange(losses_, {}); }
    uint64_t number() const { return number_; }  // 1, 2, 3 … without a gap over the store's life

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
    std::vector<LossesMoved> losses_;
  };
  Commit begin() { return Commit(*this); }

  // Hands open blocks to the sealer whose time has come: they are full, 10 minutes old and of 1 MiB, of 64 KiB and
  // their log got nothing for options.quiet_ns, or a day old; or memory is short. `all` at a clean stop. Blocks while
  // the sealer is behind. The error is the sealer's: a block that could not be written.
  // When little comes, and much has been sealed, the sealer takes from the disk what is not needed any more.
  Result<void> seal_due(int64_t now_ns, bool all = false);
  Result<void> wait_sealed();  // until all that was handed over is durable, or one failed

  // Signs all logs together if one grew and the last signature is `at_least_ns` old: a commit of its own, that ends
  // `_audit` with the root over the others. Then writes `heads` and the witness files.
  Result<void> sign_checkpoints(int64_t now_ns, int64_t at_least_ns);

  // A new key takes over from the node's, by a record of `_audit` that the old one signs, and the new one from there
  // on. For a store that nobody commits to beside. Ended anywhere, either key is whole: the next open() goes on with
  // it.
  Result<void> rotate_key(int64_t now_ns);

  // The state as a data folder of its own, without the key: store/ and heads. `directory` must not be there. The
  // committer's thread, or all of it may not be signed. io, or invalid for a folder that is there.
  Result<void> backup(const std::string& directory) const;

  // Once a second or so: counts the store day by the boot clock, never past the wall clock's day.
  Result<void> tick(int64_t boottime_ns, int64_t wall_ns);

  // Clean stop: seals, signs, flushes. Nothing but the destructor may follow.
  Result<void> close(int64_t now_ns);

  // With a commit that is being filled.
  uint64_t log_size(LogId log) const { return log < logs_.size() ? logs_[log].tree.size() : 0; }
  uint64_t commit_number() const { return commit_; }  // of the newest that is durable
  // Every source that a log has heard of; before the first commit only.
  void for_each_source(const std::function<void(LogId, const std::string&, const SourceState&)>& visit) const;

  // -------------------------------------------------------------------------------------------------------- any thread

  // What is kept for others between runs (detectors, books, cursors): under a code that only this node can make.
  // Names are those of family `state` in storage/FORMAT.md. not_found; corrupt when it is not what was written.
  Result<std::string> read_state(std::string_view name) const YUSHI_EXCLUDES(states_mutex_);
  // A write of its own, synced.
  Result<void> write_state(std::string_view name, std::string_view bytes) YUSHI_EXCLUDES(states_mutex_);

  // The number of a log, which begins with its first record if the store has none of this name. Its next blocks are
  // kept for `retention_days`; 0: as the store's. refused: under the floor.
  Result<LogId> log(const std::string& name, uint32_t retention_days) YUSHI_EXCLUDES(known_mutex_);
  // As of now; a number stays the same log's as long as the store is open.
  std::shared_ptr<const KnownLogs> logs() const YUSHI_EXCLUDES(known_mutex_);
  // Records of a log that are durable.
  uint64_t committed_size(LogId log) const { return logs()->at(log)->records; }

  // Keeps the parser files of a set by their digest, durably, before records name it. One that is there stays.
  Result<void> keep_parsers(const std::string& digest, std::string_view encoded_files);

  // The store as it is now; later commits do not change it. Let go of it soon: what it sees stays on the disk.
  std::shared_ptr<const StoreView> view() const;
  const OpenTail& open_tail() const { return *open_tail_; }
  const std::shared_ptr<Database>& database() const { return database_; }
  const StoreOptions& options() const { return options_; }  // as completed by open()
  const StoreCounters& counters() const { return counters_; }
  // Of memory: that open blocks held at the last seal_due(), and that the sealer holds.
  size_t open_bytes() const;
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
  // Stepped by the committer; rests while the sealer is behind.
  Pulse& pulse() { return pulse_; }
  const Pulse& sealer_pulse() const;

 private:
  Store() = default;
  Result<void> load();
  static Result<void> check_retention(uint32_t days);
  LogId know(const std::string& name) YUSHI_EXCLUDES(known_mutex_);
  void take_up_logs();
  Result<void> load_log(const StoreView& view, LogState& log, Write& anew);
  Result<void> keep_days(const StoreView& view, const std::string& log, const std::map<uint32_t, DayHead>& days,
                         Write& anew);
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
  bool is_due(const LogState& log, int64_t now_ns) const;
  void seal(LogState& log, int64_t now_ns);
  void tidy_if_calm(int64_t now_ns);
  void hand_to_sealer(const LogState& log, OpenBlock block);
  uint32_t retention_of(const LogState& log) const;
  Result<void> write_heads_if_due();
  struct Sealer;

  // Constant once open() is done.
  StoreOptions options_;
  std::shared_ptr<Database> database_;
  const std::shared_ptr<OpenTail> open_tail_ = std::make_shared<OpenTail>();
  std::vector<OtherEngine> other_engines_;
  std::vector<std::string> findings_;

  // The committer's alone.
  SigningKey key_;
  KeyRing keys_;               // that one, and those before
  Heads heads_;                // the newest note of each log, as the store has it
  std::deque<LogState> logs_;  // by LogId; begin() takes up new ones
  LogRootMap bound_;           // as the newest record of roots has them
  CommitChain chain_;          // up to the newest commit
  // With the next commit: what open() had to decide.
  std::vector<LogContext> contexts_to_tell_;
  std::vector<std::pair<LogState*, OpenBlock>> to_seal_when_told_;
  std::set<std::pair<LogState*, std::string_view>> to_write_;  // sources whose counters changed
  // Of connections in an over-long message: source-seq of its first part.
  std::unordered_map<uint64_t, uint64_t> first_parts_;
  int64_t signed_ns_ = 0;            // when it was signed last, by the caller's clock
  bool heads_written_ = true;        // the file has what heads_ has
  Heads witnessed_;                  // as the witness files have them
  uint32_t roots_day_ = UINT32_MAX;  // store day of the newest whole list of roots
  uint64_t commit_ = 0;              // number of the newest one
  size_t commit_bytes_ = 0;      // of the last one: the next is likely as large, and growing by halves copies it all
  uint64_t untidy_bytes_ = 0;    // committed since the sealer tidied last
  uint64_t calm_raw_bytes_ = 0;  // committed up to calm_ns_, since when little came
  int64_t calm_ns_ = 0;
  uint32_t store_day_ = 0;
  int64_t day_ran_ns_ = 0, boottime_ns_ = 0, day_saved_ns_ = 0;

  // Any thread's.
  mutable Mutex known_mutex_;
  std::shared_ptr<const KnownLogs> known_ YUSHI_GUARDED_BY(known_mutex_) = std::make_shared<KnownLogs>();
  mutable Mutex states_mutex_;  // held while one is written, so that the last code is of the last values
  KeptStates states_ YUSHI_GUARDED_BY(states_mutex_);
  std::atomic<size_t> open_bytes_{0};  // of memory, of all open blocks; written by the committer
  std::atomic<uint32_t> seal_day_{0};  // store_day_, once it is durable
  StoreCounters counters_;
  Pulse pulse_;
  std::unique_ptr<Sealer> sealer_;  // the last: its thread uses those before
};

}  // namespace yushi::storage
