#include "detect/engine.h"

#include <algorithm>
#include <array>
#include <deque>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/ledger/sha256.h"
#include "detect/accounts.h"
#include "detect/alert_words.h"
#include "detect/attempts.h"
#include "detect/correlations.h"
#include "detect/finding.h"
#include "detect/folds.h"
#include "detect/rules.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr std::string_view kStateMagic = "yushi-detect-";
constexpr char kStateVersion = '4';
constexpr size_t kStateHeadBytes = kStateMagic.size() + 2;  // the version's digit and a line feed
constexpr size_t kChecksumBytes = 8;
constexpr size_t kRuleSetsMax = 4;  // batches matched before so many reloads may still be on their way
constexpr int64_t kDetectorFoldNs = 3600 * kSecond;
// A sender's clock may be ahead by a wrong zone; beyond that its time is not believed.
constexpr int64_t kAheadMaxNs = 24 * 3600 * kSecond;

struct Counted {
  int64_t at_ns;
  bool of_receipt;  // the record has no time of its own, or none to be believed
};
Counted counted_time(const Record& record) {
  int64_t received = record.origin->received_ns;
  bool believed = record.event_ns <= received || record.event_ns - received <= kAheadMaxNs;
  return {bounded_time(believed ? record.event_ns : received), !believed || (record.time_inferred & kAllInferred) != 0};
}

// What all records of one kind say about logging in.
struct LoginKind {
  const MessageKind* kind;
  bool is_login;
  enum class Outcome : uint8_t { success, failure, in_record } outcome;
  const Field* audit_type;  // auditd's records: the field that says which of several this is; else nullptr
  const Field* repeated;    // the field that says how many attempts the line stands for; else nullptr
  const std::string* way;   // of telling: the same for a line and for one that says it came several times
};

// auditd tells of one login in up to five records, and of services and cron in the same ones. A person's login is
// USER_LOGIN, which may give the account by number only, or USER_ACCT of a program that lets people in (PAM: the
// account is good). An attempt that failed is told by USER_AUTH, by USER_LOGIN, or by both.
bool is_persons_login(const Record& record, std::string_view type, bool success, Scratch& scratch) {
  if (type == "USER_LOGIN") return true;
  if (!success) return type == "USER_AUTH" || type == "USER_ERR";
  Value value;
  static const Field* const kExecutable = find_field("process.executable");
  if (type != "USER_ACCT" || !first_value(record, kExecutable, scratch, &value)) return false;
  std::string_view name = value.text.substr(value.text.rfind('/') + 1);
  return name == "sshd" || name == "sshd-session" || name == "login";
}

// These change the account of somebody who is already logged in; rules look after them.
bool is_step_of_a_session(std::string_view dataset) {
  for (std::string_view one : {"sudo", "su", "cron", "polkitd", "user_management"})
    if (dataset == one) return true;
  return false;
}

LoginKind login_kind(const MessageKind* kind) {
  LoginKind out{};
  out.kind = kind;
  out.outcome = LoginKind::Outcome::in_record;
  out.way = &kind->pattern;
  const Field* sshd_event = find_field("sshd.event");
  for (const auto& constant : kind->constants) {
    if (sshd_event && constant.field == sshd_event) out.way = &constant.value;
    if (constant.field == ecs::event_category && constant.value == "authentication") out.is_login = true;
    if (constant.field == ecs::event_outcome)
      out.outcome = constant.value == "success" ? LoginKind::Outcome::success : LoginKind::Outcome::failure;
  }
  if (is_step_of_a_session(kind->dataset)) out.is_login = false;
  if (out.is_login && kind->dataset == "auditd") out.audit_type = find_field("auditd.record_type");
  if (out.is_login && kind->dataset == "sshd") out.repeated = find_field("sshd.repeated");
  if (out.is_login && kind->dataset == "pam") out.repeated = find_field("pam.repeated");
  return out;
}

// The stored records that a record stands for.
std::vector<uint64_t> lines_of(const Record& record) {
  if (record.lines.empty()) return {record.index};
  return {record.lines.begin(), record.lines.end()};
}

// A detector as a rule: what an alert says of it.
RuleHead head_of(const Finding& finding) {
  RuleHead head;
  head.id = finding.detector->id;
  head.title = finding.detector->title;
  head.digest = detector_digest(*finding.detector);
  head.severity = finding.severity;
  head.score = finding.score;
  head.tags = {std::string(finding.detector->tag)};
  return head;
}

}  // namespace

struct Engine::State {
  DetectOptions options;
  std::deque<std::shared_ptr<const LoadedRules>> sets;  // the present one first
  Correlations correlations;
  Accounts accounts;
  Attempts attempts;
  Folds folds;
  Scratch scratch;
  std::vector<Finding> findings;

  const LoadedRules& rules() const { return *sets.front(); }

  // The rules that the hits of this batch are numbers of.
  const LoadedRules& rules_of(const Batch& batch) const {
    for (const auto& kept : batch.keep)
      for (const auto& set : sets)
        if (kept.get() == static_cast<const RuleSet*>(set.get())) return *set;
    return rules();
  }

  const Zone& zone_of(std::string_view log) const {
    for (const auto& [name, zone] : options.zones)
      if (name == log) return *zone;
    static const std::shared_ptr<const Zone> kUtc = Zone::utc();
    return *kUtc;
  }

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
    uint64_t repeated = 0;
    int64_t repeated_ns = 0;
    if (!folds.admit(rule, key, hit, fold_ns, &repeated, &repeated_ns, alerts)) return;
    Alert alert = make(key);
    alert.key = std::move(key);
    alert.folded = repeated;
    if (repeated > 0)
      alert.reason += "; " + number_text(repeated, "repetition", "repetitions") + " of the alert before, of " +
                      time_text_utc(repeated_ns) + ", were folded into it";
    alert.id = alert_id(alert);
    alerts.push_back(std::move(alert));
  }

  Alert rule_alert(const RuleHead& head, const Record& record) {
    Alert alert = alert_of(record, scratch);
    alert.rule_id = head.id;
    alert.rule_name = head.title;
    alert.rule_digest = head.digest;
    alert.severity = head.severity;
    alert.score = head.score;
    alert.tags = head.tags;
    return alert;
  }

  void rule_hit(const LoadedRules& set, uint32_t number, const Record& record, std::vector<Alert>& alerts) {
    YUSHI_ASSERT(number < set.rules().size(), "rule %u of %zu", number, set.rules().size());
    const RuleHead& head = set.rules()[number].head;
    Folds::Hit hit = hit_of(record, counted_time(record).at_ns);
    if (set.raises(number) && folds.has_share(head, hit)) {
      raise(head, rule_key(head, record, scratch), record, hit, head.fold_ns, alerts, [&](const std::string& key) {
        Alert alert = rule_alert(head, record);
        alert.reason = rule_reason(head, key, record, scratch);
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
      if (!group_key(correlation.group_fields[use.part], rule.group_by, record, scratch, &group)) continue;
      Counted counted = counted_time(record);
      CorrelationHit hit{
          counted.at_ns, record.index, use.part, 0, counted.of_receipt, hit_words(correlation, record, scratch)};
      if (rule.type == CorrelationRule::Type::value_count && !value_hash(record, rule.value_field, &hit.value))
        continue;
      CorrelationFired fired;
      if (!correlations.add(*running, record.origin->log, group, hit, &fired)) continue;
      // The record that completed it came last, but another one may have happened last.
      int64_t last_ns = fired.hits.back().at_ns;
      Folds::Hit told = hit_of(record, last_ns);
      if (set.raises(LoadedRules::kCorrelation | use.correlation) && folds.has_share(rule.head, told)) {
        int64_t fold_ns = std::max(rule.head.fold_ns, rule.timespan_ns);
        raise(rule.head, group, record, told, fold_ns, alerts, [&](const std::string&) {
          Alert alert = rule_alert(rule.head, record);
          if (last_ns != hit.at_ns) alert.event_ns = last_ns;
          alert.reason = correlation_reason(set, correlation, fired, group, record, scratch);
          alert.baseline = "count=" + std::to_string(fired.count) + " limit=" + std::to_string(rule.at_least) +
                           " timespan_s=" + std::to_string(rule.timespan_ns / kSecond);
          std::vector<uint64_t> indexes;
          for (const auto& one : fired.hits) indexes.push_back(one.index);
          alert.records = record_ids(record.origin->log, indexes);
          return alert;
        });
      }
      feed(set, LoadedRules::kCorrelation | use.correlation, record, alerts);
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

  bool value_hash(const Record& record, const std::string& field, uint64_t* hash) {
    struct Found {
      bool any = false;
      uint64_t hash = 0;
    } found;
    scratch.clear();
    visit_field(
        record, find_field(field), field, scratch,
        [](void* context, const Value& value) {
          auto* to = static_cast<Found*>(context);
          if (to->any) return;
          to->any = true;
          Hash digest = sha256(value.text);
          to->hash = get_be64(reinterpret_cast<const char*>(digest.data()));
        },
        &found);
    *hash = found.hash;
    return found.any;
  }

  void login(const Record& record, const LoginKind& kind, std::vector<Alert>& alerts) {
    scratch.clear();
    Value value;
    LoginEvent event;
    if (first_value(record, ecs::user_name, scratch, &value)) event.user = value.text;
    static const Field* const kSourceDomain = find_field("source.domain");  // sshd with UseDNS
    if (first_value(record, ecs::source_ip, scratch, &value) || first_value(record, kSourceDomain, scratch, &value))
      event.source = value.text;
    if (first_value(record, ecs::host_name, scratch, &value)) event.host = value.text;
    bool success = kind.outcome == LoginKind::Outcome::success;
    if (kind.outcome == LoginKind::Outcome::in_record) {
      if (!first_value(record, ecs::event_outcome, scratch, &value)) return;
      if (value.text != "success" && value.text != "failure") return;
      success = value.text == "success";
    }
    Counted counted = counted_time(record);
    event.at_ns = counted.at_ns;
    event.of_receipt = counted.of_receipt;
    event.index = record.index;
    event.way = *kind.way;
    event.teller = kind.kind->dataset;
    if (kind.audit_type && first_value(record, kind.audit_type, scratch, &value)) {
      event.way = value.text;
      if (!is_persons_login(record, event.way, success, scratch)) return;
    }
    std::string_view log = record.origin->log;
    if (!success) {
      if (kind.repeated && first_value(record, kind.repeated, scratch, &value))
        event.times = static_cast<uint64_t>(std::clamp<int64_t>(value.integer, 1, Attempts::kTriesMax));
      attempts.failed(log, event);
      return;
    }
    // Sessions opened by PAM for cron and the like name no address: they are not logins of a person.
    if (event.user.empty() || (event.source.empty() && kind.kind->dataset != "login")) return;
    findings.clear();
    attempts.succeeded(log, event, accounts.is_new_source(log, event.user, event.source), findings);
    accounts.observe(log, event, zone_of(log), options.learning_ns, findings);
    Folds::Hit hit = hit_of(record, event.at_ns);
    for (auto& finding : findings) {
      RuleHead head = head_of(finding);
      if (!folds.has_share(head, hit)) continue;
      raise(head, std::move(finding.key), record, hit, kDetectorFoldNs, alerts, [&](const std::string&) {
        Alert alert = rule_alert(head, record);
        alert.reason = std::move(finding.reason);
        alert.baseline = std::move(finding.baseline);
        alert.learning = finding.learning;
        alert.records = record_ids(log, finding.records);
        return alert;
      });
    }
  }
};

Engine::Engine(std::shared_ptr<const RuleSet> rules, DetectOptions options) : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
  reload(std::move(rules));
}
Engine::~Engine() = default;

void Engine::reload(std::shared_ptr<const RuleSet> rules) {
  auto loaded = std::dynamic_pointer_cast<const LoadedRules>(rules);
  YUSHI_ASSERT(loaded, "a RuleSet comes from RuleSet::load()");
  state_->correlations.take(*loaded);
  state_->sets.push_front(std::move(loaded));
  if (state_->sets.size() > kRuleSetsMax) state_->sets.pop_back();
}

void Engine::observe(const Batch& batch, size_t begin, size_t end, std::vector<Alert>& alerts) {
  const LoadedRules* set = batch.hits.empty() ? nullptr : &state_->rules_of(batch);
  auto next_hit = static_cast<size_t>(std::lower_bound(batch.hits.begin(), batch.hits.end(), begin,
                                                       [](auto& hit, size_t record) { return hit.record < record; }) -
                                      batch.hits.begin());
  // of this batch only, and only those that is_known tells: a kind's memory may hold another one later
  LoginKind known[64];
  uint64_t is_known = 0;
  for (size_t i = begin; i < end; ++i) {
    const Record& record = batch.records[i];
    for (; next_hit < batch.hits.size() && batch.hits[next_hit].record == i; ++next_hit)
      state_->rule_hit(*set, batch.hits[next_hit].rule, record, alerts);
    if (!record.kind) continue;
    const auto place = reinterpret_cast<uintptr_t>(record.kind) / 64 * 0x9e3779b97f4a7c15u >> 58;
    auto& kind = known[place];
    if (!(is_known >> place & 1) || kind.kind != record.kind) kind = login_kind(record.kind);
    is_known |= uint64_t{1} << place;
    if (kind.is_login) state_->login(record, kind, alerts);
  }
  YUSHI_ASSERT(next_hit == batch.hits.size() || batch.hits[next_hit].record >= end,
               "hit %zu of %zu is not ascending by record", next_hit, batch.hits.size());
}

void Engine::tick(uint64_t, int64_t received_ns, std::vector<Alert>& alerts) {
  state_->folds.tick(received_ns, alerts);
}

std::string Engine::save() const {
  std::string out(kStateMagic);
  out += {kStateVersion, '\n'};
  state_->folds.save(out);
  state_->accounts.save(out);
  state_->attempts.save(out);
  state_->correlations.save(out);
  out.append(as_bytes(sha256(out)).substr(0, kChecksumBytes));
  return out;
}

Result<void> Engine::load(std::string_view state) {
  auto broken = [] {
    return fail(Code::corrupt,
                "detector state: not ours or damaged; without it the baselines of accounts are learned anew");
  };
  if (!state.starts_with(kStateMagic) || state.size() < kStateHeadBytes + kChecksumBytes) return broken();
  if (state[kStateMagic.size()] != kStateVersion || state[kStateMagic.size() + 1] != '\n') return broken();
  std::string_view body = state.substr(0, state.size() - kChecksumBytes);
  if (as_bytes(sha256(body)).substr(0, kChecksumBytes) != state.substr(body.size())) return broken();
  Reader in(body.substr(kStateHeadBytes));
  Folds folds;
  Accounts accounts;
  Attempts attempts;
  Correlations correlations;
  correlations.take(state_->rules());
  bool loaded = folds.load(in) && accounts.load(in) && attempts.load(in) && correlations.load(in);
  if (!loaded || in.left() > 0) return broken();
  state_->folds = std::move(folds);
  state_->accounts = std::move(accounts);
  state_->attempts = std::move(attempts);
  state_->correlations = std::move(correlations);
  return {};
}

}  // namespace yushi::detect
