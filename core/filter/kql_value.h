// What stands right of a field in KQL, by the type of the field: literal -> questions. Private to core/filter.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/filter/expression.h"
#include "core/filter/filter.h"

namespace yushi {

// A value as typed: escapes are undone, and it is remembered which `*` are wildcards.
struct KqlLiteral {
  std::string text;
  std::vector<bool> wildcard;  // of each byte of text
  bool quoted = false;
  size_t begin = 0;  // in the query

  bool has_wildcard() const;
  bool is_star() const;  // nothing but `*`
};

// `field: value` and `field < value`. The error's message is the bare reason, without the caret.
Result<Expression> kql_comparison(std::string_view field, Order order, bool is_range, const KqlLiteral& literal,
                                  const QueryClock& clock);

// `10.0.0.0/8`, `fe80::/10` or an address; false when it is neither.
bool read_network(std::string_view text, AddressTest* test);

}  // namespace yushi
