// The list of alerts, and one alert with the records behind it: found in the index of alerts, read from `_audit`.
#include <algorithm>
#include <limits>
#include <optional>

#include "core/base/name.h"
#include "core/event/alert.h"
#include "core/record/ecs_json.h"
#include "query/answers/alert_reading.h"
#include "query/answers/alert_states.h"
#include "query/answers/answer.h"
#include "storage/read/record_reader.h"

namespace yushi::query {
namespace {

using storage::AlertEntry;

// Whether an alert speaks of this account, host or address: its record does, or what it folds on ("actor=lin
// host.name=web-01", "lin from 10.0.0.5").
bool is_about(const Alert& alert, std::string_view name) {
  if (alert.actor == name) return true;
  for (const char* field : {"user.name", "host.name", "source.ip"})
    if (alert.field(field) == name) return true;
  for (std::string_view left = alert.key; !left.empty();) {
    auto word = left.substr(0, left.find(' '));
    left.remove_prefix(std::min(left.size(), word.size() + 1));
    if (word == name ||
        (word.ends_with(name) && word.size() > name.size() && word[word.size() - name.size() - 1] == '='))
      return true;
  }
  return false;
}

// Which alerts are asked for. Of times, tenants and severities the index says so: 200,000 of them are a moment's work.
struct Wanted {
  Filter::Times raised;
  std::string tenant;  // empty: all
  Severity least = Severity::informational;
  std::string_view rule, about, state;  // empty: any
  const Permit& permit;
  const AlertStates& states;

  bool holds(uint64_t index, const AlertEntry& entry) const {
    if (!states.of(index).is(state)) return false;
    if (entry.raised_ns < raised.from_ns || entry.raised_ns > raised.to_ns || entry.severity < least) return false;
    return (tenant.empty() || entry.tenant == tenant) && permit.sees_tenant(entry.tenant);
  }
  bool reads() const { return !rule.empty() || !about.empty(); }
  bool holds(const Alert& alert) const {
    return (rule.empty() || is_of_rule(alert, rule)) && (about.empty() || is_about(alert, about));
  }
};

}  // namespace

Result<Severity> least_severity(const Parameters& parameters) {
  const auto given = parameters.text("severity");
  if (given.empty()) return Severity::informational;
  for (auto severity : {Severity::informational, Severity::low, Severity::medium, Severity::high, Severity::critical})
    if (severity_text(severity) == given) return severity;
  return fail(Code::invalid,
              "severity: '" + std::string(given) + "' is none of informational, low, medium, high, critical");
}

namespace {

Result<std::string_view> wanted_state(const Parameters& parameters) {
  const auto given = parameters.text("state");
  for (std::string_view known : {"", "new", "taken", "closed", "open"})
    if (given == known) return known;
  return fail(Code::invalid, "state: '" + std::string(given) + "' is none of new, taken, closed, open");
}

// What stands behind an alert, a JSON line each.
class Evidence {
 public:
  Evidence(const Permit& permit, const Asked& asked, SecretMask& mask, std::vector<std::string>& missing)
      : permit_(permit), asked_(asked), mask_(mask), missing_(missing) {}

  using Visit = std::function<bool(const std::string& line)>;  // false to stop
  void each_act(const AlertState& state, const Visit& visit) {
    for (auto index : state.acts)
      if (!give(acts_, kAuditLog, index, visit)) return;
  }
  void each_record(const Alert& alert, const Visit& visit) {
    for (auto& [log, index] : alert.records)
      if (permit_.sees_log(log) && !give(records_, log, index, visit)) return;
  }
  uint64_t blocks_read() const { return acts_.blocks_read() + records_.blocks_read(); }

 private:
  bool give(storage::RecordReader& reader, const std::string& log, uint64_t index, const Visit& visit) {
    if (asked_.cancelled) return false;
    auto record = reader.read(log, index);
    if (!record) {
      if (missing_.size() < kAlertsMissingMax) missing_.push_back(record.error().message);
      return true;
    }
    std::string line;
    writer_.write(mask_.mask(**record), JsonOptions{}, line);
    return visit(line);
  }

  const Permit& permit_;
  const Asked& asked_;
  SecretMask& mask_;
  std::vector<std::string>& missing_;
  storage::RecordReader acts_{asked_.view}, records_{asked_.view};
  EcsJsonWriter writer_;
};

// A clock that is set back between a record's receipt and its commit, or a batch held so long, must not hide an alert.
constexpr int64_t kRaisedSlackNs = 24 * 3600 * kSecond;

}  // namespace

Result<Alert> read_alert(storage::RecordReader& reader, uint64_t index, std::string_view* raw) {
  auto* record = YUSHI_TRY(reader.read(kAuditLog, index));
  *raw = record->raw;
  auto alert = alert_of(record->raw);
  if (!alert) return fail(Code::corrupt, "alert _audit/" + std::to_string(index) + " is no alert any more");
  return std::move(*alert);
}

// What raises an alert is received before it is written down. Blocks know when their records were received, the tail
// does not.
uint64_t first_index_of(const storage::StoreView& view, int64_t from_ns) {
  if (from_ns < std::numeric_limits<int64_t>::min() + kRaisedSlackNs) return 0;
  auto outline = view.outline(kAuditLog);
  if (!outline) return 0;
  auto index = std::numeric_limits<uint64_t>::max();
  uint64_t end = 0;
  for (auto& [day, of_day] : outline->days) {
    if (of_day.received_to_ns >= from_ns - kRaisedSlackNs) index = std::min(index, of_day.first_index);
    end = std::max(end, of_day.end);
  }
  return std::min(index, end);  // the tail begins there
}

namespace {

bool say_with_evidence(const Asked& asked, Evidence& evidence, nlohmann::ordered_json alert_json,
                       const AlertState& state, const Alert& alert) {
  nlohmann::ordered_json line;
  line["alert"] = std::move(alert_json);
  const auto into = [&](const char* name) {
    line[name] = nlohmann::ordered_json::array();
    return [&, name](const std::string& one) {
      line[name].push_back(nlohmann::ordered_json::parse(one, nullptr, false));
      return true;
    };
  };
  evidence.each_act(state, into("history"));
  evidence.each_record(alert, into("records"));
  return asked.say(line);
}

// Whether a rule of this id, or with this in its name, has raised an alert that may be seen, whenever.
Result<bool> has_ever_alerted(const Permit& permit, const Asked& asked, std::string_view rule) {
  bool found = false;
  storage::RecordReader reader(asked.view);
  YUSHI_TRY(asked.view.each_alert(0, true, [&](uint64_t index, auto& entry) {
    std::string_view raw;
    if (!entry || !permit.sees_tenant(entry->tenant)) return !asked.cancelled;
    if (const auto alert = read_alert(reader, index, &raw)) found = is_of_rule(*alert, rule);
    return !found && !asked.cancelled;
  }));
  return found;
}

}  // namespace

// In the order in which they were raised, which is that of the store. One at a time: no answer is held in memory.
Result<AnswerEnd> answer_alerts(const Permit& permit, const Asked& asked) {
  const auto& parameters = asked.parameters;
  auto clock = YUSHI_TRY(parameters.clock());
  auto times = YUSHI_TRY(parameters.times(clock));
  auto limit = YUSHI_TRY(parameters.number("limit"));
  auto reverse = YUSHI_TRY(parameters.flag("reverse"));

  const auto least = YUSHI_TRY(least_severity(parameters));
  const auto with_evidence = YUSHI_TRY(parameters.flag("evidence"));
  const auto state = YUSHI_TRY(wanted_state(parameters));
  AnswerEnd end;
  uint64_t from = first_index_of(asked.view, times.from_ns);
  const auto states = YUSHI_TRY(AlertStates::read(asked.view, from, end.missing));
  const Wanted wanted{times,
                      std::string(parameters.text("tenant")),
                      least,
                      parameters.text("rule"),
                      parameters.text("about"),
                      state,
                      permit,
                      states};
  if (!wanted.tenant.empty()) YUSHI_TRY(permit.see_tenant(wanted.tenant));
  uint64_t left = limit.value_or(std::numeric_limits<uint64_t>::max());
  storage::RecordReader reader(asked.view);
  if (limit && !reverse) {
    // The newest so many, the newest of them last: where do they begin?
    uint64_t found = 0, first = std::numeric_limits<uint64_t>::max();
    YUSHI_TRY(asked.view.each_alert(from, true, [&](uint64_t index, auto& entry) {
      if (found == left || asked.cancelled) return false;
      if (!entry || !wanted.holds(index, *entry)) return true;
      if (wanted.reads()) {
        std::string_view raw;
        const auto alert = read_alert(reader, index, &raw);
        if (!alert || !wanted.holds(*alert)) return true;
      }
      first = index, ++found;
      return true;
    }));
    from = first;
  }
  bool gone = false;
  SecretMask mask(asked.secrets);
  Evidence evidence(permit, asked, mask, end.missing);
  const auto miss = [&](std::string what) {
    if (end.missing.size() < kAlertsMissingMax) end.missing.push_back(std::move(what));
  };
  YUSHI_TRY(asked.view.each_alert(from, reverse, [&](uint64_t index, auto& entry) {
    if (end.records == left) return false;
    if (!entry) {
      miss("alert _audit/" + std::to_string(index) + ": " + entry.error().message);
    } else if (wanted.holds(index, *entry)) {
      std::string_view raw;
      if (auto alert = read_alert(reader, index, &raw); !alert) {
        miss(alert.error().message);
      } else if (wanted.holds(*alert)) {
        const auto& of_alert = states.of(index);
        auto line = with_state(raw, of_alert, mask);
        gone =
            with_evidence ? !say_with_evidence(asked, evidence, std::move(line), of_alert, *alert) : !asked.say(line);
        ++end.records;
      }
    }
    return !gone && !asked.cancelled;
  }));
  end.blocks = end.blocks_read = reader.blocks_read() + evidence.blocks_read();
  if (gone || asked.cancelled) return asked.so_far();
  if (end.records == 0) {
    if (!wanted.tenant.empty()) YUSHI_TRY(parameters.logs(permit, asked.view, true));
    if (!wanted.rule.empty() && !YUSHI_TRY(has_ever_alerted(permit, asked, wanted.rule)))
      end.notes.push_back("no alert was ever raised by a rule \"" + std::string(wanted.rule) +
                          "\"; `yushi rules list` names the rules");
  }
  return end;
}

Result<AnswerEnd> answer_alert(const Permit& permit, const Asked& asked) {
  const auto found = YUSHI_TRY(find_alert(permit, asked));
  AnswerEnd end;
  const auto states = YUSHI_TRY(AlertStates::read(asked.view, found.index, end.missing));
  const auto& state = states.of(found.index);
  SecretMask mask(asked.secrets);
  if (!asked.say(with_state(found.raw, state, mask))) return asked.so_far();
  Evidence evidence(permit, asked, mask, end.missing);
  bool gone = false;
  end.records = 1;
  const auto show = [&](const std::string& line) {
    gone = !asked.sink(line);
    end.records += !gone;
    return !gone;
  };
  evidence.each_act(state, show);
  if (!gone) evidence.each_record(found.alert, show);
  if (gone || asked.cancelled) return asked.so_far();
  end.blocks = end.blocks_read = evidence.blocks_read();
  return end;
}

}  // namespace yushi::query
