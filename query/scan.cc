// Workers take segments in the order of their nearest end. A hit may be given once every segment that is not yet done
// lies behind it; what cannot be given yet waits in a heap. The first segment that is not done decides: its end is the
// frontier. It is always in work already, so a worker that waits for room never waits for itself.
#include "query/scan.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "core/filter/token_filter.h"

namespace yushi {
namespace {

struct Span {
  int64_t from_ns, to_ns;
};

Span wanted(const Filter& filter, const ScanOptions& options) {
  auto times = filter.times();
  return {std::max(times.from_ns, options.from_ns), std::min(times.to_ns, options.to_ns)};
}

// Where the scan comes upon a segment first.
int64_t near_end(const BlockSummary& summary, bool newest_first) {
  if (summary.event_times.empty())
    return newest_first ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
  return newest_first ? summary.event_times.back().to_ns : summary.event_times.front().from_ns;
}

std::string name_of(const ScanSegment& segment) {
  return segment.log + "/" + std::to_string(segment.summary.first_index);
}

Result<std::unique_ptr<Batch>> read_segment(const ScanSegment& segment) {
  try {
    return segment.read();
  } catch (const std::exception& error) {  // std::bad_alloc on a damaged length, say
    return fail(Code::corrupt, error.what());
  }
}

// The matching records of a batch.
std::vector<const Record*> find_matches(const Batch& batch, const Filter& filter, Span span, Scratch& scratch,
                                        const std::atomic<bool>& stop) {
  std::vector<const Record*> found;
  size_t until_look = 0;
  for (const Record& record : batch.records) {
    if (until_look-- == 0) {
      until_look = 1023;
      if (stop.load(std::memory_order_relaxed)) break;
    }
    if (record.event_ns >= span.from_ns && record.event_ns <= span.to_ns && filter.matches(record, scratch))
      found.push_back(&record);
  }
  return found;
}

// What several threads share while they go through the segments.
class Scan {
 public:
  Scan(const std::vector<ScanSegment>& segments, const Filter& filter, const ScanOptions& options,
       const std::atomic<bool>& cancelled)
      : segments_(segments), filter_(filter), options_(options), cancelled_(cancelled), span_(wanted(filter, options)) {
    report_.blocks = segments.size();
    for (size_t i = 0; i < segments.size(); ++i)
      if (may_hold_match(segments[i].summary, filter, options)) order_.push_back(i);
    std::stable_sort(order_.begin(), order_.end(), [&](size_t a, size_t b) {
      int64_t x = near_end(segments_[a].summary, options_.newest_first),
              y = near_end(segments_[b].summary, options_.newest_first);
      return options_.newest_first ? x > y : x < y;
    });
    done_.resize(order_.size());
  }

  Result<ScanReport> run_ordered(const Render& render, const TakeHit& take) {
    std::vector<std::thread> threads = start([&](size_t) { work_ordered(render); });
    give(take);
    for (std::thread& thread : threads) thread.join();
    return finish();
  }

  Result<ScanReport> run_unordered(const Visit& visit) {
    std::vector<std::thread> threads = start([&](size_t number) { work_unordered(number, visit); });
    for (std::thread& thread : threads) thread.join();
    return finish();
  }

 private:
  template <class Work>
  std::vector<std::thread> start(Work work) {
    std::vector<std::thread> threads;
    auto count =
        std::min<size_t>(static_cast<size_t>(std::max(options_.threads, 1)), std::max<size_t>(order_.size(), 1));
    for (size_t i = 0; i < count; ++i) threads.emplace_back([work, i] { work(i); });
    return threads;
  }

  bool is_over() const { return stop_.load(std::memory_order_relaxed) || cancelled_.load(std::memory_order_relaxed); }

  // Before `a` in the order of the scan.
  bool comes_before(const RecordKey& a, const RecordKey& b) const { return options_.newest_first ? b < a : a < b; }

  // The heap's top is the hit that comes first.
  auto later() const {
    return [this](const ScanHit& a, const ScanHit& b) { return comes_before(b.key, a.key); };
  }

  void work_ordered(const Render& render) {
    Scratch scratch;
    for (;;) {
      size_t place;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] {
          return is_over() || next_ >= order_.size() || waiting_bytes_ <= options_.bytes_max / 2 || frontier_ == next_;
        });
        if (is_over() || next_ >= order_.size()) return;
        if (is_answered_before(next_)) return;
        place = next_++;
      }
      std::vector<ScanHit> hits;
      bool fits = true;
      const ScanSegment& segment = segments_[order_[place]];
      auto batch = read_segment(segment);
      if (batch) {
        auto found = find_matches(**batch, filter_, span_, scratch, stop_);
        fits = render_best(segment, found, render, scratch, hits);
      }
      std::lock_guard lock(mutex_);
      note(segment, batch);
      if (!fits) exhausted_ = true;
      for (ScanHit& hit : hits) {
        waiting_bytes_ += bytes_of(hit);
        waiting_.push_back(std::move(hit));
        std::push_heap(waiting_.begin(), waiting_.end(), later());
      }
      trim();
      done_[place] = 1;
      while (frontier_ < done_.size() && done_[frontier_]) ++frontier_;
      changed_.notify_all();
    }
  }

  // Whether enough hits wait that come before all that the segments from `place` on can hold. Under mutex_.
  bool is_answered_before(size_t place) const {
    if (waiting_.size() + report_.records_found < options_.limit) return false;
    int64_t end = near_end(segments_[order_[place]].summary, options_.newest_first);
    size_t before = 0;
    for (const ScanHit& hit : waiting_)
      before += options_.newest_first ? hit.key.event_ns > end : hit.key.event_ns < end;
    return before + report_.records_found >= options_.limit;
  }

  // Lets go of hits that more others come before than are wanted. Under mutex_.
  void trim() {
    if (waiting_.size() / 4 < options_.limit) return;
    auto first = [this](const ScanHit& a, const ScanHit& b) { return comes_before(a.key, b.key); };
    std::nth_element(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(options_.limit), waiting_.end(),
                     first);
    waiting_.resize(options_.limit);
    std::make_heap(waiting_.begin(), waiting_.end(), later());
    waiting_bytes_ = 0;
    for (const ScanHit& hit : waiting_) waiting_bytes_ += bytes_of(hit);
  }

  static size_t bytes_of(const ScanHit& hit) { return hit.rendered.size() + sizeof(ScanHit) + hit.key.log.size(); }

  // Of more matches than the limit only the first are worth rendering.
  // False when what was rendered does not fit.
  bool render_best(const ScanSegment& segment, std::vector<const Record*>& found, const Render& render,
                   Scratch& scratch, std::vector<ScanHit>& hits) {
    auto before = [&](const Record* a, const Record* b) {
      if (a->event_ns != b->event_ns)
        return options_.newest_first ? a->event_ns > b->event_ns : a->event_ns < b->event_ns;
      return options_.newest_first ? a->index > b->index : a->index < b->index;
    };
    if (found.size() > options_.limit) {
      std::nth_element(found.begin(), found.begin() + static_cast<ptrdiff_t>(options_.limit), found.end(), before);
      found.resize(options_.limit);
    }
    size_t bytes = 0;
    for (const Record* record : found) {
      if (is_over()) return true;
      ScanHit hit{{record->event_ns, segment.log, record->index}, {}};
      scratch.clear();
      render(*record, scratch, hit.rendered);
      bytes += hit.rendered.size();
      hits.push_back(std::move(hit));
      if (bytes > options_.bytes_max) return false;
    }
    return true;
  }

  // In the caller's thread: hands over what may be given until all is done.
  void give(const TakeHit& take) {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (cancelled_.load(std::memory_order_relaxed)) {
        report_.cancelled = true;
        break;
      }
      if (exhausted_ || report_.records_found >= options_.limit) break;
      if (!waiting_.empty() && may_give(waiting_.front().key)) {
        std::pop_heap(waiting_.begin(), waiting_.end(), later());
        ScanHit hit = std::move(waiting_.back());
        waiting_.pop_back();
        waiting_bytes_ -= bytes_of(hit);
        ++report_.records_found;
        lock.unlock();
        changed_.notify_all();
        bool more = take(std::move(hit));
        lock.lock();
        if (!more) break;
        continue;
      }
      if (frontier_ == order_.size()) break;
      if (waiting_bytes_ > options_.bytes_max) {
        exhausted_ = true;
        break;
      }
      changed_.wait_for(lock, std::chrono::milliseconds(50));  // the flag of the caller notifies nobody
    }
    stop_ = true;
    changed_.notify_all();
  }

  bool may_give(const RecordKey& key) const {
    if (frontier_ == order_.size()) return true;
    int64_t end = near_end(segments_[order_[frontier_]].summary, options_.newest_first);
    return options_.newest_first ? key.event_ns > end : key.event_ns < end;
  }

  void work_unordered(size_t number, const Visit& visit) {
    Scratch scratch;
    for (;;) {
      size_t place;
      {
        std::lock_guard lock(mutex_);
        if (cancelled_.load(std::memory_order_relaxed)) report_.cancelled = true;
        if (is_over() || next_ >= order_.size()) return;
        place = next_++;
      }
      const ScanSegment& segment = segments_[order_[place]];
      auto batch = read_segment(segment);
      std::vector<const Record*> found;
      if (batch) found = find_matches(**batch, filter_, span_, scratch, cancelled_);
      if (!found.empty()) visit(number, found);
      std::lock_guard lock(mutex_);
      note(segment, batch);
      report_.records_found += found.size();
      if (cancelled_.load(std::memory_order_relaxed)) report_.cancelled = true;
    }
  }

  void note(const ScanSegment& segment, const Result<std::unique_ptr<Batch>>& batch) {
    if (!batch) {
      report_.missing.push_back(name_of(segment) + ": " + batch.error().message);
      return;
    }
    ++report_.blocks_read;
    report_.records_read += (*batch)->records.size();
  }

  Result<ScanReport> finish() {
    if (exhausted_)
      return fail(Code::exhausted, "the answer does not fit into " + std::to_string(options_.bytes_max >> 20) +
                                       " MiB while it is put in order; narrow the time range or set a limit");
    std::sort(report_.missing.begin(), report_.missing.end());
    return std::move(report_);
  }

  const std::vector<ScanSegment>& segments_;
  const Filter& filter_;
  const ScanOptions& options_;
  const std::atomic<bool>& cancelled_;
  const Span span_;
  std::vector<size_t> order_;  // segments that may hold a match, nearest first
  std::atomic<bool> stop_{false};

  std::mutex mutex_;
  std::condition_variable changed_;
  // Protected by mutex_:
  size_t next_ = 0;      // place in order_ that nobody has taken
  size_t frontier_ = 0;  // first place that is not done
  std::vector<char> done_;
  std::vector<ScanHit> waiting_;  // heap
  size_t waiting_bytes_ = 0;
  bool exhausted_ = false;
  ScanReport report_;
};

}  // namespace

bool may_hold_match(const BlockSummary& summary, const Filter& filter, const ScanOptions& options) {
  Span span = wanted(filter, options);
  if (span.from_ns > span.to_ns) return false;
  if (!summary.event_times.empty() &&
      std::none_of(summary.event_times.begin(), summary.event_times.end(),
                   [&](const TimeRange& range) { return range.from_ns <= span.to_ns && range.to_ns >= span.from_ns; }))
    return false;
  if (summary.token_filter.empty()) return true;
  TokenFilter tokens(summary.token_filter);
  return filter.may_match([&](uint64_t hash) { return tokens.may_contain(hash); });
}

Result<ScanReport> scan(const std::vector<ScanSegment>& segments, const Filter& filter, const ScanOptions& options,
                        const Render& render, const TakeHit& take, const std::atomic<bool>& cancelled) {
  return Scan(segments, filter, options, cancelled).run_ordered(render, take);
}

Result<ScanReport> scan_unordered(const std::vector<ScanSegment>& segments, const Filter& filter,
                                  const ScanOptions& options, const Visit& visit, const std::atomic<bool>& cancelled) {
  return Scan(segments, filter, options, cancelled).run_unordered(visit);
}

}  // namespace yushi
