// The parameters of a question, read with their types; what the table does not know of it is an error that names it.
//
// Errors  invalid, with the parameter's name.
#pragma once

#include <cstdint>
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

  // Every parameter must be one of the table's and of its kind, and what is required must be there.
  Result<void> allow(const QuestionKind& kind) const;
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
  // The logs of `tenant`; without it all that the permit shows, of which those that begin with `_` are `with_own` only.
  // not_found when there is no such tenant, refused when it is not the asker's to see.
  Result<std::vector<std::string>> logs(const Permit& permit, const storage::StoreView& view,
                                        bool with_own = false) const;

 private:
  const Question& question_;
};

}  // namespace yushi::query
