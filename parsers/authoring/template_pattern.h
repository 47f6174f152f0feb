// One form of lines as a pattern: grok, and the fields that the text before each value suggests.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/record/field.h"
#include "parsers/authoring/line_templates.h"

namespace yushi::parsers {

struct TemplatePattern {
  std::string name, grok;
  std::vector<std::pair<std::string, FieldType>> own;  // fields of the parser's own
  std::vector<std::string> lines;                      // for its tests
  uint64_t count = 0;
};

// nullopt: nothing in the template is fixed, and such a pattern would know everything.
std::optional<TemplatePattern> pattern_of(const std::string& parser, const LineTemplate& of);

// The ECS field of a key like `srcip`, `uid` or `user`, where the value fits; empty: not known.
std::string ecs_field_of_key(const std::string& key, const std::string& value);

// "Failed password for" -> failed-password-for
std::string slug(std::string_view text, char between, size_t most);

}  // namespace yushi::parsers
