// Which fields of a record a question looks at, so that no more of a block is read for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/filter/expression.h"
#include "core/record/record.h"

namespace yushi::query {

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
