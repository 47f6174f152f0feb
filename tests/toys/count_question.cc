// A question of a stranger: how many records each log has, as `/api/v1/count?log=…`.
#include "query/answers/answer.h"

namespace yushi::query {
namespace {

Result<AnswerEnd> answer_count(const Permit& permit, const Asked& asked) {
  const std::string log(asked.parameters.text("log"));
  YUSHI_TRY(permit.see_log(log));
  const auto head = YUSHI_TRY(asked.view.head(log));
  AnswerEnd end;
  end.records = 1;
  asked.say({{"log", log}, {"count", head.size}});
  return end;
}

const bool kIsThere = [] {
  question_kinds().push_back({"count",
                              "count",
                              "how many records a log has",
                              Right::status,
                              Effort::little,
                              {{"log", ParameterKind::name, "the log", "log", true}},
                              answer_count});
  return true;
}();

}  // namespace
}  // namespace yushi::query
