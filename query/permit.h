// Who asks, and what he may see: the first argument of every answer.
//
// The right that a question needs stands in the table (query/questions.h) and is asked for before its answer. The
// answer asks for each log that it reads, or for all of them at once where it reads the whole store. Today whoever may
// open the socket may all but see secrets; whoever makes a permit says what it allows.
//
// Threads  Any.
// Errors   refused, with the reason.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace yushi::query {

enum class Right {
  status,   // what there is: logs, sources, parsers, rules, and their numbers
  content,  // what was logged, and what was found in it
  secrets,  // passwords, tokens and keys in it
  proof,    // checkpoints, and what ties a record to them
  copy,     // a copy of the store, as the daemon's user
  judge,    // what becomes of an alert, and what is usual from then on
};

class Permit {
 public:
  // Tells why not, in words; empty: he may. None: all is allowed.
  using RightRefusal = std::function<std::string(Right)>;
  // `tenant` is a name, or kAllTenants.
  using TenantTest = std::function<bool(std::string_view tenant)>;
  static constexpr std::string_view kAllTenants = "*";

  explicit Permit(std::string user = {}, RightRefusal refusal = {}, TenantTest sees = {})
      : user_(std::move(user)), refusal_(std::move(refusal)), sees_(std::move(sees)) {}

  const std::string& user() const { return user_; }
  Result<void> may(Right right) const;
  bool sees_tenant(std::string_view tenant) const;
  bool sees_log(std::string_view log) const;
  bool sees_all() const { return sees_tenant(kAllTenants); }
  Result<void> see_tenant(std::string_view tenant) const;
  Result<void> see_log(std::string_view log) const;
  Result<void> see_all() const;

 private:
  std::string user_;
  RightRefusal refusal_;
  TenantTest sees_;
};

// Whose log it is: `finance` of `finance@2026`.
std::string_view tenant_of_log(std::string_view log);

}  // namespace yushi::query
