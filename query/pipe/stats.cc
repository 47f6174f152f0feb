#include "query/pipe/stats.h"

#include <algorithm>
#include <limits>

#include "core/base/bytes.h"
#include "core/base/calendar.h"

namespace yushi::query {
namespace {

// A text that is equal for equal values of one type, and only for them.
std::string key_text(const Cell& cell) {
  std::string out;
  put_varint(out, cell.size());
  for (const Scalar& scalar : cell) {
    out += static_cast<char>('0' + scalar.index());
    put_text(out, scalar_text(scalar));
  }
  return out;
}

// What max() takes: numbers before all else, as min() has them by their rank.
bool is_greater(const Scalar& a, const Scalar& b) {
  const bool a_is_number = a.index() <= 1, b_is_number = b.index() <= 1;
  return a_is_number != b_is_number ? a_is_number : compare(a, b) > 0;
}

// Of bins of a day or more. They are cut where the clock on the wall shows a multiple of their length, and where it is
// changed in a way that it then stands in another bin than just before: so each instant is in one bin, and no bin
// begins before another has ended.
int64_t calendar_bin_start(int64_t unix_ns, int64_t bin_ns, const Zone& zone) {
  using Wide = __int128;
  // Counted from local midnight of 1970-01-01; weeks from the Monday of that week.
  constexpr int64_t kWeekNs = 7 * kDaySeconds * kSecond, kMondayNs = -3 * kDaySeconds * kSecond;
  const int64_t origin = bin_ns % kWeekNs == 0 ? kMondayNs : 0;
  auto cut = [&](Wide local_ns) {
    local_ns -= origin;
    return (local_ns / bin_ns - (local_ns % bin_ns < 0)) * bin_ns + origin;
  };
  auto clamped = [](Wide ns) {
    return static_cast<int64_t>(
        std::clamp<Wide>(ns, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()));
  };
  int64_t seconds = floor_div(unix_ns, kSecond);
  int64_t offset = zone.offset_seconds_at(seconds);
  const Wide start = cut(static_cast<Wide>(unix_ns) + static_cast<Wide>(offset) * kSecond);
  while (true) {
    const int64_t changed = zone.offset_began_at(seconds);
    const Wide start_ns = start - static_cast<Wide>(offset) * kSecond;
    if (changed == INT64_MIN || start_ns >= static_cast<Wide>(changed) * kSecond) return clamped(start_ns);
    // The clock was changed since. Set back, it may have left the bin and come again; put forward, it may have skipped
    // the bin's begin.
    seconds = changed - 1;
    const int64_t offset_before = zone.offset_seconds_at(seconds);
    const Wide shown_before = (static_cast<Wide>(changed) + offset_before) * kSecond;
    const bool begins_here = offset_before > offset ? cut(shown_before - 1) != start : start >= shown_before;
    if (begins_here) return clamped(static_cast<Wide>(changed) * kSecond);
    offset = offset_before;
  }
}

}  // namespace

Cell cell_of(const Record& record, const Field* field, std::string_view name, Scratch& scratch) {
  Cell cell;
  visit_field(
      record, field, name, scratch,
      [](void* context, const Value& value) { static_cast<Cell*>(context)->push_back(scalar_of(value)); }, &cell);
  return cell;
}

int64_t bin_start(int64_t unix_ns, int64_t bin_ns, const Zone& zone) {
  if (bin_ns >= kDay) return calendar_bin_start(unix_ns, bin_ns, zone);
  const int64_t midnight = calendar_bin_start(unix_ns, kDay, zone);
  return midnight + (unix_ns - midnight) / bin_ns * bin_ns;
}

namespace {

// What is known to be of one bin: from its begin up to, not including, the second.
std::pair<int64_t, int64_t> bin_around(int64_t unix_ns, int64_t bin_ns, const Zone& zone) {
  const int64_t start = bin_start(unix_ns, bin_ns, zone);
  int64_t last;
  if (__builtin_add_overflow(start, bin_ns - 1, &last) || bin_start(last, bin_ns, zone) != start) last = unix_ns;
  return {start, last + (last < INT64_MAX)};
}

}  // namespace

Stats::Stats(const StatsStage& stage, std::shared_ptr<const Zone> zone, std::shared_ptr<StatsRoom> room)
    : stage_(stage), zone_(std::move(zone)), room_(std::move(room)) {
  for (const GroupKey& key : stage_.by) key_fields_.push_back(find_field(key.field));
  for (const Aggregate& aggregate : stage_.aggregates) value_fields_.push_back(find_field(aggregate.field));
  has_other_values_.resize(stage_.aggregates.size());
  bins_.resize(stage_.by.size());
  time_asked_ = time_asked(stage_);
}

Stats::TimeAsked Stats::time_asked(const StatsStage& stage) {
  auto asked = TimeAsked::no;
  for (const GroupKey& key : stage.by)
    if (find_field(key.field) == ecs::timestamp)
      asked = std::max(asked, key.bin_ns ? TimeAsked::by_span : TimeAsked::each);
  for (const Aggregate& one : stage.aggregates) {
    if (one.field.empty() || find_field(one.field) != ecs::timestamp) continue;
    asked = std::max(asked, one.function == Aggregate::Function::distinct ? TimeAsked::each : TimeAsked::by_span);
  }
  return asked;
}

void Stats::add(const storage::BlockRows& found, SecretMask& mask, Scratch& scratch) {
  const auto& records = found.batch->records;
  // Of the records of a row those within one span of time: of all bins that are asked for.
  struct Together {
    uint64_t count = 0;
    int64_t first_ns = std::numeric_limits<int64_t>::max(), last_ns = std::numeric_limits<int64_t>::min();
  };
  const auto add_row = [&](uint32_t row, uint64_t count, std::optional<int64_t> event_ns) {
    scratch.clear();
    Record record = records[row];
    record.event_ns = event_ns.value_or(record.event_ns);
    add(mask.mask(record), count, scratch);
  };
  if (time_asked_ == TimeAsked::no) {
    std::vector<uint64_t> counts(records.size());
    for (uint32_t row : found.row_of) ++counts[row];
    for (uint32_t row = 0; row < counts.size(); ++row)
      if (counts[row] > 0) add_row(row, counts[row], std::nullopt);
    return;
  }
  // Where hardly two are alike there is nothing to gain.
  const bool is_each = time_asked_ == TimeAsked::each || records.size() > found.row_of.size() / 2;
  std::map<int64_t, std::vector<Together>> spans;  // by their begin; of each row
  std::pair<int64_t, int64_t> now{0, 0};
  std::vector<Together>* in_span = nullptr;
  for (size_t i = 0; i < found.row_of.size(); ++i) {
    const int64_t at = found.event_ns[i];
    if (is_each) {
      add_row(found.row_of[i], 1, at);
      continue;
    }
    if (!in_span || at < now.first || at >= now.second) {
      now = span_around(at);
      // Nor is there, nor room, where they are many spans of many rows.
      if ((spans.size() + 1) * records.size() > found.row_of.size() && !spans.contains(now.first)) {
        add_row(found.row_of[i], 1, at);
        in_span = nullptr;
        continue;
      }
      in_span = &spans[now.first];
      in_span->resize(records.size());
    }
    Together& together = (*in_span)[found.row_of[i]];
    ++together.count;
    together.first_ns = std::min(together.first_ns, at);
    together.last_ns = std::max(together.last_ns, at);
  }
  for (const auto& [begin, rows] : spans)
    for (uint32_t row = 0; row < rows.size(); ++row) {
      if (rows[row].count == 0) continue;
      add_row(row, rows[row].count, rows[row].first_ns);
      if (rows[row].last_ns != rows[row].first_ns) add_row(row, 0, rows[row].last_ns);
    }
}

std::pair<int64_t, int64_t> Stats::span_around(int64_t event_ns) const {
  std::pair<int64_t, int64_t> span{std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()};
  for (size_t i = 0; i < stage_.by.size(); ++i) {
    if (key_fields_[i] != ecs::timestamp || stage_.by[i].bin_ns == 0) continue;
    const auto bin = bin_around(event_ns, stage_.by[i].bin_ns, *zone_);
    span = {std::max(span.first, bin.first), std::min(span.second, bin.second)};
  }
  return span;
}

void Stats::add(const Record& record, uint64_t count, Scratch& scratch) {
  if (room_->is_exhausted()) return;
  if (auto* group = known_group(record, scratch)) return add_to(*group, record, count, scratch);
  // A list puts its record into one group for each of its values.
  std::vector<Row> keys(1);
  for (size_t i = 0; i < stage_.by.size(); ++i) {
    const GroupKey& by = stage_.by[i];
    Cell cell = cell_of(record, key_fields_[i], by.field, scratch);
    if (by.bin_ns > 0)
      for (Scalar& scalar : cell)
        if (auto* instant = std::get_if<Instant>(&scalar))
          instant->unix_ns = bin_start(instant->unix_ns, by.bin_ns, *zone_);
    std::sort(cell.begin(), cell.end(), [](auto& a, auto& b) { return compare(a, b) < 0; });
    cell.erase(std::unique(cell.begin(), cell.end(), [](auto& a, auto& b) { return compare(a, b) == 0; }), cell.end());
    if (cell.size() <= 1) {
      for (Row& row : keys) row.push_back(cell);
      continue;
    }
    if (cell.size() > 64) cell.resize(64);  // a hostile list times another would be too many groups of one record
    std::vector<Row> more;
    for (const Row& row : keys)
      for (const Scalar& scalar : cell) {
        if (more.size() >= 4096) break;
        more.push_back(row);
        more.back().push_back({scalar});
      }
    keys = std::move(more);
  }
  for (Row& row : keys) {
    std::string key;
    for (const Cell& cell : row) key += key_text(cell);
    auto [at, is_new] = groups_.try_emplace(key);
    if (is_new) {
      at->second.key = std::move(row);
      at->second.sums.resize(stage_.aggregates.size());
      room_->bytes += 2 * key.size() + 128 + stage_.aggregates.size() * sizeof(Sum);
    }
    add_to(at->second, record, count, scratch);
    // It saves time; the room is for what is answered.
    if (!values_.empty() && by_values_.size() < kKnownValuesMax && room_->bytes < room_->bytes_max / 4) {
      by_values_.emplace(values_, &at->second);
      room_->bytes += values_.size() + 64;
    }
  }
}

// The group that a record with these values went into; leaves them in values_.
Stats::Group* Stats::known_group(const Record& record, Scratch& scratch) {
  struct Said {
    std::string& out;
    int64_t bin_ns;
    const Zone& zone;
    std::pair<int64_t, int64_t>& bin;
    size_t values = 0;
  };
  values_.assign(1, 'v');
  for (size_t i = 0; i < stage_.by.size(); ++i) {
    Said said{values_, stage_.by[i].bin_ns, *zone_, bins_[i]};
    visit_field(
        record, key_fields_[i], stage_.by[i].field, scratch,
        [](void* context, const Value& value) {
          auto& to = *static_cast<Said*>(context);
          ++to.values;
          to.out += static_cast<char>('0' + static_cast<int>(value.type));
          if (value.type != Value::Type::date) return put_text(to.out, value.text);
          int64_t at = value.integer;
          if (to.bin_ns > 0) {
            if (at < to.bin.first || at >= to.bin.second) to.bin = bin_around(at, to.bin_ns, to.zone);
            at = to.bin.first;
          }
          put_be64(to.out, static_cast<uint64_t>(at));
        },
        &said);
    if (said.values > 1) {
      values_.clear();
      return nullptr;
    }
    values_ += ';';
  }
  auto known = by_values_.find(values_);
  return known == by_values_.end() ? nullptr : known->second;
}

void Stats::add_to(Group& group, const Record& record, uint64_t count, Scratch& scratch) {
  const auto times = static_cast<int64_t>(count);
  for (size_t i = 0; i < stage_.aggregates.size(); ++i) {
    const Aggregate& aggregate = stage_.aggregates[i];
    Sum& sum = group.sums[i];
    if (aggregate.field.empty()) {
      sum.count += times;
      continue;
    }
    Cell cell = cell_of(record, value_fields_[i], aggregate.field, scratch);
    if (aggregate.function == Aggregate::Function::count) {
      sum.count += cell.empty() ? 0 : times;
      continue;
    }
    for (const Scalar& scalar : cell) {
      switch (aggregate.function) {
        case Aggregate::Function::sum:
        case Aggregate::Function::avg:
          if (auto* integer = std::get_if<int64_t>(&scalar)) {
            sum.integers += static_cast<__int128>(*integer) * times;
            sum.count += times;
          } else if (auto* real = std::get_if<double>(&scalar)) {
            sum.reals += *real * static_cast<double>(times);
            sum.has_reals = true;
            sum.count += times;
          } else {
            has_other_values_[i] = 1;
          }
          break;
        case Aggregate::Function::min:
          if (sum.least.empty() || compare(scalar, sum.least[0]) < 0) sum.least = {scalar};
          break;
        case Aggregate::Function::max:
          if (sum.greatest.empty() || is_greater(scalar, sum.greatest[0])) sum.greatest = {scalar};
          break;
        case Aggregate::Function::distinct: {
          auto text = key_text({scalar});
          size_t bytes = text.size();
          if (sum.distinct.insert(std::move(text)).second) room_->bytes += bytes + 64;
          break;
        }
        case Aggregate::Function::count:
          break;
      }
    }
  }
}

void Stats::merge(Stats&& other) {
  for (size_t i = 0; i < has_other_values_.size(); ++i) has_other_values_[i] |= other.has_other_values_[i];
  for (auto& [key, from] : other.groups_) {
    auto [at, is_new] = groups_.try_emplace(key);
    Group& to = at->second;
    if (is_new) {
      to = std::move(from);
      continue;
    }
    for (size_t i = 0; i < to.sums.size(); ++i) {
      Sum &a = to.sums[i], &b = from.sums[i];
      a.count += b.count;
      a.integers += b.integers;
      a.reals += b.reals;
      a.has_reals |= b.has_reals;
      if (a.least.empty() || (!b.least.empty() && compare(b.least, a.least) < 0)) a.least = std::move(b.least);
      if (a.greatest.empty() || (!b.greatest.empty() && is_greater(b.greatest[0], a.greatest[0])))
        a.greatest = std::move(b.greatest);
      a.distinct.merge(b.distinct);
    }
  }
  other.groups_.clear();
  other.by_values_.clear();
}

Cell Stats::result(const Aggregate& aggregate, const Sum& sum) const {
  switch (aggregate.function) {
    case Aggregate::Function::count:
      return {sum.count};
    case Aggregate::Function::distinct:
      return {static_cast<int64_t>(sum.distinct.size())};
    case Aggregate::Function::min:
      return sum.least;
    case Aggregate::Function::max:
      return sum.greatest;
    case Aggregate::Function::avg:
      if (sum.count == 0) return {};
      return {(static_cast<double>(sum.integers) + sum.reals) / static_cast<double>(sum.count)};
    case Aggregate::Function::sum: {
      if (sum.count == 0) return {};
      bool fits =
          sum.integers >= std::numeric_limits<int64_t>::min() && sum.integers <= std::numeric_limits<int64_t>::max();
      if (!sum.has_reals && fits) return {static_cast<int64_t>(sum.integers)};
      return {static_cast<double>(sum.integers) + sum.reals};
    }
  }
  return {};
}

std::vector<std::string> Stats::notes() const {
  std::vector<std::string> out;
  for (size_t i = 0; i < stage_.aggregates.size(); ++i) {
    bool is_empty =
        std::all_of(groups_.begin(), groups_.end(), [i](auto& group) { return group.second.sums[i].count == 0; });
    if (has_other_values_[i] && is_empty)
      out.push_back(stage_.aggregates[i].column + " is empty: no value of " + stage_.aggregates[i].field +
                    " is a number");
  }
  return out;
}

Result<Table> Stats::finish() {
  if (room_->is_exhausted())
    return fail(
        Code::exhausted,
        "stats: more groups or distinct values than fit into " + std::to_string(room_->bytes_max >> 20) +
            " MiB, the room of one question under limits.query_bytes; narrow the filter or group by fewer fields");
  Table table;
  for (const GroupKey& key : stage_.by) table.columns.push_back(key.column);
  for (const Aggregate& aggregate : stage_.aggregates) table.columns.push_back(aggregate.column);
  if (groups_.empty() && stage_.by.empty())
    groups_[""].sums.resize(stage_.aggregates.size());  // count() of nothing is 0
  for (auto& [key, group] : groups_) {
    Row row = std::move(group.key);
    for (size_t i = 0; i < stage_.aggregates.size(); ++i) row.push_back(result(stage_.aggregates[i], group.sums[i]));
    table.rows.push_back(std::move(row));
  }
  groups_.clear();
  by_values_.clear();
  std::sort(table.rows.begin(), table.rows.end(), [&](const Row& a, const Row& b) {
    for (size_t i = 0; i < stage_.by.size(); ++i)
      if (auto order = compare(a[i], b[i]); order != 0) return order < 0;
    return false;
  });
  return table;
}

}  // namespace yushi::query
