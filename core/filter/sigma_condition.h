// Sigma's condition grammar as a tree: `selection and not 1 of filter_*`. Of a detection, and of a correlation over the
// rules that it is made of.
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

// Whether it holds where `has(name)` says which names do.
template <class Has>
bool holds(const SigmaCondition& condition, const Has& has) {
  size_t count = 0;
  switch (condition.kind) {
    case SigmaCondition::Kind::name:
      return has(condition.name);
    case SigmaCondition::Kind::not_of:
      return !holds(condition.children[0], has);
    case SigmaCondition::Kind::some_of:
      for (const auto& name : condition.names) count += has(name);
      return count >= condition.count;
    default:
      for (const auto& child : condition.children) count += holds(child, has);
      return condition.kind == SigmaCondition::Kind::all_of ? count == condition.children.size() : count > 0;
  }
}

// `names` are the rule's search identifiers. invalid when the text does not parse or names nothing.
Result<SigmaCondition> parse_sigma_condition(std::string_view text, const std::vector<std::string>& names);

}  // namespace yushi
