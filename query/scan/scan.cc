// Workers take units in the order of their nearest end (UnitQueue), and hand over the hits of each in order. A hit may
// be given once nothing that is still to come lies before it: neither the rest of a unit in work, nor a unit that
// nobody has taken. What cannot be given yet waits (WaitingHits).
//
// When there is no room for it, the furthest hits are let go, and the `cut` says from where on: this pass gives what
// lies before it, the next one begins there.
#include "query/scan/scan.h"

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
#include "query/pipe/asked_fields.h"
#include "query/scan/unit_queue.h"
#include "query/scan/waiting_hits.h"

namespace yushi::query {
namespace {

struct Span {
  int64_t from_ns, to_ns;
};

Span wanted(const Filter& filter, const ScanOptions& options) {
  auto times = filter.times();
  return {std::max(times.from_ns, options.from_ns), std::min(times.to_ns, options.to_ns)};
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
  Scan(const std::vector<UnitGroup>& groups, const Filter& filter, const ScanOptions& options,
       const std::atomic<bool>& cancelled)
      : groups_(groups),
        filter_(filter),
        options_(options),
        cancelled_(cancelled),
        span_(wanted(filter, options)),
        asks_words_(!filter.may_match([](uint64_t) { return false; })),
        queue_(groups, span_.from_ns, span_.to_ns, options.newest_first),
        waiting_(options.newest_first) {
    for (auto& group : groups) report_.blocks += group.units;
    noted_.resize(groups.size());
    not_opened_.resize(groups.size());
    choose_fields();
    begin_pass(options.begin);
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

  template <class Work>
  std::vector<std::thread> start(Work work) {
    std::vector<std::thread> threads;
    uint64_t count;
    {
      MutexLock lock(mutex_);
      count = std::clamp<uint64_t>(queue_.units_at_most(), 1, static_cast<uint64_t>(std::max(options_.threads, 1)));
    }
    for (size_t i = 0; i < count; ++i) threads.emplace_back([work, i] { work(i); });
    return threads;
  }

  bool is_over() const { return stop_.load(std::memory_order_relaxed) || cancelled_.load(std::memory_order_relaxed); }

  // Before `a` in the order of the scan.
  bool comes_before(const RecordKey& a, const RecordKey& b) const { return options_.newest_first ? b < a : a < b; }

  // No hit of the unit or group comes before this key.
  RecordKey nearest(const UnitQueue::Entry& entry) const {
    // No log has a name that begins with 0xff.
    return options_.newest_first ? RecordKey{entry.near_ns, "\xff", std::numeric_limits<uint64_t>::max()}
                                 : RecordKey{entry.near_ns, "", 0};
  }

  // Without the words that a match must have there is none. What cannot be read of them holds nothing back.
  bool may_hold_words(const ScanUnit& unit) const {
    if (!asks_words_ || !unit.token_filter) return true;
    auto words = read_safely([&]() -> Result<std::string> { return unit.token_filter(); });
    return !words || may_hold_match(*words, filter_);
  }

  // ------------------------------------------------------------------------------------------------------ under mutex_

  void begin_pass(std::optional<RecordKey> from) YUSHI_REQUIRES(mutex_) {
    begin_ = std::move(from);
    queue_.begin(begin_ ? std::optional(begin_->event_ns) : std::nullopt);
  }

  // Whether a unit is left that this pass has to read; it is then at the front.
  bool has_place() YUSHI_REQUIRES(mutex_) {
    while (!queue_.empty()) {
      const RecordKey end = nearest(queue_.front());
      if (cut_ && !comes_before(end, *cut_)) return false;
      if (is_answered_before(end)) return false;
      if (!queue_.front().is_group()) return true;
      if (!open_front()) return false;
    }
    return false;
  }

  // The same where there is no order: whether any is left.
  bool has_unit() YUSHI_REQUIRES(mutex_) {
    while (!queue_.empty() && queue_.front().is_group())
      if (!open_front()) return false;
    return !queue_.empty();
  }

  // False when the scan is cancelled: there may be thousands.
  bool open_front() YUSHI_REQUIRES(mutex_) {
    if (cancelled_.load(std::memory_order_relaxed)) {
      report_.cancelled = true;
      return false;
    }
    const size_t group = queue_.front().group;
    if (auto opened = queue_.open_front(); !opened && !not_opened_[group]) {
      not_opened_[group] = true;
      report_.missing.push_back(groups_[group].name + ": " + opened.error().message);
    }
    return true;
  }

  // The unit at the front is the caller's until done().
  size_t take_place() YUSHI_REQUIRES(mutex_) {
    const size_t place = next_place_++;
    in_work_[place] = nearest(queue_.front());
    taken_.emplace(place, queue_.take());
    return place;
  }
  const ScanUnit& unit_at(size_t place) YUSHI_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return taken_.at(place).unit();
  }
  void done(size_t place) YUSHI_REQUIRES(mutex_) {
    in_work_.erase(place);
    taken_.erase(place);
  }

  // Whether enough hits wait that come before `end`, from where on all units lie that are left.
  bool is_answered_before(const RecordKey& end) const YUSHI_REQUIRES(mutex_) {
    const uint64_t given = report_.records_found + in_hand_;
    return waiting_.size() + given >= options_.limit && waiting_.count_before(end) + given >= options_.limit;
  }

  // Where what is still to come begins; nullopt when nothing is.
  std::optional<RecordKey> bound() YUSHI_REQUIRES(mutex_) {
    std::optional<RecordKey> first;
    if (has_place() || (report_.cancelled && !queue_.empty())) first = nearest(queue_.front());
    for (auto& [place, position] : in_work_)
      if (!first || comes_before(position, *first)) first = position;
    return first;
  }

  bool may_give() YUSHI_REQUIRES(mutex_) {
    if (waiting_.size() == 0) return false;
    auto first = bound();
    return !first || comes_before(waiting_.front(), *first);
  }

  // What comes at or behind `key` is for the next pass.
  void lower_cut(const RecordKey& key) YUSHI_REQUIRES(mutex_) {
    if (cut_ && !comes_before(key, *cut_)) return;
    cut_ = key;
    waiting_.drop_from(key);
  }

  // Lets go of the further half of what waits.
  void halve() YUSHI_REQUIRES(mutex_) { lower_cut(waiting_.key_at(waiting_.size() / 2)); }

  // Lets go of hits that more others come before than are wanted.
  void trim() YUSHI_REQUIRES(mutex_) {
    if (waiting_.size() / 4 < options_.limit) return;
    waiting_.drop_from(waiting_.key_at(options_.limit));
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
        place = take_place();
        begin = begin_;
      }
      const ScanUnit& unit = unit_at(place);
      if (may_hold_words(unit)) {
        auto matches = find_ordered(unit, begin, scratch);
        if (matches) hand_over(place, matches->records, render, scratch);
        MutexLock lock(mutex_);
        note(place, matches ? nullptr : &matches.error());
      }
      MutexLock lock(mutex_);
      done(place);
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

  // What the fields of these names say of those of the records at `places` that match; leaves the places of these.
  Result<storage::BlockRows> keep_places(storage::BlockReader& reader, const Filter& filter,
                                         const std::vector<std::string>& names, bool with_times, Scratch& scratch,
                                         std::vector<uint32_t>& places) const {
    if (places.empty()) return rows_of(std::make_unique<Batch>());
    auto rows = YUSHI_TRY(reader.read_rows(names, with_times, places.size() < reader.records() ? &places : nullptr));
    std::vector<uint32_t> kept;
    keep_matches(filter, rows, &kept, scratch);
    for (uint32_t& place : kept) place = places[place];
    places = std::move(kept);
    return rows;
  }

  // What the fields of these names say of the records that match, where no text is asked; and their places.
  Result<storage::BlockRows> find_rows(storage::BlockReader& reader, const std::vector<std::string>& names,
                                       bool with_times, Scratch& scratch, std::vector<uint32_t>* places) const {
    return read_safely([&]() -> Result<storage::BlockRows> {
      if (is_all(filter_)) {
        auto rows = YUSHI_TRY(reader.read_rows(names, with_times));
        keep_matches(filter_, rows, places, scratch);
        return rows;
      }
      auto may = YUSHI_TRY(reader.find_places([&](auto& form) { return filter_.may_match_form(form, scratch); }));
      auto rows = YUSHI_TRY(keep_places(reader, filter_, names, with_times, scratch, may));
      if (places) *places = std::move(may);
      return rows;
    });
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
      auto rows = YUSHI_TRY(find_whole(unit, scratch));
      for (uint32_t row : rows.row_of) out.records.push_back(&rows.batch->records[row]);
      out.batch = std::move(rows.batch);
    } else {
      auto reader = YUSHI_TRY(read_safely(unit.open));
      std::vector<uint32_t> places;
      auto rows = YUSHI_TRY(find_rows(*reader, filter_fields_, is_cut(unit), scratch, &places));
      if (begin || places.size() > options_.limit) {  // not all of them are wanted: their times say which
        if (rows.event_ns.empty()) rows = YUSHI_TRY(read_safely([&] { return reader->read_rows({}, true, &places); }));
        std::vector<std::pair<int64_t, uint64_t>> keys;  // @timestamp, index
        for (size_t i = 0; i < places.size(); ++i)
          keys.emplace_back(rows.event_ns[i], unit.summary.first_index + places[i]);
        keep_best(unit, begin, std::identity(), keys);
        places.clear();
        for (auto& key : keys) places.push_back(static_cast<uint32_t>(key.second - unit.summary.first_index));
        std::sort(places.begin(), places.end());
      }
      if (places.empty()) return out;
      out.batch = YUSHI_TRY(read_safely([&] { return reader->read_records(places); }));
      for (const Record& record : out.batch->records) out.records.push_back(&record);
    }
    keep_best(unit, begin, key_of_record, out.records);
    return out;
  }

  // Whether records of it may lie outside the time asked.
  bool is_cut(const ScanUnit& unit) const {
    auto& times = unit.summary.event_times;
    return times.empty() || std::any_of(times.begin(), times.end(), [&](auto& range) {
             return range.from_ns < span_.from_ns || range.to_ns > span_.to_ns;
           });
  }

  // Where the filter asks for all of raw: the records that its other questions and the forms of texts leave.
  Result<std::unique_ptr<Batch>> read_candidates(const ScanUnit& unit, Scratch& scratch) const {
    if (!unit.open) return read_safely(unit.read);
    return read_safely([&]() -> Result<std::unique_ptr<Batch>> {
      auto reader = YUSHI_TRY(unit.open());
      auto places = YUSHI_TRY(reader->find_places([&](auto& form) { return filter_.may_match_form(form, scratch); }));
      const bool cuts = is_cut(unit);
      if (!is_all(*field_filter_) || cuts)
        YUSHI_TRY(keep_places(*reader, *field_filter_, filter_fields_, cuts, scratch, places));
      return places.empty() ? std::make_unique<Batch>() : reader->read_records(places);
    });
  }

  // The records that match, whole.
  Result<storage::BlockRows> find_whole(const ScanUnit& unit, Scratch& scratch) const {
    auto rows = rows_of(YUSHI_TRY(asks_text_ ? read_candidates(unit, scratch) : read_safely(unit.read)));
    keep_matches(filter_, rows, nullptr, scratch);
    return rows;
  }

  // What the asker looks at of the records that match.
  Result<storage::BlockRows> find_unordered(const ScanUnit& unit, Scratch& scratch) const {
    if (!unit.open || asks_text_) return find_whole(unit, scratch);
    const bool cuts = is_cut(unit);
    return read_safely([&]() -> Result<storage::BlockRows> {
      if (!options_.fields && is_all(filter_) && !cuts) return rows_of(YUSHI_TRY(unit.read()));
      auto reader = YUSHI_TRY(unit.open());
      if (options_.fields && filter_fields_are_asked_)
        return find_rows(*reader, *options_.fields, cuts || options_.times, scratch, nullptr);
      std::vector<uint32_t> places;
      auto rows = YUSHI_TRY(find_rows(*reader, filter_fields_, cuts, scratch, &places));
      if (places.empty()) return rows;
      if (options_.fields) return reader->read_rows(*options_.fields, options_.times, &places);
      return rows_of(YUSHI_TRY(reader->read_records(places)));
    });
  }

  bool has_room() const YUSHI_REQUIRES(mutex_) {
    return waiting_.bytes() <= options_.bytes_max / 2 || in_work_.empty();
  }

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
    const ScanUnit& unit = unit_at(place);
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
      if (!last && bytes < std::min(kHandOverBytes, options_.bytes_max / 16)) continue;
      auto run = WaitingHits::pack(hits);
      MutexLock lock(mutex_);
      if (!wait_for_room(lock, place, hits.front().key, run.bytes(), patience)) return;
      waiting_.add(std::move(run));
      if (cut_ && !comes_before(hits.back().key, *cut_)) waiting_.drop_from(*cut_);
      report_.bytes_held_max = std::max(report_.bytes_held_max, waiting_.bytes());
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
      if (waiting_.bytes() + bytes <= options_.bytes_max || waiting_.size() == 0) return true;
      if (may_give() || in_hand_ > 0) {  // the reader is slower than we: what can be found again is let go
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
      // All wait for this one, which may take more than the room once, or for one that nobody has room to read.
      const bool is_awaited = nearest_of_all && *nearest_of_all == in_work_[place];
      if (is_awaited && waiting_.bytes() <= options_.bytes_max) return true;
      if (is_awaited || (has_place() && *nearest_of_all == nearest(queue_.front()))) {
        if (waiting_.size() > 1) {
          halve();
        } else {  // one hit, larger than all the room
          lower_cut(comes_before(first, waiting_.front()) ? waiting_.front() : first);
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
        hits.push_back(waiting_.take());
        // Unpacked there may be too much of it.
        while (waiting_.bytes() > options_.bytes_max + options_.bytes_max / 4 && waiting_.size() > 1) halve();
        report_.bytes_held_max = std::max(report_.bytes_held_max, waiting_.bytes());
        bytes += hits.back().rendered.size();
        if (report_.records_found + hits.size() >= options_.limit) break;
      }
      if (hits.empty()) {
        if (bound()) {
          changed_.wait_for(lock, std::chrono::milliseconds(50));  // the flag of the caller notifies nobody
          continue;
        }
        if (!cut_) break;
        begin_pass(std::exchange(cut_, std::nullopt));  // another pass
        changed_.notify_all();
        continue;
      }
      in_hand_ = hits.size();
      for (ScanHit& hit : hits) {
        lock.unlock();
        more = take(std::move(hit)) && more;
        lock.lock();
        ++report_.records_found;
        --in_hand_;
        if (!more || cancelled_.load(std::memory_order_relaxed)) break;
      }
      in_hand_ = 0;
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
        if (is_over() || !has_unit()) return;
        place = take_place();
      }
      const ScanUnit& unit = unit_at(place);
      if (may_hold_words(unit)) {
        auto found = find_unordered(unit, scratch);
        if (found && !found->row_of.empty() && !visit(number, *found)) stop_ = true;
        MutexLock lock(mutex_);
        note(place, found ? nullptr : &found.error());
        if (found) report_.records_found += found->row_of.size();
      }
      MutexLock lock(mutex_);
      done(place);
      if (cancelled_.load(std::memory_order_relaxed)) report_.cancelled = true;
    }
  }

  // Once for each unit, however many passes read it.
  void note(size_t place, const Error* error) YUSHI_REQUIRES(mutex_) {
    const UnitQueue::Entry& taken = taken_.at(place);
    auto& noted = noted_[taken.group];
    noted.resize(taken.units->size());
    if (noted[taken.number]) return;
    noted[taken.number] = true;
    if (error) {
      report_.missing.push_back(name_of(taken.unit()) + ": " + error->message);
      return;
    }
    ++report_.blocks_read;
  }

  Result<ScanReport> finish() {
    MutexLock lock(mutex_);
    std::sort(report_.missing.begin(), report_.missing.end());
    return std::move(report_);
  }

  static constexpr size_t kHandOverBytes = 64 << 10;  // rendered between two looks at the lock
  // of a decoded unit with the reader
  static constexpr std::chrono::nanoseconds kPatience = std::chrono::seconds(1);

  const std::vector<UnitGroup>& groups_;
  const Filter& filter_;
  const ScanOptions& options_;
  const std::atomic<bool>& cancelled_;
  const Span span_;
  const bool asks_words_;
  bool asks_text_ = false;              // the filter asks for more than captures
  std::optional<Filter> field_filter_;  // then: what a match must be by its captures
  std::vector<std::string> filter_fields_;
  bool filter_fields_are_asked_ = false;  // they are among options_.fields
  std::atomic<bool> stop_{false};

  Mutex mutex_;
  CondVar changed_;
  UnitQueue queue_ YUSHI_GUARDED_BY(mutex_);  // what nobody has taken
  size_t next_place_ YUSHI_GUARDED_BY(mutex_) = 0;
  std::map<size_t, UnitQueue::Entry> taken_ YUSHI_GUARDED_BY(mutex_);
  // place -> its first hit that is not handed over comes here or later
  std::map<size_t, RecordKey> in_work_ YUSHI_GUARDED_BY(mutex_);
  std::optional<RecordKey> begin_ YUSHI_GUARDED_BY(mutex_);  // of this pass
  std::optional<RecordKey> cut_ YUSHI_GUARDED_BY(mutex_);    // of this pass: it gives what comes before
  WaitingHits waiting_ YUSHI_GUARDED_BY(mutex_);
  size_t in_hand_ YUSHI_GUARDED_BY(mutex_) = 0;  // hits that are being given: neither waiting nor found
  std::vector<std::vector<bool>> noted_ YUSHI_GUARDED_BY(mutex_);  // by group and number
  std::vector<bool> not_opened_ YUSHI_GUARDED_BY(mutex_);          // by group
  ScanReport report_ YUSHI_GUARDED_BY(mutex_);
};

}  // namespace

bool may_hold_match(std::string_view token_filter, const Filter& filter) {
  if (token_filter.empty()) return true;
  TokenFilter tokens(token_filter);
  return filter.may_match([&](uint64_t hash) { return tokens.may_contain(hash); });
}

Result<ScanReport> scan(const std::vector<UnitGroup>& groups, const Filter& filter, const ScanOptions& options,
                        const Render& render, const TakeHit& take, const std::atomic<bool>& cancelled) {
  return Scan(groups, filter, options, cancelled).run_ordered(render, take);
}

Result<ScanReport> scan_unordered(const std::vector<UnitGroup>& groups, const Filter& filter,
                                  const ScanOptions& options, const Visit& visit, const std::atomic<bool>& cancelled) {
  return Scan(groups, filter, options, cancelled).run_unordered(visit);
}

}  // namespace yushi::query
