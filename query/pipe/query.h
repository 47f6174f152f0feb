// A whole question: a filter and the stages of its pipe. docs/query.md is the contract.
//
//   filter | stats count(), max(f) as m by f1, bin(@timestamp, 1h) | sort count() desc | head 10
//
// Threads  A Query is a plain value: many threads may ask by one.
// Errors   invalid, with a caret under the place in the whole text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/filter/filter.h"
#include "core/filter/kql.h"

namespace yushi::query {

struct Aggregate {
  enum class Function : uint8_t { count, min, max, avg, sum, distinct } function;
  std::string field;   // empty for count()
  std::string column;  // as given by `as`, else as written: "max(http.response.bytes)"
};

struct GroupKey {
  std::string field;
  std::string column;
  int64_t bin_ns = 0;  // 0: by value
};

struct StatsStage {
  std::vector<Aggregate> aggregates;
  std::vector<GroupKey> by;
};
struct SortStage {
  struct Key {
    std::string column;
    bool descending;
  };
  std::vector<Key> keys;
};
struct HeadStage {
  size_t rows;
};
struct FieldsStage {
  std::vector<std::string> columns;
};
struct WhereStage {
  Filter filter;
};

using Stage = std::variant<StatsStage, SortStage, HeadStage, FieldsStage, WhereStage>;

struct Query {
  Filter filter;              // `where` stages at the front are in it already
  std::vector<Stage> stages;  // top and rare have become stats, sort and head; stats can only be the first
  std::shared_ptr<const Zone> zone;
  // Of the rows, in the order asked: of stats its keys, then its functions.
  std::vector<KqlColumn> columns;

  static Result<Query> parse(std::string_view text, const QueryClock& clock);
  // Counts over time: `filter | stats count() by bin(@timestamp, every)` and, unless empty, `by`.
  static Result<Query> histogram(std::string_view filter, std::string_view every, std::string_view by,
                                 const QueryClock& clock);

  bool is_plain() const { return stages.empty(); }  // records, not rows
  bool ascends_in_time() const;                     // no stage orders the rows otherwise
};

}  // namespace yushi::query
