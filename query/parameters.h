// The parameters of a question, read with their types; what an endpoint does not know is an error that names it.
//
// Errors  invalid, with the parameter's name.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time_text.h"
#include "core/filter/filter.h"
#include "query/questions.h"

namespace yushi::query {

class Parameters {
 public:
  explicit Parameters(const Question& question) : question_(question) {}

  // Every parameter must be one of these, and `tenant` a name.
  Result<void> allow(std::initializer_list<std::string_view> names) const;
  // Empty when it is not given.
  std::string_view text(std::string_view name) const;
  // Given without a value, or as 1, true or yes.
  Result<bool> flag(std::string_view name) const;
  Result<std::optional<uint64_t>> number(std::string_view name) const;
  // `zone` (UTC when it is not given) and the clock of now.
  Result<QueryClock> clock() const;
  // `since` and `until`, Unix ns, both inclusive; a date as `until` means all of that day. invalid when none is
  // between.
  Result<Filter::Times> times(const QueryClock& clock) const;
  // The logs of `tenant`; without it all but those that begin with `_`. not_found when there is no such tenant.
  Result<std::vector<std::string>> logs(const storage::StoreView& view) const;

 private:
  const Question& question_;
};

}  // namespace yushi::query
