#include "query/asked_fields.h"

namespace yushi::query {

void AskedFields::add(const std::string& name) {
  auto behind = name.empty() ? std::nullopt : fields_behind(name);
  if (!behind)
    names_.reset();
  else if (names_)
    names_->insert(names_->end(), behind->begin(), behind->end());
}

void AskedFields::add(const Expression& expression) {
  if (expression.kind == Expression::Kind::test) {
    add(expression.name);
    if (auto* same = std::get_if<SameFieldTest>(&expression.test)) add(same->other_name);
  }
  for (const Expression& child : expression.children) add(child);
}

}  // namespace yushi::query
