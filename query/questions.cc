#include "query/questions.h"

#include "query/answer.h"

namespace yushi {

bool Asked::say(const nlohmann::ordered_json& line) const {
  return sink(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)) && !cancelled;
}

void say_end(const Asked& asked, const AnswerEnd& end) {
  nlohmann::ordered_json line;
  auto& said = line["yushi.end"];
  said = {{"complete", end.missing.empty()},
          {"records", end.records},
          {"blocks_read", end.blocks_read},
          {"blocks", end.blocks},
          {"missing", end.missing}};
  if (!end.notes.empty()) said["notes"] = end.notes;
  said.update(end.more);
  asked.say(line);
}

std::string utc_text(int64_t unix_ns) {
  char text[32];
  return {text, format_utc(unix_ns, text)};
}

Result<void> answer(const StoreView& view, const Question& question, const LineSink& sink,
                    const std::atomic<bool>& cancelled) {
  struct Named {
    std::string_view name;
    Result<void> (*answer)(const Asked&);
  };
  constexpr Named kAnswers[] = {
      {"search", answer_search},         {"hist", answer_hist},       {"alerts", answer_alerts},
      {"sources", answer_sources},       {"status", answer_status},   {"checkpoint", answer_checkpoint},
      {"consistency", answer_consistency}, {"proof", answer_proof},   {"verify", answer_verify},
  };
  Asked asked{view, question, sink, cancelled};
  for (auto& named : kAnswers) {
    if (question.name == named.name) return named.answer(asked);
  }
  constexpr std::string_view kAlert = "alerts/";
  if (question.name.starts_with(kAlert)) return answer_alert(asked, std::string_view(question.name).substr(kAlert.size()));
  return fail(Code::not_found, "no question \"" + question.name + "\" is answered here");
}

}  // namespace yushi
