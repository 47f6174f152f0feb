#include "daemon/tenants.h"

#include <algorithm>

namespace yushi::daemon {

Result<Tenancy> give_logs(const Config& config, storage::Store& store, const Loaded& files, const Loaded* before) {
  auto& tenants = config.tenants;
  Tenancy out;
  auto loaded = std::make_shared<Loaded>(files);
  std::vector<LogId> logs;
  for (auto& tenant : tenants) logs.push_back(YUSHI_TRY(store.log(tenant.name, tenant.retention_days)));
  const auto own = *files.contexts.at(storage::kAuditLogId);
  const auto read = [&](LogId log, const std::string& timezone, const std::string& charset) -> Result<void> {
    auto context = own;
    context.timezone = timezone;
    context.charset = charset;
    loaded->contexts.at(log) = std::make_shared<const storage::ParseContext>(std::move(context));
    loaded->readings.at(log) = {YUSHI_TRY(Zone::find(timezone)), *find_charset(charset)};
    return {};
  };
  const auto known = store.logs()->size();
  loaded->contexts.resize(known, files.contexts.at(storage::kAuditLogId));
  loaded->readings.resize(known);
  for (LogId log = storage::kAuditLogId + 1; before && log < before->contexts.size(); ++log) {
    YUSHI_TRY(read(log, before->contexts[log]->timezone, before->contexts[log]->charset));
  }
  for (size_t i = 0; i < tenants.size(); ++i) {
    auto& tenant = tenants[i];
    YUSHI_TRY(read(logs[i], tenant.timezone, tenant.charset));
    for (auto& cidr : tenant.cidrs) {
      YUSHI_TRY(out.log_of.add(cidr, logs[i]));
    }
    for (auto& name : tenant.cert_names) {
      YUSHI_TRY(out.log_of.add_name(name, logs[i]));
    }
  }
  loaded->relays = {};
  for (auto& relay : config.relays) {
    YUSHI_TRY(loaded->relays.add(relay, 1));
  }
  out.loaded = std::move(loaded);
  return out;
}

std::string tell_changes(const Config& before, const Config& now) {
  std::string out;
  const auto find = [](const std::vector<Tenant>& all, const std::string& name) {
    auto at = std::find_if(all.begin(), all.end(), [&](auto& tenant) { return tenant.name == name; });
    return at == all.end() ? nullptr : &*at;
  };
  const auto say = [&](const std::string& what) { out += (out.empty() ? "" : "; ") + what; };
  for (auto& tenant : before.tenants)
    if (!find(now.tenants, tenant.name)) say("tenant " + tenant.name + " is removed, its log stays");
  for (auto& tenant : now.tenants) {
    auto* old = find(before.tenants, tenant.name);
    if (!old) say("tenant " + tenant.name + " is added");
    if (old && *old != tenant) say("tenant " + tenant.name + " is changed");
  }
  // Of origins that several name, the first has them.
  if (out.empty() && before.tenants != now.tenants) say("the order of the tenants is changed");
  if (before.relays != now.relays) say("the relays are changed");
  return out;
}

}  // namespace yushi::daemon
