// Rows: what the stages of a pipe hand on, and what tables, CSV and JSON are written from.
//
// Memory   They own what they hold: the record behind one may be gone.
// Threads  Plain values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/record/record.h"

namespace yushi::query {

struct Instant {
  int64_t unix_ns;
  auto operator<=>(const Instant&) const = default;
};

struct IpAddress {
  std::array<uint8_t, 16> bytes;  // as Value has them
  auto operator<=>(const IpAddress&) const = default;
};

// One value of a cell.
using Scalar = std::variant<int64_t, double, bool, Instant, IpAddress, std::string>;
Scalar scalar_of(const Value& value);
std::string scalar_text(const Scalar& scalar);  // an instant as RFC 3339 in UTC
// Numbers by value and before all else, then booleans, instants, addresses by value, texts byte by byte.
std::strong_ordering compare(const Scalar& a, const Scalar& b);

// Nothing: the field is missing. Several: a list.
using Cell = std::vector<Scalar>;
std::strong_ordering compare(const Cell& a, const Cell& b);  // what is missing comes last

using Row = std::vector<Cell>;

struct Table {
  std::vector<std::string> columns;
  std::vector<Row> rows;

  // Place of a column; `count` also finds `count()`. columns.size() when there is none.
  size_t find(std::string_view name) const;
};

}  // namespace yushi::query
