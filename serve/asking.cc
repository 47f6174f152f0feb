#include "serve/asking.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <future>

#include "audit/answer_verify.h"

namespace yushi::serve {
namespace {

using std::chrono::milliseconds;

constexpr size_t kLinesBytes = 64 << 10;  // of an answer sent at once
constexpr milliseconds kLook{100};        // at what ends an answer, while its reader takes nothing
constexpr milliseconds kStall{1'000};     // without progress: then what can be had again is let go
// of one whose reader has stopped: a pager, Ctrl-S. It holds next to nothing
constexpr milliseconds kFollowerWait{600'000};
constexpr unsigned kLittleThreadsMax = 16;
constexpr const char* kNoThread = "the system has no thread for this question; ask again later";

// Why an answer is not whole; empty when it is.
std::string reason_of(const AnswerEnd& end) {
  if (end.complete() || !end.reason.empty()) return end.reason;
  auto words = "missing: " + end.missing.front();
  if (end.missing.size() > 1) words += " (and " + std::to_string(end.missing.size() - 1) + " more)";
  return words;
}

// What throws is an answer that failed: std::bad_alloc, say.
template <class Answer>
auto caught(Answer answer) -> decltype(answer()) {
  try {
    return answer();
  } catch (const std::exception& error) {
    return fail(Code::exhausted, std::string("answering failed: ") + error.what());
  }
}

}  // namespace

void Api::Asking::begin() {
  if (api.little_.run(kLittleThreadsMax, [self = shared_from_this()] { self->start(); })) return;
  if (!peer.asker) peer.asker = peer.find_asker();
  finish(fail(Code::exhausted, kNoThread));
}

void Api::Asking::tick(Clock::time_point now) {
  if (!budget.over() && peer.http->has_hung_up()) budget.end("the asker went away");
  if (has_deadline && now > deadline) {
    budget.end("it took longer than limits.query_seconds allows, which is " +
               std::to_string(api.limits_.query_time.count()) + " s");
  }
  if (is_resting && (budget.over() || api.sources_.newest_commit() > commit)) {
    is_resting = false;
    if (budget.over()) return finish(fail(Code::unavailable, budget.why()));
    api.queue_.enter_again(budget.over(),
                           [self = shared_from_this()](auto entered) { self->enter(std::move(entered)); });
  }
}

void Api::Asking::start() {
  auto answered = caught([&]() -> Result<std::optional<AnswerEnd>> {
    if (!peer.asker) peer.asker = peer.find_asker();
    permit.emplace(peer.asker->user, [this](query::Right right) { return refusal_of(right); });
    // Beside a question the CLI asks for proofs of its answer: no look at anybody's records, and counted with the
    // question.
    is_proof = kind && kind->parameter(query::kProofOfAnswer) && question.parameters.contains(query::kProofOfAnswer);
    if (!is_proof && peer.told) peer.flush_told(api);  // the answer to this one may take long
    if (api.stopping_) budget.end("the daemon is stopping");
    if (!problem.empty()) return fail(Code::invalid, problem);
    means = means_of_now();
    if (!is_queued()) return YUSHI_TRY(ask());
    // A search that reads much may need room for its answer and its audit record; what the operator needs stays.
    if (takes(query::Effort::scan) && api.sources_.is_full()) {
      return fail(Code::unavailable,
                  "the disk is below its reserve: content is not searched until there is room again");
    }
    return std::nullopt;
  });
  if (!answered) return finish(tl::unexpected(answered.error()));
  if (*answered) return finish(std::move(**answered));
  api.queue_.enter(budget.over(), [self = shared_from_this()](auto entered) { self->enter(std::move(entered)); });
}

void Api::Asking::enter(Result<QuestionQueue::Turn> entered) {
  if (budget.over()) {
    if (entered) entered->leave();
    return finish(fail(Code::exhausted, budget.why() + (begun ? "" : "; it still waited for its turn")));
  }
  if (!entered) return finish(tl::unexpected(entered.error()));
  turn = std::move(*entered);
  // Who leaves a turn to this one and is not done yet is no reason for another thread.
  const auto threads_max = query::QueryPool::kQuestionsMax + api.without_turn_;
  if (!api.content_.run(threads_max, [self = shared_from_this()] { self->answer(); }))
    finish(fail(Code::exhausted, kNoThread));
}

void Api::Asking::answer() {
  auto answered = caught([&]() -> Result<std::optional<AnswerEnd>> {
    if (follows) return follow();
    return YUSHI_TRY(ask());
  });
  if (std::exchange(is_without_turn, false)) --api.without_turn_;
  if (!answered) return finish(tl::unexpected(answered.error()));
  if (*answered) return finish(std::move(**answered));
  is_resting = true;  // from here on it is in other hands
}

Result<AnswerEnd> Api::Asking::ask() {
  auto seen = YUSHI_TRY(view());
  return query::answer(
      *permit, *seen, question, means, [this](std::string_view line) { return take(line); }, budget);
}

// A round: what has come since the last, in commit order. nullopt: it rests until there is more.
Result<std::optional<AnswerEnd>> Api::Asking::follow() {
  const bool first = !begun;
  if (first) next = question;
  const query::LineSink sink = [&](std::string_view line) { return take(line) && keep_turn(); };
  commit = api.sources_.newest_commit();  // before the view: what is committed between the two ends the rest at once
  auto view = api.sources_.view();
  auto answered = YUSHI_TRY(query::answer(*permit, *view, next, means, sink, budget));
  // The end of a whole round is not that of the stream, which has none; one that misses something ends the stream.
  if (!answered.complete() || gone) return answered;
  // A misspelt field is told now, or never.
  if (first && !answered.notes.empty()) take(notes_to_json(answered.notes));
  auto logs = YUSHI_TRY(view->logs());
  std::string from;
  for (auto& log : logs) {
    if (auto head = view->head(log)) from += log + "=" + std::to_string(head->size) + ",";
  }
  next.parameters["after"] = from;
  next.parameters.erase("limit");
  if (first) {
    send(false);
    tell("start", {});
    has_deadline = false;  // what follows has no end, and holds nothing while it rests
  }
  turn.leave();
  return std::nullopt;
}

query::Means Api::Asking::means_of_now() {
  auto of_now = api.sources_.means();
  of_now.act = [this](OwnRecord record) -> Result<std::string> {
    auto& act = std::get<AlertAct>(record.about);
    const auto& asker = *peer.asker;
    act.user = asker.user;
    act.user_id = asker.user_id;
    act.login_id = asker.login_id;
    act.login_user = asker.login_user;
    auto line = to_json(record);
    YUSHI_TRY(api.sources_.tell_durably(std::move(record)));
    return line;
  };
  of_now.prove = [this](auto& store, auto remembered, auto& say) {
    return audit::answer_verify(store, heads, remembered, false, say);
  };
  return of_now;
}

// Whoever may open the socket may ask all, but for these.
std::string Api::Asking::refusal_of(query::Right right) const {
  auto& may = api.may_see_secrets_;
  auto& asker = *peer.asker;
  if (right == query::Right::secrets && std::find(may.begin(), may.end(), asker.user) == may.end())
    return asker.user + " may not see secrets; `api.secrets` in yushi.yaml names who may";
  // It is written as the daemon's user.
  if (right == query::Right::copy && asker.user_id != "0" && asker.user_id != std::to_string(::geteuid()))
    return "a backup is made for root and for the daemon's own user; you are " + asker.user;
  return {};
}

Result<std::shared_ptr<const storage::StoreView>> Api::Asking::view() {
  auto& sources = api.sources_;
  std::shared_ptr<const storage::StoreView> view;
  const auto first = kind ? kind->first : query::First::nothing;
  if (first == query::First::judge) sources.wait_judged();
  if (first == query::First::sign_together) {
    YUSHI_TRY(sources.sign_all([&] {
      heads = sources.heads();
      view = sources.view();
    }));
    if (!view) return fail(Code::unavailable, "the daemon is stopping");
    return view;
  }
  if (first == query::First::sign) {
    YUSHI_TRY(sources.sign_now());
  }
  return sources.view();
}

// ------------------------------------------------------------------------------------------------------------ the
// lines

bool Api::Asking::take(std::string_view line) {
  pending.append(line);
  pending.push_back('\n');
  ++lines;
  if (pending.size() >= kLinesBytes || follows) send(false);
  return !gone;
}

void Api::Asking::send(bool last) {
  auto& http = *peer.http;
  if (!std::exchange(begun, true)) http.reply_begin(request, "application/x-ndjson");
  http.reply_piece(request, pending);
  pending.clear();
  if (last) return http.reply_end(request);
  while (!http.wait_for_room(kLook) && goes_on_waiting()) {
  }
  gone = http.is_broken();
  if (gone) budget.end("the asker went away");
}

// Its reader takes nothing: what can be had again is let go; after a while so is the reader.
bool Api::Asking::goes_on_waiting() {
  if (budget.over()) return false;  // the end of the answer is short, and nobody waits for it
  const auto waited = peer.http->without_progress();
  if (waited < kStall) return true;
  if (budget.on_stall) budget.on_stall();
  if (follows && !give_up_turn()) {
    budget.end("too many who follow have stopped reading, and so did this one");
    return false;
  }
  // Any question begins on a thread of the little ones: these are not kept from others.
  if (!is_queued() && api.little_.is_behind()) {
    budget.end("its reader took nothing while others waited to be answered");
    peer.http->break_off();
    return false;
  }
  const auto most = follows ? kFollowerWait : HttpConnection::kWriteWait;
  if (waited < most) return true;
  budget.end("its reader took nothing for " + std::to_string(most.count() / 1000) + " s");
  peer.http->break_off();
  return false;
}

bool Api::Asking::give_up_turn() {
  if (!turn.is_held()) return true;
  if (++api.without_turn_ > kWithoutTurnMax) {
    --api.without_turn_;
    return false;
  }
  is_without_turn = true;
  turn.leave();
  return true;
}

// Of a follower whose reader stopped, and reads again: it waits for its turn before it reads on.
bool Api::Asking::keep_turn() {
  if (!is_without_turn) return true;
  std::promise<Result<QuestionQueue::Turn>> entered;
  api.queue_.enter_again(budget.over(), [&](auto result) { entered.set_value(std::move(result)); });
  auto result = entered.get_future().get();
  if (!result) return false;
  turn = std::move(*result);
  is_without_turn = false;
  --api.without_turn_;
  return true;
}

// -------------------------------------------------------------------------------------------------------------- the
// end

void Api::Asking::finish(const Result<AnswerEnd>& answered) {
  budget.on_stall = {};
  turn.leave();
  bool again = false;
  try {
    again = say_end(answered);
    tell(follows && begun ? "end" : "", answered);
  } catch (const std::exception&) {
    budget.end("there was no memory for the end of the answer");
  }
  is_usable = again;
  is_finished = true;  // from here on it is the API's thread's; who looks by itself if nobody tells it
  try {
    boost::asio::post(api.io_, [self = shared_from_this()] { self->peer.take_finished(); });
  } catch (const std::bad_alloc&) {
  }
}

// Whether the connection may be used again.
bool Api::Asking::say_end(const Result<AnswerEnd>& answered) {
  if (!answered && !begun && !budget.over()) {
    peer.http->reply(request, error_reply(status_of(answered.error().code), code_name(answered.error().code),
                                          answered.error().message));
    return request.keep_alive;
  }
  AnswerEnd end;
  if (answered) {
    end = *answered;
  } else {
    end.records = lines;
    end.reason = answered.error().message;
  }
  incomplete = reason_of(end);
  pending.append(to_json(end)).push_back('\n');
  ++lines;
  send(true);
  return request.keep_alive && request.takes_chunks;
}

void Api::Asking::tell(const char* type, const Result<AnswerEnd>& answered) {
  if (is_proof && answered) {
    peer.tell_proof(api, question.name);
    return;
  }
  auto record = peer.record_of("api-" + question.name.substr(0, question.name.find('/')),
                               peer.asker.value().user + " asked " + question.name);
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
