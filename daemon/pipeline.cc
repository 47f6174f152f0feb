#include "daemon/pipeline.h"

#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <limits>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "detect/alert_words.h"
#include "detect/list_changes.h"
#include "judge/recheck.h"
#include "parsers/engine_version.h"
#include "storage/read/view.h"

namespace yushi::daemon {
namespace {

// A clock that was set back must not silence what is due until it has caught up.
bool due(int64_t last_ns, int64_t now_ns, int64_t interval_ns) {
  return now_ns < last_ns || now_ns - last_ns >= interval_ns;
}

using Clock = std::chrono::steady_clock;

constexpr auto kIdleWait = std::chrono::milliseconds(200);
constexpr int64_t kAlertInterval = 60 * kMinute;  // of one thing that comes and goes
constexpr int64_t kDetectorSaveInterval = 10 * kSecond;
constexpr int64_t kTickInterval = kSecond / 2;      // an event that has ended in a quiet log is judged within a second
constexpr int64_t kLossesSettleNs = 3 * kSecond;    // what only came late is no loss
constexpr size_t kMissingMax = 4096;                // sources with a gap that are followed
constexpr size_t kListChangesBytesMax = 256 << 10;  // of a record; what is more is only told in words
constexpr std::string_view kAuditorsState = "auditors";
// The engine's state in parts has a name of its own: an older yushid goes on from the one that it left.
constexpr std::string_view kDetectorState = "detect-5", kOldDetectorState = "detect-4", kTicksState = "ticks",
                           kBooksState = "books", kHostsState = "hosts", kListsState = "lists";
const std::string kPositions = "position/";  // of an input, before its name

constexpr detect::FindingKind kStoreDamaged{"yushid.store-damaged", "A part of the store cannot be read", 1, "",
                                            "存储的一部分无法读取"};
constexpr detect::FindingKind kOverflow{"yushid.source-overflow", "More senders than the limit", 1, "",
                                        "发送方数量超出上限"};
constexpr detect::FindingKind kDiskFull{"yushid.disk-full", "The disk is below its reserve", 1, "",
                                        "磁盘剩余空间低于预留"};
constexpr detect::FindingKind kForgot{"yushid.detectors-forgot", "Detectors forgot what was not seen for longest", 1,
                                      "", "检测器遗忘了最久未出现的记录"};
constexpr detect::FindingKind kMissing{
    "sequence.messages-missing", "Numbered messages are missing", 1, "attack.t1562.006", "消息编号不连续",
    "attack.defense-evasion"};

// What the daemon itself has to say; the records that show it are put in by commit().
Alert own_alert(const detect::FindingKind& kind, Severity severity, uint32_t score, OwnWords words, int64_t now_ns) {
  Alert alert;
  alert.rule_id = kind.id;
  alert.rule_name = kind.title;
  alert.rule_name_zh = kind.title_zh;
  alert.rule_digest = detect::finding_digest(kind);
  alert.severity = severity;
  alert.score = score;
  for (auto tag : {kind.tactic, kind.tag})
    if (!tag.empty()) alert.tags.emplace_back(tag);
  alert.reason_zh = words.zh.empty() ? alert.rule_name_zh + "：" + words.en : std::move(words.zh);
  alert.reason = std::move(words.en);
  alert.event_ns = alert.raised_ns = now_ns;
  return alert;
}

std::map<std::string, uint64_t> read_log_sizes(Reader& in) {
  std::map<std::string, uint64_t> out;
  auto logs = in.varint();
  for (uint64_t i = 0; i < logs && in.ok(); ++i) {
    std::string log(in.text());
    out[log] = in.varint();
  }
  return out;
}

}  // namespace

Pipeline::Pipeline(storage::Store& store, std::shared_ptr<const Loaded> loaded, PipelineOptions options)
    : store_(store),
      options_(options),
      loaded_(loaded),
      workers_(options.ingest_threads),
      hosts_(options.senders_max),
      judged_by_(loaded),
      judge_(loaded->parsers, loaded->rules, options.detect, zones_of(*loaded)) {
  judge_.engine().except(loaded->exceptions);
  judge_.use(loaded->lists);
  store_.options().disk->on_wait([this](const std::string& path, bool begins) {
    if (!begins) return spdlog::info("what waited for room on the disk is written");
    counters_.disk_full = true;
    spdlog::error("the disk is full: writing {} waits for room, nothing is lost; free space or add a disk", path);
  });
}

Pipeline::~Pipeline() {
  if (thread_.joinable()) (void)stop();
  store_.options().disk->on_wait({});
}

// --------------------------------------------------------------------------------------------- on the ingest threads

void Pipeline::deliver(unsigned ingest_thread, std::unique_ptr<Batch> batch) {
  auto& worker = workers_[ingest_thread];
  worker.pulse.step();
  auto prepared = prepare(worker, std::move(batch));
  auto memory = storage::memory_of(*prepared.batch);
  MutexLock lock(mutex_);
  worker.pulse.rest();
  while (in_flight_ > 0 && in_flight_ + memory > options_.in_flight_bytes && !failed_) changed_.wait(lock);
  worker.pulse.step();
  if (failed_) return;  // never acknowledged; the daemon is stopping
  in_flight_ += memory;
  queued_raw_bytes_ += prepared.raw_bytes;
  counters_.in_flight_bytes = in_flight_;
  bool wake = queue_.empty() || queued_raw_bytes_ >= options_.commit_bytes;
  queue_.push_back(std::move(prepared));
  lock.unlock();
  if (wake) changed_.notify_all();
}

bool Pipeline::would_wait() const {
  constexpr uint64_t kRoomOneIn = 16;  // for batches that others deliver meanwhile
  return counters_.in_flight_bytes.load(std::memory_order_relaxed) >
         options_.in_flight_bytes - options_.in_flight_bytes / kRoomOneIn;
}

storage::PreparedBatch Pipeline::prepare(Worker& worker, std::unique_ptr<Batch> batch) {
  if (auto loaded = this->loaded(); worker.loaded != loaded) {
    auto before = std::exchange(worker.understander, std::make_unique<parsers::Understander>(loaded->parsers));
    if (before) worker.understander->go_on_from(*before);
    worker.understander->measure();
    worker.matcher = loaded->rules->matcher(true);
    worker.loaded = std::move(loaded);
    worker.datasets->forget();
  }
  auto& loaded = *worker.loaded;
  SenderHosts::mark_relays(*batch, loaded.relays);
  const auto capped = worker.understander->capped(), ambiguous = worker.understander->ambiguous();
  worker.understander->understand(*batch, loaded.readings);
  if (worker.understander->capped() != capped) counters_.fields_capped += worker.understander->capped() - capped;
  if (worker.understander->ambiguous() != ambiguous)
    counters_.ambiguous += worker.understander->ambiguous() - ambiguous;
  worker.datasets->add(*batch);
  hosts_.judge(*batch);
  worker.matcher->match(*batch, worker.scratch, batch->hits);
  worker.scratch.clear();
  batch->keep.push_back(worker.loaded);
  return storage::prepare(std::move(batch), loaded.contexts);
}

std::map<std::string, DatasetCounts::OfParser> Pipeline::records_of_parsers() const {
  std::map<std::string, DatasetCounts::OfParser> out;
  for (auto& worker : workers_) worker.datasets->read_parsers(out);
  return out;
}

std::map<std::string, uint64_t> Pipeline::records_of_datasets() const {
  std::map<std::string, uint64_t> out;
  for (auto& worker : workers_) worker.datasets->read(out);
  return out;
}

void Pipeline::tell(OwnRecord record, std::optional<Alert> alert) {
  MutexLock lock(mutex_);
  own_.push_back({std::move(record), std::move(alert)});
  ++own_told_;
}

Result<void> Pipeline::tell_durably(OwnRecord record) {
  MutexLock lock(mutex_);
  own_.push_back({std::move(record), {}});
  const auto mine = ++own_told_;
  changed_.notify_all();
  while (own_committed_ < mine && !failed_) {
    changed_.wait_until(lock, Clock::now() + kIdleWait);
    if (own_committed_ < mine && store_.options().disk->waits())
      return fail(Code::unavailable, "the disk is full: this is written when there is room again");
  }
  if (own_committed_ < mine) return fail(Code::unavailable, "the store has failed; the daemon is stopping");
  return {};
}

Result<uint64_t> Pipeline::detector_bytes_of(const std::string& account,
                                             std::function<bool(std::string_view log)> sees) {
  auto answer = std::make_shared<std::promise<uint64_t>>();
  auto bytes = answer->get_future();
  {
    MutexLock lock(mutex_);
    engine_asked_.push_back([answer, account, sees = std::move(sees)](detect::Engine& engine) {
      answer->set_value(engine.bytes_of(account, sees));
    });
  }
  changed_.notify_all();
  if (bytes.wait_for(std::chrono::seconds(3)) != std::future_status::ready)
    return fail(Code::unavailable, "the detectors have not answered within 3 s; ask again");
  return bytes.get();
}

void Pipeline::tell_trouble(const detect::FindingKind& kind, OwnWords words, Severity severity, uint32_t score) {
  auto record = own_record(std::string(kind.id.substr(kind.id.find('.') + 1)), words.en);
  tell(std::move(record), own_alert(kind, severity, score, std::move(words), realtime_ns()));
}

// ----------------------------------------------------------------------------------------------------- the committer

void Pipeline::run() {
  ::pthread_setname_np(::pthread_self(), "committer");
  std::vector<storage::PreparedBatch> batches;
  MutexLock lock(mutex_);
  while (true) {
    store_.pulse().step();
    bool held = !batches.empty();  // since the disk is full
    auto is_asked = [&]() YUSHI_REQUIRES(mutex_) { return stopping_ || sign_wanted_ > signed_; };
    const auto idle_end = Clock::now() + kIdleWait;
    while ((held || queue_.empty()) && own_.empty() && !is_asked() && changed_.wait_until(lock, idle_end)) {
    }
    // Group commit: one sync for all that comes within the interval, or fills a commit.
    const auto group_end = Clock::now() + std::chrono::nanoseconds(options_.commit_interval_ns);
    while (!held && !queue_.empty() && queued_raw_bytes_ < options_.commit_bytes && !is_asked() &&
           changed_.wait_until(lock, group_end)) {
    }
    bool last = stopping_;
    uint64_t signing = sign_wanted_;
    const bool must_sign = signing > signed_;
    const bool all = !at_signed_.empty();
    for (uint64_t bytes = 0; !queue_.empty() && ((!held && bytes < 4 * options_.commit_bytes) || last);) {
      bytes += queue_.front().raw_bytes;
      queued_raw_bytes_ -= queue_.front().raw_bytes;
      batches.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    bool more = !queue_.empty();
    lock.unlock();

    // On a full disk the batches are held; at the stop they go into the reserve.
    std::vector<storage::PreparedBatch> now_committed;
    if (!disk_is_full() || last) now_committed.swap(batches);
    uint64_t memory = 0;
    for (auto& b : now_committed) memory += storage::memory_of(*b.batch);
    auto done = commit(now_committed, last);
    int64_t now = realtime_ns();
    if (done) done = store_.tick(clock_ns(CLOCK_BOOTTIME), now);
    if (done) done = store_.seal_due(now);
    if (done) done = store_.sign_checkpoints(now, all ? 0 : must_sign ? kSecond : kMinute);
    now_committed.clear();
    if (done) {
      counters_.round_ns = now;
      counters_.newest_ns = std::max(counters_.newest_ns.load(), now);
    }

    lock.lock();
    while (done && !at_signed_.empty() && at_signed_.begin()->first <= signing) {
      auto call = std::move(at_signed_.extract(at_signed_.begin()).mapped());
      lock.unlock();
      call();
      lock.lock();
    }
    in_flight_ -= memory;
    counters_.in_flight_bytes = in_flight_;
    committed_ = store_.commit_number();
    signed_ = signing;
    if (done) own_committed_ = own_taken_;
    if (!done) {
      failed_ = true;
      lock.unlock();
      store_.pulse().rest();
      changed_.notify_all();
      if (on_failure) on_failure(done.error());
      return;
    }
    changed_.notify_all();
    if (on_commit_) on_commit_();
    if (last && !more && queue_.empty()) return store_.pulse().rest();
  }
}

Result<void> Pipeline::commit(std::vector<storage::PreparedBatch>& batches, bool last) {
  int64_t now = realtime_ns();
  for (auto& batch : batches) {
    book_.count(batch);
    tell_overflow(batch, now);
  }
  tell_losses(now);
  std::vector<Own> told;
  std::vector<std::function<void(detect::Engine&)>> engine_asked;
  {
    MutexLock lock(mutex_);
    told.swap(own_);
    own_taken_ = own_told_;
    engine_asked.swap(engine_asked_);
  }
  for (auto& ask : engine_asked) ask(judge_.engine());
  std::vector<std::string> own;
  std::vector<std::pair<size_t, AlertAct>> acts;  // by their places in `own`
  const auto add_own = [&](const OwnRecord& record) {
    if (auto* act = std::get_if<AlertAct>(&record.about)) acts.emplace_back(own.size(), *act);
    own.push_back(to_json(record));
  };
  for (auto& [record, alert] : told) add_own(record);
  bool booked = !begun_minute_ || due(minute_ns_, now, kMinute) || last;
  if (booked) {
    for (auto& record : book_.close_minute(minute_ns_, now, store_.commit_number() + 1, *store_.logs()))
      own.push_back(to_json(record));
    minute_ns_ = now;
    begun_minute_ = true;
  }
  counters_.connections_open = book_.connections_open();
  if (book_.kernel_drops() > counters_.kernel_drops) counters_.kernel_dropped_ns = now;
  if (book_.source_drops() > counters_.source_drops) counters_.source_dropped_ns = now;
  counters_.kernel_drops = book_.kernel_drops();
  counters_.source_drops = book_.source_drops();
  bool save = last || due(detect_saved_ns_, now, kDetectorSaveInterval);
  bool tick = due(ticked_ns_, now, kTickInterval);
  if (batches.empty() && own.empty() && !tick && !last) return {};

  std::vector<Alert> alerts;
  if (auto loaded = this->loaded(); loaded != judged_by_) {
    // New lists or exceptions alone leave open events open.
    if (loaded->parsers != judged_by_->parsers || loaded->rules != judged_by_->rules ||
        loaded->contexts != judged_by_->contexts)
      judge_.reload(loaded->parsers, loaded->rules, zones_of(*loaded), alerts);
    judge_.engine().except(loaded->exceptions);
    // These come from no record and no tick that a replay would show again; and it would have other exceptions.
    if (!alerts.empty() || loaded->exceptions != judged_by_->exceptions) save = true;
    judged_by_ = std::move(loaded);
  }
  const bool new_lists = judged_by_->lists != told_lists_;
  if (new_lists) {
    own.push_back(to_json(take_lists()));
    save = true;  // a replay judges what comes after by them, too
  }
  auto commit = store_.begin();
  bool wrote = false;
  std::vector<std::function<void()>> acks;
  std::map<std::string, std::string> positions;
  for (auto& prepared : batches) {
    auto batch = prepared.batch;
    if (batch->ack) acks.push_back(std::move(batch->ack));
    if (batch->position) positions[batch->position->input] = batch->position->at;
    if (batch->records.empty()) continue;
    wrote = true;
    counters_.messages += batch->records.size();
    counters_.raw_bytes += prepared.raw_bytes;
    commit.append(std::move(prepared));
    hear_losses(commit.take_losses(), now);
    // read before a reload, judged after it
    if (auto& rules = judged_by_->rules; static_cast<const Loaded*>(batch->keep.back().get())->rules != rules) {
      batch->hits.clear();
      rules->match(*batch, committer_.scratch, batch->hits);
    }
    judge_.observe(*batch, alerts);
  }
  if (tick) {
    ticked_ns_ = now;
    judge_.tick(commit.number(), now, alerts);
    ticks_.push_back({wrote ? commit.number() : commit.number() - 1, commit.number(), now});
  }
  // Behind the tick: a replay does it there too.
  for (auto& [record, alert] : told)
    if (auto* act = std::get_if<AlertAct>(&record.about); act && act->kind != AlertAct::Kind::held_back)
      judge_.engine().teach(*act);
  for (auto& record : judge_.engine().take_told()) {
    if (record.action == "exception-ended") spdlog::warn("{}", record.message);
    add_own(record);
  }
  for (auto& [log, en, zh] : judge_.engine().take_forgotten()) {
    spdlog::warn("{}", en);
    auto alert = own_alert(kForgot, Severity::low, 30, {en, std::move(zh)}, now);
    alert.tenant = log.substr(0, log.find_first_of("@:"));
    alert.key = log;
    tell(own_record("detectors-forgot", en), std::move(alert));
  }
  counters_.detector_bytes = judge_.engine().room().bytes();
  counters_.detectors_forgot = judge_.engine().room().forgotten();
  counters_.joined_open = judge_.open();
  counters_.joined_cut = judge_.cut();
  if (!own.empty()) {
    auto first = store_.log_size(storage::kAuditLogId);
    for (size_t i = 0; i < told.size(); ++i) {
      if (!told[i].alert) continue;
      alerts.push_back(std::move(*told[i].alert));
      alerts.back().records = {{kAuditLog, first + i}};
      alerts.back().id = detect::alert_id(alerts.back());
    }
    for (auto& [place, act] : acts) commit.add_alert_act(first + place, act);
    judge_questions(told, now, alerts);
    commit.append(prepare(committer_, storage::own_batch(own)));
    wrote = true;
  }
  if (!alerts.empty()) {
    std::vector<std::string> jsons;
    for (auto& alert : alerts) jsons.push_back(alert_to_json(alert));
    auto first = store_.log_size(storage::kAuditLogId);
    for (size_t i = 0; i < jsons.size(); ++i) commit.add_alert(first + i, alerts[i]);
    commit.append(prepare(committer_, storage::own_batch(jsons)));
    counters_.alerts += alerts.size();
    wrote = true;
  }
  for (auto& [input, at] : positions) commit.put_state(kPositions + input, at);
  if (new_lists) commit.put_state(kListsState, lists_text_);
  const int64_t waits_since = judge_.waits_since();
  if (!wrote && positions.empty()) {
    waits_since_ = waits_since;
    return {};
  }
  waits_since_ = std::min(waits_since_.load(), waits_since);  // before these records can be seen
  if (booked) commit.put_state(kBooksState, books_state());
  if (booked || save) {
    if (auto hosts = hosts_.save(*store_.logs()); !hosts.empty()) commit.put_state(kHostsState, hosts);
  }
  if (save) {
    detect_saved_ns_ = now;
    commit.put_state(kDetectorState, detector_state());
    std::string auditors;
    auditors_.save(auditors);
    commit.put_state(kAuditorsState, auditors);
    ticks_.clear();
  }
  if (save || !ticks_.empty()) commit.put_state(kTicksState, ticks_state());
  YUSHI_TRY(commit.finish());
  waits_since_ = waits_since;
  for (auto& ack : acks) ack();
  return {};
}

std::string Pipeline::remembered_lists(const storage::Store& store) {
  return store.read_state(kListsState).value_or("");
}

// Hands the loaded lists to the detectors; what is other than before, in words, and whole: who judges again by it.
OwnRecord Pipeline::take_lists() {
  told_lists_ = judged_by_->lists;
  judge_.use(told_lists_);
  const auto changes = detect::tell_list_changes(lists_text_, told_lists_->text());
  auto record =
      own_record("lists-read", "lists were read: " + (changes.empty() ? "no entry is other than before" : changes));
  auto whole = detect::list_changes(lists_text_, told_lists_->text());
  auto& about = record.about.emplace<ListsRead>();
  if (whole.size() <= kListChangesBytesMax) about.changes = std::move(whole);
  lists_text_ = told_lists_->text();
  return record;
}

std::string Pipeline::position(std::string_view input) const {
  return store_.read_state(kPositions + std::string(input)).value_or("");
}

// Senders beyond limits.sources share one source from then on; anyone who forges addresses can bring that about.
void Pipeline::tell_overflow(const storage::PreparedBatch& batch, int64_t now_ns) {
  for (auto& group : batch.groups) {
    for (auto& source : group.sources) {
      bool datagrams = source.transport == Transport::udp || source.transport == Transport::unix_socket;
      if (!datagrams || source.source != ingest::SourceLimit::kOverflow) continue;
      auto& told_ns = overflow_told_ns_[group.log_id];
      if (!due(told_ns, now_ns, kAlertInterval)) continue;
      told_ns = now_ns;
      auto& tenant = (*store_.logs())[group.log_id]->name;
      auto what = "tenant " + tenant +
                  " has more senders than limits.sources allows: new ones are booked together as source " +
                  source.source +
                  " and keep their address in log.source.address; look for forged addresses, or raise the limit";
      auto what_zh = "租户 " + tenant + " 的发送方数量超出 limits.sources 的上限：新的发送方合并记为来源 " +
                     source.source + "，其地址仍保留在 log.source.address 中；请检查是否存在伪造地址，或提高上限";
      spdlog::warn("{}", what);
      auto alert = own_alert(kOverflow, Severity::medium, 50, {what, std::move(what_zh)}, now_ns);
      alert.tenant = alert.key = tenant;
      tell(own_record("source-overflow", what), std::move(alert));
    }
  }
}

// What a source's numbers say is missing is told when nothing of it came after all, then once an hour.
void Pipeline::hear_losses(std::vector<storage::LossesMoved> moved, int64_t now_ns) {
  for (auto& one : moved) {
    auto at = missing_.find({one.log, one.source});
    if (at == missing_.end()) {
      if (one.after <= one.before || missing_.size() >= kMissingMax) continue;
      at = missing_.try_emplace({one.log, std::move(one.source)}).first;
      at->second.told = one.before;
    }
    auto& missing = at->second;
    missing.lost = one.after;
    missing.since_ns = now_ns;
    missing.event_ns = one.event_ns;
  }
}

void Pipeline::tell_losses(int64_t now_ns) {
  for (auto at = missing_.begin(); at != missing_.end();) {
    auto& [key, missing] = *at;
    if (now_ns - missing.since_ns < kLossesSettleNs ||
        (missing.told_ns != 0 && !due(missing.told_ns, now_ns, kAlertInterval))) {
      ++at;
      continue;
    }
    if (missing.lost <= missing.told) {
      at = missing_.erase(at);
      continue;
    }
    const std::string tenant = (*store_.logs())[key.first]->name;
    const std::string what = std::to_string(missing.lost - missing.told) + " messages that " + key.second +
                             " numbered never came here: lost on their way, or taken out";
    auto what_zh = key.second + " 发送的带编号消息中有 " + std::to_string(missing.lost - missing.told) +
                   " 条从未到达：可能在传输途中丢失，或被人移除";
    auto alert = own_alert(kMissing, Severity::medium, 55, {what, std::move(what_zh)}, now_ns);
    alert.event_ns = missing.event_ns;
    alert.tenant = tenant.substr(0, tenant.find_first_of("@:"));
    alert.key = key.second;
    tell(own_record("sequence-gap", what), std::move(alert));
    missing.told = missing.lost;
    missing.told_ns = now_ns;
    ++at;
  }
}

// The auditors' own use; `told` are the first of the records of our own that this commit appends.
void Pipeline::judge_questions(const std::vector<Own>& told, int64_t now_ns, std::vector<Alert>& alerts) {
  const auto first = store_.log_size(storage::kAuditLogId);
  std::vector<detect::Finding> findings;
  for (size_t i = 0; i < told.size(); ++i) {
    const auto* asked = std::get_if<QuestionAsked>(&told[i].record.about);
    if (!asked) continue;
    findings.clear();
    auditors_.observe(*asked, now_ns, findings);
    for (auto& finding : findings) {
      auto alert = own_alert(*finding.kind, finding.severity, finding.score,
                             {std::move(finding.reason), std::move(finding.reason_zh)}, now_ns);
      alert.key = std::move(finding.key);
      alert.baseline = std::move(finding.baseline);
      alert.tenant = asked->tenant;
      alert.records = {{kAuditLog, first + i}};
      alert.id = detect::alert_id(alert);
      alerts.push_back(std::move(alert));
    }
  }
}

// Below the reserve the inputs stop (held batches fill what may be in flight), and only our own records are written.
bool Pipeline::disk_is_full() {
  struct statvfs disk;
  if (::statvfs(store_.options().data_dir.c_str(), &disk) != 0) return false;
  bool full = disk.f_bavail * disk.f_frsize < options_.disk_reserve_bytes;
  if (full && !below_reserve_) {
    const std::string what =
        "the disk is below its reserve: inputs have stopped, nothing is deleted; free space or add a disk";
    spdlog::error("{}: {} of {} bytes are left for {}", what, disk.f_bavail * disk.f_frsize,
                  options_.disk_reserve_bytes, store_.options().data_dir);
    std::optional<Alert> alert;
    if (auto now = realtime_ns(); due(disk_alerted_ns_, now, kAlertInterval)) {
      disk_alerted_ns_ = now;
      alert = own_alert(kDiskFull, Severity::critical, 90,
                        {what, "磁盘剩余空间低于预留：已停止接收输入，不会删除任何数据；请释放空间或增加磁盘"}, now);
    }
    tell(own_record("disk-full", what), std::move(alert));
  }
  if (!full && below_reserve_) {
    const std::string what = "the disk has room again: inputs go on";
    spdlog::info("{}", what);
    tell(own_record("disk-has-room", what));
  }
  below_reserve_ = full;
  counters_.disk_full = full || store_.options().disk->waits();
  return full;
}

// -------------------------------------------------------------------------------------------------- start, stop, ask

// Commit number, the size of each log at it, then the engine's own bytes.
std::string Pipeline::detector_state() const {
  std::string out;
  put_varint(out, store_.commit_number() + 1);
  put_log_sizes(out);
  out += judge_.save();
  return out;
}

judge::ZoneOfLog Pipeline::zones_of(const Loaded& loaded) const {
  auto logs = store_.logs();
  std::map<std::string, std::shared_ptr<const Zone>, std::less<>> zones;
  for (size_t i = 0; i < loaded.readings.size() && i < logs->size(); ++i)
    zones.emplace((*logs)[i]->name, loaded.readings[i].zone);
  return [zones = std::move(zones)](std::string_view log) {
    auto named = zones.find(log);
    return named != zones.end() ? named->second : Zone::utc();
  };
}

// When the last minute ended, and the size of each log then: what is behind it stands in no minute yet.
std::string Pipeline::books_state() const {
  std::string out;
  put_signed(out, minute_ns_);
  put_log_sizes(out);
  return out;
}

void Pipeline::put_log_sizes(std::string& out) const {
  const auto logs = store_.logs();
  put_varint(out, logs->size());
  for (LogId i = 0; i < logs->size(); ++i) {
    put_text(out, (*logs)[i]->name);
    put_varint(out, store_.log_size(i));
  }
}

// Loads the state as of commit N, takes up the events that were open then, and shows the engine the records after N
// and the ticks again. Their alerts are stored already: each was in the same commit as what raised it. A state, or a
// part of one, that this version does not know is left out and told: it is no reason not to collect.
Result<std::vector<std::string>> Pipeline::replay_detectors() {
  const auto logs = store_.logs();
  std::vector<std::string> learn_anew;
  auto state = store_.read_state(kDetectorState);
  if (!state && state.error().code == Code::not_found) state = store_.read_state(kOldDetectorState);
  std::map<std::string, uint64_t> from;
  if (state) {
    Reader in(*state);
    in.varint();
    from = read_log_sizes(in);
    if (in.ok()) {
      learn_anew = judge_.load(in);
    } else {
      learn_anew.push_back("their state in the store is damaged");
      for (LogId i = 0; i < logs->size(); ++i) from[(*logs)[i]->name] = store_.log_size(i);
    }
  } else if (state.error().code != Code::not_found) {
    return tl::unexpected(state.error());
  }
  lists_text_ = remembered_lists(store_);
  if (judged_by_->lists->text() == lists_text_) told_lists_ = judged_by_->lists;
  if (auto ticks = store_.read_state(kTicksState)) {
    Reader in(*ticks);
    for (auto left = in.varint(); left > 0 && in.ok(); --left) {
      const uint64_t after = in.varint(), commit = in.varint();
      ticks_.push_back({after, commit, in.signed_varint()});
    }
    if (!in.ok()) ticks_.clear(), learn_anew.push_back("the ticks in the store are damaged");
  } else if (ticks.error().code != Code::not_found) {
    return tl::unexpected(ticks.error());
  }

  if (auto auditors = store_.read_state(kAuditorsState)) {
    Reader in(*auditors);
    if (!auditors_.load(in)) learn_anew.push_back("what the store knows of who asks is damaged");
  } else if (auditors.error().code != Code::not_found) {
    return tl::unexpected(auditors.error());
  }

  auto view = store_.view();
  // What a log has behind its place in the state, a segment after the other.
  struct Behind {
    std::vector<storage::Segment> segments;
    size_t next = 0;
    std::unique_ptr<Batch> batch;
    size_t shown = 0;
  };
  std::vector<Behind> behind;
  Scratch scratch;
  const auto rules = loaded()->rules;
  const auto read = [&](const storage::Segment& segment) -> std::unique_ptr<Batch> {
    auto batch = view->read(segment);
    if (batch) return std::move(*batch);
    cannot_read(batch.error());
    return nullptr;
  };
  for (auto& known : *logs) {
    auto& log = known->name;
    if (log == kAuditLog) continue;
    Behind one;
    for (auto& segment : YUSHI_TRY(view->segments(log, std::min(from[log], judge_.wanted_from(log))))) {
      const auto end = segment.summary.first_index + segment.summary.records;
      if (segment.summary.first_index >= from[log]) {
        one.segments.push_back(segment);
        continue;
      }
      auto batch = read(segment);
      if (!batch) continue;
      for (auto& record : batch->records)
        if (record.index < from[log]) judge_.restore(record);
      if (end > from[log]) {
        std::erase_if(batch->records, [&](auto& r) { return r.index < from[log]; });
        rules->match(*batch, scratch, batch->hits);
        one.batch = std::move(batch);
      }
    }
    if (one.batch || !one.segments.empty()) behind.push_back(std::move(one));
  }
  judge_.restored();
  auto taught = YUSHI_TRY(
      judge::read_taught(*view, from[std::string(kAuditLog)], [&](const Error& error) { cannot_read(error); }));

  std::vector<Alert> ignored;
  // Detectors keep a state for each log, so between two ticks the logs may follow one another.
  const auto show_until = [&](uint64_t commit) {
    for (auto& one : behind)
      while (one.batch || one.next < one.segments.size()) {
        if (!one.batch) {
          if (!(one.batch = read(one.segments[one.next++]))) continue;
          rules->match(*one.batch, scratch, one.batch->hits);
        }
        auto& records = one.batch->records;
        auto end = one.shown;
        while (end < records.size() && records[end].origin->commit <= commit) ++end;
        judge_.observe(*one.batch, one.shown, end, ignored);
        one.shown = end;
        if (end < records.size()) break;
        one.batch.reset();
        one.shown = 0;
      }
  };
  // An acknowledgement came behind the records and the tick of its commit.
  auto next = taught.begin();
  const auto teach_until = [&](uint64_t commit) {
    for (; next != taught.end() && next->first <= commit; ++next) {
      show_until(next->first);
      judge_.engine().teach(next->second);
    }
  };
  for (auto& tick : ticks_) {
    teach_until(tick.commit - 1);
    show_until(tick.after);
    judge_.tick(tick.commit, tick.received_ns, ignored);
  }
  teach_until(std::numeric_limits<uint64_t>::max());
  show_until(std::numeric_limits<uint64_t>::max());
  (void)judge_.engine().take_told();  // stored already, as the alerts are
  (void)judge_.engine().take_forgotten();
  rules->forget_counts();  // what was shown came before this start
  return learn_anew;
}

std::string Pipeline::ticks_state() const {
  std::string out;
  put_varint(out, ticks_.size());
  for (auto& tick : ticks_) {
    put_varint(out, tick.after);
    put_varint(out, tick.commit);
    put_signed(out, tick.received_ns);
  }
  return out;
}

// After a crash the minute that was open is counted again from the records that it left behind. A clean stop leaves
// none.
Result<void> Pipeline::resume_books() {
  auto state = store_.read_state(kBooksState);
  if (!state) return state.error().code == Code::not_found ? Result<void>() : tl::unexpected(state.error());
  Reader in(*state);
  minute_ns_ = in.signed_varint();
  auto booked = read_log_sizes(in);
  if (!in.ok()) return fail(Code::corrupt, "the state of the ledger's books in the store is damaged");
  // Only to count: no fields are wanted.
  storage::Reparse nothing{parsers::kParserEngine, [](Batch&, const storage::ParseContext&) { return Result<void>(); }};
  auto view = YUSHI_TRY(storage::StoreView::open(store_.database(), std::move(nothing)));
  std::map<MinuteBook::Key, MinuteBook::Committed> unbooked;
  const auto logs = store_.logs();
  for (LogId id = 0; id < logs->size(); ++id) {
    if (id == storage::kAuditLogId) continue;  // our own records stand in no book
    auto& log = (*logs)[id]->name;
    const auto begin = booked[log];
    for (auto next = begin; next < store_.log_size(id);) {
      auto segment = YUSHI_TRY(view->segment_at(log, next));
      if (!segment) return fail(Code::corrupt, "record " + log + "/" + std::to_string(next) + " is gone");
      next = segment->summary.first_index + segment->summary.records;
      auto batch = view->read(*segment);
      if (!batch) {
        cannot_read(batch.error());
        continue;
      }
      for (auto& record : (*batch)->records) {
        if (record.index < begin) continue;
        auto& committed = unbooked[{id, std::string(record.origin->source)}];
        committed.records += 1;
        committed.bytes += record.raw.size();
      }
    }
  }
  book_.resume(std::move(unbooked));
  return {};
}

Result<void> Pipeline::resume_hosts() {
  auto state = store_.read_state(kHostsState);
  if (!state) return state.error().code == Code::not_found ? Result<void>() : tl::unexpected(state.error());
  if (!hosts_.load(*state, *store_.logs(), realtime_ns())) {
    return fail(Code::corrupt, "the state of what hosts the senders are in the store is damaged");
  }
  return {};
}

void Pipeline::cannot_read(const Error& error) {
  if (unread_++ == 0) first_unread_ = error.message;
}

Result<void> Pipeline::start() {
  auto learn_anew = YUSHI_TRY(replay_detectors());
  YUSHI_TRY(resume_books());
  YUSHI_TRY(resume_hosts());
  {
    MutexLock lock(mutex_);
    committed_ = store_.commit_number();
  }
  if (unread_ > 0) {
    auto what = "detectors and books go on without what cannot be read: " + first_unread_ +
                (unread_ > 1 ? ", and " + std::to_string(unread_ - 1) + " more" : "") +
                "; `yushi verify` names all of it; `yushi repair` brings it back from a copy of the store";
    spdlog::error("{}", what);
    auto what_zh = "检测与账目在缺少无法读取部分的情况下继续：" + first_unread_ +
                   (unread_ > 1 ? "，另有 " + std::to_string(unread_ - 1) + " 处" : "") +
                   "；`yushi verify` 可列出全部，`yushi repair` 可从存储的副本恢复";
    tell_trouble(kStoreDamaged, {what, std::move(what_zh)}, Severity::critical, 90);
  }
  for (auto& what : learn_anew) {
    what = "detectors learn anew: " + what;
    spdlog::warn("{}", what);
    tell(own_record("detectors-learn-anew", what));
  }
  counters_.round_ns = realtime_ns();
  counters_.newest_ns = minute_ns_;
  thread_ = std::thread([this] { run(); });
  return {};
}

Result<void> Pipeline::sign_now() { return sign_all({}); }

Result<void> Pipeline::sign_all(std::function<void()> at_signed) {
  MutexLock lock(mutex_);
  auto mine = ++sign_wanted_;
  const bool has_call = at_signed != nullptr;
  if (has_call) at_signed_[mine] = std::move(at_signed);
  changed_.notify_all();
  while (signed_ < mine && !failed_) {
    changed_.wait_until(lock, Clock::now() + kIdleWait);
    if (signed_ >= mine || !store_.options().disk->waits()) continue;
    if (has_call && at_signed_.erase(mine) == 0) continue;  // it is being called
    return fail(Code::unavailable, "the disk is full: nothing is signed until there is room again");
  }
  if (failed_) return fail(Code::unavailable, "the store has failed; the daemon is stopping");
  return {};
}

void Pipeline::call_on_commit(std::function<void()> call) {
  MutexLock lock(mutex_);
  on_commit_ = std::move(call);
}

void Pipeline::reload(std::shared_ptr<const Loaded> loaded) {
  MutexLock lock(loaded_mutex_);
  loaded_.swap(loaded);
}

std::shared_ptr<const Loaded> Pipeline::loaded() const {
  MutexLock lock(loaded_mutex_);
  return loaded_;
}

Result<void> Pipeline::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  MutexLock lock(mutex_);
  if (failed_) return fail(Code::io, "a commit failed; see the log");
  return {};
}

void Pipeline::wait_judged() const {
  constexpr auto kJudgedWait = std::chrono::seconds(3);
  const int64_t now_ns = realtime_ns();
  const auto end = Clock::now() + kJudgedWait;
  MutexLock lock(mutex_);
  while (waits_since_ <= now_ns && !failed_ && !stopping_ && changed_.wait_until(lock, end)) {
  }
}

uint64_t Pipeline::wait_commit(uint64_t commit, int milliseconds) const {
  const auto end = Clock::now() + std::chrono::milliseconds(milliseconds);
  MutexLock lock(mutex_);
  while (committed_ <= commit && !failed_ && changed_.wait_until(lock, end)) {
  }
  return committed_;
}

}  // namespace yushi::daemon
