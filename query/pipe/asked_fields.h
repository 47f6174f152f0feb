// Which fields of a record a question looks at, so that no more of a block is read for it.
//
// Threads  Plain values.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/filter/expression.h"
#include "core/record/record.h"

namespace yushi::query {

// Calls call(name) for each field that is asked for, as often as it is.
template <class Call>
void each_asked_name(const Expression& expression, const Call& call) {
  if (expression.kind == Expression::Kind::test) {
    call(expression.name);
    if (auto* same = std::get_if<SameFieldTest>(&expression.test)) call(same->other_name);
  }
  for (const Expression& child : expression.children) each_asked_name(child, call);
}

class AskedFields {
 public:
  void add(const std::string& name);
  void add(const Expression& expression);
  // With those behind them (fields_behind()); nullopt: all of raw is asked for.
  const std::optional<std::vector<std::string>>& names() const { return names_; }

 private:
  std::optional<std::vector<std::string>> names_{std::in_place};
};

}  // namespace yushi::query
