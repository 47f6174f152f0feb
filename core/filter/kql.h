// Kibana's query language as docs/query.md fixes it: text -> Expression. filter.h is the front door.
//
// Errors  invalid: what is wrong and what to write, then the query with a caret under the place.
// Memory  Bounded: 64 KiB of text, 128 parentheses deep, 4,096 questions, 64 regular expressions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/filter/expression.h"
#include "core/filter/filter.h"

namespace yushi {

struct KqlFilter {
  Expression expression;
  size_t end;  // where the filter stopped: at a `|` outside of quotes, or at the end of the query
};

// A column of the rows that a filter asks in place of a record's fields.
struct KqlColumn {
  std::string name;               // as its stage spells it: "max(@timestamp)"
  std::optional<FieldType> type;  // not there: of its values
};

// Reads the filter that begins at `from` of `query`; stages of a pipe follow it where `end` says. With `columns` it
// speaks of these only: any other name is an error, and so is a word without a column.
Result<KqlFilter> read_kql(std::string_view query, size_t from, const QueryClock& clock,
                           const std::vector<KqlColumn>* columns = nullptr);

// The column of this name, of which `()` may be left out: `count` is also `count()`. columns.end() when there is none.
std::vector<KqlColumn>::const_iterator find_column(const std::vector<KqlColumn>& columns, std::string_view name);

// The error of a query: `what`, and below it the query with a caret under the byte `at`.
Error query_error(std::string_view query, size_t at, std::string what);

}  // namespace yushi
