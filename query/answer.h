// The answers to single questions; questions.cc picks one by name. Each writes its lines and the last one itself.
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
  const LineSink& sink_of_end;                        // takes the last line, whatever bound was met
  const std::shared_ptr<const SecretRules>& secrets;  // what is masked; none: the asker may see all, and asked to

  // False when the asker went away.
  bool say(const nlohmann::ordered_json& line) const;
};

// The last line of an answer. An answer that leaves without one, since it was cancelled or failed with lines out
// already, gets one from answer(): it counts the lines, and has the reason.
struct AnswerEnd {
  uint64_t records = 0, blocks_read = 0, blocks = 0;
  std::vector<std::string> missing;  // what could not be read, in words
  std::string reason;                // which bound cut the answer short; empty: none. The budget's own is added
  std::vector<std::string> notes;    // what the asker should know of the question: a field that no record has
  nlohmann::ordered_json more = nlohmann::ordered_json::object();
};
void say_end(const Asked& asked, const AnswerEnd& end);

Result<void> answer_search(const Asked& asked);
Result<void> answer_hist(const Asked& asked);
Result<void> answer_alerts(const Asked& asked);
Result<void> answer_alert(const Asked& asked, std::string_view id);
Result<void> answer_unknown(const Asked& asked);
Result<void> answer_sources(const Asked& asked);
Result<void> answer_status(const Asked& asked);
Result<void> answer_checkpoint(const Asked& asked);
Result<void> answer_consistency(const Asked& asked);
Result<void> answer_proof(const Asked& asked);
Result<void> answer_verify(const Asked& asked);

// The node's public key as the store keeps it, 32 bytes; empty when it is not known.
Result<std::string> node_public_key(const storage::StoreView& view);

}  // namespace yushi::query
