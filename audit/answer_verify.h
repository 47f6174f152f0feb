// `verify` as a question is answered: a line for each flaw, and while it works about once a second one that says how
// far it is, {"yushi.progress":{"log":…,"done":…,"size":…}}.
//
// Threads  Any; each call has scratch of its own.
// Errors   unavailable when `say` gave false: nobody reads on.
#pragma once

#include <functional>
#include <string_view>

#include "core/base/result.h"
#include "core/event/answer_end.h"
#include "storage/read/heads.h"
#include "storage/read/view.h"

namespace yushi::audit {

// `remembered` is notes that somebody else kept, each followed by an empty line. A copy may be older than they are:
// then the end says what it misses. `heads` are those beside the store, read before the view was made.
Result<AnswerEnd> answer_verify(const storage::StoreView& view, const Result<storage::Heads>& heads,
                                std::string_view remembered, bool is_copy,
                                const std::function<bool(std::string_view line)>& say);

}  // namespace yushi::audit
