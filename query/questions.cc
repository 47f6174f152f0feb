#include "query/questions.h"

#include "query/answer.h"

namespace yushi::query {

bool Asked::say(const nlohmann::ordered_json& line) const {
  return sink(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)) && !cancelled;
}

AnswerEnd Asked::so_far() const {
  AnswerEnd end;
  end.records = lines;
  return end;
}

namespace {

bool shows_content(std::string_view name) {
  return name == "search" || name == "hist" || name == "parsers/unknown" || name == "alerts" ||
         name.starts_with("alerts/");
}

Result<AnswerEnd> answer_verify(const Asked& asked) {
  Parameters parameters(asked.question);
  YUSHI_TRY(parameters.allow({"remembered"}));
  if (!asked.prove) return fail(Code::unavailable, "nobody here proves a store");
  auto end = asked.prove(asked.view, parameters.text("remembered"), asked.sink);
  return !end && asked.cancelled ? asked.so_far() : end;
}

Result<AnswerEnd> answer_by_name(const Asked& asked) {
  struct Named {
    std::string_view name;
    Result<AnswerEnd> (*answer)(const Asked&);
  };
  constexpr Named kAnswers[] = {
      {"search", answer_search},           {"hist", answer_hist},     {"alerts", answer_alerts},
      {"sources", answer_sources},         {"status", answer_status}, {"checkpoint", answer_checkpoint},
      {"consistency", answer_consistency}, {"proof", answer_proof},   {"verify", answer_verify},
      {"parsers/unknown", answer_unknown}, {"bound", answer_bound},
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

Result<AnswerEnd> answer(const storage::StoreView& view, const Question& given, const SecretsShown& secrets,
                         const LineSink& sink, Budget& budget, const EventReadingSource& events,
                         const StoreProver& prove) {
  Question question = given;
  auto masked_by = secrets.rules;
  if (shows_content(question.name) && question.parameters.contains("secrets")) {
    auto wanted = YUSHI_TRY(Parameters(question).flag("secrets"));
    if (wanted && !secrets.refusal.empty()) return fail(Code::refused, secrets.refusal);
    if (wanted) masked_by.reset();
    question.parameters.erase("secrets");
  }
  uint64_t lines = 0;
  const LineSink line_sink = [&](std::string_view line) {
    if (budget.over()) return false;
    ++lines;
    return sink(line) && !budget.over();
  };
  const Asked asked{view, question, line_sink, budget.over(), budget, events, prove, masked_by, lines};
  auto answered = answer_by_name(asked);
  budget.on_stall = {};
  if (!answered && lines == 0 && answered.error().code != Code::exhausted) return answered;
  auto end = answered ? std::move(*answered) : asked.so_far();
  if (!answered) end.reason = answered.error().message;
  if (end.reason.empty()) end.reason = budget.why();
  return end;
}

}  // namespace yushi::query
