// The answers to single questions; questions.cc has the table of them. Each asks its permit for what it reads of the
// store, writes its lines and says how it ended.
//
// Threads  The one that answers; each call has all of its own.
// Errors   As of answer() (questions.h): before the first line. What is met later stands in the AnswerEnd.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "query/parameters.h"
#include "query/questions.h"

namespace yushi::query {

struct Asked {
  const storage::StoreView& view;
  const Question& question;
  std::string_view id;                 // of "alerts/{id}"
  const Parameters& parameters;        // of the question: those that the table names
  const LineSink& sink;                // false when the answer must end: the asker went away, or a bound was met
  const std::atomic<bool>& cancelled;  // budget.over()
  Budget& budget;
  const Means& means;
  const std::shared_ptr<const SecretRules>& secrets;  // what is masked; none: the asker may see all, and asked to
  const uint64_t& lines;                              // that went out

  // False when the asker went away.
  bool say(const nlohmann::ordered_json& line) const;
  // The end of an answer that leaves before its own; answer() adds the reason.
  AnswerEnd so_far() const;
};

Result<AnswerEnd> answer_search(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_hist(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_alerts(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_alert(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_alert_take(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_alert_close(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_alert_ack(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_alert_verify(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_stories(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_story(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_unknown(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_remembered(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_rules(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_canaries(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_parsers(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_sources(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_status(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_checkpoint(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_consistency(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_bound(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_proof(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_verify(const Permit& permit, const Asked& asked);
Result<AnswerEnd> answer_backup(const Permit& permit, const Asked& asked);

}  // namespace yushi::query
