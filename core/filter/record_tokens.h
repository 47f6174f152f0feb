// All that a token filter must hold of a record so that Filter::may_match() never says no wrongly.
//
// The plain statement of the contract, for what is rare and for tests of block builders: they gather the same words in
// faster ways, and may gather more.
#pragma once

#include <cstdint>
#include <vector>

#include "core/record/record.h"

namespace yushi {

// Appends the hashes: the words of raw as text, the words of every string value as it is meant (escapes undone), of
// captured number and address texts too, and ip_hash of addresses. event.id, dates, yushi.* and what
// is_in_token_filter() leaves out are not among them.
void gather_record_tokens(const Record& record, Scratch& scratch, std::vector<uint64_t>& hashes);

}  // namespace yushi
