#include "query/pipe/query.h"

#include <algorithm>

#include "core/filter/expression.h"
#include "core/filter/kql.h"
#include "core/filter/when.h"
#include "query/pipe/run.h"

namespace yushi::query {
namespace {

constexpr size_t kStagesMax = 32;
constexpr size_t kNamesMax = 64;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

struct Function {
  std::string_view name;
  Aggregate::Function function;
};
constexpr Function kFunctions[] = {{"count", Aggregate::Function::count}, {"min", Aggregate::Function::min},
                                   {"max", Aggregate::Function::max},     {"avg", Aggregate::Function::avg},
                                   {"sum", Aggregate::Function::sum},     {"distinct", Aggregate::Function::distinct}};

class PipeReader {
 public:
  PipeReader(std::string_view text, const QueryClock& clock) : text_(text), clock_(clock) {}

  Result<Query> read() {
    auto filter = YUSHI_TRY(read_kql(text_, 0, clock_));
    at_ = filter.end;
    all_.push_back(std::move(filter.expression));
    std::vector<Stage> stages;
    while (skip_blanks(), at_ < text_.size()) {
      if (stages.size() >= kStagesMax) return error(at_, "more than 32 stages");
      ++at_;  // the `|` where a filter or a stage ended
      skip_blanks();
      const size_t begin = at_;
      std::string word = take_word();
      if (word == "where") {
        auto where = YUSHI_TRY(read_kql(text_, at_, clock_, columns_ ? &*columns_ : nullptr));
        if (where.end == at_ ||
            text_.substr(at_, where.end - at_).find_first_not_of(" \t\r\n") == std::string_view::npos)
          return error(where.end, "a filter is missing after `where`");
        at_ = where.end;
        if (stages.empty())
          all_.push_back(std::move(where.expression));
        else
          stages.push_back(WhereStage{Filter::from(std::make_shared<const Expression>(std::move(where.expression)))});
      } else if (word == "stats") {
        if (!stages.empty()) return error(begin, "`stats` must be the first stage, or stand after `where`");
        YUSHI_TRY(read_stats(stages));
      } else if (word == "top" || word == "rare") {
        if (!stages.empty()) return error(begin, "`" + word + "` must be the first stage, or stand after `where`");
        YUSHI_TRY(read_top(stages, word == "top"));
      } else if (word == "sort") {
        YUSHI_TRY(read_sort(stages));
      } else if (word == "head") {
        YUSHI_TRY(read_head(stages));
      } else if (word == "fields") {
        YUSHI_TRY(read_fields(stages));
      } else {
        return error(begin, word.empty() ? "a stage is missing after `|`: stats, sort, head, fields, where, top or rare"
                                         : "`" + word + "` is no stage: stats, sort, head, fields, where, top or rare");
      }
      skip_blanks();
      if (at_ < text_.size() && text_[at_] != '|') return error(at_, "a `|` or the end should stand here");
    }
    return Query{Filter::from(std::make_shared<const Expression>(Expression::all_of(std::move(all_)))),
                 std::move(stages), clock_.zone, columns_ ? std::move(*columns_) : columns_of(default_columns())};
  }

  // With the types that their values have by the field and the function that they come from.
  static std::vector<KqlColumn> columns_of(const StatsStage& stats) {
    std::vector<KqlColumn> columns;
    for (const GroupKey& key : stats.by) columns.push_back({key.column, type_of(key.field)});
    for (const Aggregate& aggregate : stats.aggregates) {
      std::optional<FieldType> type;
      switch (aggregate.function) {
        case Aggregate::Function::count:
        case Aggregate::Function::distinct:
          type = FieldType::integer;
          break;
        case Aggregate::Function::sum:
        case Aggregate::Function::avg:
          type = FieldType::real;
          break;
        case Aggregate::Function::min:
        case Aggregate::Function::max:
          type = type_of(aggregate.field);
          break;
      }
      columns.push_back({aggregate.column, type});
    }
    return columns;
  }
  static std::vector<KqlColumn> columns_of(const std::vector<std::string>& fields) {
    std::vector<KqlColumn> columns;
    for (const std::string& name : fields) columns.push_back({name, type_of(name)});
    return columns;
  }

 private:
  static std::optional<FieldType> type_of(const std::string& name) {
    const Field* field = find_field(name);
    return field ? std::optional(field->type) : std::nullopt;
  }

  tl::unexpected<Error> error(size_t at, std::string what) const {
    return tl::unexpected(query_error(text_, at, std::move(what)));
  }
  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  bool take(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string take_word() {
    skip_blanks();
    size_t begin = at_;
    while (at_ < text_.size() && !is_blank(text_[at_]) &&
           std::string_view("(),|\"").find(text_[at_]) == std::string_view::npos)
      ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }
  bool take_keyword(std::string_view keyword) {
    skip_blanks();
    const size_t begin = at_;
    if (take_word() == keyword) return true;
    at_ = begin;
    return false;
  }
  // A field's name, which may be quoted.
  Result<std::string> take_name(std::string_view what) {
    skip_blanks();
    const size_t begin = at_;
    std::string name;
    if (take('"')) {
      while (at_ < text_.size() && text_[at_] != '"') {
        if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
        name += text_[at_++];
      }
      if (!take('"')) return error(begin, "this quote is never closed");
    } else {
      name = take_word();
    }
    if (name.empty()) return error(at_, std::string(what) + " is missing");
    return name;
  }

  // `f` or `count()` or `max(f)`: a column as it was named by stats.
  Result<std::string> take_column() {
    auto name = YUSHI_TRY(take_name("a column"));
    if (at_ < text_.size() && text_[at_] == '(') {
      ++at_;
      skip_blanks();
      std::string inner = take_word();
      if (take(',')) inner += ", " + take_word();
      if (!take(')')) return error(at_, "a `)` is missing");
      name += "(" + inner + ")";
    }
    return name;
  }

  Result<void> read_stats(std::vector<Stage>& stages) {
    StatsStage stats;
    do {
      skip_blanks();
      const size_t begin = at_;
      std::string word = take_word();
      auto* function =
          std::find_if(std::begin(kFunctions), std::end(kFunctions), [&](auto& each) { return each.name == word; });
      if (function == std::end(kFunctions))
        return error(begin, word.empty() ? "a function is missing: count, min, max, avg, sum or distinct"
                                         : "`" + word + "` is no function: count, min, max, avg, sum or distinct");
      Aggregate aggregate{function->function, {}, {}};
      if (!take('(')) return error(at_, "a `(` is missing, as in " + word + "(field)");
      skip_blanks();
      if (at_ < text_.size() && text_[at_] != ')') {
        auto field = YUSHI_TRY(take_name("a field"));
        aggregate.field = field;
      } else if (aggregate.function != Aggregate::Function::count) {
        return error(at_, "a field is missing, as in " + word + "(field)");
      }
      if (!take(')')) return error(at_, "a `)` is missing");
      aggregate.column = word + "(" + aggregate.field + ")";
      if (take_keyword("as")) {
        auto name = YUSHI_TRY(take_name("a name after `as`"));
        aggregate.column = name;
      }
      stats.aggregates.push_back(std::move(aggregate));
      if (stats.aggregates.size() > kNamesMax) return error(begin, "more than 64 functions");
    } while (take(','));
    if (take_keyword("by")) {
      do {
        auto key = YUSHI_TRY(read_key());
        stats.by.push_back(std::move(key));
        if (stats.by.size() > 8) return error(at_, "more than 8 fields after `by`");
      } while (take(','));
    }
    columns_ = columns_of(stats);
    stages.push_back(std::move(stats));
    return {};
  }

  Result<GroupKey> read_key() {
    skip_blanks();
    const size_t begin = at_;
    auto name = YUSHI_TRY(take_name("a field"));
    if (name != "bin" || at_ >= text_.size() || text_[at_] != '(') return GroupKey{name, name, 0};
    ++at_;
    auto field = YUSHI_TRY(take_name("a date field"));
    const Field* known = find_field(field);
    if (!known || known->type != FieldType::date)
      return error(begin, "bin() takes a date field, as in bin(@timestamp, 1h)");
    if (!take(',')) return error(at_, "a length of time is missing, as in bin(@timestamp, 1h)");
    skip_blanks();
    const size_t length_at = at_;
    std::string text = take_word();
    auto length = parse_duration(text);
    if (!length) return error(length_at, length.error().message);
    if (!take(')')) return error(at_, "a `)` is missing");
    return GroupKey{field, "bin(" + field + ", " + text + ")", *length};
  }

  Result<size_t> take_count(std::string_view what) {
    skip_blanks();
    const size_t begin = at_;
    std::string word = take_word();
    size_t count = 0;
    bool is_number = !word.empty() && word.size() <= 9 &&
                     std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (is_number)
      for (char c : word) count = count * 10 + static_cast<size_t>(c - '0');
    if (count == 0)
      return error(begin, std::string(what) + " takes a number of rows, as in " + std::string(what) + " 10");
    return count;
  }

  Result<void> read_top(std::vector<Stage>& stages, bool most) {
    auto count = YUSHI_TRY(take_count(most ? "top" : "rare"));
    auto key = YUSHI_TRY(read_key());
    SortStage sort{{{"count()", most}, {key.column, false}}};
    all_.push_back(Expression::of(key.field, ExistsTest{}));  // what is missing is no value
    StatsStage stats{{{Aggregate::Function::count, {}, "count()"}}, {std::move(key)}};
    columns_ = columns_of(stats);
    stages.push_back(std::move(stats));
    stages.push_back(std::move(sort));
    stages.push_back(HeadStage{count});
    return {};
  }

  // After stats and fields the columns are known: a name that is none of them is an error, not an empty column.
  Result<void> check_column(const std::vector<Stage>& stages, const std::string& name, size_t at) const {
    if (!columns_ || find_column(*columns_, name) != columns_->end()) return {};
    bool cut = std::any_of(stages.begin(), stages.end(),
                           [](auto& stage) { return std::holds_alternative<FieldsStage>(stage); });
    return error(at,
                 cut ? "the `fields` before keeps no column `" + name + "`" : "`stats` makes no column `" + name + "`");
  }

  // The next column of a list, which the stages before must have made.
  Result<std::string> take_known_column(const std::vector<Stage>& stages, size_t taken) {
    skip_blanks();
    const size_t begin = at_;
    auto column = YUSHI_TRY(take_column());
    YUSHI_TRY(check_column(stages, column, begin));
    if (taken >= kNamesMax) return error(begin, "more than 64 fields");
    return column;
  }

  Result<void> read_sort(std::vector<Stage>& stages) {
    SortStage sort;
    do {
      auto column = YUSHI_TRY(take_known_column(stages, sort.keys.size()));
      bool descending = take_keyword("desc");
      if (!descending) take_keyword("asc");
      sort.keys.push_back({column, descending});
    } while (take(','));
    stages.push_back(std::move(sort));
    return {};
  }

  Result<void> read_head(std::vector<Stage>& stages) {
    auto count = YUSHI_TRY(take_count("head"));
    stages.push_back(HeadStage{count});
    return {};
  }

  Result<void> read_fields(std::vector<Stage>& stages) {
    FieldsStage fields;
    do {
      auto column = YUSHI_TRY(take_known_column(stages, fields.columns.size()));
      fields.columns.push_back(column);
    } while (take(','));
    auto kept = columns_of(fields.columns);
    for (KqlColumn& column : kept)
      if (columns_) column.type = find_column(*columns_, column.name)->type;
    columns_ = std::move(kept);
    stages.push_back(std::move(fields));
    return {};
  }

  std::string_view text_;
  const QueryClock& clock_;
  size_t at_ = 0;
  std::vector<Expression> all_;  // of the filter: what stands before the first stage, and what that stage asks
  std::optional<std::vector<KqlColumn>> columns_;  // of the rows; not there: any field of the records
};

}  // namespace

bool Query::ascends_in_time() const {
  for (const Stage& stage : stages) {
    if (std::holds_alternative<SortStage>(stage)) return false;
    if (auto* stats = std::get_if<StatsStage>(&stage); stats && (stats->by.empty() || stats->by[0].bin_ns == 0))
      return false;
  }
  return true;
}

Result<Query> Query::parse(std::string_view text, const QueryClock& clock) { return PipeReader(text, clock).read(); }

Result<Query> Query::histogram(std::string_view filter, std::string_view every, std::string_view by,
                               const QueryClock& clock) {
  auto compiled = YUSHI_TRY(Filter::parse_kql(filter, clock));
  auto length = YUSHI_TRY(parse_duration(every));
  StatsStage stats{{{Aggregate::Function::count, {}, "count()"}}, {{"@timestamp", "@timestamp", length}}};
  if (!by.empty()) stats.by.push_back({std::string(by), std::string(by), 0});
  auto columns = PipeReader::columns_of(stats);
  std::vector<Stage> stages;
  stages.push_back(std::move(stats));
  return Query{std::move(compiled), std::move(stages), clock.zone, std::move(columns)};
}

}  // namespace yushi::query
