#include "query/scan/events.h"

#include <algorithm>

#include "parsers/joiner.h"

namespace yushi::query {
namespace {

constexpr uint64_t kGroupRecords = 16'384;  // of tail chunks that are read as one
constexpr uint64_t kBeforeRecords = 1'024;  // at least so many are looked at before a group, where there are as many

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

Result<std::unique_ptr<Batch>> read_events(const storage::StoreView& view, const EventReading& reading,
                                           const std::string& log, uint64_t from, uint64_t to) {
  auto at = from;
  while (at > 0 && from - at < kBeforeRecords) {
    auto before = YUSHI_TRY(view.segment_at(log, at - 1));
    if (!before) break;
    at = before->summary.first_index;
  }
  EventReader reader(view, reading, reading.zone_of(log), from, to);
  while (at < to || !reader.is_whole()) {
    auto segment = YUSHI_TRY(view.segment_at(log, at));
    if (!segment) break;
    YUSHI_TRY(reader.feed(*segment));
    at = segment->summary.first_index + segment->summary.records;
  }
  return reader.finish();
}

ScanUnit unit_of(const storage::StoreView& view, const EventReading& reading, const std::string& log,
                 storage::BlockSummary summary) {
  ScanUnit unit;
  unit.log = log;
  unit.read = [&view, reading, log, from = summary.first_index, to = summary.first_index + summary.records] {
    return read_events(view, reading, log, from, to);
  };
  unit.summary = std::move(summary);
  return unit;
}

// Chunks of a tail that are read as one.
std::vector<storage::BlockSummary> gather(const std::vector<storage::Segment>& tail) {
  std::vector<storage::BlockSummary> out;
  for (auto& chunk : tail) {
    auto& more = chunk.summary;
    if (out.empty() || out.back().records >= kGroupRecords) {
      out.push_back(more);
      continue;
    }
    auto& unit = out.back();
    unit.records += more.records;
    unit.raw_bytes += more.raw_bytes;
    unit.event_times = {{std::min(unit.event_times.front().from_ns, more.event_times.front().from_ns),
                         std::max(unit.event_times.back().to_ns, more.event_times.back().to_ns)}};
  }
  return out;
}

}  // namespace

Result<std::vector<UnitGroup>> event_groups(const storage::StoreView& view, const std::string& log,
                                            const EventReading& reading) {
  auto outline = YUSHI_TRY(view.outline(log));
  std::vector<UnitGroup> out;
  for (auto& [day, head] : outline.days) {
    auto open = [&view, log, reading, day = day]() -> Result<std::vector<ScanUnit>> {
      std::vector<ScanUnit> units;
      for (auto& block : YUSHI_TRY(view.blocks(log, day))) units.push_back(unit_of(view, reading, log, block.summary));
      return units;
    };
    out.push_back(
        {"log " + log + ", store day " + std::to_string(day), head.blocks, head.event_times, std::move(open)});
  }
  auto units = std::make_shared<std::vector<ScanUnit>>();
  for (auto& summary : gather(outline.tail)) units->push_back(unit_of(view, reading, log, std::move(summary)));
  if (!units->empty())
    out.push_back(
        {"the tail of log " + log, units->size(), {}, [units]() -> Result<std::vector<ScanUnit>> { return *units; }});
  return out;
}

}  // namespace yushi::query
