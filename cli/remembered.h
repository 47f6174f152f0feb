// What this CLI has seen: the newest checkpoint of each log, and the key that signed the first one.
//
// On each call the store must prove that its log only grew since: whoever rewrites history is caught by the first who
// asks anything. The key is trusted on first use; another one later is a contradiction.
//
// Kept in $XDG_STATE_HOME/yushi/checkpoints (default ~/.local/state/yushi/checkpoints), a file a log: the verifier
// line, then the note.
#pragma once

#include <string>

#include "cli/asker.h"

namespace yushi::cli {

// Fetches the checkpoints and a consistency proof for each log that grew. What contradicts is said on stderr.
// The exit code: found, error or broken.
int hold_to_remembered(Asker& asker);

// The notes remembered of this node's logs, each followed by an empty line, as `verify` takes them.
std::string remembered_notes(const std::string& node);

}  // namespace yushi::cli
