// Kibana's query language as docs/query.md fixes it: text -> Expression. filter.h is the front door.
//
// Errors  invalid: what is wrong and what to write, then the query with a caret under the place.
// Memory  Bounded: 64 KiB of text, 128 parentheses deep, 4,096 questions, 64 regular expressions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/filter/expression.h"
#include "core/filter/filter.h"

namespace yushi {

struct KqlFilter {
  Expression expression;
  size_t end;  // where the filter stopped: at a `|` outside of quotes, or at the end of the query
};

// Reads the filter that begins at `from` of `query`; stages of a pipe follow it where `end` says.
Result<KqlFilter> read_kql(std::string_view query, size_t from, const QueryClock& clock);

// The error of a query: `what`, and below it the query with a caret under the byte `at`.
Error query_error(std::string_view query, size_t at, std::string what);

}  // namespace yushi
