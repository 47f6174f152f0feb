// How the pipeline goes on where the run before it stopped, or was killed: what it keeps in the store for that, and
// what start() makes of it.
#include <spdlog/spdlog.h>

#include <limits>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "daemon/pipeline.h"
#include "judge/recheck.h"
#include "parsers/engine_version.h"
#include "storage/read/view.h"

namespace yushi::daemon {
namespace {

constexpr detect::FindingKind kStoreDamaged{"yushid.store-damaged", "A part of the store cannot be read", 1, "",
                                            "存储的一部分无法读取"};

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

// Commit number, the size of each log at it, then the engine's own bytes.
std::string Pipeline::detector_state() const {
  std::string out;
  put_varint(out, store_.commit_number() + 1);
  put_log_sizes(out);
  out += judge_.save();
  return out;
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

}  // namespace yushi::daemon
