#include "serve/asking.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <thread>

#include "audit/answer_verify.h"
#include "serve/request.h"

namespace yushi::serve {
namespace {

using std::chrono::milliseconds;

constexpr size_t kLinesBytes = 64 << 10;  // of an answer sent at once
// of one whose reader has stopped: a pager, Ctrl-S. It holds next to nothing
constexpr milliseconds kFollowerWait{600'000};
constexpr milliseconds kEndWait{2'000};  // for the last line of an answer to be taken

// Why an answer is not whole; empty when it is.
std::string reason_of(const AnswerEnd& end) {
  if (end.complete() || !end.reason.empty()) return end.reason;
  auto words = "missing: " + end.missing.front();
  if (end.missing.size() > 1) words += " (and " + std::to_string(end.missing.size() - 1) + " more)";
  return words;
}

// Collecting goes first: what works for a question has what the others leave, beside two busy threads a few percent. By
// nice, even 19, it took 20 to 30 % of the ingest rate from a machine of two cores. Threads made later inherit it.
void lower_priority() {
  const sched_param none{};
  (void)::sched_setscheduler(0, SCHED_IDLE, &none);
}

}  // namespace

// Whether the connection may be used again.
bool Api::Asking::run(const std::string& problem) {
  // Beside a question the CLI asks for proofs of its answer: no look at anybody's records, and counted with the
  // question.
  is_proof = kind && kind->parameter(query::kProofOfAnswer) && question.parameters.contains(query::kProofOfAnswer);
  if (!is_proof && peer.told) peer.flush_told(api);  // the answer to this one may take long
  {
    MutexLock lock(api.mutex_);
    peer.seen(api).asking = &budget;
    if (!takes(query::Effort::whole)) peer.seen(api).deadline = Clock::now() + api.limits_.query_time;
  }
  if (api.stopping_) budget.end("the daemon is stopping");
  peer.http.on_stall = [this](milliseconds waited) { return stalled(waited); };
  Result<AnswerEnd> answered = fail(Code::invalid, problem);
  if (problem.empty() && !is_queued()) {
    answered = attempt();
  } else if (problem.empty()) {
    // In a thread of its own: what it lowers stays lowered, and the connection's next question may be what an operator
    // needs from a machine that is busy.
    try {
      std::thread([&] {
        lower_priority();
        answered = attempt();
      }).join();
    } catch (const std::system_error&) {
      answered = fail(Code::exhausted, "the system has no thread for this question; ask again later");
    }
  }
  budget.on_stall = {};
  turn.leave();
  bool usable = false;
  try {
    usable = finish(answered);
  } catch (const std::bad_alloc&) {
    budget.end("there was no memory for the end of the answer");
  }
  unhand();
  tell(follows && begun ? "end" : "", answered);
  return usable;
}

Result<AnswerEnd> Api::Asking::attempt() {
  try {
    return ask();
  } catch (const std::exception& error) {  // std::bad_alloc, say
    return fail(Code::exhausted, std::string("answering failed: ") + error.what());
  }
}

// What the connection and the threads that watch it know of this question, they know no longer.
void Api::Asking::unhand() {
  peer.http.on_stall = {};
  MutexLock lock(api.mutex_);
  peer.seen(api).asking = nullptr;
  peer.seen(api).deadline.reset();
}

// Whether the connection may be used again.
bool Api::Asking::finish(const Result<AnswerEnd>& answered) {
  if (!answered && !begun && !budget.over()) {
    return peer.http.reply(request, error_reply(status_of(answered.error().code), code_name(answered.error().code),
                                                answered.error().message));
  }
  AnswerEnd end;
  if (answered) {
    end = *answered;
  } else {
    end.records = lines;
    end.reason = answered.error().message;
  }
  incomplete = reason_of(end);
  if (!gone) take(to_json(end));
  send(true);
  return !gone && request.takes_chunks;
}

bool Api::Asking::take(std::string_view line) {
  pending.append(line);
  pending.push_back('\n');
  ++lines;
  if (pending.size() >= kLinesBytes || follows) send(false);
  return !gone;
}

void Api::Asking::send(bool last) {
  if (!std::exchange(begun, true)) gone = !peer.http.begin(request, "application/x-ndjson");
  if (!gone && !pending.empty()) gone = !peer.http.send(request, pending);
  pending.clear();
  if (!gone && last) gone = !peer.http.end(request);
  if (gone) budget.end("the asker went away");
}

// Of a follower whose reader stopped, and reads again: it waits for its turn before it reads on.
bool Api::Asking::keep_turn() {
  if (turn.is_held()) return true;
  auto entered = api.queue_.enter_again(budget.over());
  if (entered) turn = std::move(*entered);
  return entered.has_value();
}

// Its reader takes nothing: what can be had again is let go; after a while so is the reader.
bool Api::Asking::stalled(milliseconds waited) {
  if (budget.over()) return waited < kEndWait;
  if (budget.on_stall) budget.on_stall();
  if (follows) turn.leave();
  const auto most = follows ? kFollowerWait : HttpConnection::kWriteWait;
  if (waited < most) return true;
  budget.end("its reader took nothing for " + std::to_string(most.count() / 1000) + " s");
  return false;
}

Result<AnswerEnd> Api::Asking::ask() {
  // A search that reads much may need room for its answer and its audit record; what the operator needs stays.
  if (takes(query::Effort::scan) && api.sources_.is_full()) {
    return fail(Code::unavailable, "the disk is below its reserve: content is not searched until there is room again");
  }
  if (is_queued()) {
    auto entered = api.queue_.enter(budget.over());
    if (!entered && budget.over()) return fail(Code::exhausted, budget.why() + "; it still waited for its turn");
    if (!entered) return tl::unexpected(entered.error());
    turn = std::move(*entered);
  }
  if (follows) return answer_following();
  auto seen = YUSHI_TRY(view());
  return query::answer(
      permit, *seen, question, means, [this](std::string_view line) { return take(line); }, budget);
}

query::Means Api::Asking::means_of_now() {
  auto of_now = api.sources_.means();
  of_now.prove = [this](auto& store, auto remembered, auto& say) {
    return audit::answer_verify(store, heads, remembered, false, say);
  };
  return of_now;
}

// Whoever may open the socket may ask all, but for these.
std::string Api::Asking::refusal_of(query::Right right) const {
  auto& may = api.may_see_secrets_;
  if (right == query::Right::secrets && std::find(may.begin(), may.end(), peer.user) == may.end())
    return peer.user + " may not see secrets; `api.secrets` in yushi.yaml names who may";
  // It is written as the daemon's user.
  if (right == query::Right::copy && peer.credentials.uid != 0 && peer.credentials.uid != ::geteuid())
    return "a backup is made for root and for the daemon's own user; you are " + peer.user;
  return {};
}

Result<std::shared_ptr<const storage::StoreView>> Api::Asking::view() {
  auto& sources = api.sources_;
  std::shared_ptr<const storage::StoreView> view;
  const auto signs = kind ? kind->signs : query::Signs::nothing;
  if (signs == query::Signs::together) {
    YUSHI_TRY(sources.sign_all([&] {
      heads = sources.heads();
      view = sources.view();
    }));
    if (!view) return fail(Code::unavailable, "the daemon is stopping");
    return view;
  }
  if (signs == query::Signs::newly) {
    YUSHI_TRY(sources.sign_now());
  }
  return sources.view();
}

// The same question again and again, over what has come since, in commit order.
Result<AnswerEnd> Api::Asking::answer_following() {
  query::Question next = question;
  const query::LineSink sink = [&](std::string_view line) { return take(line) && keep_turn(); };
  for (bool first = true;; first = false) {
    // Before the view: what is committed between the two ends the wait below at once.
    const auto commit = api.sources_.wait_commit(UINT64_MAX, 0);
    auto view = api.sources_.view();
    auto answered = query::answer(permit, *view, next, means, sink, budget);
    // The end of a whole round is not that of the stream, which has none; one that misses something ends the stream.
    if (!answered || !answered->complete() || gone) return answered;
    // A misspelt field is told now, or never.
    if (first && !answered->notes.empty()) take(notes_to_json(answered->notes));
    turn.leave();
    auto logs = YUSHI_TRY(view->logs());
    std::string from;
    for (auto& log : logs) {
      if (auto head = view->head(log)) from += log + "=" + std::to_string(head->size) + ",";
    }
    view.reset();
    if (first) {
      send(false);
      tell("start", {});
      MutexLock lock(api.mutex_);
      peer.seen(api).deadline.reset();  // what follows has no end, and holds nothing while it waits
    }
    next.parameters["after"] = from;
    next.parameters.erase("limit");
    while (!budget.over() && api.sources_.wait_commit(commit, 200) <= commit) {
    }
    keep_turn();
  }
}

void Api::Asking::tell(const char* type, const Result<AnswerEnd>& answered) {
  if (is_proof && answered) {
    peer.tell_proof(api, question.name);
    return;
  }
  auto record =
      peer.record_of("api-" + question.name.substr(0, question.name.find('/')), peer.user + " asked " + question.name);
  record.succeeded = answered.has_value();
  record.reason = !budget.why().empty() ? budget.why() : incomplete;
  if (*type) record.more_types.push_back(type);
  auto& asked = std::get<QuestionAsked>(record.about);
  if (auto tenant = question.parameters.find("tenant"); tenant != question.parameters.end())
    asked.tenant = tenant->second;
  asked.question = question.name;
  asked.parameters = {question.parameters.begin(), question.parameters.end()};
  asked.lines = lines;
  if (!answered) asked.error = answered.error().message;
  peer.tell(api, std::move(record));
  if (follows) peer.flush_told(api);  // its proofs came before it; what comes next may be days away
}

}  // namespace yushi::serve
