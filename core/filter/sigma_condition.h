// Sigma's condition grammar as a tree: `selection and not 1 of filter_*`. Private to core/filter.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace yushi {

struct SigmaCondition {
  enum class Kind { all_of, any_of, not_of, name, some_of /* `count` of the names */ };
  Kind kind = Kind::name;
  std::vector<SigmaCondition> children;
  std::string name;
  std::vector<std::string> names;  // some_of: those that the pattern takes
  size_t count = 0;                // some_of: how many of them; all: names.size()
};

// `names` are the rule's search identifiers. invalid when the text does not parse or names nothing.
Result<SigmaCondition> parse_sigma_condition(std::string_view text, const std::vector<std::string>& names);

}  // namespace yushi
