#include "detect/alerts/folds.h"

#include <algorithm>
#include <set>

#include "detect/alerts/alert_words.h"
#include "detect/finding.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr int64_t kDueSlackNs = kHour, kForgetNs = kHour;
constexpr size_t kRulesMax = 65'536;
constexpr uint64_t kNotKnown = ~uint64_t{0};  // of a record's index

// A share of `burst`, and one more each `every_ns`, is kept as the time at which all of it is there again. Later than
// that can be, it was written by a clock that has been set back since.
bool has_token(int64_t used_ns, int64_t now_ns, int64_t burst, int64_t every_ns) {
  int64_t ahead_ns = used_ns - now_ns;
  return ahead_ns <= (burst - 1) * every_ns || ahead_ns > burst * every_ns;
}
void take_token(int64_t* used_ns, int64_t now_ns, int64_t burst, int64_t every_ns) {
  bool full = *used_ns <= now_ns || *used_ns - now_ns > burst * every_ns;
  *used_ns = (full ? now_ns : *used_ns) + every_ns;
}

std::string fold_name(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (auto part : parts) put_text(out, part.substr(0, kNameBytesMax));
  return out;
}

const std::string& zh_name(const Alert& alert) {
  return alert.rule_name_zh.empty() ? alert.rule_name : alert.rule_name_zh;
}

}  // namespace

void Folds::Count::add(const Hit& hit) {
  if (hits == 0) first = hit.index, first_ns = last_ns = hit.at_ns;
  ++hits;
  last = hit.index;
  first_ns = std::min(first_ns, hit.at_ns);
  last_ns = std::max(last_ns, hit.at_ns);
}

void Folds::remember(const RuleHead& rule) {
  auto at = rules_.find(rule.id);
  if (at == rules_.end()) {
    rules_.emplace(rule.id, rule);
  } else if (at->second.digest != rule.digest) {
    at->second = rule;
  }
}

Folds::Sender& Folds::sender_of(Log& log, const RuleHead& rule, const Hit& hit) {
  auto name = fold_name({rule.id, hit.sender});
  if (Sender* known = log.senders.find(name)) return *known;
  if (log.senders.full()) {
    const Sender& oldest = log.senders.oldest().second;
    if (oldest.counted.hits > 0 || oldest.used_ns > hit.received_ns) return log.others[rule.id];
  }
  return log.senders.use(name);
}

void Folds::count(Log& log, const RuleHead& rule, const Hit& hit) {
  Sender& sender = sender_of(log, rule, hit);
  if (sender.counted.hits == 0) sender.host = hit.host;
  if (sender.host != hit.host) sender.host.clear();
  sender.counted.add(hit);
  remember(rule);
}

bool Folds::has_share(const RuleHead& rule, const Hit& hit) {
  Log& log = by_log_.use(hit.log);
  auto shared = log.rules.find(rule.id);
  if (shared == log.rules.end() || has_token(shared->second, hit.received_ns, kRuleBurst, kRuleEveryNs)) return true;
  Sender& sender = sender_of(log, rule, hit);
  if (has_token(sender.used_ns, hit.received_ns, kSenderBurst, kSenderEveryNs)) return true;
  count(log, rule, hit);
  return false;
}

bool Folds::admit(const RuleHead& rule, std::string_view key, const Hit& hit, int64_t fold_ns, Before* before,
                  std::vector<Alert>& alerts) {
  Log& log = by_log_.use(hit.log);
  std::string name;
  put_text(name, rule.id);
  put_text(name, key);
  Fold* known = log.folds.find(name);
  if (known) {
    int64_t apart = hit.at_ns - known->raised_ns;
    if (apart < fold_ns && apart > -fold_ns) {
      known->repeated.add(hit);
      remember(rule);
      return false;
    }
  }
  int64_t& of_host = log.hosts.use(fold_name({rule.id, hit.sender, hit.host}));
  if (!has_token(of_host, hit.at_ns, kHostBurst, kHostEveryNs)) {
    count(log, rule, hit);
    return false;
  }
  take_token(&of_host, hit.at_ns, kHostBurst, kHostEveryNs);
  int64_t& of_rule = log.rules[rule.id];
  if (has_token(of_rule, hit.received_ns, kRuleBurst, kRuleEveryNs)) {
    take_token(&of_rule, hit.received_ns, kRuleBurst, kRuleEveryNs);
  } else {
    take_token(&sender_of(log, rule, hit).used_ns, hit.received_ns, kSenderBurst, kSenderEveryNs);
  }

  if (!known) {
    if (log.folds.full()) {
      const auto& [oldest, fold] = log.folds.oldest();
      if (fold.repeated.hits > 0) alerts.push_back(summary_of_fold(hit.log, oldest, fold, hit.received_ns));
    }
    known = &log.folds.use(name);
  } else {
    *before = {known->before + 1, known->repeated.hits, known->raised_ns};
  }
  // A next alert of this key tells the count; when the time for it is over, a summary does.
  *known =
      Fold{hit.at_ns, bounded_time(hit.received_ns) + fold_ns + std::min(fold_ns, kDueSlackNs), {}, before->alerts};
  return true;
}

Alert Folds::summary(std::string_view log, std::string_view rule_id, const Count& count, int64_t received_ns) const {
  Alert alert;
  alert.rule_id = alert.rule_name = rule_id;
  if (auto rule = rules_.find(rule_id); rule != rules_.end()) {
    alert.rule_name = rule->second.title;
    alert.rule_name_zh = rule->second.title_zh;
    alert.rule_digest = rule->second.digest;
    alert.severity = rule->second.severity;
    alert.score = rule->second.score;
    alert.tags = rule->second.tags;
  }
  alert.tenant = log.substr(0, log.find_first_of("@:"));
  alert.event_ns = count.last_ns;
  alert.raised_ns = received_ns;
  alert.folded = count.hits;
  alert.summary = true;
  alert.baseline = "count=" + std::to_string(count.hits) + " first_ns=" + std::to_string(count.first_ns) +
                   " last_ns=" + std::to_string(count.last_ns);
  if (count.first != kNotKnown) alert.records.push_back({std::string(log), count.first});
  if (count.last != count.first) alert.records.push_back({std::string(log), count.last});
  return alert;
}

Alert Folds::summary_of_fold(std::string_view log, std::string_view name, const Fold& fold, int64_t received_ns) const {
  Reader in(name);
  std::string_view rule_id = in.text(), key = in.text();
  Alert alert = summary(log, rule_id, fold.repeated, received_ns);
  alert.key = "more of " + std::string(key);  // not that of the alerts: an id is made of key and first record
  alert.reason = alert.rule_name + (key.empty() ? "" : " (" + std::string(key) + ")") + ": " +
                 number_text(fold.repeated.hits, "repetition", "repetitions") + " of the alert of " +
                 time_text_utc(fold.raised_ns) + (fold.repeated.hits == 1 ? " was" : " were") +
                 " folded into it, the last one of " + time_text_utc(fold.repeated.last_ns);
  alert.reason_zh = zh_name(alert) + (key.empty() ? "" : "（" + std::string(key) + "）") + "：" +
                    time_text_utc(fold.raised_ns) + " 的告警之后又重复 " + std::to_string(fold.repeated.hits) +
                    " 次，已并入该告警，最后一次为 " + time_text_utc(fold.repeated.last_ns);
  alert.id = alert_id(alert);
  return alert;
}

Alert Folds::summary_of_sender(std::string_view log, std::string_view rule_id, std::string_view name,
                               const Sender& sender, int64_t received_ns) const {
  const Count& counted = sender.counted;
  Alert alert = summary(log, rule_id, counted, received_ns);
  std::string who = name.empty() ? "other senders" : printable(name);
  alert.key = "more from " + who;
  std::string place = std::string(log) + "/", first = time_text_utc(counted.first_ns),
              last = time_text_utc(counted.last_ns);
  bool one = counted.hits == 1;
  alert.reason = alert.rule_name + ": " + std::to_string(counted.hits) + " more from " + who +
                 (sender.host.empty() ? "" : " on " + printable(sender.host)) + (one ? " was" : " were") +
                 " only counted, of " + first + (first == last ? "" : " to " + last) + " (record" + (one ? " " : "s ") +
                 place + std::to_string(counted.first) +
                 (one ? ")" : " to " + place + std::to_string(counted.last) + ")");
  alert.reason_zh = zh_name(alert) + "：来自" + (name.empty() ? "其他发送方" : " " + who + " ") +
                    (sender.host.empty() ? "" : "（主机 " + printable(sender.host) + "）") + "的另外 " +
                    std::to_string(counted.hits) + " 次命中只计数未告警，时间 " + first +
                    (first == last ? "" : " 至 " + last) + "，记录 " + place + std::to_string(counted.first) +
                    (one ? "" : " 至 " + place + std::to_string(counted.last));
  if (!sender.host.empty()) alert.fields.emplace_back("host.name", sender.host);
  alert.id = alert_id(alert);
  return alert;
}

void Folds::tick(int64_t received_ns, std::vector<Alert>& alerts) {
  int64_t minute = received_ns / kMinute;
  if (minute == told_minute_) return;
  told_minute_ = minute;
  std::set<std::string, std::less<>> counted;  // rules of which something is left
  for (auto& [log, known] : by_log_) {
    auto tell = [&, &log = log](std::string_view rule_id, std::string_view name, Sender& sender) {
      if (sender.counted.hits == 0) return;
      alerts.push_back(summary_of_sender(log, rule_id, name, sender, received_ns));
      sender.counted = {};
      sender.host.clear();
    };
    known.senders.change_each([&](std::string_view name, Sender& sender) {
      Reader in(name);
      std::string_view rule_id = in.text(), who = in.text();
      tell(rule_id, who, sender);
      return false;
    });
    for (auto& [rule_id, sender] : known.others) tell(rule_id, {}, sender);
    // Long full again, as for a rule not heard of; by a margin, so that no record that was received before this tick
    // and is committed behind it finds another share than in a replay.
    std::erase_if(known.rules, [&](const auto& rule) { return rule.second < received_ns - kForgetNs; });
    std::erase_if(known.others, [&](const auto& rule) { return rule.second.used_ns < received_ns - kForgetNs; });
    known.folds.change_each([&, &log = log](std::string_view name, Fold& fold) {
      if (fold.repeated.hits == 0) return false;
      if (received_ns < fold.due_ns) {
        counted.emplace(Reader(name).text());
        return false;
      }
      alerts.push_back(summary_of_fold(log, name, fold, received_ns));
      fold.repeated = {};
      return false;
    });
  }
  std::erase_if(rules_, [&](const auto& rule) { return !counted.contains(rule.first); });
}

void Folds::put_count(std::string& out, const Count& count) {
  put_varint(out, count.hits);
  if (count.hits == 0) return;
  put_varint(out, count.first);
  put_varint(out, count.last);
  put_signed(out, count.first_ns);
  put_signed(out, count.last_ns);
}

Folds::Count Folds::read_count(Reader& in) {
  Count count;
  count.hits = in.varint();
  if (count.hits == 0) return count;
  count.first = in.varint();
  count.last = in.varint();
  count.first_ns = load_time(in);
  count.last_ns = load_time(in);
  return count;
}

void Folds::put_sender(std::string& out, const Sender& sender) {
  put_signed(out, sender.used_ns);
  put_count(out, sender.counted);
  put_text(out, sender.host);
}

Folds::Sender Folds::read_sender(Reader& in) {
  Sender sender;
  sender.used_ns = load_time(in);
  sender.counted = read_count(in);
  sender.host = in.text();
  return sender;
}

void Folds::save(std::string& out) const {
  put_varint(out, rules_.size());
  for (const auto& [id, rule] : rules_) {
    put_text(out, id);
    put_text(out, rule.title);
    put_text(out, rule.title_zh);
    put_text(out, rule.digest);
    put_varint(out, static_cast<uint64_t>(rule.severity));
    put_varint(out, rule.score);
    put_varint(out, rule.tags.size());
    for (const auto& tag : rule.tags) put_text(out, tag);
  }
  put_varint(out, by_log_.size());
  for (const auto& [log, known] : by_log_) {
    put_text(out, log);
    put_varint(out, known.rules.size());
    for (const auto& [id, used_ns] : known.rules) {
      put_text(out, id);
      put_signed(out, used_ns);
    }
    put_varint(out, known.folds.size());
    known.folds.for_each([&out](std::string_view name, const Fold& fold) {
      put_text(out, name);
      put_signed(out, fold.raised_ns);
      put_signed(out, fold.due_ns);
      put_count(out, fold.repeated);
      put_varint(out, fold.before);
    });
    put_varint(out, known.senders.size());
    known.senders.for_each([&out](std::string_view name, const Sender& sender) {
      put_text(out, name);
      put_sender(out, sender);
    });
    put_varint(out, known.others.size());
    for (const auto& [id, sender] : known.others) {
      put_text(out, id);
      put_sender(out, sender);
    }
    put_varint(out, known.hosts.size());
    known.hosts.for_each([&out](std::string_view name, int64_t used_ns) {
      put_text(out, name);
      put_signed(out, used_ns);
    });
  }
}

bool Folds::load(Reader& in, uint32_t version) {
  *this = Folds();
  for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    RuleHead rule;
    rule.id = in.text();
    rule.title = in.text();
    if (version > 1) rule.title_zh = in.text();
    rule.digest = in.text();
    rule.severity = static_cast<Severity>(std::min<uint64_t>(in.varint(), static_cast<uint64_t>(Severity::critical)));
    rule.score = load_number<uint32_t>(in);
    for (uint64_t tags = in.varint(); tags > 0 && in.ok(); --tags) rule.tags.emplace_back(in.text());
    if (rules_.size() >= kRulesMax) return false;
    rules_.emplace(rule.id, std::move(rule));
  }
  for (uint64_t logs = in.varint(); logs > 0 && in.ok(); --logs) {
    Log& known = by_log_.use(in.text());
    for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
      std::string id(in.text());
      known.rules[id] = load_time(in);
    }
    for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
      Fold& fold = known.folds.use(in.text());
      fold.raised_ns = load_time(in);
      fold.due_ns = in.signed_varint();
      fold.repeated = read_count(in);
      if (version > 2) fold.before = in.varint();
    }
    for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
      std::string_view name = in.text();
      known.senders.use(name) = read_sender(in);
    }
    for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
      std::string id(in.text());
      known.others[id] = read_sender(in);
    }
    for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
      std::string_view name = in.text();
      known.hosts.use(name) = load_time(in);
    }
  }
  return in.ok();
}

}  // namespace yushi::detect
