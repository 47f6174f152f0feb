// A question about the store, answered as NDJSON lines. The daemon's HTTP endpoints and `yushi --store DIR` both come
// here, so that a seized disk answers exactly as the running daemon does.
//
// Names and parameters are those of the endpoints under /api/v1: search, hist, alerts, sources, checkpoint, verify,
// status. A record is one ECS object; a row of a pipe is one flat object; the last line of every answer is
//   {"yushi.end":{"complete":true,"records":N,"blocks_read":R,"blocks":B,"missing":[…]}}
// and it always comes once a line went out, or once a bound was met: then `complete` is false, and `reason` says why.
// It has "notes":[…] where the question names a field that no record has: words for whoever asked.
// Only the daemon follows: it asks again and again, and its stream has a last line only when it ends before its time.
// The notes of its first round are a line of their own: {"yushi.notes":[…]}.
//
// Threads  Any; each call has scratch of its own.
// Memory   What the budget lends, and a decoded segment for each thread of a scan.
// Errors   Before the first line. invalid: a parameter or the query is wrong, with the place (HTTP 400). not_found: no
//          such alert or log.
//          refused: secrets are asked for by who may not see them (403).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/filter/secret_mask.h"
#include "query/budget.h"
#include "query/events.h"
#include "storage/read/view.h"

namespace yushi::query {

struct Question {
  std::string name;                               // "search", "alerts/3f2a…"
  std::map<std::string, std::string> parameters;  // query since until zone limit reverse tenant every by explain …
};

// Takes one line without its newline; false when the asker went away, which ends the answer.
using LineSink = std::function<bool(std::string_view line)>;

// What an answer hides. Of questions about content `secrets=1` asks to see all; others know no such parameter.
struct SecretsShown {
  std::shared_ptr<const SecretRules> rules;  // by which secrets are found; none: nothing is hidden
  std::string refusal;                       // why this asker may not see them; empty: he may, where he asks to
};

// `events` is asked for what joins lines, by a question about events only.
Result<void> answer(const storage::StoreView& view, const Question& question, const SecretsShown& secrets,
                    const LineSink& sink, Budget& budget, const EventReadingSource& events = {});

}  // namespace yushi::query
