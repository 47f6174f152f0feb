// From tenants to logs: what the config says of the units whose records this node keeps, as what ingest threads and
// the store go by. Done at the start, and again by a reload.
//
// Threads  The daemon's main thread; what it gives is handed to the others whole.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/config.h"
#include "daemon/pipeline.h"
#include "ingest/net/origin_map.h"

namespace yushi::daemon {

struct Tenancy {
  ingest::OriginMap log_of;              // of an origin
  std::shared_ptr<const Loaded> loaded;  // with how each log is read
};

// Names each tenant's log to the store, and says who are relays. `files`: what is loaded, whose readings are made here.
// A log of `before` whose tenant is gone is read as it was: some of its records may still be on their way.
Result<Tenancy> give_logs(const Config& config, storage::Store& store, const Loaded& files, const Loaded* before);

// What is other now, in words; empty: nothing.
std::string tell_changes(const Config& before, const Config& now);

}  // namespace yushi::daemon
