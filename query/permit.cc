#include "query/permit.h"

namespace yushi::query {

std::string_view tenant_of_log(std::string_view log) { return log.substr(0, log.find_first_of(":@")); }

Result<void> Permit::may(Right right) const {
  if (!refusal_) return {};
  if (auto why = refusal_(right); !why.empty()) return fail(Code::refused, why);
  return {};
}

bool Permit::sees_tenant(std::string_view tenant) const { return !sees_ || sees_(tenant); }
bool Permit::sees_log(std::string_view log) const { return sees_tenant(tenant_of_log(log)); }

Result<void> Permit::see_tenant(std::string_view tenant) const {
  if (sees_tenant(tenant)) return {};
  return fail(Code::refused, user_ + " may not see tenant " + std::string(tenant));
}
Result<void> Permit::see_log(std::string_view log) const { return see_tenant(tenant_of_log(log)); }

Result<void> Permit::see_all() const {
  if (sees_all()) return {};
  return fail(Code::refused, user_ + " may not see all tenants, and this is about all of them");
}

}  // namespace yushi::query
