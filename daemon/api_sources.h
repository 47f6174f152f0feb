// What the daemon gives to those who ask: the store, the committer's signatures, its own records and numbers.
//
// Threads  Any. All that is named must outlive the API.
#pragma once

#include "daemon/metrics.h"
#include "serve/api.h"

namespace yushi::daemon {

serve::Api::Sources api_sources(storage::Store& store, Pipeline& pipeline, std::function<Watched()> watched);

}  // namespace yushi::daemon
