// A record's leaf: the bridge from Record to core/ledger, for whoever writes, reads or forwards records.
#pragma once

#include "core/ledger/entry.h"
#include "core/record/record.h"

namespace yushi::storage {

// Views into the record, which has its source_seq and, of a later part, the part head.
EntryHead entry_head_of(const Record& record);

// Hashes raw anew: what is read back is not believed.
Hash leaf_of(const Record& record);

}  // namespace yushi::storage
