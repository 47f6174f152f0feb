#include "query/questions.h"

#include "query/answers/answer.h"

namespace yushi::query {
namespace {

using Kind = ParameterKind;

// What several questions know by the same name.
constexpr Parameter kQuery{"query", Kind::text, "KQL, and pipes after a |; * matches all", "query", true};
constexpr Parameter kSince{"since", Kind::time, "from then on: 2026-11-01, 2026-11-01T08:00, today, 7d, 90m",
                           "--since"};
constexpr Parameter kUntil{"until", Kind::time, "up to then, a day or minute as a whole", "--until"};
constexpr Parameter kZone{"zone", Kind::zone, "times in UTC, given and shown", "--utc"};
constexpr Parameter kLimit{"limit", Kind::number, "the newest N only", "-n,--limit"};
constexpr Parameter kReverse{"reverse", Kind::flag, "newest first", "--reverse"};
constexpr Parameter kTenant{"tenant", Kind::name, "one tenant (default: all; `_audit` only when named)", "--tenant"};
constexpr Parameter kSecrets{"secrets", Kind::flag,
                             "show passwords, tokens and keys, which are [masked] else; a daemon asks for the right to "
                             "(api.secrets) and writes it down",
                             "--secrets"};
constexpr Parameter kSeverity{"severity", Kind::name, "of this severity at least: low, medium, high, critical",
                              "--severity"};
constexpr Parameter kAbout{"about", Kind::name, "about this account, host or address", "--about"};
constexpr Parameter kNote{"note", Kind::text, "why, in a sentence", "--note", true};
constexpr Parameter kLog{"log", Kind::name, "the log", "", true};
constexpr Parameter kBeside{kProofOfAnswer, Kind::flag,
                            "it proves the answer to another question, in whose record it is counted", ""};

}  // namespace

std::vector<QuestionKind>& question_kinds() {
  static std::vector<QuestionKind> kinds = {
      {"search",
       "search",
       "records that match, newest last",
       Right::content,
       Effort::scan,
       {kQuery,
        kSince,
        kUntil,
        kZone,
        kLimit,
        kReverse,
        kTenant,
        {"explain", Kind::flag, "say on stderr how many blocks were read", "--explain"},
        {"fields", Kind::text, "of each record these only, with commas between: @timestamp,host.name,message", ""},
        {"after", Kind::text, "LOG=INDEX,LOG=INDEX: in the order it came, what stands from there on", ""},
        {"follow", Kind::flag,
         "first the newest 10, or what -n or --since names, then what comes, in the order it comes", "-f,--follow"},
        {"events", Kind::flag, "events joined of their lines, and not the lines; yushi.lines has the index of each",
         "--events"},
        kSecrets},
       answer_search},
      {"hist",
       "hist",
       "counts over time, as bars on a terminal",
       Right::content,
       Effort::scan,
       {{"query", Kind::text, "a filter without pipes; * matches all", "query", true},
        {"every", Kind::span, "length of a span: 5m, 1h, 1d (default 1h)", "--every"},
        {"by", Kind::field, "count for each value of this field", "--by"},
        kSince,
        kUntil,
        kZone,
        kTenant,
        kLimit,
        kSecrets},
       answer_hist},
      {"alerts",
       "alerts list",
       "alerts in the order in which they were raised, newest last (also without `list`)",
       Right::content,
       Effort::scan,
       {kSince,
        kUntil,
        kZone,
        kLimit,
        kTenant,
        kSeverity,
        {"rule", Kind::name, "of the rule of this id, or with this in its name", "--rule"},
        kAbout,
        {"state", Kind::name, "new, taken, closed, or open: new or taken", "--state"},
        {"evidence", Kind::flag, "with each what was done to it and its records, as {alert, history, records}", ""},
        kReverse,
        kSecrets},
       answer_alerts,
       First::judge},
      {"alerts/{id}",
       "alerts show",
       "one alert, its reason, what was done to it, and its records; the beginning of its id will do",
       Right::content,
       Effort::scan,
       {kSecrets},
       answer_alert},
      {"alerts/{id}/take",
       "alerts take",
       "says that you look at an alert",
       Right::judge,
       Effort::scan,
       {},
       answer_alert_take,
       First::nothing,
       true},
      {"alerts/{id}/close",
       "alerts close",
       "says what an alert was",
       Right::judge,
       Effort::scan,
       {{"as", Kind::name, "true (it was what it says), false-alarm or accepted", "--as", true}, kNote},
       answer_alert_close,
       First::nothing,
       true},
      {"alerts/{id}/ack",
       "alerts ack",
       "closes an alert as accepted, and may teach that it is usual",
       Right::judge,
       Effort::scan,
       {kNote,
        {"usual", Kind::span,
         "for so long (30d, at most 366d) the same finding is no news: it is counted, not raised; sooner again when "
         "the "
         "alert is taken, closed, or acknowledged without --usual",
         "--usual"}},
       answer_alert_ack,
       First::nothing,
       true},
      {"alerts/{id}/verify",
       "alerts verify",
       "judges again what an alert was raised for, and says whether the same comes of it",
       Right::content,
       Effort::whole,
       {},
       answer_alert_verify},
      {"stories",
       "stories list",
       "incidents: alerts about one account or attacker that belong together are one story; the newest last",
       Right::content,
       Effort::scan,
       {kSince, kUntil, kZone, kLimit, kTenant, kSeverity, kAbout, kReverse, kSecrets},
       answer_stories,
       First::judge},
      {"stories/{id}",
       "stories show",
       "one story: its steps in ATT&CK's order, and its records; the beginning of its id, or of one of its alerts' "
       "ids, "
       "will do",
       Right::content,
       Effort::scan,
       {kSecrets},
       answer_story},
      {"remembered",
       "",
       "how many bytes the detectors remember of an account",
       Right::status,
       Effort::little,
       {{"account", Kind::text, "its name", "", true}, kTenant},
       answer_remembered},
      {"sources",
       "sources",
       "every source: first and last seen, rate, silence, clock skew, losses",
       Right::status,
       Effort::little,
       {kTenant, kZone},
       answer_sources},
      {"status",
       "status",
       "whether all is well (OK, WARN or FAIL), what the daemon does now, and what each log holds",
       Right::status,
       Effort::little,
       {kTenant},
       answer_status},
      {"rules",
       "rules list",
       "the rules that run, with their hits, the last of them and the time in their filters (cost_ms, by samples), and "
       "those that were left out",
       Right::status,
       Effort::little,
       {},
       answer_rules},
      {"rules/canary",
       "rules canary",
       "each rule's own positive test, judged by what the daemon runs now: which rules stay silent; it tells so in "
       "`_audit`, by an alert that goes the way of all alerts",
       Right::status,
       Effort::scan,
       {},
       answer_canaries},
      {"parsers",
       "parsers list",
       "the parsers that run, with the records that they knew (hits), the last of them and the time in them (cost_ms, "
       "by samples), and those that were left out",
       Right::status,
       Effort::little,
       {},
       answer_parsers},
      {"parsers/unknown",
       "parsers unknown",
       "the forms of lines that no product's parser understood, most frequent first",
       Right::content,
       Effort::scan,
       {kSince, kUntil, kZone, kLimit, kTenant, kSecrets},
       answer_unknown},
      {"checkpoint",
       "checkpoint",
       "the newest signed checkpoint of each log",
       Right::proof,
       Effort::little,
       {{"log", Kind::name, "this log only", "log"}, kTenant, kBeside},
       answer_checkpoint,
       First::sign},
      {"consistency",
       "",
       "that a log of `to` records begins with its first `from`, as RFC 9162 proves it",
       Right::proof,
       Effort::little,
       {kLog,
        {"from", Kind::number, "records that the log had before", "", true},
        {"to", Kind::number, "records that it had later", "", true},
        kBeside},
       answer_consistency},
      {"proof",
       "",
       "that a record is in its log, as RFC 9162 proves it",
       Right::proof,
       Effort::little,
       {{"id", Kind::text, "LOG/INDEX, as event.id has it", "", true},
        {"size", Kind::number, "in the first so many records (default: in all)", ""}},
       answer_proof},
      {"bound",
       "",
       "that a log is among those that were signed together, without the names of the others",
       Right::proof,
       Effort::little,
       {kLog},
       answer_bound},
      {"verify",
       "verify",
       "re-reads the store and proves it: hashes, signatures, what was remembered",
       Right::proof,
       Effort::whole,
       {{"remembered", Kind::text, "signed notes that were kept elsewhere, each followed by an empty line", ""}},
       answer_verify,
       First::sign_together},
      {"backup",
       "backup",
       "a consistent copy of the running daemon's store, with its signed heads and without its key",
       Right::copy,
       Effort::little,
       {{"dir", Kind::path, "a folder that is not there yet", "dir", true}},
       answer_backup},
  };
  return kinds;
}

std::string_view name_of(ParameterKind kind) {
  constexpr std::string_view kNames[] = {"text", "name", "number", "flag", "time", "zone", "span", "field", "path"};
  return kNames[static_cast<size_t>(kind)];
}

const Parameter* QuestionKind::parameter(std::string_view of) const {
  for (auto& each : parameters)
    if (each.name == of) return &each;
  return nullptr;
}

const QuestionKind* find_kind(std::string_view name, std::string_view* id) {
  for (auto& kind : question_kinds()) {
    const auto brace = kind.name.find('{');
    if (brace == kind.name.npos) {
      if (name != kind.name) continue;
      if (id) *id = {};
      return &kind;
    }
    const auto begin = kind.name.substr(0, brace), end = kind.name.substr(kind.name.find('}') + 1);
    if (name.size() < begin.size() + end.size() || !name.starts_with(begin) || !name.ends_with(end)) continue;
    const auto given = name.substr(begin.size(), name.size() - begin.size() - end.size());
    if (given.find('/') != given.npos) continue;
    if (id) *id = given;
    return &kind;
  }
  return nullptr;
}

bool Asked::say(const nlohmann::ordered_json& line) const {
  return sink(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)) && !cancelled;
}

AnswerEnd Asked::so_far() const {
  AnswerEnd end;
  end.records = lines;
  return end;
}

Result<AnswerEnd> answer(const Permit& permit, const storage::StoreView& view, const Question& question,
                         const Means& means, const LineSink& sink, Budget& budget) {
  std::string_view id;
  const auto* kind = find_kind(question.name, &id);
  if (!kind) return fail(Code::not_found, "no question \"" + question.name + "\" is answered here");
  YUSHI_TRY(permit.may(kind->right));
  const Parameters parameters(question);
  YUSHI_TRY(parameters.allow(*kind));
  auto masked_by = means.secrets;
  if (YUSHI_TRY(parameters.flag("secrets"))) {
    YUSHI_TRY(permit.may(Right::secrets));
    masked_by.reset();
  }
  uint64_t lines = 0;
  const LineSink line_sink = [&](std::string_view line) {
    if (budget.over()) return false;
    ++lines;
    return sink(line) && !budget.over();
  };
  auto answered =
      kind->answer(permit, {view, question, id, parameters, line_sink, budget.over(), budget, means, masked_by, lines});
  budget.on_stall = {};
  if (!answered && lines == 0 && answered.error().code != Code::exhausted) return answered;
  AnswerEnd end;
  if (answered)
    end = std::move(*answered);
  else
    end.records = lines;
  if (!answered) end.reason = answered.error().message;
  if (end.reason.empty()) end.reason = budget.why();
  return end;
}

}  // namespace yushi::query
