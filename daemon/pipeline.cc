#include "daemon/pipeline.h"

#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "core/base/clock.h"
#include "detect/alerts/alert_words.h"
#include "detect/lists/list_changes.h"

namespace yushi::daemon {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kIdleWait = std::chrono::milliseconds(200);
constexpr int64_t kDetectorSaveIntervalNs = 10 * kSecond;
constexpr int64_t kTickIntervalNs = kSecond / 2;    // an event that has ended in a quiet log is judged within a second
constexpr size_t kListChangesBytesMax = 256 << 10;  // of a record; what is more is only told in words
constexpr detect::FindingKind kOverflow{"yushid.source-overflow", "More senders than the limit", 1, "",
                                        "发送方数量超出上限"};
constexpr detect::FindingKind kDiskFull{"yushid.disk-full", "The disk is below its reserve", 1, "",
                                        "磁盘剩余空间低于预留"};
constexpr detect::FindingKind kForgot{"yushid.detectors-forgot", "Detectors forgot what was not seen for longest", 1,
                                      "", "检测器遗忘了最久未出现的记录"};
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
  Round round;
  round.now_ns = realtime_ns();
  count(batches, round.now_ns);
  take_what_waits(round);
  round.books = !begun_minute_ || is_due(minute_ns_, round.now_ns, kMinute) || last;
  round.saves = last || is_due(detect_saved_ns_, round.now_ns, kDetectorSaveIntervalNs);
  if (round.books) close_minute(round);
  show_drops(round.now_ns);
  const bool ticks = is_due(ticked_ns_, round.now_ns, kTickIntervalNs);
  if (batches.empty() && round.own.empty() && !ticks && !last) return {};

  take_up_loaded(round);
  auto commit = store_.begin();
  append_and_judge(batches, commit, round);
  if (ticks) tick(commit, round);
  teach(round);  // behind the tick: a replay does it there too
  tell_what_engine_says(round);
  append_own(commit, round);
  append_alerts(commit, round);
  for (auto& [input, at] : round.positions) commit.put_state(std::string(kPositionOf) + input, at);
  if (round.has_new_lists) commit.put_state(kListsState, lists_text_);
  const int64_t waits_since = judge_.waits_since();
  if (!round.wrote && round.positions.empty()) {
    waits_since_ = waits_since;
    return {};
  }
  waits_since_ = std::min(waits_since_.load(), waits_since);  // before these records can be seen
  put_states(commit, round);
  YUSHI_TRY(commit.finish());
  waits_since_ = waits_since;
  for (auto& ack : round.acks) ack();
  return {};
}

void Pipeline::count(const std::vector<storage::PreparedBatch>& batches, int64_t now_ns) {
  for (auto& batch : batches) {
    book_.count(batch);
    tell_overflow(batch, now_ns);
  }
  for (auto& alert : missing_.due(*store_.logs(), now_ns)) {
    auto record = own_record("sequence-gap", alert.reason);
    tell(std::move(record), std::move(alert));
  }
}

void Pipeline::take_what_waits(Round& round) {
  std::vector<std::function<void(detect::Engine&)>> engine_asked;
  {
    MutexLock lock(mutex_);
    round.told.swap(own_);
    own_taken_ = own_told_;
    engine_asked.swap(engine_asked_);
  }
  for (auto& ask : engine_asked) ask(judge_.engine());
  for (auto& [record, alert] : round.told) round.add(record);
}

void Pipeline::close_minute(Round& round) {
  for (auto& record : book_.close_minute(minute_ns_, round.now_ns, store_.commit_number() + 1, *store_.logs()))
    round.own.push_back(to_json(record));
  minute_ns_ = round.now_ns;
  begun_minute_ = true;
}

void Pipeline::show_drops(int64_t now_ns) {
  counters_.connections_open = book_.connections_open();
  if (book_.kernel_drops() > counters_.kernel_drops) counters_.kernel_dropped_ns = now_ns;
  if (book_.source_drops() > counters_.source_drops) counters_.source_dropped_ns = now_ns;
  counters_.kernel_drops = book_.kernel_drops();
  counters_.source_drops = book_.source_drops();
}

// What a reload has swapped in.
void Pipeline::take_up_loaded(Round& round) {
  if (auto loaded = this->loaded(); loaded != judged_by_) {
    // New lists or exceptions alone leave open events open.
    if (loaded->parsers != judged_by_->parsers || loaded->rules != judged_by_->rules ||
        loaded->contexts != judged_by_->contexts)
      judge_.reload(loaded->parsers, loaded->rules, zones_of(*loaded), round.alerts);
    judge_.engine().except(loaded->exceptions);
    // These come from no record and no tick that a replay would show again; and it would have other exceptions.
    if (!round.alerts.empty() || loaded->exceptions != judged_by_->exceptions) round.saves = true;
    judged_by_ = std::move(loaded);
  }
  round.has_new_lists = judged_by_->lists != told_lists_;
  if (!round.has_new_lists) return;
  round.own.push_back(to_json(take_lists()));
  round.saves = true;  // a replay judges what comes after by them, too
}

void Pipeline::append_and_judge(std::vector<storage::PreparedBatch>& batches, storage::Store::Commit& commit,
                                Round& round) {
  for (auto& prepared : batches) {
    auto batch = prepared.batch;
    if (batch->ack) round.acks.push_back(std::move(batch->ack));
    if (batch->position) round.positions[batch->position->input] = batch->position->at;
    if (batch->records.empty()) continue;
    round.wrote = true;
    counters_.messages += batch->records.size();
    counters_.raw_bytes += prepared.raw_bytes;
    commit.append(std::move(prepared));
    missing_.hear(commit.take_losses(), round.now_ns);
    // read before a reload, judged after it
    if (auto& rules = judged_by_->rules; static_cast<const Loaded*>(batch->keep.back().get())->rules != rules) {
      batch->hits.clear();
      rules->match(*batch, committer_.scratch, batch->hits);
    }
    judge_.observe(*batch, round.alerts);
  }
}

void Pipeline::tick(const storage::Store::Commit& commit, Round& round) {
  ticked_ns_ = round.now_ns;
  judge_.tick(commit.number(), round.now_ns, round.alerts);
  ticks_.push_back({round.wrote ? commit.number() : commit.number() - 1, commit.number(), round.now_ns});
}

void Pipeline::teach(const Round& round) {
  for (auto& [record, alert] : round.told)
    if (auto* act = std::get_if<AlertAct>(&record.about); act && act->kind != AlertAct::Kind::held_back)
      judge_.engine().teach(*act);
}

void Pipeline::tell_what_engine_says(Round& round) {
  for (auto& record : judge_.engine().take_told()) {
    if (record.action == "exception-ended") spdlog::warn("{}", record.message);
    round.add(record);
  }
  for (auto& [log, en, zh] : judge_.engine().take_forgotten()) {
    spdlog::warn("{}", en);
    auto alert = own_alert(kForgot, Severity::low, 30, {en, std::move(zh)}, round.now_ns);
    alert.tenant = log.substr(0, log.find_first_of("@:"));
    alert.key = log;
    tell(own_record("detectors-forgot", en), std::move(alert));
  }
  counters_.detector_bytes = judge_.engine().room().bytes();
  counters_.detectors_forgot = judge_.engine().room().forgotten();
  counters_.joined_open = judge_.open();
  counters_.joined_cut = judge_.cut();
}

void Pipeline::append_own(storage::Store::Commit& commit, Round& round) {
  if (round.own.empty()) return;
  const auto first = store_.log_size(storage::kAuditLogId);
  for (size_t i = 0; i < round.told.size(); ++i) {
    if (!round.told[i].alert) continue;
    round.alerts.push_back(std::move(*round.told[i].alert));
    round.alerts.back().records = {{kAuditLog, first + i}};
    round.alerts.back().id = detect::alert_id(round.alerts.back());
  }
  for (auto& [place, act] : round.acts) commit.add_alert_act(first + place, act);
  judge_questions(round);
  commit.append(prepare(committer_, storage::own_batch(round.own)));
  round.wrote = true;
}

void Pipeline::append_alerts(storage::Store::Commit& commit, Round& round) {
  if (round.alerts.empty()) return;
  std::vector<std::string> jsons;
  for (auto& alert : round.alerts) jsons.push_back(alert_to_json(alert));
  const auto first = store_.log_size(storage::kAuditLogId);
  for (size_t i = 0; i < jsons.size(); ++i) commit.add_alert(first + i, round.alerts[i]);
  commit.append(prepare(committer_, storage::own_batch(jsons)));
  counters_.alerts += round.alerts.size();
  round.wrote = true;
}

// From which the next run goes on: daemon/pipeline_resume.cc.
void Pipeline::put_states(storage::Store::Commit& commit, const Round& round) {
  if (round.books) commit.put_state(kBooksState, books_state());
  if (round.books || round.saves) {
    if (auto hosts = hosts_.save(*store_.logs()); !hosts.empty()) commit.put_state(kHostsState, hosts);
  }
  if (round.saves) {
    detect_saved_ns_ = round.now_ns;
    commit.put_state(kDetectorState, detector_state());
    std::string auditors;
    auditors_.save(auditors);
    commit.put_state(kAuditorsState, auditors);
    ticks_.clear();
  }
  if (round.saves || !ticks_.empty()) commit.put_state(kTicksState, ticks_state());
}

void Pipeline::Round::add(const OwnRecord& record) {
  if (auto* act = std::get_if<AlertAct>(&record.about)) acts.emplace_back(own.size(), *act);
  own.push_back(to_json(record));
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
  return store_.read_state(std::string(kPositionOf).append(input)).value_or("");
}

// Senders beyond limits.sources share one source from then on; anyone who forges addresses can bring that about.
void Pipeline::tell_overflow(const storage::PreparedBatch& batch, int64_t now_ns) {
  for (auto& group : batch.groups) {
    for (auto& source : group.sources) {
      bool datagrams = source.transport == Transport::udp || source.transport == Transport::unix_socket;
      if (!datagrams || source.source != ingest::SourceLimit::kOverflow) continue;
      auto& told_ns = overflow_told_ns_[group.log_id];
      if (!is_due(told_ns, now_ns, kAlertIntervalNs)) continue;
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

// The auditors' own use.
void Pipeline::judge_questions(Round& round) {
  const auto first = store_.log_size(storage::kAuditLogId);
  std::vector<detect::Finding> findings;
  for (size_t i = 0; i < round.told.size(); ++i) {
    const auto* asked = std::get_if<QuestionAsked>(&round.told[i].record.about);
    if (!asked) continue;
    findings.clear();
    auditors_.observe(*asked, round.now_ns, findings);
    for (auto& finding : findings) {
      auto alert = own_alert(*finding.kind, finding.severity, finding.score,
                             {std::move(finding.reason), std::move(finding.reason_zh)}, round.now_ns);
      alert.key = std::move(finding.key);
      alert.baseline = std::move(finding.baseline);
      alert.tenant = asked->tenant;
      alert.records = {{kAuditLog, first + i}};
      alert.id = detect::alert_id(alert);
      round.alerts.push_back(std::move(alert));
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
    if (auto now = realtime_ns(); is_due(disk_alerted_ns_, now, kAlertIntervalNs)) {
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
