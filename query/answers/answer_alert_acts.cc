// What is done to an alert: a record in `_audit` for each act, by which its state is told
// (query/answers/alert_states.h). Who acts is put in by whoever knows the asker, and the act is durable before it is
// answered.
#include <algorithm>

#include "core/base/name.h"
#include "core/base/time_text.h"
#include "core/filter/when.h"
#include "query/answers/alert_states.h"

namespace yushi::query {
namespace {

constexpr size_t kNoteBytesMax = 4096;
constexpr int64_t kUsualMaxNs = 366 * kDay;

std::string id_text(const Alert& alert) {
  return "alert " + alert.id + (alert.rule_name.empty() ? "" : " (" + alert.rule_name + ")");
}

Result<std::string> note_of(const Asked& asked) {
  std::string note(asked.parameters.text("note"));
  if (note.empty()) return fail(Code::invalid, "note: say why, in a sentence");
  if (note.size() > kNoteBytesMax)
    return fail(Code::invalid, "note: is longer than " + std::to_string(kNoteBytesMax) + " bytes");
  return note;
}

AlertAct act_on(const FoundAlert& found, AlertAct::Kind kind) {
  AlertAct act;
  act.kind = kind;
  act.tenant = found.alert.tenant;
  act.id = found.alert.id;
  act.index = found.index;
  return act;
}

Result<AnswerEnd> write_down(const Asked& asked, AlertAct act, std::string message) {
  if (!asked.means.act) {
    return fail(Code::unavailable, "what is done to an alert is written by a running daemon; leave --store away");
  }
  auto record = own_record(std::string(AlertAct::action(act.kind)), std::move(message));
  record.succeeded = true;
  record.about = std::move(act);
  const auto line = YUSHI_TRY(asked.means.act(std::move(record)));
  if (!asked.sink(line)) return asked.so_far();
  AnswerEnd end;
  end.records = 1;
  return end;
}

// What the finding is usual for: its log, and whom and what the alert names.
Result<void> teach(const Alert& alert, int64_t until_ns, AlertAct& act) {
  if (alert.summary)
    return fail(Code::invalid,
                "usual: this alert only tells how many there were; acknowledge the alert that it speaks of");
  if (alert.records.empty() || alert.records.front().log == kAuditLog)
    return fail(Code::invalid, "usual: this alert is yushid's own; nothing makes it usual");
  act.usual_until = utc_text(until_ns);
  act.log = alert.records.front().log;
  act.rule = alert.rule_id;
  act.key = alert.key;
  act.account = alert.field("user.name");
  act.host = alert.field("host.name");
  act.address = alert.field("source.ip");
  return {};
}

}  // namespace

Result<AnswerEnd> answer_alert_take(const Permit& permit, const Asked& asked) {
  const auto found = YUSHI_TRY(find_alert(permit, asked));
  return write_down(asked, act_on(found, AlertAct::Kind::taken), permit.user() + " took " + id_text(found.alert));
}

Result<AnswerEnd> answer_alert_close(const Permit& permit, const Asked& asked) {
  const auto found = YUSHI_TRY(find_alert(permit, asked));
  auto act = act_on(found, AlertAct::Kind::closed);
  act.note = YUSHI_TRY(note_of(asked));
  act.closed_as = asked.parameters.text("as");
  if (std::find(std::begin(kClosedAs), std::end(kClosedAs), act.closed_as) == std::end(kClosedAs))
    return fail(Code::invalid, "as: '" + act.closed_as + "' is none of true, false-alarm, accepted");
  auto message = permit.user() + " closed " + id_text(found.alert) + " as " + act.closed_as + ": " + act.note;
  return write_down(asked, std::move(act), std::move(message));
}

Result<AnswerEnd> answer_alert_ack(const Permit& permit, const Asked& asked) {
  const auto found = YUSHI_TRY(find_alert(permit, asked));
  auto act = act_on(found, AlertAct::Kind::acknowledged);
  act.note = YUSHI_TRY(note_of(asked));
  act.closed_as = "accepted";
  auto message = permit.user() + " acknowledged " + id_text(found.alert) + ": " + act.note;
  if (const auto usual = asked.parameters.text("usual"); !usual.empty()) {
    const auto span = parse_duration(usual);
    if (!span) return fail(Code::invalid, "usual: " + span.error().message);
    if (*span < kMinute / 60 || *span > kUsualMaxNs)
      return fail(Code::invalid,
                  "usual: from 1s to 366d; what is usual for longer is an exception (docs/detection.md)");
    const auto clock = YUSHI_TRY(asked.parameters.clock());
    YUSHI_TRY(teach(found.alert, clock.now_ns + *span, act));
    message += "; the same is no news until " + act.usual_until;
  }
  return write_down(asked, std::move(act), std::move(message));
}

}  // namespace yushi::query
