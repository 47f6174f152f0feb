// How much the detectors remember of an account.
#include <algorithm>

#include "query/answers/answer.h"

namespace yushi::query {

Result<AnswerEnd> answer_remembered(const Permit& permit, const Asked& asked) {
  if (!asked.means.remembered)
    return fail(Code::unavailable, "only a running daemon says this; without one, leave --store away");
  const auto account = asked.parameters.text("account");
  const auto logs = YUSHI_TRY(asked.parameters.logs(permit, asked.view));
  const auto bytes = YUSHI_TRY(asked.means.remembered(std::string(account), [logs](std::string_view log) {
    return std::find(logs.begin(), logs.end(), log) != logs.end();
  }));
  asked.say({{"account", account}, {"bytes", bytes}});
  return asked.so_far();
}

}  // namespace yushi::query
