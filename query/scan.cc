// Workers take units in the order of their nearest end, and hand over the hits of each in order. A hit may be given
// once nothing that is still to come lies before it: neither the rest of a unit in work, nor a unit that nobody
// has taken. What cannot be given yet waits in a heap.
//
// When the heap is full, the furthest hits are let go, and the `cut` says from where on: this pass gives what lies
// before it, the next one begins there.
#include "query/scan.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "core/base/mutex.h"
#include "core/filter/token_filter.h"
#include "query/asked_fields.h"

namespace yushi::query {
namespace {

struct Span {
  int64_t from_ns, to_ns;
};

Span wanted(const Filter& filter, const ScanOptions& options) {
  auto times = filter.times();
  return {std::max(times.from_ns, options.from_ns), std::min(times.to_ns, options.to_ns)};
}

// Where the scan comes upon a unit first.
int64_t near_end(const storage::BlockSummary& summary, bool newest_first) {
  if (summary.event_times.empty())
    return newest_first ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
  return newest_first ? summary.event_times.back().to_ns : summary.event_times.front().from_ns;
}

std::string name_of(const ScanUnit& unit) { return unit.log + "/" + std::to_string(unit.summary.first_index); }

template <class Read>
auto read_safely(const Read& read) -> decltype(read()) {
  try {
    return read();
  } catch (const std::exception& error) {  // std::bad_alloc on a damaged length, say
    return fail(Code::corrupt, error.what());
  }
}

// What several threads share while they go through the units.
class Scan {
 public:
  Scan(const std::vector<ScanUnit>& units, const Filter& filter, const ScanOptions& options,
       const std::atomic<bool>& cancelled)
      : units_(units), filter_(filter), options_(options), cancelled_(cancelled), span_(wanted(filter, options)) {
    report_.blocks = units.size();
    for (size_t i = 0; i < units.size(); ++i)
      if (may_hold_match(units[i].summary, filter, options)) order_.push_back(i);
    std::stable_sort(order_.begin(), order_.end(), [&](size_t a, size_t b) {
      int64_t x = near_end(units_[a].summary, options_.newest_first),
              y = near_end(units_[b].summary, options_.newest_first);
      return options_.newest_first ? x > y : x < y;
    });
    noted_.resize(order_.size());
    choose_fields();
    begin_ = options.begin;
  }

  // What of the filter can be asked of captures alone, and what for.
  void choose_fields() {
    const Expression& whole = filter_.expression();
    auto fields_of = [](const Expression& expression) {
      AskedFields asked;
      asked.add(expression);
      return asked.names();
    };
    if (auto names = fields_of(whole)) {
      filter_fields_ = *names;
      filter_fields_are_asked_ =
          options_.fields && std::all_of(filter_fields_.begin(), filter_fields_.end(), [&](auto& name) {
            return std::find(options_.fields->begin(), options_.fields->end(), name) != options_.fields->end();
          });
      return;
    }
    asks_text_ = true;
    std::vector<Expression> of_fields;
    if (whole.kind == Expression::Kind::all_of)
      for (const Expression& child : whole.children)
        if (fields_of(child)) of_fields.push_back(child);
    field_filter_ = Filter::from(std::make_shared<Expression>(Expression::all_of(std::move(of_fields))));
    filter_fields_ = *fields_of(field_filter_->expression());
  }

  static bool is_all(const Filter& filter) { return filter.expression().kind == Expression::Kind::all; }

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

  // No hit of the unit comes before this key.
  RecordKey nearest(size_t place) const {
    int64_t end = near_end(units_[order_[place]].summary, options_.newest_first);
    // No log has a name that begins with 0xff.
    return options_.newest_first ? RecordKey{end, "\xff", std::numeric_limits<uint64_t>::max()} : RecordKey{end, "", 0};
  }

  // ------------------------------------------------------------------------------------------------------ under mutex_

  // Whether a unit is left that this pass has to read; `next_` is then one.
  bool has_place() YUSHI_REQUIRES(mutex_) {
    for (; next_ < order_.size(); ++next_) {
      if (begin_ && lies_before(units_[order_[next_]].summary, *begin_)) continue;
      if (cut_ && !comes_before(nearest(next_), *cut_)) return false;
      return !is_answered_before(next_);
    }
    return false;
  }

  bool lies_before(const storage::BlockSummary& summary, const RecordKey& key) const {
    int64_t end = near_end(summary, !options_.newest_first);
    return options_.newest_first ? end > key.event_ns : end < key.event_ns;
  }

  // Whether enough hits wait that come before all that the units from `place` on can hold.
  bool is_answered_before(size_t place) const YUSHI_REQUIRES(mutex_) {
    if (waiting_.size() + report_.records_found < options_.limit) return false;
    const RecordKey end = nearest(place);
    size_t before = 0;
    for (const ScanHit& hit : waiting_) before += comes_before(hit.key, end);
    return before + report_.records_found >= options_.limit;
  }

  // Where what is still to come begins; nullopt when nothing is.
  std::optional<RecordKey> bound() YUSHI_REQUIRES(mutex_) {
    std::optional<RecordKey> first;
    if (has_place()) first = nearest(next_);
    for (auto& [place, position] : in_work_)
      if (!first || comes_before(position, *first)) first = position;
    return first;
  }

  bool may_give() YUSHI_REQUIRES(mutex_) {
    if (waiting_.empty()) return false;
    auto first = bound();
    return !first || comes_before(waiting_.front().key, *first);
  }

  // What comes at or behind `key` is for the next pass.
  void lower_cut(const RecordKey& key) YUSHI_REQUIRES(mutex_) {
    if (cut_ && !comes_before(key, *cut_)) return;
    cut_ = key;
    std::erase_if(waiting_, [&](const ScanHit& hit) { return !comes_before(hit.key, key); });
    heap_again();
  }

  void heap_again() YUSHI_REQUIRES(mutex_) {
    std::make_heap(waiting_.begin(), waiting_.end(), later());
    waiting_bytes_ = 0;
    for (const ScanHit& hit : waiting_) waiting_bytes_ += bytes_of(hit);
  }

  // Lets go of the further half of what waits.
  void halve() YUSHI_REQUIRES(mutex_) {
    std::sort(waiting_.begin(), waiting_.end(), [this](auto& a, auto& b) { return comes_before(a.key, b.key); });
    size_t bytes = 0, kept = 0;
    for (; kept < waiting_.size(); ++kept) {
      bytes += bytes_of(waiting_[kept]);
      if (kept > 0 && bytes > options_.bytes_max / 2) break;
    }
    if (kept < waiting_.size()) cut_ = waiting_[kept].key;
    waiting_.resize(kept);
    heap_again();
  }

  // Lets go of hits that more others come before than are wanted.
  void trim() YUSHI_REQUIRES(mutex_) {
    if (waiting_.size() / 4 < options_.limit) return;
    auto first = [this](const ScanHit& a, const ScanHit& b) { return comes_before(a.key, b.key); };
    std::nth_element(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(options_.limit), waiting_.end(),
                     first);
    waiting_.resize(options_.limit);
    heap_again();
  }

  static size_t bytes_of(const ScanHit& hit) { return hit.rendered.size() + sizeof(ScanHit) + hit.key.log.size(); }

  // ----------------------------------------------------------------------------------------------------- the workers

  void work_ordered(const Render& render) {
    Scratch scratch;
    for (;;) {
      {
        MutexLock lock(mutex_);
        while (!is_over() && !(has_place() && has_room())) changed_.wait(lock);
      }
      ReadTurn turn(options_.pool, [this] { return is_over(); });
      size_t place;
      std::optional<RecordKey> begin;  // no other pass begins while a place is in work
      {
        MutexLock lock(mutex_);
        if (is_over()) return;
        if (!has_place() || !has_room()) continue;
        place = next_++;
        in_work_[place] = nearest(place);
        begin = begin_;
      }
      auto matches = find_ordered(units_[order_[place]], begin, scratch);
      if (matches) hand_over(place, matches->records, render, scratch);
      MutexLock lock(mutex_);
      note(place, matches ? nullptr : &matches.error());
      in_work_.erase(place);
      trim();
      changed_.notify_all();
    }
  }

  // Drops what does not match. One record may cost milliseconds, so the flags are looked at for each; what is over has
  // no matches.
  void keep_matches(const Filter& filter, storage::BlockRows& rows, std::vector<uint32_t>* places,
                    Scratch& scratch) const {
    enum class Answer : char { open, no, yes };
    std::vector<Answer> answers(rows.batch->records.size(), is_all(filter) ? Answer::yes : Answer::open);
    const bool has_times = !rows.event_ns.empty();
    size_t kept = 0;
    for (size_t i = 0; i < rows.row_of.size(); ++i) {
      if (has_times && (rows.event_ns[i] < span_.from_ns || rows.event_ns[i] > span_.to_ns)) continue;
      Answer& answer = answers[rows.row_of[i]];
      if (answer == Answer::open) {
        if (is_over()) {
          kept = 0;
          break;
        }
        answer = filter.matches(rows.batch->records[rows.row_of[i]], scratch) ? Answer::yes : Answer::no;
      }
      if (answer == Answer::no) continue;
      if (places) places->push_back(static_cast<uint32_t>(i));
      rows.row_of[kept] = rows.row_of[i];
      if (has_times) rows.event_ns[kept] = rows.event_ns[i];
      ++kept;
    }
    if (kept == 0 && places) places->clear();
    rows.row_of.resize(kept);
    if (has_times) rows.event_ns.resize(kept);
  }

  // Every record a row of its own.
  static storage::BlockRows rows_of(std::unique_ptr<Batch> batch) {
    storage::BlockRows rows;
    for (const Record& record : batch->records) {
      rows.row_of.push_back(static_cast<uint32_t>(rows.row_of.size()));
      rows.event_ns.push_back(record.event_ns);
    }
    rows.batch = std::move(batch);
    return rows;
  }

  struct Matches {
    std::unique_ptr<Batch> batch;
    std::vector<const Record*> records;
  };

  Result<Matches> find_ordered(const ScanUnit& unit, const std::optional<RecordKey>& begin, Scratch& scratch) const {
    const auto key_of_record = [](const Record* record) { return std::pair(record->event_ns, record->index); };
    const bool wants_all = is_all(filter_) && options_.limit >= unit.summary.records;
    Matches out;
    if (!unit.open || wants_all || asks_text_) {
      auto rows = rows_of(YUSHI_TRY(asks_text_ ? read_candidates(unit, scratch) : read_safely(unit.read)));
      keep_matches(filter_, rows, nullptr, scratch);
      for (uint32_t row : rows.row_of) out.records.push_back(&rows.batch->records[row]);
      out.batch = std::move(rows.batch);
    } else {
      auto reader = YUSHI_TRY(read_safely(unit.open));
      std::vector<uint32_t> places;
      auto rows = YUSHI_TRY(read_safely([&] { return reader->read_rows(filter_fields_, /*with_times=*/true); }));
      keep_matches(filter_, rows, &places, scratch);
      std::vector<std::pair<int64_t, uint64_t>> keys;  // @timestamp, index
      for (size_t i = 0; i < places.size(); ++i)
        keys.emplace_back(rows.event_ns[i], unit.summary.first_index + places[i]);
      keep_best(unit, begin, std::identity(), keys);
      if (keys.empty()) return out;
      places.clear();
      for (auto& key : keys) places.push_back(static_cast<uint32_t>(key.second - unit.summary.first_index));
      std::sort(places.begin(), places.end());
      out.batch = YUSHI_TRY(read_safely([&] { return reader->read_records(places); }));
      for (const Record& record : out.batch->records) out.records.push_back(&record);
    }
    keep_best(unit, begin, key_of_record, out.records);
    return out;
  }

  // Where the filter asks for all of raw: the records that its other questions and the forms of texts leave.
  Result<std::unique_ptr<Batch>> read_candidates(const ScanUnit& unit, Scratch& scratch) const {
    if (!unit.open) return read_safely(unit.read);
    return read_safely([&]() -> Result<std::unique_ptr<Batch>> {
      auto reader = YUSHI_TRY(unit.open());
      auto places = YUSHI_TRY(reader->find_places([&](auto& holds) { return filter_.may_match_text(holds); }));
      if (!places.empty() && !is_all(*field_filter_)) {
        std::vector<uint32_t> kept;
        auto rows = YUSHI_TRY(reader->read_rows(filter_fields_, /*with_times=*/false, &places));
        keep_matches(*field_filter_, rows, &kept, scratch);
        for (uint32_t& place : kept) place = places[place];
        places = std::move(kept);
      }
      return places.empty() ? std::make_unique<Batch>() : reader->read_records(places);
    });
  }

  // What the asker looks at of the records that match.
  Result<storage::BlockRows> find_unordered(const ScanUnit& unit, Scratch& scratch) const {
    if (!unit.open || asks_text_) {
      auto rows = rows_of(YUSHI_TRY(asks_text_ ? read_candidates(unit, scratch) : read_safely(unit.read)));
      keep_matches(filter_, rows, nullptr, scratch);
      return rows;
    }
    const bool cuts = std::any_of(unit.summary.event_times.begin(), unit.summary.event_times.end(), [&](auto& range) {
      return range.from_ns < span_.from_ns || range.to_ns > span_.to_ns;
    });
    return read_safely([&]() -> Result<storage::BlockRows> {
      if (!options_.fields && is_all(filter_) && !cuts) return rows_of(YUSHI_TRY(unit.read()));
      auto reader = YUSHI_TRY(unit.open());
      if (options_.fields && filter_fields_are_asked_) {
        auto rows = YUSHI_TRY(reader->read_rows(*options_.fields, cuts || options_.times));
        keep_matches(filter_, rows, nullptr, scratch);
        return rows;
      }
      std::vector<uint32_t> places;
      auto rows = YUSHI_TRY(reader->read_rows(filter_fields_, cuts));
      keep_matches(filter_, rows, &places, scratch);
      if (places.empty()) return rows;
      if (options_.fields) return reader->read_rows(*options_.fields, options_.times, &places);
      return rows_of(YUSHI_TRY(reader->read_records(places)));
    });
  }

  bool has_room() const YUSHI_REQUIRES(mutex_) { return waiting_bytes_ <= options_.bytes_max / 2 || in_work_.empty(); }

  // From `begin` on, in the order of the scan. Of more than the limit only the first are worth rendering. key_of()
  // gives the time and the index of one.
  template <class Item, class KeyOf>
  void keep_best(const ScanUnit& unit, const std::optional<RecordKey>& begin, const KeyOf& key_of,
                 std::vector<Item>& found) const {
    auto before = [&](const Item& a, const Item& b) {
      return options_.newest_first ? key_of(b) < key_of(a) : key_of(a) < key_of(b);
    };
    if (begin)
      std::erase_if(found, [&](const Item& item) {
        auto [event_ns, index] = key_of(item);
        return comes_before({event_ns, unit.log, index}, *begin);
      });
    if (found.size() > options_.limit) {
      std::nth_element(found.begin(), found.begin() + static_cast<ptrdiff_t>(options_.limit), found.end(), before);
      found.resize(options_.limit);
    }
    std::sort(found.begin(), found.end(), before);
  }

  static RecordKey key_of(const ScanUnit& unit, const Record& record) {
    return {record.event_ns, unit.log, record.index};
  }

  void hand_over(size_t place, const std::vector<const Record*>& found, const Render& render, Scratch& scratch)
      YUSHI_EXCLUDES(mutex_) {
    const ScanUnit& unit = units_[order_[place]];
    std::vector<ScanHit> hits;
    size_t bytes = 0;
    auto patience = kPatience;
    for (size_t i = 0; i < found.size() && !is_over(); ++i) {
      ScanHit hit{key_of(unit, *found[i]), {}};
      scratch.clear();
      render(*found[i], scratch, hit.rendered);
      bytes += bytes_of(hit);
      hits.push_back(std::move(hit));
      const bool last = i + 1 == found.size();
      if (!last && bytes < std::min(kHandOverBytes, options_.bytes_max / 4)) continue;
      MutexLock lock(mutex_);
      if (!wait_for_room(lock, place, hits.front().key, bytes, patience)) return;
      for (ScanHit& each : hits) {
        if (cut_ && !comes_before(each.key, *cut_)) return;
        waiting_bytes_ += bytes_of(each);
        waiting_.push_back(std::move(each));
        std::push_heap(waiting_.begin(), waiting_.end(), later());
      }
      report_.bytes_held_max = std::max(report_.bytes_held_max, waiting_bytes_);
      if (!last) in_work_[place] = key_of(unit, *found[i + 1]);
      lock.unlock();
      changed_.notify_all();
      hits.clear();
      bytes = 0;
    }
  }

  // False when nothing from `first` on, which is next of a unit in work, is wanted in this pass. What is waited for
  // the reader goes off `patience`.
  bool wait_for_room(MutexLock& lock, size_t place, const RecordKey& first, size_t bytes,
                     std::chrono::nanoseconds& patience) YUSHI_REQUIRES(mutex_) {
    using Clock = std::chrono::steady_clock;
    while (!is_over()) {
      if (cut_ && !comes_before(first, *cut_)) return false;
      if (waiting_bytes_ + bytes <= options_.bytes_max || waiting_.empty()) return true;
      if (may_give() || giving_) {  // the reader is slower than we: what can be found again is let go
        if (patience <= patience.zero()) {
          lower_cut(first);
          return false;
        }
        const auto since = Clock::now();
        changed_.wait_for(lock, std::chrono::milliseconds(50));
        patience -= Clock::now() - since;
        continue;
      }
      auto nearest_of_all = bound();
      if (nearest_of_all && *nearest_of_all == in_work_[place]) return true;  // all wait for this one
      if (has_place() && *nearest_of_all == nearest(next_)) {                 // or for one that nobody has room to read
        if (waiting_.size() > 1) {
          halve();
        } else {  // one hit, larger than all the room
          lower_cut(comes_before(first, waiting_.front().key) ? RecordKey(waiting_.front().key) : first);
        }
        changed_.notify_all();
        continue;
      }
      changed_.wait_for(lock, std::chrono::milliseconds(50));
    }
    return false;
  }

  // In the caller's thread: hands over what may be given until all is done.
  void give(const TakeHit& take) {
    MutexLock lock(mutex_);
    std::vector<ScanHit> hits;
    for (bool more = true; more && report_.records_found < options_.limit;) {
      if (cancelled_.load(std::memory_order_relaxed)) {
        report_.cancelled = true;
        break;
      }
      hits.clear();
      for (size_t bytes = 0; bytes < kHandOverBytes && may_give();) {
        std::pop_heap(waiting_.begin(), waiting_.end(), later());
        bytes += bytes_of(waiting_.back());
        hits.push_back(std::move(waiting_.back()));
        waiting_.pop_back();
        if (report_.records_found + hits.size() >= options_.limit) break;
      }
      if (hits.empty()) {
        if (bound()) {
          changed_.wait_for(lock, std::chrono::milliseconds(50));  // the flag of the caller notifies nobody
          continue;
        }
        if (!cut_) break;
        begin_ = cut_;  // another pass
        cut_.reset();
        next_ = 0;
        changed_.notify_all();
        continue;
      }
      giving_ = true;
      for (ScanHit& hit : hits) {
        waiting_bytes_ -= std::min(waiting_bytes_, bytes_of(hit));
        ++report_.records_found;
        lock.unlock();
        more = take(std::move(hit)) && more;
        lock.lock();
        if (!more || cancelled_.load(std::memory_order_relaxed)) break;
      }
      giving_ = false;
      changed_.notify_all();
    }
    stop_ = true;
    changed_.notify_all();
  }

  void work_unordered(size_t number, const Visit& visit) {
    Scratch scratch;
    for (;;) {
      ReadTurn turn(options_.pool, [this] { return is_over(); });
      size_t place;
      {
        MutexLock lock(mutex_);
        if (cancelled_.load(std::memory_order_relaxed)) report_.cancelled = true;
        if (is_over() || next_ >= order_.size()) return;
        place = next_++;
      }
      auto found = find_unordered(units_[order_[place]], scratch);
      if (found && !found->row_of.empty() && !visit(number, *found)) stop_ = true;
      MutexLock lock(mutex_);
      note(place, found ? nullptr : &found.error());
      if (found) report_.records_found += found->row_of.size();
      if (cancelled_.load(std::memory_order_relaxed)) report_.cancelled = true;
    }
  }

  // Once for each unit, however many passes read it.
  void note(size_t place, const Error* error) YUSHI_REQUIRES(mutex_) {
    if (std::exchange(noted_[place], true)) return;
    const ScanUnit& unit = units_[order_[place]];
    if (error) {
      report_.missing.push_back(name_of(unit) + ": " + error->message);
      return;
    }
    ++report_.blocks_read;
  }

  Result<ScanReport> finish() {
    MutexLock lock(mutex_);
    std::sort(report_.missing.begin(), report_.missing.end());
    return std::move(report_);
  }

  static constexpr size_t kHandOverBytes = 256 << 10;  // rendered between two looks at the lock
  // of a decoded unit with the reader
  static constexpr std::chrono::nanoseconds kPatience = std::chrono::seconds(1);

  const std::vector<ScanUnit>& units_;
  const Filter& filter_;
  const ScanOptions& options_;
  const std::atomic<bool>& cancelled_;
  const Span span_;
  std::vector<size_t> order_;           // units that may hold a match, nearest first
  bool asks_text_ = false;              // the filter asks for more than captures
  std::optional<Filter> field_filter_;  // then: what a match must be by its captures
  std::vector<std::string> filter_fields_;
  bool filter_fields_are_asked_ = false;  // they are among options_.fields
  std::atomic<bool> stop_{false};

  Mutex mutex_;
  CondVar changed_;
  size_t next_ YUSHI_GUARDED_BY(mutex_) = 0;  // place in order_ that nobody has taken
  // place -> its first hit that is not handed over comes here or later
  std::map<size_t, RecordKey> in_work_ YUSHI_GUARDED_BY(mutex_);
  std::optional<RecordKey> begin_ YUSHI_GUARDED_BY(mutex_);  // of this pass
  std::optional<RecordKey> cut_ YUSHI_GUARDED_BY(mutex_);    // of this pass: it gives what comes before
  std::vector<ScanHit> waiting_ YUSHI_GUARDED_BY(mutex_);    // heap
  size_t waiting_bytes_ YUSHI_GUARDED_BY(mutex_) = 0;
  bool giving_ YUSHI_GUARDED_BY(mutex_) = false;  // the caller has hits in hand
  std::vector<char> noted_ YUSHI_GUARDED_BY(mutex_);
  ScanReport report_ YUSHI_GUARDED_BY(mutex_);
};

}  // namespace

bool may_hold_match(const storage::BlockSummary& summary, const Filter& filter, const ScanOptions& options) {
  Span span = wanted(filter, options);
  if (span.from_ns > span.to_ns) return false;
  if (!summary.event_times.empty() &&
      std::none_of(summary.event_times.begin(), summary.event_times.end(), [&](const storage::TimeRange& range) {
        return range.from_ns <= span.to_ns && range.to_ns >= span.from_ns;
      }))
    return false;
  if (summary.token_filter.empty()) return true;
  TokenFilter tokens(summary.token_filter);
  return filter.may_match([&](uint64_t hash) { return tokens.may_contain(hash); });
}

Result<ScanReport> scan(const std::vector<ScanUnit>& units, const Filter& filter, const ScanOptions& options,
                        const Render& render, const TakeHit& take, const std::atomic<bool>& cancelled) {
  return Scan(units, filter, options, cancelled).run_ordered(render, take);
}

Result<ScanReport> scan_unordered(const std::vector<ScanUnit>& units, const Filter& filter, const ScanOptions& options,
                                  const Visit& visit, const std::atomic<bool>& cancelled) {
  return Scan(units, filter, options, cancelled).run_unordered(visit);
}

}  // namespace yushi::query
