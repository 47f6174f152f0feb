// The path of a record, wired: this and pipeline.cc are the whole truth about order.
//
//   ingest threads   deliver(): understand -> hold hosts against their senders -> match stateless rules -> prepare
//                    (group by log, compress) -> queue
//   committer        run(): gather -> index and hash -> join lines to events -> detect -> one synced write -> seal,
//                    sign, keep the minute's books
//
// Back-pressure  deliver() blocks while limits.in_flight_bytes wait for the committer: its thread then reads no socket.
// Threads        deliver() by ingest threads, each with its own number; tell(), sign_now(), call_on_commit() and
//                counters() by any.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/mutex.h"
#include "core/base/time_text.h"
#include "core/filter/secrets.h"
#include "daemon/auditors.h"
#include "daemon/dataset_counts.h"
#include "daemon/minute_book.h"
#include "daemon/missing_messages.h"
#include "daemon/own_alert.h"
#include "daemon/sender_hosts.h"
#include "detect/alerts/exceptions.h"
#include "detect/engine.h"
#include "detect/finding.h"
#include "detect/lists/lists.h"
#include "ingest/input.h"
#include "judge/event_judge.h"
#include "parsers/understand.h"
#include "storage/store/store.h"

namespace yushi::daemon {

// What a reload swaps, as one.
struct Loaded {
  std::shared_ptr<const parsers::ParserSet> parsers;
  std::shared_ptr<const detect::RuleSet> rules;
  std::shared_ptr<const detect::Lists> lists = detect::Lists::none();
  std::shared_ptr<const detect::ExceptionSet> exceptions;  // none: nothing is excepted
  std::shared_ptr<const SecretRules> secrets;              // what is hidden of what goes out
  ingest::OriginMap relays;  // who may speak for other hosts: maps them to any number but 0
  std::vector<std::shared_ptr<const storage::ParseContext>> contexts;  // by LogId
  std::vector<parsers::Reading> readings;                              // by LogId
  std::vector<std::string> left_out;             // files, and entries of them, that are wrong or hold for nothing
  std::vector<std::string_view> left_out_kinds;  // of each of these: `parser`, `rule`, `exception`, `secrets` or `list`
  std::vector<std::string> lists_left_out;       // those of `left_out` of which nothing holds now
  std::vector<std::string> cannot_run;           // a line for each folder with rules that are right and cannot run here
};

struct PipelineOptions {
  unsigned ingest_threads = 1;
  uint64_t in_flight_bytes = 256 << 20;
  int64_t commit_interval_ns = 50'000'000;
  uint64_t commit_bytes = 4 << 20;
  uint64_t disk_reserve_bytes = 256 << 20;
  size_t senders_max = 65'536;  // of a log, whose host is remembered
  detect::DetectOptions detect;
};

struct PipelineCounters {
  std::atomic<uint64_t> messages{0}, raw_bytes{0}, understood{0}, alerts{0}, in_flight_bytes{0}, kernel_drops{0},
      source_drops{0};
  std::atomic<uint64_t> detector_bytes{0}, detectors_forgot{0};  // detect/memory/room.h
  std::atomic<uint64_t> fields_capped{0};                        // messages with more fields than become fields
  // events of several lines: waiting for more; given as they were at a bound
  std::atomic<uint64_t> joined_open{0}, joined_cut{0};
  std::atomic<uint64_t> ambiguous{0};  // messages that a second parser would have known, by samples
  std::atomic<int64_t> connections_open{0};
  std::atomic<int64_t> round_ns{0};   // when the committer last had written and signed all that was due
  std::atomic<int64_t> newest_ns{0};  // the latest time at which something was committed, by this run or one before
  // when such drops were last seen; 0: not in this run
  std::atomic<int64_t> kernel_dropped_ns{0}, source_dropped_ns{0};
  std::atomic<bool> disk_full{false};  // below the reserve, or to the last byte
};

class Pipeline : public ingest::BatchSink {
 public:
  Pipeline(storage::Store& store, std::shared_ptr<const Loaded> loaded, PipelineOptions options);
  ~Pipeline() override;

  // The text() of the lists by which the records of this store were judged up to now; empty: there were none.
  static std::string remembered_lists(const storage::Store& store);

  Result<void> start();  // replays the detectors, takes up the books, then starts the committer
  void deliver(unsigned ingest_thread, std::unique_ptr<Batch> batch) override;
  bool would_wait() const override;
  // Where an input stood in the last synced commit, in its own words; empty: it never said.
  std::string position(std::string_view input) const;
  // A record of our own in `_audit`, durable with the next commit. An alert with it names the record.
  void tell(OwnRecord record, std::optional<Alert> alert = {}) YUSHI_EXCLUDES(mutex_);
  // The same, and returns when it is durable. unavailable: it is written when the disk has room again.
  Result<void> tell_durably(OwnRecord record) YUSHI_EXCLUDES(mutex_);
  // Signs what is synced when the newest checkpoint is older than a second; returns when it is stored and in `heads`.
  // unavailable: the disk has no room for it.
  Result<void> sign_now() YUSHI_EXCLUDES(mutex_);
  // Signs all that is synced, however new the last checkpoint is, and calls `at_signed` before anything else is
  // committed: a snapshot taken there is covered whole.
  Result<void> sign_all(std::function<void()> at_signed) YUSHI_EXCLUDES(mutex_);
  void reload(std::shared_ptr<const Loaded> loaded);
  // After the inputs have stopped: commits what is queued, the books and the detectors' state.
  Result<void> stop();

  // The first commit that failed; the daemon stops then, since what is in memory is ahead of the disk.
  std::function<void(const Error&)> on_failure;
  // From now on after each commit, on the committer's thread: must not wait, nor call us.
  void call_on_commit(std::function<void()> call) YUSHI_EXCLUDES(mutex_);
  const PipelineCounters& counters() const { return counters_; }
  const detect::DetectOptions& detect_options() const { return options_.detect; }
  uint64_t disk_reserve_bytes() const { return options_.disk_reserve_bytes; }
  // Something that the daemon itself has to say: a record in `_audit`, and an alert by the rule `yushid.ACTION`.
  void tell_trouble(const detect::FindingKind& kind, OwnWords words, Severity severity, uint32_t score)
      YUSHI_EXCLUDES(mutex_);
  // The bytes that detectors remember of an account, in the logs of which `sees` says yes; asked of the committer, 3 s
  // at most. unavailable: it has not come to it.
  Result<uint64_t> detector_bytes_of(const std::string& account, std::function<bool(std::string_view log)> sees)
      YUSHI_EXCLUDES(mutex_);
  std::map<std::string, uint64_t> records_of_datasets() const;  // since start; "none" of those that nobody understood
  std::map<std::string, DatasetCounts::OfParser> records_of_parsers() const;  // since start, of those that knew one
  uint64_t hosts_unconfirmed() const { return hosts_.unconfirmed(); }
  // Of an ingest thread, stepped by it alone: in deliver(), where it rests while it waits for the committer, and
  // whenever the thread is asked for a sign of life.
  storage::Pulse& ingest_pulse(unsigned ingest_thread) { return workers_[ingest_thread].pulse; }
  // Waits until the events whose lines are committed now are judged, and their alerts committed too. Events that lines
  // follow each other in (a stack trace) are not waited for. 3 s at most.
  void wait_judged() const YUSHI_EXCLUDES(mutex_);
  // Waits until a commit after `commit` is durable, or `milliseconds` have passed; the newest number.
  uint64_t wait_commit(uint64_t commit, int milliseconds) const YUSHI_EXCLUDES(mutex_);
  // What is parsed and judged with now. Any thread.
  std::shared_ptr<const Loaded> loaded() const YUSHI_EXCLUDES(loaded_mutex_);
  // Of the logs that are known now; UTC for another. Any thread.
  judge::ZoneOfLog zones_of(const Loaded& loaded) const;

 private:
  // Names of what the store keeps for us. The detectors' state in parts has another one than an older yushid's, which
  // goes on from the one that it left.
  static constexpr std::string_view kAuditorsState = "auditors", kDetectorState = "detect-5",
                                    kOldDetectorState = "detect-4", kTicksState = "ticks", kBooksState = "books",
                                    kHostsState = "hosts", kListsState = "lists";
  static constexpr std::string_view kPositionOf = "position/";  // an input's, before its name

  struct Worker {
    std::shared_ptr<const Loaded> loaded;
    std::unique_ptr<parsers::Understander> understander;
    std::unique_ptr<detect::RuleMatcher> matcher;
    Scratch scratch;
    storage::Pulse pulse;
    std::unique_ptr<DatasetCounts> datasets = std::make_unique<DatasetCounts>();
  };
  // A tick of the detectors, shown after the records of commit `after`, with its own number and time.
  struct Ticked {
    uint64_t after = 0, commit = 0;
    int64_t received_ns = 0;
  };
  struct Own {
    OwnRecord record;
    std::optional<Alert> alert;
  };
  // What one commit is made of, beside its batches.
  struct Round {
    void add(const OwnRecord& record);

    int64_t now_ns = 0;
    bool books = false, saves = false;  // whether a minute ends with it; whether the detectors' state goes with it
    bool has_new_lists = false;
    bool wrote = false;                             // a record
    std::vector<Own> told;                          // what waited: the first of `own`
    std::vector<std::string> own;                   // records of ours, as JSON
    std::vector<std::pair<size_t, AlertAct>> acts;  // by their places in `own`
    std::vector<Alert> alerts;
    std::map<std::string, std::string> positions;  // of inputs
    std::vector<std::function<void()>> acks;       // for when it is durable
  };
  storage::PreparedBatch prepare(Worker& worker, std::unique_ptr<Batch> batch);
  void run();
  Result<void> commit(std::vector<storage::PreparedBatch>& batches, bool last) YUSHI_EXCLUDES(mutex_);
  // Its steps, in their order.
  void count(const std::vector<storage::PreparedBatch>& batches, int64_t now_ns) YUSHI_EXCLUDES(mutex_);
  void take_what_waits(Round& round) YUSHI_EXCLUDES(mutex_);
  void close_minute(Round& round);
  void show_drops(int64_t now_ns);
  void take_up_loaded(Round& round);
  void append_and_judge(std::vector<storage::PreparedBatch>& batches, storage::Store::Commit& commit, Round& round);
  void tick(const storage::Store::Commit& commit, Round& round);
  void teach(const Round& round);
  void tell_what_engine_says(Round& round) YUSHI_EXCLUDES(mutex_);
  void append_own(storage::Store::Commit& commit, Round& round);
  void append_alerts(storage::Store::Commit& commit, Round& round);
  void put_states(storage::Store::Commit& commit, const Round& round);

  bool disk_is_full() YUSHI_EXCLUDES(mutex_);
  Result<std::vector<std::string>> replay_detectors();  // what of their state was left out
  std::string ticks_state() const;
  Result<void> resume_books();
  Result<void> resume_hosts();
  void cannot_read(const Error& error);
  OwnRecord take_lists();
  std::string detector_state() const;
  std::string books_state() const;
  void put_log_sizes(std::string& out) const;
  void tell_overflow(const storage::PreparedBatch& batch, int64_t now_ns) YUSHI_EXCLUDES(mutex_);
  void judge_questions(Round& round);

  storage::Store& store_;
  const PipelineOptions options_;
  PipelineCounters counters_;
  // No std::atomic<shared_ptr>: GCC 12's unlocks a load with relaxed order, which the thread sanitizer rightly calls a
  // race.
  mutable Mutex loaded_mutex_;
  std::shared_ptr<const Loaded> loaded_ YUSHI_GUARDED_BY(loaded_mutex_);  // read once a batch
  std::vector<Worker> workers_;                                           // one for each ingest thread
  SenderHosts hosts_;

  mutable Mutex mutex_;
  mutable CondVar changed_;
  std::deque<storage::PreparedBatch> queue_ YUSHI_GUARDED_BY(mutex_);
  std::vector<Own> own_ YUSHI_GUARDED_BY(mutex_);  // records of ours that wait for the next commit
  uint64_t own_told_ YUSHI_GUARDED_BY(mutex_) = 0, own_committed_ YUSHI_GUARDED_BY(mutex_) = 0;  // how many
  uint64_t queued_raw_bytes_ YUSHI_GUARDED_BY(mutex_) = 0;
  uint64_t in_flight_ YUSHI_GUARDED_BY(mutex_) = 0;
  bool stopping_ YUSHI_GUARDED_BY(mutex_) = false;
  bool failed_ YUSHI_GUARDED_BY(mutex_) = false;
  uint64_t sign_wanted_ YUSHI_GUARDED_BY(mutex_) = 0;
  uint64_t signed_ YUSHI_GUARDED_BY(mutex_) = 0;
  // What waits for a signature; whoever waits no more takes its own out.
  std::map<uint64_t, std::function<void()>> at_signed_ YUSHI_GUARDED_BY(mutex_);
  std::function<void()> on_commit_ YUSHI_GUARDED_BY(mutex_);
  std::vector<std::function<void(detect::Engine&)>> engine_asked_ YUSHI_GUARDED_BY(mutex_);  // by the next round
  uint64_t committed_ YUSHI_GUARDED_BY(mutex_) = 0;

  // The committer's own.
  Worker committer_;
  std::shared_ptr<const Loaded> judged_by_;
  std::shared_ptr<const detect::Lists> told_lists_;  // that `_audit` tells of
  std::string lists_text_;  // by which records were judged up to now, by this run or one before
  judge::EventJudge judge_;
  std::atomic<int64_t> waits_since_{INT64_MAX};  // receipt of the oldest committed line whose event is not judged yet
  MinuteBook book_;
  bool below_reserve_ = false;
  uint64_t own_taken_ = 0;  // of own_told_, into the commit that is made
  uint64_t unread_ = 0;     // segments that start() passed over
  std::string first_unread_;
  int64_t minute_ns_ = 0;  // end of the last minute booked, by whichever run; 0: the store is new
  bool begun_minute_ = false;
  int64_t detect_saved_ns_ = 0, ticked_ns_ = 0, disk_alerted_ns_ = 0;
  std::vector<Ticked> ticks_;  // since the detectors' state was last saved
  std::map<LogId, int64_t> overflow_told_ns_;
  MissingMessages missing_;
  Auditors auditors_;
  std::thread thread_;
};

}  // namespace yushi::daemon
