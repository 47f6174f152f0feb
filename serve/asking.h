// One question, from its request to its record.
//
// Threads  Its connection's; a question that waits for its turn is answered on one of its own, which ends before run().
#pragma once

#include <string>

#include "serve/peer.h"

namespace yushi::serve {

struct Api::Asking {
  Api& api;
  Peer& peer;
  const HttpRequest& request;
  query::Question question;
  const query::QuestionKind* const kind = query::find_kind(question.name);  // nullptr: there is no such question
  const query::Permit permit;
  const query::Means means;
  query::Budget budget{api.pool_};
  QuestionQueue::Turn turn;
  const bool follows = question.parameters.contains("follow");
  bool is_proof = false;
  bool begun = false, gone = false;
  uint64_t lines = 0;
  std::string pending;
  std::string incomplete;        // why the answer is not whole
  Result<storage::Heads> heads;  // of `verify`: as they were before its view was made

  Asking(Api& of, Peer& by, const HttpRequest& with, query::Question what)
      : api(of),
        peer(by),
        request(with),
        question(std::move(what)),
        permit(peer.user, [this](query::Right right) { return refusal_of(right); }),
        means(means_of_now()) {}
  ~Asking() { unhand(); }

  bool run(const std::string& problem);
  void unhand();
  Result<AnswerEnd> attempt();
  bool finish(const Result<AnswerEnd>& answered);
  Result<AnswerEnd> ask();
  query::Means means_of_now();
  Result<AnswerEnd> answer_following();
  Result<std::shared_ptr<const storage::StoreView>> view();
  std::string refusal_of(query::Right right) const;
  bool take(std::string_view line);
  void send(bool last);
  bool keep_turn();
  bool stalled(std::chrono::milliseconds waited);
  bool takes(query::Effort effort) const { return kind && kind->effort == effort; }
  // Those wait for each other, and run at a low priority.
  bool is_queued() const { return takes(query::Effort::scan) || takes(query::Effort::whole); }
  void tell(const char* type, const Result<AnswerEnd>& answered);
};

}  // namespace yushi::serve
