// Where a part of a YAML scalar stands in its file, for messages that point at one name in a longer text.
#pragma once

#include <yaml-cpp/yaml.h>

#include <string_view>

namespace yushi {

// The place, counted from 0 as Node::Mark(), of byte `offset` of the scalar's text: exact where the scalar stands in
// one line as it is, else the place where the scalar begins.
inline YAML::Mark place_within(const YAML::Node& scalar, size_t offset) {
  YAML::Mark mark = scalar.Mark();
  const std::string& text = scalar.Scalar();
  const bool is_quoted = scalar.Tag() == "!";
  std::string_view before = std::string_view(text).substr(0, offset);
  const bool is_as_written =
      text.find('\n') == text.npos && !(is_quoted && before.find_first_of("'\"\\") != before.npos);
  if (is_as_written) mark.column += static_cast<int>(offset) + (is_quoted ? 1 : 0);
  return mark;
}

}  // namespace yushi
