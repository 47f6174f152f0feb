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
  each_asked_name(expression, [this](const std::string& name) { add(name); });
}

}  // namespace yushi::query
