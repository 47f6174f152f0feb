// What stands right of a field in KQL, by the type of the field: literal -> questions. Private to core/filter.
#pragma once

#include <optional>
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

// What is asked: a field of records, or a column of rows.
struct KqlTarget {
  std::string name;
  std::optional<FieldType> type;  // not there: whatever its values turn out to be
  bool reads_strings = false;     // a number or an address may also stand as text: the field had another type before

  static KqlTarget of_field(std::string_view name);
};

// `field: value` and `field < value`. The error's message is the bare reason, without the caret.
Result<Expression> kql_comparison(const KqlTarget& target, Order order, bool is_range, const KqlLiteral& literal,
                                  const QueryClock& clock);

// `10.0.0.0/8`, `fe80::/10` or an address; false when it is neither.
bool read_network(std::string_view text, AddressTest* test);

}  // namespace yushi
