// A question about the store, answered as NDJSON lines. The daemon's HTTP endpoints and `yushi --store DIR` both come
// here, so that a seized disk answers exactly as the running daemon does.
//
// Names and parameters are those of the endpoints under /api/v1: search, hist, alerts, sources, checkpoint, verify,
// status. A record is one ECS object; a row of a pipe is one flat object. How the answer ended stands beside the lines
// (core/event/answer_end.h), and comes always once a line went out, or once a bound was met: then it is not complete,
// and says why. It has notes where the question names a field that no record has: words for whoever asked. Only the
// daemon follows: it asks again and again, and its stream has an end only when it ends before its time.
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
#include "core/event/answer_end.h"
#include "core/filter/secret_mask.h"
#include "query/budget.h"
#include "query/events.h"
#include "storage/read/view.h"

namespace yushi::query {

struct Question {
  std::string name;                               // "search", "alerts/3f2a…"
  std::map<std::string, std::string> parameters;  // query since until zone limit reverse tenant every by explain …
};

// A parameter of what is fetched beside an answer, to prove it (checkpoint, consistency): the daemon counts it in the
// record of the question that it belongs to. The answer is the same.
constexpr const char* kProofOfAnswer = "proof_of_answer";

// Takes one line without its newline; false when the asker went away, which ends the answer.
using LineSink = std::function<bool(std::string_view line)>;

// What an answer hides. Of questions about content `secrets=1` asks to see all; others know no such parameter.
struct SecretsShown {
  std::shared_ptr<const SecretRules> rules;  // by which secrets are found; none: nothing is hidden
  std::string refusal;                       // why this asker may not see them; empty: he may, where he asks to
};

// Proves the store to who asks `verify`, held to the notes that were remembered: audit::answer_verify, which this
// folder does not see.
using StoreProver =
    std::function<Result<AnswerEnd>(const storage::StoreView&, std::string_view remembered, const LineSink&)>;

// `events` is asked for what joins lines, by a question about events only.
Result<AnswerEnd> answer(const storage::StoreView& view, const Question& question, const SecretsShown& secrets,
                         const LineSink& sink, Budget& budget, const EventReadingSource& events = {},
                         const StoreProver& prove = {});

}  // namespace yushi::query
