#include "query/pipe/asked_fields.h"

#include <algorithm>

namespace yushi::query {
namespace {

// A date that stands in a record as text is read by the record's own time.
bool has_dates(const Expression& expression) {
  return (expression.kind == Expression::Kind::test && (std::holds_alternative<DateTest>(expression.test) ||
                                                        std::holds_alternative<TimePartTest>(expression.test))) ||
         std::any_of(expression.children.begin(), expression.children.end(), has_dates);
}

}  // namespace

void AskedFields::add(const std::string& name) {
  auto behind = name.empty() ? std::nullopt : fields_behind(name);
  if (!behind)
    names_.reset();
  else if (names_)
    names_->insert(names_->end(), behind->begin(), behind->end());
}

void AskedFields::add(const Expression& expression) {
  each_asked_name(expression, [this](const std::string& name) { add(name); });
  if (has_dates(expression)) add(std::string(ecs::timestamp->name));
}

}  // namespace yushi::query
