#include "query/questions.h"

#include "query/answer.h"

namespace yushi::query {

bool Asked::say(const nlohmann::ordered_json& line) const {
  return sink(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)) && !cancelled;
}

void say_end(const Asked& asked, const AnswerEnd& end) {
  const std::string reason = end.reason.empty() ? asked.budget.why() : end.reason;
  nlohmann::ordered_json line;
  auto& said = line["yushi.end"];
  said = {{"complete", end.missing.empty() && reason.empty()},
          {"records", end.records},
          {"blocks_read", end.blocks_read},
          {"blocks", end.blocks},
          {"missing", end.missing}};
  if (!reason.empty()) said["reason"] = reason;
  if (!end.notes.empty()) said["notes"] = end.notes;
  said.update(end.more);
  asked.sink_of_end(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

namespace {

bool shows_content(std::string_view name) {
  return name == "search" || name == "hist" || name == "parsers/unknown" || name == "alerts" ||
         name.starts_with("alerts/");
}

Result<void> answer_by_name(const Asked& asked) {
  struct Named {
    std::string_view name;
    Result<void> (*answer)(const Asked&);
  };
  constexpr Named kAnswers[] = {
      {"search", answer_search},           {"hist", answer_hist},     {"alerts", answer_alerts},
      {"sources", answer_sources},         {"status", answer_status}, {"checkpoint", answer_checkpoint},
      {"consistency", answer_consistency}, {"proof", answer_proof},   {"verify", answer_verify},
      {"parsers/unknown", answer_unknown},
  };
  auto& name = asked.question.name;
  for (auto& named : kAnswers) {
    if (name == named.name) return named.answer(asked);
  }
  constexpr std::string_view kAlert = "alerts/";
  if (name.starts_with(kAlert)) return answer_alert(asked, std::string_view(name).substr(kAlert.size()));
  return fail(Code::not_found, "no question \"" + name + "\" is answered here");
}

}  // namespace

Result<void> answer(const storage::StoreView& view, const Question& given, const SecretsShown& secrets,
                    const LineSink& sink, Budget& budget, const EventReadingSource& events) {
  Question question = given;
  auto masked_by = secrets.rules;
  if (shows_content(question.name) && question.parameters.contains("secrets")) {
    auto wanted = YUSHI_TRY(Parameters(question).flag("secrets"));
    if (wanted && !secrets.refusal.empty()) return fail(Code::refused, secrets.refusal);
    if (wanted) masked_by.reset();
    question.parameters.erase("secrets");
  }
  uint64_t lines = 0;
  bool ended = false, gone = false;
  const LineSink line_sink = [&](std::string_view line) {
    if (budget.over()) return false;
    ++lines;
    gone = !sink(line);
    return !gone && !budget.over();
  };
  const LineSink sink_of_end = [&](std::string_view line) {
    ended = true;
    return sink(line);
  };
  const Asked asked{view, question, line_sink, budget.over(), budget, events, sink_of_end, masked_by};
  auto answered = answer_by_name(asked);
  budget.on_stall = {};
  if (ended) return {};
  AnswerEnd end;
  end.records = lines;
  if (!answered) {
    if (lines == 0 && answered.error().code != Code::exhausted) return answered;
    end.reason = answered.error().message;
  } else if (gone && !budget.over()) {
    return {};  // who stops reading needs no end
  }
  say_end(asked, end);
  return {};
}

}  // namespace yushi::query
