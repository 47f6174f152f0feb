#include "query/pipe/run.h"

#include <algorithm>
#include <limits>

#include "core/filter/expression.h"
#include "query/pipe/asked_fields.h"
#include "query/pipe/stats.h"

namespace yushi::query {
namespace {

constexpr size_t kCellBytes = 64;  // of a cell beside its text, roughly

// The columns that rows of records need: those shown, and those that a stage before asks.
struct Columns {
  std::vector<std::string> names;
  std::vector<const Field*> fields;
  size_t shown = 0;  // the first of names

  void need(const std::string& name) {
    if (std::find(names.begin(), names.end(), name) != names.end()) return;
    names.push_back(name);
    fields.push_back(find_field(name));
  }
};

Columns columns_of(const Query& query) {
  Columns columns;
  const FieldsStage* shown = nullptr;
  for (const Stage& stage : query.stages)
    if (auto* fields = std::get_if<FieldsStage>(&stage)) shown = fields;
  for (const std::string& name : shown ? shown->columns : default_columns()) columns.need(name);
  columns.shown = columns.names.size();
  for (const Stage& stage : query.stages) {
    if (auto* sort = std::get_if<SortStage>(&stage))
      for (const SortStage::Key& key : sort->keys) columns.need(key.column);
    if (auto* fields = std::get_if<FieldsStage>(&stage))
      for (const std::string& name : fields->columns) columns.need(name);
    if (auto* where = std::get_if<WhereStage>(&stage))
      each_asked_name(where->filter.expression(), [&](const std::string& name) { columns.need(name); });
  }
  return columns;
}

// Which of two rows a sort puts first.
class RowOrder {
 public:
  RowOrder(const SortStage& stage, const Table& table) {
    for (const SortStage::Key& key : stage.keys)
      if (size_t at = table.find(key.column); at < table.columns.size()) keys_.emplace_back(at, key.descending);
  }
  std::weak_ordering operator()(const Row& a, const Row& b) const {
    for (auto [at, descending] : keys_) {
      auto order = compare(a[at], b[at]);
      if (order == 0) continue;
      if (a[at].empty() || b[at].empty())
        return a[at].empty() <=> b[at].empty();  // what is missing comes last either way
      return descending ? 0 <=> order : order;
    }
    return std::weak_ordering::equivalent;
  }

 private:
  std::vector<std::pair<size_t, bool>> keys_;
};

void sort_rows(Table& table, const SortStage& stage) {
  const RowOrder order(stage, table);
  std::stable_sort(table.rows.begin(), table.rows.end(), [&](auto& a, auto& b) { return order(a, b) < 0; });
}

// Answers a filter's questions from the cells of a row.
struct RowValues {
  const Table& table;
  const Row& row;
};

void visit_row(const void* context, std::string_view name, void (*visit)(void*, const Value&), void* visit_context) {
  const auto& values = *static_cast<const RowValues*>(context);
  size_t at = values.table.find(name);
  if (at >= values.row.size()) return;
  for (const Scalar& scalar : values.row[at]) {
    std::string text = scalar_text(scalar);
    Value value;
    value.text = text;
    if (auto* integer = std::get_if<int64_t>(&scalar)) {
      value.type = Value::Type::integer;
      value.integer = *integer;
    } else if (auto* real = std::get_if<double>(&scalar)) {
      value.type = Value::Type::real;
      value.real = *real;
    } else if (auto* boolean = std::get_if<bool>(&scalar)) {
      value.type = Value::Type::boolean;
      value.integer = *boolean;
    } else if (auto* instant = std::get_if<Instant>(&scalar)) {
      value.type = Value::Type::date;
      value.integer = instant->unix_ns;
    } else if (auto* address = std::get_if<IpAddress>(&scalar)) {
      value.type = Value::Type::ip;
      value.address = address->bytes;
    }
    visit(visit_context, value);
  }
}

void where_rows(Table& table, const WhereStage& stage) {
  Scratch scratch;
  std::erase_if(table.rows, [&](const Row& row) {
    scratch.clear();
    RowValues values{table, row};
    return !evaluate_values(stage.filter.expression(), visit_row, &values, scratch);
  });
}

void keep_columns(Table& table, const std::vector<std::string>& names) {
  std::vector<size_t> places;
  for (const std::string& name : names) places.push_back(table.find(name));
  for (Row& row : table.rows) {
    Row kept;
    for (size_t at : places) kept.push_back(at < row.size() ? row[at] : Cell{});
    row = std::move(kept);
  }
  table.columns = names;
}

size_t bytes_of(const Row& row) {
  size_t bytes = 0;
  for (const Cell& cell : row) {
    bytes += kCellBytes;
    for (const Scalar& scalar : cell)
      if (auto* text = std::get_if<std::string>(&scalar)) bytes += kCellBytes + text->size();
  }
  return bytes;
}

// Fields that say who, where and what kind, but hold no text of a program's or a person's: counting by them, as most
// do, needs no look for secrets in each record.
bool may_hold_secret(const std::string& name) {
  const auto* field = find_field(name);
  if (field == ecs::yushi_masked) return true;  // it says that there was one
  if (!field || !is_fixed_field(*field)) return !name.empty();
  if (field->type != FieldType::keyword && field->type != FieldType::text) return false;
  static constexpr std::string_view kNever[] = {"event.action",
                                                "event.category",
                                                "event.code",
                                                "event.dataset",
                                                "event.id",
                                                "event.kind",
                                                "event.outcome",
                                                "event.type",
                                                "group.name",
                                                "host.hostname",
                                                "host.name",
                                                "http.request.method",
                                                "log.level",
                                                "log.source.address",
                                                "log.syslog.facility.name",
                                                "log.syslog.severity.name",
                                                "network.protocol",
                                                "network.transport",
                                                "observer.name",
                                                "organization.name",
                                                "process.name",
                                                "service.type",
                                                "user.domain",
                                                "user.id",
                                                "user.name",
                                                "yushi.event"};
  return !std::binary_search(std::begin(kNever), std::end(kNever), std::string_view(name));
}

Result<PipeAnswer> run_stats(const Query& query, const StatsStage& stage, const std::vector<UnitGroup>& groups,
                             ScanOptions options, const std::atomic<bool>& cancelled,
                             std::shared_ptr<const SecretRules> secrets) {
  struct Worker {
    Stats stats;
    Scratch scratch;
    SecretMask mask;
  };
  const bool may_hold =
      std::any_of(stage.by.begin(), stage.by.end(), [](auto& key) { return may_hold_secret(key.field); }) ||
      std::any_of(stage.aggregates.begin(), stage.aggregates.end(),
                  [](auto& one) { return may_hold_secret(one.field); });
  if (!may_hold) secrets.reset();
  if (!secrets) {  // they are told by what stands around them
    AskedFields asked;
    const bool is_each = Stats::time_asked(stage) == Stats::TimeAsked::each;
    auto add = [&](const std::string& name) {
      if (!name.empty() && (is_each || name != ecs::timestamp->name)) asked.add(name);
    };
    for (auto& key : stage.by) add(key.field);
    for (auto& one : stage.aggregates) add(one.field);
    options.fields = asked.names();
    options.times = Stats::time_asked(stage) != Stats::TimeAsked::no;
  }
  std::vector<Worker> workers;
  auto room = std::make_shared<StatsRoom>(options.bytes_max);
  for (int i = 0; i < std::max(options.threads, 1); ++i)
    workers.push_back({Stats(stage, query.zone, room), {}, SecretMask(secrets)});
  auto report = YUSHI_TRY(scan_unordered(
      groups, query.filter, options,
      [&](size_t thread, const storage::BlockRows& found) {
        workers[thread].stats.add(found, workers[thread].mask, workers[thread].scratch);
        return !room->is_exhausted();
      },
      cancelled));
  for (size_t i = 1; i < workers.size(); ++i) workers[0].stats.merge(std::move(workers[i].stats));
  auto notes = workers[0].stats.notes();
  auto table = YUSHI_TRY(workers[0].stats.finish());
  return PipeAnswer{std::move(table), std::move(report), std::move(notes)};
}

// Rows of records, ascending. They are made where the record is in hand, and travel by number.
Result<PipeAnswer> run_records(const Query& query, const Columns& columns, const std::vector<UnitGroup>& groups,
                               ScanOptions options, const std::atomic<bool>& cancelled,
                               std::shared_ptr<const SecretRules> secrets) {
  struct Keyed {
    RecordKey key;
    Row row;
  };
  struct Worker {
    std::vector<Keyed> rows;
    size_t bytes = 0;
    Scratch scratch;
    SecretMask mask{nullptr};
  };
  if (std::none_of(columns.names.begin(), columns.names.end(), may_hold_secret)) secrets.reset();
  std::vector<Worker> workers(static_cast<size_t>(std::max(options.threads, 1)));
  for (auto& worker : workers) worker.mask = SecretMask(secrets);
  const size_t share = options.bytes_max / workers.size();
  std::atomic<bool> too_much{false};
  if (!secrets) {
    AskedFields asked;
    for (const std::string& name : columns.names) asked.add(name);
    asked.add("event.id");  // each record is a row, with its own place and time
    options.fields = asked.names();
    options.times = true;
  }
  PipeAnswer answer;
  answer.table.columns = columns.names;
  // `head N` right at the front, or behind a sort, needs no more than the N first of each thread; the newest N of all,
  // the N last.
  auto* sort = std::get_if<SortStage>(&query.stages[0]);
  auto* head = std::get_if<HeadStage>(&query.stages[sort && query.stages.size() > 1 ? 1 : 0]);
  std::optional<RowOrder> order;
  if (sort && head) order.emplace(*sort, answer.table);
  const bool keeps_newest = std::all_of(query.stages.begin(), query.stages.end(),
                                        [](const Stage& stage) { return std::holds_alternative<FieldsStage>(stage); });
  const size_t kept_max = head ? head->rows : keeps_newest ? options.limit : std::numeric_limits<size_t>::max();
  auto before = [](const Keyed& a, const Keyed& b) { return a.key < b.key; };
  auto better = [&](const Keyed& a, const Keyed& b) {
    if (order)
      if (auto first = (*order)(a.row, b.row); first != 0) return first < 0;
    return keeps_newest ? b.key < a.key : a.key < b.key;
  };
  auto report = YUSHI_TRY(scan_unordered(
      groups, query.filter, options,
      [&](size_t thread, const storage::BlockRows& found) {
        Worker& worker = workers[thread];
        for (uint32_t row : found.row_of) {
          if (too_much) return false;
          const Record* record = &found.batch->records[row];
          Keyed keyed{
              {record->event_ns, record->origin ? std::string(record->origin->log) : std::string(), record->index}, {}};
          const bool is_full = worker.rows.size() == kept_max;
          if (is_full && (kept_max == 0 || (!order && !better(keyed, worker.rows.front())))) continue;
          worker.scratch.clear();
          auto& shown = worker.mask.mask(*record);
          for (size_t i = 0; i < columns.names.size(); ++i)
            keyed.row.push_back(cell_of(shown, columns.fields[i], columns.names[i], worker.scratch));
          if (is_full) {
            if (!better(keyed, worker.rows.front())) continue;
            std::pop_heap(worker.rows.begin(), worker.rows.end(), better);
            worker.bytes -= std::min(worker.bytes, bytes_of(worker.rows.back().row));
            worker.rows.pop_back();
          }
          worker.bytes += bytes_of(keyed.row);
          if (worker.bytes > share) too_much = true;
          worker.rows.push_back(std::move(keyed));
          if (kept_max < std::numeric_limits<size_t>::max())
            std::push_heap(worker.rows.begin(), worker.rows.end(), better);
        }
        return true;
      },
      cancelled));
  if (too_much)
    return fail(Code::exhausted, "the rows do not fit into " + std::to_string(options.bytes_max >> 20) +
                                     " MiB, the room of one question under limits.query_bytes; narrow the filter or "
                                     "the time range, or begin with `head N`, or with `sort` and `head N`");
  std::vector<Keyed> all;
  for (Worker& worker : workers) std::move(worker.rows.begin(), worker.rows.end(), std::back_inserter(all));
  std::sort(all.begin(), all.end(), before);
  for (Keyed& keyed : all) answer.table.rows.push_back(std::move(keyed.row));
  answer.report = std::move(report);
  return answer;
}

}  // namespace

const std::vector<std::string>& default_columns() {
  static const std::vector<std::string> names = {"@timestamp", "host.name", "process.name", "message"};
  return names;
}

Result<PipeAnswer> run_pipe(const Query& query, const std::vector<UnitGroup>& groups, const ScanOptions& options,
                            const std::atomic<bool>& cancelled, const std::shared_ptr<const SecretRules>& secrets) {
  const StatsStage* stats = query.stages.empty() ? nullptr : std::get_if<StatsStage>(&query.stages[0]);
  Columns columns;
  PipeAnswer answer;
  if (stats) {
    answer = YUSHI_TRY(run_stats(query, *stats, groups, options, cancelled, secrets));
  } else if (!query.stages.empty()) {
    columns = columns_of(query);
    answer = YUSHI_TRY(run_records(query, columns, groups, options, cancelled, secrets));
  } else {
    return fail(Code::invalid, "the query has no stages");
  }
  Table& table = answer.table;
  bool has_fields = false;
  for (const Stage& stage : query.stages) {
    if (auto* sort = std::get_if<SortStage>(&stage)) {
      sort_rows(table, *sort);
    } else if (auto* head = std::get_if<HeadStage>(&stage)) {
      if (table.rows.size() > head->rows) table.rows.resize(head->rows);
    } else if (auto* where = std::get_if<WhereStage>(&stage)) {
      where_rows(table, *where);
    } else if (auto* fields = std::get_if<FieldsStage>(&stage)) {
      keep_columns(table, fields->columns);
      has_fields = true;
    }
  }
  if (!stats && !has_fields) keep_columns(table, default_columns());
  if (table.rows.size() > options.limit) {
    auto surplus = static_cast<ptrdiff_t>(table.rows.size() - options.limit);
    auto from = query.ascends_in_time() ? table.rows.begin() : table.rows.end() - surplus;
    table.rows.erase(from, from + surplus);
  }
  return answer;
}

}  // namespace yushi::query
