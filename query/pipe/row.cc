#include "query/pipe/row.h"

#include <algorithm>
#include <charconv>

#include "core/base/time_text.h"
#include "core/filter/expression.h"

namespace yushi::query {
namespace {

int rank(const Scalar& scalar) { return scalar.index() <= 1 ? 0 : static_cast<int>(scalar.index()); }

Number number_of(const Scalar& scalar) {
  if (auto* integer = std::get_if<int64_t>(&scalar)) return {true, *integer, 0};
  return {false, 0, std::get<double>(scalar)};
}

}  // namespace

Scalar scalar_of(const Value& value) {
  switch (value.type) {
    case Value::Type::integer:
      return value.integer;
    case Value::Type::real:
      return value.real;
    case Value::Type::boolean:
      return value.integer != 0;
    case Value::Type::date:
      return Instant{value.integer};
    case Value::Type::ip:
      return IpAddress{value.address};
    case Value::Type::string:
      break;
  }
  return std::string(value.text);
}

std::string scalar_text(const Scalar& scalar) {
  char room[64];
  if (auto* integer = std::get_if<int64_t>(&scalar)) return std::to_string(*integer);
  if (auto* boolean = std::get_if<bool>(&scalar)) return *boolean ? "true" : "false";
  if (auto* instant = std::get_if<Instant>(&scalar)) return {room, format_utc(instant->unix_ns, room)};
  if (auto* address = std::get_if<IpAddress>(&scalar)) return {room, format_ip(address->bytes, room)};
  if (auto* real = std::get_if<double>(&scalar))
    return {room, static_cast<size_t>(std::to_chars(room, room + sizeof room, *real).ptr - room)};
  return std::get<std::string>(scalar);
}

std::strong_ordering compare(const Scalar& a, const Scalar& b) {
  if (auto order = rank(a) <=> rank(b); order != 0) return order;
  switch (rank(a)) {
    case 0:
      return compare_numbers(number_of(a), number_of(b));
    case 2:
      return std::get<bool>(a) <=> std::get<bool>(b);
    case 3:
      return std::get<Instant>(a) <=> std::get<Instant>(b);
    case 4:
      return std::get<IpAddress>(a) <=> std::get<IpAddress>(b);
    default:
      return std::get<std::string>(a) <=> std::get<std::string>(b);
  }
}

std::strong_ordering compare(const Cell& a, const Cell& b) {
  if (a.empty() || b.empty()) return a.empty() <=> b.empty();
  for (size_t i = 0; i < a.size() && i < b.size(); ++i)
    if (auto order = compare(a[i], b[i]); order != 0) return order;
  return a.size() <=> b.size();
}

size_t Table::find(std::string_view name) const {
  for (size_t i = 0; i < columns.size(); ++i)
    if (columns[i] == name) return i;
  std::string call = std::string(name) + "()";
  return static_cast<size_t>(std::find(columns.begin(), columns.end(), call) - columns.begin());
}

}  // namespace yushi::query
