// One question, from its request to its record.
//
// Threads  begin() and tick() are the API's thread's. Between them it is in one hand at a time: a thread of a pool, the
//          queue, or nobody's, while a follower rests until something is committed. finish() ends it.
#pragma once

#include <string>

#include "serve/peer.h"
#include "serve/request.h"

namespace yushi::serve {

struct Api::Asking : std::enable_shared_from_this<Api::Asking> {
  // Followers whose readers have stopped keep a thread where they are, without a turn; one more is ended.
  static constexpr unsigned kWithoutTurnMax = 60;

  Api& api;
  Peer& peer;
  const std::shared_ptr<Peer> kept = peer.shared_from_this();  // until it is finished
  const HttpRequest request;
  const std::string problem;
  const query::Question question;
  const query::QuestionKind* const kind = query::find_kind(question.name);  // nullptr: there is no such question
  const bool follows = question.parameters.contains("follow");
  std::optional<query::Permit> permit;
  query::Means means;
  query::Budget budget{api.pool_};
  QuestionQueue::Turn turn;
  bool is_proof = false;
  bool begun = false, gone = false;
  bool is_without_turn = false;  // and counted in without_turn_
  uint64_t lines = 0;
  std::string pending;
  std::string incomplete;        // why the answer is not whole
  Result<storage::Heads> heads;  // of `verify`: as they were before its view was made
  query::Question next;          // of a follower
  uint64_t commit = 0;           // what it has seen
  std::atomic<bool> has_deadline{kind && kind->effort != query::Effort::whole};
  const Clock::time_point deadline = Clock::now() + api.limits_.query_time;
  std::atomic<bool> is_resting{false}, is_finished{false};
  bool is_usable = false;  // the connection, again

  Asking(Api& of, Peer& by, HttpRequest with, Asked asked)
      : api(of),
        peer(by),
        request(std::move(with)),
        problem(std::move(asked.problem)),
        question(std::move(asked.question)) {}

  void begin();
  void tick(Clock::time_point now);

 private:
  void start();
  void enter(Result<QuestionQueue::Turn> entered);
  void answer();
  Result<AnswerEnd> ask();
  Result<std::optional<AnswerEnd>> follow();
  query::Means means_of_now();
  Result<std::shared_ptr<const storage::StoreView>> view();
  std::string refusal_of(query::Right right) const;
  bool take(std::string_view line);
  void send(bool last);
  bool goes_on_waiting();
  bool give_up_turn();
  bool keep_turn();
  void finish(const Result<AnswerEnd>& answered);
  bool say_end(const Result<AnswerEnd>& answered);
  bool takes(query::Effort effort) const { return kind && kind->effort == effort; }
  // Those wait for each other, and run at a low priority.
  bool is_queued() const { return takes(query::Effort::scan) || takes(query::Effort::whole); }
  void tell(const char* type, const Result<AnswerEnd>& answered);
};

}  // namespace yushi::serve
