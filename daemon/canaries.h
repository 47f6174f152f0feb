// Canaries: each rule's own positive test, judged by what the daemon runs with now, in an engine apart.
//
// A rule may be silent here that passes `yushi rules test`: a parser of one's own reads its lines otherwise, a list or
// a filter takes them out, or what runs is not what the files say. The lines are of no tenant, come into no log and
// teach no habit. What is told is told as all that the daemon says is: a record of `_audit`, and an alert of its own,
// which shows the rest of the way: the commit, `_audit`, Kafka, routes.
//
// Threads  Any.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "daemon/pipeline.h"

namespace yushi::daemon {

// A JSON line for each rule that has such a test, then one that counts the rules that run, then one for each file that
// was left out as wrong.
Result<std::vector<std::string>> release_canaries(Pipeline& pipeline);

}  // namespace yushi::daemon
