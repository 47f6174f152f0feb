// What this CLI has seen: checkpoints of each log (one a minute of the last hour, one an hour of two days, one a day of
// all before), the key that signed the newest, and how the keys before handed over to it.
//
// On each call the store must prove that its log only grew since: whoever rewrites history is caught by the first who
// asks anything. The key is trusted on first use; another one later, to which it did not hand over, is a contradiction.
// A copy (--store) may be old, also older than a handover: it is held to the newest checkpoint that it still covers.
//
// Kept in $XDG_STATE_HOME/yushi/checkpoints (default ~/.local/state/yushi/checkpoints), a file a log: the verifier
// line, `rotated ` and a line of core/ledger/key_ring.h for each handover, then `seen UNIX-SECONDS` and a note for
// each, the newest first.
#pragma once

#include <string>

#include "cli/asker.h"

namespace yushi::cli {

// Fetches the checkpoints and a consistency proof for each log that grew. What contradicts is said on stderr.
// The exit code: found, error or broken; incomplete for a copy that is older than what was seen.
int hold_to_remembered(Asker& asker, bool is_copy);

// The notes remembered of this node's logs, each followed by an empty line, as `verify` takes them: the newest of each,
// of a copy all but those by keys to which its own handed over later.
std::string remembered_notes(Asker& asker, const std::string& node, bool is_copy);

}  // namespace yushi::cli
