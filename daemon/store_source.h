// The store as a forwarder reads it: every log but `_audit`, and the alerts; the forwarder's cursor is kept in the
// store.
#pragma once

#include <memory>
#include <string>

#include "forward/source.h"
#include "storage/store/store.h"

namespace yushi::daemon {

// `name` names the cursor: a forwarder of another name begins at the beginning. The store must outlive the source.
std::unique_ptr<forward::RecordSource> make_store_source(storage::Store& store, const std::string& name);

}  // namespace yushi::daemon
