// verify and backup: of the whole store, by means of whoever answers.
#include "query/answers/answer.h"

namespace yushi::query {

Result<AnswerEnd> answer_verify(const Permit& permit, const Asked& asked) {
  YUSHI_TRY(permit.see_all());
  if (!asked.means.prove) return fail(Code::unavailable, "nobody here proves a store");
  auto end = asked.means.prove(asked.view, asked.parameters.text("remembered"), asked.sink);
  return !end && asked.cancelled ? asked.so_far() : end;
}

Result<AnswerEnd> answer_backup(const Permit& permit, const Asked& asked) {
  YUSHI_TRY(permit.see_all());
  const auto folder = asked.parameters.text("dir");
  if (!folder.starts_with('/'))
    return fail(Code::invalid, "backup needs `dir`, the absolute path of a folder that is not there yet");
  if (!asked.means.back_up)
    return fail(Code::unavailable, "a running daemon makes a backup; of a store copy its folder");
  AnswerEnd end;
  end.records = YUSHI_TRY(asked.means.back_up(std::string(folder)));
  return end;
}

}  // namespace yushi::query
