#include "query/scan/field_watch.h"

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "core/filter/expression.h"
#include "query/output.h"
#include "query/scan/unit_queue.h"

namespace yushi::query {
namespace {

constexpr size_t kWatchedMax = 64;
constexpr size_t kUnitsAskedMax = 64;
constexpr size_t kRecordsSampled = 1000;  // of a batch, for the names that a misspelt one may have meant

}  // namespace

FieldWatch::Watched::Watched(std::string of, bool by_pipe)
    : name(std::move(of)), field(find_field(name)), is_known(may_be_field(name)), is_of_pipe(by_pipe) {}

FieldWatch::FieldWatch(const Query& query, const ScanOptions& options, std::string place) : place_(std::move(place)) {
  auto times = query.filter.times();
  from_ns_ = std::max(times.from_ns, options.from_ns);
  to_ns_ = std::min(times.to_ns, options.to_ns);
  all_times_ = from_ns_ == std::numeric_limits<int64_t>::min() && to_ns_ == std::numeric_limits<int64_t>::max();
  add_all(query.filter.expression(), false);
  for (const Stage& stage : query.stages) {
    if (auto* stats = std::get_if<StatsStage>(&stage)) {
      for (const Aggregate& aggregate : stats->aggregates) add(aggregate.field, true);
      for (const GroupKey& key : stats->by) add(key.field, true);
      break;  // what follows speaks of its columns
    }
    if (auto* sort = std::get_if<SortStage>(&stage))
      for (const SortStage::Key& key : sort->keys) add(key.column, true);
    if (auto* fields = std::get_if<FieldsStage>(&stage))
      for (const std::string& name : fields->columns) add(name, true);
    if (auto* where = std::get_if<WhereStage>(&stage)) add_all(where->filter.expression(), true);
  }
  for (const Watched& watched : watched_) nearest_.emplace_back(watched.name);
}

void FieldWatch::add(const std::string& name, bool is_of_pipe) {
  if (name.empty() || watched_.size() >= kWatchedMax) return;
  if (std::any_of(watched_.begin(), watched_.end(), [&](auto& known) { return known.name == name; })) return;
  watched_.emplace_back(name, is_of_pipe);
}

void FieldWatch::add_all(const Expression& expression, bool is_of_pipe) {
  if (expression.kind == Expression::Kind::test) add(expression.name, is_of_pipe);
  for (const Expression& child : expression.children) add_all(child, is_of_pipe);
}

void FieldWatch::watch(std::vector<UnitGroup>& groups) {
  {
    MutexLock lock(mutex_);
    looked_.resize(groups.size());
  }
  for (size_t i = 0; i < groups.size(); ++i) {
    groups[i].open = [this, i, open = std::move(groups[i].open)] {
      auto units = open();
      if (!units) return units;
      for (size_t k = 0; k < units->size(); ++k) {
        auto& summary = (*units)[k].summary;
        const bool is_asked = storage::overlaps(summary.event_times, from_ns_, to_ns_);
        watch((*units)[k], {i, k, is_asked ? summary.records : 0});
      }
      return units;
    };
  }
}

void FieldWatch::watch(ScanUnit& unit, UnitId id) {
  unit.read = [this, id, read = std::move(unit.read)] {
    auto batch = read();
    if (batch) look(id, **batch);
    return batch;
  };
  if (!unit.open) return;
  unit.open = [this, id, open = std::move(unit.open)] {
    auto reader = open();
    if (reader) look(id, (*reader)->field_names());
    return reader;
  };
}

void FieldWatch::look_at(const UnitId& unit) {
  Looked& looked = looked_[unit.group];
  if (looked.units.size() <= unit.number) looked.units.resize(unit.number + 1);
  if (looked.units[unit.number]) return;
  looked.units[unit.number] = true;
  ++looked.count;
  records_looked_at_ += unit.records;
}

void FieldWatch::look(const UnitId& unit, const Batch& batch) {
  Scratch scratch;
  bool all_seen = true;
  for (Watched& watched : watched_) {
    if (watched.seen.load(std::memory_order_relaxed)) continue;
    bool seen = false;
    for (const Record& record : batch.records) {
      if (record.event_ns < from_ns_ || record.event_ns > to_ns_) continue;
      scratch.clear();
      visit_field(
          record, watched.field, watched.name, scratch,
          [](void* context, const Value&) { *static_cast<bool*>(context) = true; }, &seen);
      if (seen) break;
    }
    if (seen) watched.seen.store(true, std::memory_order_relaxed);
    all_seen = all_seen && seen;
  }
  std::vector<std::string> names;
  if (!all_seen) {
    std::unordered_set<const Field*> fields;
    const size_t step = std::max<size_t>(1, batch.records.size() / kRecordsSampled);
    for (size_t i = 0; i < batch.records.size(); i += step) {
      for (const Capture& capture : batch.records[i].captures) fields.insert(capture.field);
      if (auto* kind = batch.records[i].kind)
        for (const ConstantField& constant : kind->constants) fields.insert(constant.field);
    }
    for (const Field* field : fields) names.emplace_back(field->name);
  }
  {
    MutexLock lock(mutex_);
    look_at(unit);
  }
  offer(names);
}

void FieldWatch::offer(const std::vector<std::string>& names) {
  MutexLock lock(mutex_);
  for (size_t i = 0; i < watched_.size(); ++i)
    if (!watched_[i].seen.load(std::memory_order_relaxed))
      for (const std::string& name : names) nearest_[i].offer(name, true);
}

// They are of records, not of the time asked, and tell nothing of derived fields: when in doubt, it is there.
void FieldWatch::look(const UnitId& unit, const std::vector<std::string>& names) {
  MutexLock lock(mutex_);
  look_at(unit);
  for (size_t i = 0; i < watched_.size(); ++i) {
    if (watched_[i].field && is_derived_field(*watched_[i].field)) watched_[i].seen = true;
    if (watched_[i].seen) continue;
    for (const std::string& name : names) {
      if (name == watched_[i].name) watched_[i].seen = true;
      nearest_[i].offer(name, true);
    }
  }
}

std::vector<std::string> FieldWatch::notes(const std::vector<UnitGroup>& groups, bool found_nothing,
                                           const std::atomic<bool>& cancelled) {
  auto is_open = [&](const Watched& watched) {
    return !watched.seen && (!watched.is_known || watched.is_of_pipe || found_nothing);
  };
  auto any_open = [&] { return std::any_of(watched_.begin(), watched_.end(), is_open); };
  if (!any_open()) return {};

  UnitQueue left(groups, from_ns_, to_ns_, /*newest_first=*/true);
  left.begin();
  size_t asked = 0;
  bool all_looked_at = true;
  while (!left.empty()) {
    const auto& front = left.front();
    {
      MutexLock lock(mutex_);
      const Looked& looked = looked_[front.group];
      if (front.is_group() ? looked.count == groups[front.group].units
                           : front.number < looked.units.size() && looked.units[front.number]) {
        left.take();
        continue;
      }
    }
    // Of a group that is not open it is not known whether a unit of it lies in the time asked.
    const bool goes_on = !cancelled.load(std::memory_order_relaxed) && any_open();
    if (!goes_on || (asked == kUnitsAskedMax && !front.is_group())) {
      all_looked_at = false;
      break;
    }
    if (front.is_group()) {
      if (!left.open_front()) all_looked_at = false;
      continue;
    }
    ++asked;
    const auto taken = left.take();
    const ScanUnit& unit = taken.unit();
    if (!(unit.open ? unit.open().has_value() : unit.read().has_value()))
      all_looked_at = false;  // else it looked along
  }

  std::vector<std::string> out;
  MutexLock lock(mutex_);
  const uint64_t records_looked_at = records_looked_at_;
  for (size_t i = 0; i < watched_.size(); ++i) {
    const Watched& watched = watched_[i];
    if (!is_open(watched)) continue;
    if (watched.is_known && records_looked_at == 0) continue;  // no record at all is not the name's fault
    NearestName& nearest = nearest_[i];
    if (!watched.is_known) for_each_field_name([&](std::string_view name) { nearest.offer(name); });
    std::string text = all_looked_at ? "no record" : "none of the " + grouped(records_looked_at) + " records looked at";
    text += " has the field " + watched.name;
    if (!all_times_ && !place_.empty())
      text += " (in the time asked, " + place_ + ")";
    else if (!all_times_)
      text += " (in the time asked)";
    else if (!place_.empty())
      text += " (" + place_ + ")";
    if (!all_looked_at && records_looked_at == 0) continue;  // of nothing nothing can be said
    out.push_back(text + nearest.suggestion());
  }
  return out;
}

}  // namespace yushi::query
