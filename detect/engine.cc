#include "detect/engine.h"

#include <algorithm>
#include <array>
#include <bit>
#include <deque>
#include <optional>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/ledger/sha256.h"
#include "detect/alerts/alert_words.h"
#include "detect/alerts/exceptions.h"
#include "detect/alerts/folds.h"
#include "detect/alerts/habit_judge.h"
#include "detect/alerts/held_back.h"
#include "detect/alerts/stories.h"
#include "detect/behaviours/accounts.h"
#include "detect/behaviours/actors.h"
#include "detect/behaviours/detectors.h"
#include "detect/behaviours/silence.h"
#include "detect/event.h"
#include "detect/finding.h"
#include "detect/known_kinds.h"
#include "detect/lists/lists.h"
#include "detect/memory/habits.h"
#include "detect/memory/places.h"
#include "detect/memory/room.h"
#include "detect/memory/state.h"
#include "detect/rules/correlations.h"
#include "detect/rules/rules.h"
#include "detect/rules/windows.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr std::string_view kStateMagic = "yushi-detect-";
constexpr char kStateVersion = '5';
constexpr size_t kStateHeadBytes = kStateMagic.size() + 2;  // the version's digit and a line feed
constexpr size_t kChecksumBytes = 8;
constexpr size_t kRuleSetsMax = 4;  // batches matched before so many reloads may still be on their way

// The stored records that a record stands for.
std::vector<uint64_t> lines_of(const Record& record) {
  if (record.lines.empty()) return {record.index};
  return {record.lines.begin(), record.lines.end()};
}

}  // namespace

// What is remembered beside the profiles of accounts and what detectors have of their own.
struct Engine::Memory {
  explicit Memory(Profiles& profiles) : habits(profiles) {}

  // All parts of the state but the detectors' (detect/behaviours/detectors.h), each with its id and version: raise it
  // whenever save() writes what an older load() would not understand. Profiles stand before whoever has parts of them.
  template <class Visit>
  void each_part(Profiles& profiles, Visit&& visit) {
    visit("folds", Folds::kVersion, folds);
    visit("correlations", 1, correlations);
    visit("profiles", 2, profiles);
    visit("habits", 3, habits);
    visit("silence", 4, silence);
    visit("stories", 2, stories);
    visit("windows", 1, windows);
    visit("held-back", 1, held_back);
    visit("room", 1, room);
  }

  Folds folds;
  Correlations correlations;
  Habits habits;
  Silence silence;
  Stories stories;
  Windows windows;
  HeldBack held_back;
  Room room;
};

struct Engine::State : Memory {
  DetectOptions options;
  std::deque<std::shared_ptr<const LoadedRules>> sets;  // the present one first
  std::vector<Windows::Over> over;
  Profiles profiles;
  Detectors detectors;
  std::shared_ptr<const ExceptionSet> exceptions;
  Holdings holdings;  // scratch
  FieldTexts fields{detectors};
  Scratch scratch;
  Scratch host_scratch, login_scratch;  // of the record that is shown
  std::vector<Finding> findings;
  KnownKinds kinds{detectors};
  HabitJudge habit_judge{habits, detectors, options, fields};

  explicit State(DetectOptions given)
      : Memory(profiles), options(std::move(given)), detectors(options, silence, profiles) {
    if (!options.lists) options.lists = Lists::none();
  }

  const LoadedRules& rules() const { return *sets.front(); }

  // The rules that the hits of this batch are numbers of.
  const LoadedRules& rules_of(const Batch& batch) const {
    for (const auto& kept : batch.keep)
      for (const auto& set : sets)
        if (kept.get() == static_cast<const RuleSet*>(set.get())) return *set;
    return rules();
  }

  static bool is_of_list(const RuleHead& rule) { return rule.id.starts_with("list."); }

  Folds::Hit hit_of(const Record& record, int64_t at_ns) {
    return {record.origin->log, record.origin->source, {}, record.index, at_ns, record.origin->received_ns};
  }

  // Appends what `make` gives, with `key`, unless it is folded: see folds.h. After folds.has_share().
  template <class Make>
  void raise(const RuleHead& rule, std::string key, const Record& record, Folds::Hit hit, int64_t fold_ns,
             std::vector<Alert>& alerts, Make&& make) {
    scratch.clear();
    Value value;
    std::string host;
    if (first_value(record, ecs::host_name, scratch, &value)) host = value.text;
    hit.host = host;
    raise(rule, std::move(key), hit, fold_ns, alerts, std::forward<Make>(make), &record);
  }

  template <class Make>
  void raise(const RuleHead& rule, std::string key, const Folds::Hit& hit, int64_t fold_ns, std::vector<Alert>& alerts,
             Make&& make, const Record* record = nullptr) {
    std::optional<Alert> made;
    const auto make_it = [&] {
      if (!made) (made = make(key))->key = key;
    };
    if (exceptions && exceptions->knows(rule.id)) {
      make_it();
      Arena arena;
      const Record asked = with_facts(record, *made, hit.log, arena);
      if (const auto* excepted = exceptions->holding(rule.id, asked, hit.received_ns, scratch)) {
        exceptions->count(*excepted, hit.received_ns);
        return held_back.count(*excepted);
      }
    }
    if (held_back.knows(hit.log, rule.id, key)) {
      make_it();
      if (held_back.is_usual(hit.log, *made, hit.received_ns, hit.is_of_single_records)) return;
    }
    Folds::Before before;
    if (!folds.admit(rule, key, hit, fold_ns, &before, alerts)) return;
    Alert alert = made ? std::move(*made) : make(key);
    alert.key = std::move(key);
    alert.folded = before.repeated;
    // Nobody gets used to what a list says, so whoever reads it is told that it goes on.
    if (before.alerts > 0 && fold_ns == kDay && is_of_list(rule)) {
      alert.reason += "; so on " + number_text(before.alerts, "day", "days") + " before";
      alert.reason_zh += "；此前已有 " + std::to_string(before.alerts) + " 天如此";
    }
    if (before.repeated > 0) {
      alert.reason += "; " + number_text(before.repeated, "repetition", "repetitions") + " of the alert before, of " +
                      time_text_utc(before.last_ns) +
                      (before.repeated == 1 ? ", was folded into it" : ", were folded into it");
      alert.reason_zh += "；上一条告警（" + time_text_utc(before.last_ns) + "）另有 " +
                         std::to_string(before.repeated) + " 次重复，已并入其中";
    }
    alert.id = alert_id(alert);
    alerts.push_back(std::move(alert));
  }

  Alert rule_alert(const RuleHead& head, const Record& record) {
    Alert alert = alert_of(record, fields);
    put_head(head, alert);
    return alert;
  }

  // Whether somebody has said that nothing is to be told of this account, address or command. What is critical, and
  // what another list says, is told all the same.
  bool is_allowed(const Record& record, Severity severity) {
    const Lists& lists = options.lists->of(record.origin->log);
    if (severity == Severity::critical) return false;
    if (!lists.allow_addresses.empty()) {
      scratch.clear();
      Value value;
      if (first_value(record, ecs::source_ip, scratch, &value) && lists.allow_addresses.find(value.text)) return true;
    }
    std::string text;
    if (!lists.allow_accounts.empty() && fields.first(record, kActor, &text) && lists.allow_accounts.find(text))
      return true;
    return !lists.allow_commands.empty() && fields.first(record, "process.command_line", &text) &&
           lists.allow_commands.find(text);
  }

  // What rests on a user's own word, or on what is read by names that no parser knows, says so and weighs one level
  // less: it never accuses alone. What names nobody, since lines claim two names for him, says which.
  void weigh(const Record& record, Alert& alert) const {
    if (!record.kind) return;
    const auto* actors = detectors.find<Actors>();
    if (const auto claims = actors ? actors->claims_of(record) : std::string(); !claims.empty()) {
      alert.reason += "; two names are claimed for the account's number: " + printable(claims);
      alert.reason_zh += "；该账号编号有两个不同的名称：" + printable(claims);
    }
    const auto says = [&](const Field* field) {
      return std::any_of(record.kind->constants.begin(), record.kind->constants.end(),
                         [&](auto& constant) { return constant.field == field; });
    };
    const bool is_hearsay = says(ecs::yushi_hearsay);
    if (!is_hearsay && !says(ecs::yushi_inferred)) return;
    alert.reason += is_hearsay ? "; by the word of a shell's user alone, who may write there what he likes"
                               : "; inferred from the names of its fields, since no parser knows whose message it is";
    alert.reason_zh +=
        is_hearsay ? "；仅凭 shell 用户自己的记录，内容可由其任意书写" : "；由字段名推断，没有解析器认识该消息的来源";
    weigh_one_level_less(alert);
  }

  void rule_hit(const LoadedRules& set, uint32_t number, const Record& record, std::vector<Alert>& alerts) {
    YUSHI_ASSERT(number < set.rules().size(), "rule %u of %zu", number, set.rules().size());
    const RuleHead& head = set.rules()[number].head;
    if (is_allowed(record, head.severity)) return;
    Folds::Hit hit = hit_of(record, counted_time(record).at_ns);
    hit.is_of_single_records = true;
    const HabitJudge::Judged judged = habit_judge.judge(head, record, hit.at_ns);
    if (set.raises(number) && judged.is_news && folds.has_share(head, hit)) {
      std::string told = rule_key(head, record, fields), outcome;
      // What failed is another thing than what did not: it does not hide it for as long as the rule folds.
      const bool failed =
          head.failed_severity && fields.first(record, "event.outcome", &outcome) && outcome == "failure";
      if (failed) told += told.empty() ? "failed" : " failed";
      raise(head, std::move(told), record, hit, head.fold_ns, alerts, [&](const std::string& key) {
        Alert alert = rule_alert(head, record);
        if (failed) {
          alert.severity = *head.failed_severity;
          alert.score = std::min(head.score, score_of(alert.severity));
        }
        alert.reason = rule_reason(head, key, record, fields, Lang::en);
        alert.reason_zh = rule_reason(head, key, record, fields, Lang::zh);
        judged.say(alert);
        weigh(record, alert);
        alert.records = record_ids(record.origin->log, lines_of(record));
        return alert;
      });
    }
    feed(set, number, record, alerts);
  }

  // Hands a hit to the correlations that use it, and theirs to those above.
  void feed(const LoadedRules& set, uint32_t number, const Record& record, std::vector<Alert>& alerts) {
    for (const auto& use : set.uses(number)) {
      const auto& correlation = set.correlations()[use.correlation];
      const CorrelationRule& rule = correlation.rule;
      auto running = running_number(set, use.correlation);
      if (!running) continue;
      std::string group;
      if (!group_key(correlation.group_fields[use.part], rule.group_by, record, fields, &group)) continue;
      CountedTime counted = counted_time(record);
      CorrelationHit hit{
          counted.at_ns, record.index, use.part, 0, counted.of_receipt, hit_words(correlation, record, fields)};
      if (!rule.value_field.empty() && !correlation_value(rule, record, scratch, &hit.value)) continue;
      if (rule.waits) {
        windows.add(*running, record.origin->log, group, hit, record.origin->received_ns, over);
        raise_over(record.origin->received_ns, alerts);
        continue;
      }
      CorrelationFired fired;
      if (!correlations.add(*running, record.origin->log, group, hit, &fired)) continue;
      if (options.counts) set.count(LoadedRules::kCorrelation | use.correlation, record.origin->received_ns);
      // The record that completed it came last, but another one may have happened last.
      int64_t last_ns = fired.hits.back().at_ns;
      Folds::Hit told = hit_of(record, last_ns);
      const HabitJudge::Judged judged = habit_judge.judge(rule.head, record, last_ns);
      if (set.raises(LoadedRules::kCorrelation | use.correlation) && judged.is_news &&
          folds.has_share(rule.head, told)) {
        int64_t fold_ns = std::max(rule.head.fold_ns, rule.timespan_ns);
        raise(rule.head, group, record, told, fold_ns, alerts, [&](const std::string&) {
          Alert alert = rule_alert(rule.head, record);
          if (last_ns != hit.at_ns) alert.event_ns = last_ns;
          alert.reason = correlation_reason(set, correlation, fired, group, &record, fields, Lang::en);
          alert.reason_zh = correlation_reason(set, correlation, fired, group, &record, fields, Lang::zh);
          alert.baseline = correlation_baseline(rule, fired);
          judged.say(alert);
          weigh(record, alert);
          alert.records = records_of(record.origin->log, fired);
          return alert;
        });
      }
      feed(set, LoadedRules::kCorrelation | use.correlation, record, alerts);
    }
  }

  static std::vector<RecordId> records_of(std::string_view log, const CorrelationFired& fired) {
    std::vector<uint64_t> indexes;
    for (const auto& one : fired.hits) indexes.push_back(one.index);
    return record_ids(log, indexes);
  }

  // What the windows say that are over; their records are gone.
  void raise_over(int64_t received_ns, std::vector<Alert>& alerts) {
    for (auto& one : std::exchange(over, {})) {
      const uint32_t number = LoadedRules::kCorrelation | one.correlation;
      const auto& correlation = rules().correlations()[one.correlation];
      const CorrelationRule& rule = correlation.rule;
      const auto& last = one.fired.hits.back();
      if (options.counts) rules().count(number, received_ns);
      Folds::Hit hit{one.log, {}, {}, last.index, last.at_ns, received_ns};
      if (!rules().raises(number) || !folds.has_share(rule.head, hit)) continue;
      raise(rule.head, one.group, hit, std::max(rule.head.fold_ns, rule.timespan_ns), alerts, [&](const std::string&) {
        Alert alert;
        put_head(rule.head, alert);
        alert.tenant = one.log.substr(0, one.log.find_first_of("@:"));
        alert.event_ns = last.at_ns;
        alert.raised_ns = received_ns;
        alert.reason = correlation_reason(rules(), correlation, one.fired, one.group, nullptr, fields, Lang::en);
        alert.reason_zh = correlation_reason(rules(), correlation, one.fired, one.group, nullptr, fields, Lang::zh);
        alert.baseline = correlation_baseline(rule, one.fired);
        alert.records = records_of(one.log, one.fired);
        return alert;
      });
    }
  }

  // A batch may have been matched with rules that have been replaced since: their windows go on where the rule stayed.
  std::optional<uint32_t> running_number(const LoadedRules& set, uint32_t correlation) const {
    if (&set == &rules()) return correlation;
    const RuleHead& head = set.correlations()[correlation].rule.head;
    for (uint32_t i = 0; i < rules().correlations().size(); ++i) {
      const RuleHead& present = rules().correlations()[i].rule.head;
      if (present.id == head.id && present.digest == head.digest) return i;
    }
    return {};
  }

  // Shows the record to the detectors that want its kind, and raises what they find.
  void show(const Event& event, uint64_t wanted_by, std::vector<Alert>& alerts) {
    const Record& record = event.record;
    findings.clear();
    detectors.observe(event, wanted_by, findings);
    Folds::Hit hit = hit_of(record, event.counted.at_ns);
    for (auto& finding : findings) {
      RuleHead head = head_of(finding);
      if (!is_of_list(head) && is_allowed(record, head.severity)) continue;
      if (!folds.has_share(head, hit)) continue;
      raise(head, std::move(finding.key), record, hit, finding.fold_ns, alerts, [&](const std::string&) {
        Alert alert = alert_of(record, fields);
        take(finding, event.log, alert);
        weigh(record, alert);
        return alert;
      });
    }
  }

  // Who became whom, before the alerts of the record.
  void follow(const Event& event) {
    if (!stories.is_open(event.log, event.counted.at_ns)) return;
    const LoginEvent* login = event.login;
    if (!login && event.kind.login != EventKind::Login::none) return;
    stories.follow(
        event, fields,
        login && !is_bastion(event.log, login->source) && is_new_source(event.log, login->user, login->source));
  }

  bool is_bastion(std::string_view log, std::string_view address) const {
    return options.lists->of(log).bastions.has(address);
  }
  bool is_new_source(std::string_view log, std::string_view user, std::string_view source) const {
    const auto* accounts = detectors.find<Accounts>();
    return !accounts || accounts->is_new_source(log, user, source);
  }

  // The alerts of a record from `begin` on, or of none, become steps.
  void put_into_stories(std::vector<Alert>& alerts, size_t begin, const Record* record = nullptr) {
    for (size_t i = begin; i < alerts.size(); ++i) {
      Alert& alert = alerts[i];
      Stories::Circumstances circumstances;
      const auto address = alert.field("source.ip"), user = alert.field("user.name");
      if (!address.empty()) {
        circumstances.from_bastion = is_bastion(alert.tenant, address);
        circumstances.from_usual_place = record && !user.empty() && !is_new_source(record->origin->log, user, address);
      }
      if (record && record->kind) circumstances.of_database = event_kind_of(*record->kind).has_category("database");
      stories.add(alert, circumstances);
    }
  }

  void tick(const Tick& tick, std::vector<Alert>& alerts) {
    windows.tick(tick.received_ns, over);
    raise_over(tick.received_ns, alerts);
    findings.clear();
    detectors.tick(tick, findings);
    raise_all(bounded_time(tick.received_ns), tick.received_ns, alerts);
    folds.tick(tick.received_ns, alerts);
    held_back.tick(tick.received_ns, exceptions.get());
    gather_holdings();
    room.tick(holdings, options.memory_bytes, tick.received_ns);
  }

  void gather_holdings() {
    holdings.clear();
    profiles.hold(holdings);
    detectors.hold(holdings);
    habits.hold(holdings);
    silence.hold(holdings);
    stories.hold(holdings);
    correlations.hold(holdings);
    windows.hold(holdings);
  }

  // Findings that are about no record, as of this event time.
  void raise_all(int64_t at_ns, int64_t received_ns, std::vector<Alert>& alerts) {
    for (auto& finding : findings) {
      RuleHead head = head_of(finding);
      const uint64_t first = finding.records.empty() ? 0 : finding.records.front();
      const int64_t when_ns = finding.at_ns != 0 ? finding.at_ns : at_ns;
      Folds::Hit hit{finding.log, {}, {}, first, when_ns, received_ns};
      if (!folds.has_share(head, hit)) continue;
      raise(head, std::move(finding.key), hit, finding.fold_ns, alerts, [&](const std::string&) {
        Alert alert;
        alert.tenant = finding.log.substr(0, finding.log.find_first_of("@:"));
        alert.event_ns = when_ns;
        alert.raised_ns = received_ns;
        take(finding, finding.log, alert);
        return alert;
      });
    }
  }

  void hear(const Record& record, std::string_view host, int64_t at_ns, std::vector<Alert>& alerts) {
    findings.clear();
    silence.observe(record, host, at_ns, findings);
    if (!findings.empty()) raise_all(at_ns, record.origin->received_ns, alerts);
  }
};

Engine::Engine(std::shared_ptr<const RuleSet> rules, DetectOptions options)
    : state_(std::make_unique<State>(std::move(options))) {
  reload(std::move(rules));
}
Engine::~Engine() = default;

void Engine::use(std::shared_ptr<const Lists> lists) {
  state_->options.lists = lists ? std::move(lists) : Lists::none();
  state_->kinds.forget();
}

void Engine::reload(std::shared_ptr<const RuleSet> rules) {
  auto loaded = std::dynamic_pointer_cast<const LoadedRules>(rules);
  YUSHI_ASSERT(loaded, "a RuleSet comes from RuleSet::load()");
  state_->correlations.take(*loaded);
  state_->windows.take(*loaded);
  state_->sets.push_front(std::move(loaded));
  if (state_->sets.size() > kRuleSetsMax) state_->sets.pop_back();
}

void Engine::except(std::shared_ptr<const ExceptionSet> exceptions) { state_->exceptions = std::move(exceptions); }

void Engine::teach(const AlertAct& act) { state_->held_back.teach(act); }

std::vector<OwnRecord> Engine::take_told() { return state_->held_back.take_told(); }

const Room& Engine::room() const { return state_->room; }

uint64_t Engine::bytes_of(std::string_view account, const std::function<bool(std::string_view log)>& sees) {
  state_->gather_holdings();
  const ShortName name(account);
  uint64_t out = 0;
  for (const auto& one : state_->holdings)
    if (sees(one.log)) out += one.map->bytes_of(name);
  return out;
}

std::vector<Forgotten> Engine::take_forgotten() { return state_->room.take_told(); }

void Engine::observe(const Batch& batch, size_t begin, size_t end, std::vector<Alert>& alerts) {
  if (begin == end) return;
  static const KnownKinds::Known no_kind;
  state_->kinds.begin_batch();
  const LoadedRules* set = batch.hits.empty() ? nullptr : &state_->rules_of(batch);
  auto next_hit = static_cast<size_t>(std::lower_bound(batch.hits.begin(), batch.hits.end(), begin,
                                                       [](auto& hit, size_t record) { return hit.record < record; }) -
                                      batch.hits.begin());
  std::string_view log;
  size_t in_stories = alerts.size();
  for (size_t i = begin; i < end; ++i) {
    const Record& record = batch.records[i];
    const CountedTime counted = counted_time(record);
    if (log != record.origin->log) {
      log = record.origin->log;
      state_->habits.begin(log, counted.at_ns);
    }
    const std::string_view host = host_of(record, state_->host_scratch);
    const KnownKinds::Known& known = record.kind ? state_->kinds.of(*record.kind) : no_kind;
    Event event{record, known.kind, log, counted, host};
    std::optional<LoginEvent> login;
    if (known.kind.login != EventKind::Login::none || known.kind.shows_key)
      login = login_of(event, state_->login_scratch);
    if (login) event.login = &*login;
    if (known.is_followed) state_->follow(event);
    for (; next_hit < batch.hits.size() && batch.hits[next_hit].record == i; ++next_hit)
      state_->rule_hit(*set, batch.hits[next_hit].rule, record, alerts);
    state_->hear(record, host, counted.at_ns, alerts);
    if (known.wanted_by != 0) state_->show(event, known.wanted_by, alerts);
    if (in_stories == alerts.size()) continue;
    state_->put_into_stories(alerts, std::exchange(in_stories, alerts.size()), &record);
    if (known.is_followed) state_->follow(event);  // with a story that begins here
  }
  YUSHI_ASSERT(next_hit == batch.hits.size() || batch.hits[next_hit].record >= end,
               "hit %zu of %zu is not ascending by record", next_hit, batch.hits.size());
}

void Engine::tick(uint64_t commit, int64_t received_ns, std::vector<Alert>& alerts) {
  const size_t before = alerts.size();
  state_->tick({commit, received_ns}, alerts);
  state_->put_into_stories(alerts, before);
}

void Engine::close_windows(std::vector<Alert>& alerts) {
  state_->windows.tick(INT64_MAX, state_->over);
  int64_t last_ns = 0;
  for (const auto& one : state_->over) last_ns = std::max(last_ns, one.fired.hits.back().at_ns);
  const size_t before = alerts.size();
  state_->raise_over(last_ns, alerts);
  state_->put_into_stories(alerts, before);
}

std::string Engine::save() const {
  state_->gather_holdings();
  state_->room.count(state_->holdings);
  std::string parts, bytes;
  uint64_t count = 0;
  const auto put = [&](std::string_view id, uint32_t version, const auto& part) {
    bytes.clear();
    part.save(bytes);
    put_text(parts, id);
    put_varint(parts, version);
    put_text(parts, bytes);
    ++count;
  };
  state_->each_part(state_->profiles, put);
  for (size_t i = 0; i < state_->detectors.size(); ++i) {
    const auto& row = state_->detectors.row(i);
    put(row.id, row.version, state_->detectors[i]);
  }
  std::string out(kStateMagic);
  out += {kStateVersion, '\n'};
  put_varint(out, count);
  out += parts;
  out.append(as_bytes(sha256(out)).substr(0, kChecksumBytes));
  return out;
}

Result<std::vector<std::string>> Engine::load_parts(std::string_view state) {
  auto broken = [] { return fail(Code::corrupt, "the detectors' state is not ours or damaged"); };
  if (!state.starts_with(kStateMagic) || state.size() < kStateHeadBytes + kChecksumBytes) return broken();
  if (const char version = state[kStateMagic.size()]; version != kStateVersion)
    return fail(Code::corrupt, "the detectors' state is of version " + printable(std::string(1, version)) +
                                   ", ours is " + kStateVersion);
  std::string_view body = state.substr(0, state.size() - kChecksumBytes);
  if (as_bytes(sha256(body)).substr(0, kChecksumBytes) != state.substr(body.size())) return broken();
  Reader in(body.substr(kStateHeadBytes));

  State& now = *state_;
  Memory memory(now.profiles);
  memory.correlations.take(now.rules());
  memory.windows.take(now.rules());
  auto detectors = now.detectors.make_all();
  std::vector<std::string> left_out;
  for (uint64_t parts = in.varint(); parts > 0 && in.ok(); --parts) {
    const std::string_view id = in.text();
    const auto version = load_number<uint32_t>(in);
    Reader part(in.text());
    if (!in.ok()) break;
    bool is_known = false, is_whole = true;
    const auto load = [&](std::string_view its_id, uint32_t ours, auto& into) {
      if (is_known || its_id != id) return;
      is_known = true;
      if constexpr (requires { into.load(part, version); }) {  // knows older ones too
        if (into.knows(version)) return void(is_whole = into.load(part, version) && part.left() == 0);
      } else {
        if (version == ours) return void(is_whole = into.load(part) && part.left() == 0);
      }
      left_out.push_back(std::string(id) + " is of version " + std::to_string(version) + ", ours is " +
                         std::to_string(ours));
    };
    memory.each_part(now.profiles, load);
    if (const auto number = now.detectors.number_of(id))
      load(id, now.detectors.row(*number).version, *detectors[*number]);
    if (!is_whole) return broken();
    if (!is_known) left_out.push_back("there is no detector " + printable(id));
  }
  if (!in.ok() || in.left() > 0) return broken();
  static_cast<Memory&>(now) = std::move(memory);
  now.detectors.replace(std::move(detectors));
  now.kinds.forget();
  return left_out;
}

Result<std::vector<std::string>> Engine::load(std::string_view state) {
  // All load into the profiles that they share: those of before come back when it is no state.
  Profiles before = std::exchange(state_->profiles, Profiles());
  auto left_out = load_parts(state);
  if (!left_out) state_->profiles = std::move(before);
  return left_out;
}

}  // namespace yushi::detect
