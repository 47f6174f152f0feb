// Whether the messages of a sample are JSON, key=value or CSV as a whole, and which keys they have.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace yushi::parsers {

struct SampleBody {
  enum class Kind { json, key_value, csv } kind;
  // In the order in which they were met (dotted where JSON nests), each with its first value that says something.
  std::vector<std::pair<std::string, std::string>> keys;
  std::vector<std::string> always;  // those that all messages have
  char separator = ',';             // of CSV
};

std::optional<SampleBody> body_of(const std::vector<std::string>& messages);

}  // namespace yushi::parsers
