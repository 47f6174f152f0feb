#include "query/events.h"

#include <algorithm>

#include "parsers/joiner.h"

namespace yushi::query {
namespace {

constexpr uint64_t kGroupRecords = 16'384;  // of tail chunks that are read as one
constexpr uint64_t kBeforeRecords = 1'024;  // at least so many are looked at before a group, where there are as many

struct LogSegments {
  std::vector<storage::Segment> all;  // ascending
  uint64_t end = 0;                   // index behind the last record
  uint64_t end_of(size_t i) const { return i < all.size() ? all[i].summary.first_index : end; }
};

// Reads on, record by record, and keeps the events that begin in [from, to).
class EventReader {
 public:
  EventReader(const storage::StoreView& view, const EventReading& reading, std::shared_ptr<const Zone> zone,
              uint64_t from, uint64_t to)
      : view_(view), state_(std::make_shared<State>(reading.parsers)), zone_(std::move(zone)), from_(from), to_(to) {}

  Result<void> feed(const storage::Segment& segment) {
    auto batch = YUSHI_TRY(view_.read(segment));
    auto& joiner = state_->joiner;
    joiner.begin();
    for (auto& record : batch->records) {
      if (record.index >= to_ && is_whole()) break;
      const bool is_line = joiner.add(record, zone_);
      take();
      if (!is_line) keep(record);
    }
    state_->batches.push_back(std::move(batch));
    return {};
  }
  // No event that is asked for waits for a line.
  bool is_whole() const { return state_->joiner.oldest_open() >= to_; }

  std::unique_ptr<Batch> finish() {
    state_->joiner.close_all();
    take();
    std::sort(out_->records.begin(), out_->records.end(), [](auto& a, auto& b) { return a.index < b.index; });
    out_->keep.push_back(state_);
    return std::move(out_);
  }

 private:
  struct State {
    explicit State(std::shared_ptr<const parsers::ParserSet> parsers) : joiner(std::move(parsers)) {}
    std::vector<std::unique_ptr<Batch>> batches;
    parsers::Joiner joiner;
    std::vector<parsers::JoinedEvent> events;
  };

  void take() {
    for (auto& event : state_->joiner.closed()) {
      keep(event.record);
      state_->events.push_back(std::move(event));
    }
    state_->joiner.closed().clear();
  }
  void keep(const Record& record) {
    if (record.index >= from_ && record.index < to_) out_->records.push_back(record);
  }

  const storage::StoreView& view_;
  std::shared_ptr<State> state_;
  std::shared_ptr<const Zone> zone_;
  const uint64_t from_, to_;
  std::unique_ptr<Batch> out_ = std::make_unique<Batch>();
};

Result<std::unique_ptr<Batch>> read_events(const storage::StoreView& view, const LogSegments& segments,
                                           const EventReading& reading, const std::string& log, size_t begin,
                                           size_t end) {
  const uint64_t from = segments.end_of(begin), to = segments.end_of(end);
  size_t at = begin;
  while (at > 0 && from - segments.end_of(at) < kBeforeRecords) --at;
  EventReader reader(view, reading, reading.zone_of(log), from, to);
  for (; at < segments.all.size() && (at < end || !reader.is_whole()); ++at) YUSHI_TRY(reader.feed(segments.all[at]));
  return reader.finish();
}

}  // namespace

Result<std::vector<ScanUnit>> event_units(const storage::StoreView& view, const std::string& log,
                                          const EventReading& reading) {
  auto all = YUSHI_TRY(view.segments(log));
  auto segments = std::make_shared<LogSegments>();
  segments->all = std::move(all);
  if (!segments->all.empty()) {
    auto& last = segments->all.back().summary;
    segments->end = last.first_index + last.records;
  }
  std::vector<ScanUnit> out;
  for (size_t begin = 0; begin < segments->all.size();) {
    size_t end = begin + 1;
    ScanUnit unit;
    unit.log = log;
    unit.summary = segments->all[begin].summary;
    unit.summary.token_filter.clear();
    while (end < segments->all.size() && !segments->all[begin].sealed && !segments->all[end].sealed &&
           unit.summary.records < kGroupRecords) {
      auto& more = segments->all[end++].summary;
      unit.summary.records += more.records;
      unit.summary.raw_bytes += more.raw_bytes;
      unit.summary.received_from_ns = std::min(unit.summary.received_from_ns, more.received_from_ns);
      unit.summary.received_to_ns = std::max(unit.summary.received_to_ns, more.received_to_ns);
      if (unit.summary.event_times.empty() || more.event_times.empty()) {
        unit.summary.event_times.clear();
        continue;
      }
      auto& first = unit.summary.event_times.front();
      first = {std::min(first.from_ns, more.event_times.front().from_ns),
               std::max(unit.summary.event_times.back().to_ns, more.event_times.back().to_ns)};
      unit.summary.event_times.resize(1);
    }
    unit.read = [&view, segments, reading, log, begin, end] {
      return read_events(view, *segments, reading, log, begin, end);
    };
    out.push_back(std::move(unit));
    begin = end;
  }
  return out;
}

}  // namespace yushi::query
