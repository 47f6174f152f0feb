// Browser, operating system and device of user_agent.original, by the rules of uap-core (regexes.yaml, Debian:
// uap-core).
//
// The rules are some thousand regular expressions of which the first that fits counts; RE2's FilteredRE2 asks those
// alone whose fixed parts stand in the text. A rule that RE2 does not know (look-around) is left out.
//
// Memory   Some 30 MiB of expressions, and the last texts with their answers (at most some 2 MiB).
// Cost     A text seen before: a lookup under a lock; a new one up to 0.2 ms.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/record/lookups.h"

namespace yushi::enrich {

Result<std::unique_ptr<const Lookups>> open_user_agents(const std::string& path);

}  // namespace yushi::enrich
