// A question about the store, answered as NDJSON lines. The daemon's HTTP endpoints and `yushi --store DIR` both come
// here, so that a seized disk answers exactly as the running daemon does.
//
// The kinds of questions are a table (questions.cc). A line of it names the question, its parameters, the right that it
// needs and its answer; the routes under /api/v1, the options and completions of `yushi` and docs/api.md are made of
// it, and what it does not name is refused by it. So a new question is an answer and a line.
//
// A record is one ECS object; a row of a pipe is one flat object. How the answer ended stands beside the lines
// (core/event/answer_end.h), and comes always once a line went out, or once a bound was met: then it is not complete,
// and says why. It has notes where the question names a field that no record has: words for whoever asked. Only the
// daemon follows: it asks again and again, and its stream has an end only when it ends before its time.
//
// Threads  Any; each call has scratch of its own.
// Memory   What the budget lends, and a decoded segment for each thread of a scan.
// Errors   Before the first line. invalid: a parameter or the query is wrong, with the place (HTTP 400). not_found: no
//          such question, alert or log. refused: the permit does not allow it (403). unavailable: who answers here
//          lacks what it is made of.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/event/alert.h"
#include "core/event/answer_end.h"
#include "core/event/own_record.h"
#include "core/filter/secret_mask.h"
#include "query/budget.h"
#include "query/permit.h"
#include "query/scan/events.h"
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

// Proves the store to who asks `verify`, held to the notes that were remembered: audit::answer_verify, which this
// folder does not see.
using StoreProver =
    std::function<Result<AnswerEnd>(const storage::StoreView&, std::string_view remembered, const LineSink&)>;

// `over`: the question was ended.
using AlertRecheck = std::function<Result<AlertCheck>(const storage::StoreView&, const Alert&, uint64_t audit_index,
                                                      const std::atomic<bool>& over)>;

// What a daemon runs, a JSON line each, and since when it counts what they did.
struct Listing {
  std::vector<std::string> lines;
  int64_t since_ns = 0;
};

// What answers are made of beside the store: whoever answers gives what he has.
struct Means {
  std::shared_ptr<const SecretRules> secrets;  // by which secrets are hidden; none: nothing is
  EventReadingSource events;                   // what joins lines, for a question about events
  StoreProver prove;
  std::function<std::string()> status;                                 // the daemon's line of `status`
  std::function<Result<uint64_t>(const std::string& folder)> back_up;  // gives the records of the copy
  std::function<Listing()> rules = {}, parsers = {};                   // none: nobody runs here
  std::function<Result<std::vector<std::string>>()> canaries = {};     // a JSON line for each rule
  // Writes down what the asker does to an alert, and puts in who that is; the record as it stands in `_audit`, durable.
  std::function<Result<std::string>(OwnRecord)> act = {};
  // The bytes that detectors remember of an account, in the logs of which `sees` says yes.
  std::function<Result<uint64_t>(const std::string& account, std::function<bool(std::string_view log)> sees)>
      remembered = {};
  // Judges the records behind an alert again.
  AlertRecheck recheck = {};
};

struct Asked;  // query/answers/answer.h
using Answer = Result<AnswerEnd> (*)(const Permit&, const Asked&);

enum class ParameterKind { text, name, number, flag, time, zone, span, field, path };
std::string_view name_of(ParameterKind kind);  // as docs/api.md has it

struct Parameter {
  std::string_view name;
  ParameterKind kind;
  std::string_view words;   // what it says, in one line
  std::string_view option;  // of `yushi`: "-n,--limit", or a word without dashes for an argument; empty: none gives it
  bool is_required = false;
};

// What it takes to answer, and so who waits for whom in the daemon.
enum class Effort {
  little,  // answered at once
  scan,    // waits for its turn, and ends after limits.query_seconds; not while the disk is full
  whole,   // waits for its turn, and takes as long as the store is large
};
// What the daemon does before it looks at the store: signs, or waits until it has judged what was committed.
enum class First { nothing, sign, sign_together, judge };

struct QuestionKind {
  std::string_view name;     // "search"; "alerts/{id}/take": what stands for {id}, without a /, is Asked::id
  std::string_view command;  // of `yushi`: "alerts list"; empty: none
  std::string_view words;    // what it answers, in one line
  Right right = Right::status;
  Effort effort = Effort::little;
  std::vector<Parameter> parameters;
  Answer answer = nullptr;
  First first = First::nothing;
  bool acts = false;  // it changes something, so that it is posted

  const Parameter* parameter(std::string_view of) const;
};

// Ours; a program may add to it before anybody asks.
std::vector<QuestionKind>& question_kinds();
// nullptr: no question has this name. `id`: what stands in it for {id}.
const QuestionKind* find_kind(std::string_view name, std::string_view* id = nullptr);

// docs/api.md, from the table.
std::string api_reference();

Result<AnswerEnd> answer(const Permit& permit, const storage::StoreView& view, const Question& question,
                         const Means& means, const LineSink& sink, Budget& budget);

}  // namespace yushi::query
