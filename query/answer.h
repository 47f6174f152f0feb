// The answers to single questions; questions.cc picks one by name. Each writes its lines and says how it ended.
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
  const LineSink& sink;                // false when the answer must end: the asker went away, or a bound was met
  const std::atomic<bool>& cancelled;  // budget.over()
  Budget& budget;
  const EventReadingSource& events;
  const StoreProver& prove;
  const std::shared_ptr<const SecretRules>& secrets;  // what is masked; none: the asker may see all, and asked to
  const uint64_t& lines;                              // that went out

  // False when the asker went away.
  bool say(const nlohmann::ordered_json& line) const;
  // The end of an answer that leaves before its own; answer() adds the reason.
  AnswerEnd so_far() const;
};

Result<AnswerEnd> answer_search(const Asked& asked);
Result<AnswerEnd> answer_hist(const Asked& asked);
Result<AnswerEnd> answer_alerts(const Asked& asked);
Result<AnswerEnd> answer_alert(const Asked& asked, std::string_view id);
Result<AnswerEnd> answer_unknown(const Asked& asked);
Result<AnswerEnd> answer_sources(const Asked& asked);
Result<AnswerEnd> answer_status(const Asked& asked);
Result<AnswerEnd> answer_checkpoint(const Asked& asked);
Result<AnswerEnd> answer_consistency(const Asked& asked);
Result<AnswerEnd> answer_bound(const Asked& asked);
Result<AnswerEnd> answer_proof(const Asked& asked);

}  // namespace yushi::query
