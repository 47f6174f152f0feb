// What this CLI has seen: checkpoints of each log (one a minute of the last hour, one an hour of two days, one a day of
// all before), and the key that signed the first one.
//
// On each call the store must prove that its log only grew since: whoever rewrites history is caught by the first who
// asks anything. The key is trusted on first use; another one later is a contradiction. A copy (--store) may be old: it
// is held to the newest checkpoint that it still covers.
//
// Kept in $XDG_STATE_HOME/yushi/checkpoints (default ~/.local/state/yushi/checkpoints), a file a log: the verifier
// line, then `seen UNIX-SECONDS` and a note for each, the newest first.
#pragma once

#include <string>

#include "cli/asker.h"

namespace yushi::cli {

// Fetches the checkpoints and a consistency proof for each log that grew. What contradicts is said on stderr.
// The exit code: found, error or broken; incomplete for a copy that is older than what was seen.
int hold_to_remembered(Asker& asker, bool is_copy);

// The notes remembered of this node's logs, the newest of each or all, each followed by an empty line, as `verify`
// takes them.
std::string remembered_notes(const std::string& node, bool all);

}  // namespace yushi::cli
