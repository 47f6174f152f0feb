// A new store, made of what is whole of one that does not open and of a copy of it. Half of repair.h.
#pragma once

#include "audit/repair.h"

namespace yushi::audit {

// `damage`: why it does not open. As repair_store(); the store is unchanged where it gives an error.
Result<RepairReport> rebuild_store(const RepairOptions& options, const Error& damage);

}  // namespace yushi::audit
