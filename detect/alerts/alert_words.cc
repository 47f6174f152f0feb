#include "detect/alerts/alert_words.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "core/base/bytes.h"
#include "core/ledger/sha256.h"
#include "detect/behaviours/actors.h"
#include "detect/behaviours/change_words.h"
#include "detect/engine_version.h"
#include "detect/memory/places.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr size_t kAlertRecordsMax = 64;
constexpr size_t kTitlesMax = 8;

constexpr std::string_view kHostName = "host.name";
constexpr std::string_view kDefaultKey[] = {"user.name", "source.ip", "host.name"};
// What an alert shows of its record.
constexpr std::string_view kShown[] = {"event.dataset", "event.action", "event.outcome", "host.name",
                                       "process.name",  "user.name",    "source.ip",     "url.original"};

// What happened, as far as one field says it: of a rule that has no words of its own.
constexpr std::string_view kWhat[] = {"process.command_line", "url.original", "dns.question.name", "file.path",
                                      "registry.path",        "event.action"};

// Replaces %{NAME} by what `value` says of it.
template <class ValueOf>
std::string expand(const std::string& words, ValueOf&& value_of) {
  std::string out;
  size_t at = 0;
  while (at < words.size()) {
    size_t open = words.find("%{", at);
    size_t close = open == std::string::npos ? open : words.find('}', open);
    if (close == std::string::npos) break;
    out.append(words, at, open - at);
    out += value_of(words.substr(open + 2, close - open - 2));
    at = close + 1;
  }
  return out.append(words, at, std::string::npos);
}

// The same names as in a reason: %{NAME}.
bool is_said_of_the_window(std::string_view name) { return name == "count" || name == "timespan" || name == "since"; }

// What the newest of the hits that has the field says.
std::optional<std::string> said_by_hits(const std::vector<CorrelationHit>& hits, size_t field) {
  for (size_t i = hits.size(); i-- > 0;) {
    Reader in(hits[i].words);
    while (in.left() > 0 && in.ok()) {
      uint64_t number = in.varint();
      std::string_view text = in.text();
      if (in.ok() && number == field) return std::string(text);
    }
  }
  return {};
}

// How long a window lasted. What no sender put a time to came within it, and happened nobody knows when.
std::string window_text(const std::vector<CorrelationHit>& hits, Lang lang) {
  size_t of_receipt =
      static_cast<size_t>(std::count_if(hits.begin(), hits.end(), [](const auto& hit) { return hit.of_receipt; }));
  const std::string span = within_text(hits.back().at_ns - hits.front().at_ns, lang);
  if (of_receipt == 0) return span;
  const bool of_all = of_receipt == hits.size();
  if (lang == Lang::zh) return span + (of_all ? "（按接收时间）" : "（部分按接收时间）");
  return span + (of_all ? " by time of receipt" : ", partly by time of receipt");
}

// What a reason says where the record does not tell; of a person it is somebody.
std::string missing_text(std::string_view name, Lang lang) {
  const auto first = name.substr(0, name.find('|'));
  if (first != kActor && first != "user.name") return "?";
  return lang == Lang::zh ? "有人" : "somebody";
}

std::string shown_value(const Record& record, std::string_view name, FieldTexts& fields, Lang lang) {
  std::string text;
  return fields.first(record, name, &text) ? printable(text) : missing_text(name, lang);
}

// `name=value` of the fields that the record has; of the field `other` this value instead.
template <class Names>
std::string names_and_values(const Names& names, const Record& record, FieldTexts& fields, std::string_view other = {},
                             std::string_view value = {}) {
  std::string out, text;
  for (const auto& name : names) {
    if (!fields.first(record, name, &text)) continue;
    if (name == other) text = value;
    out += (out.empty() ? "" : " ") + std::string(name) + "=" + printable(text);
  }
  return out;
}

std::string number_of(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::string measured_text(const CorrelationRule& rule, const CorrelationFired& fired, Lang lang) {
  using Type = CorrelationRule::Type;
  const std::string value = number_of(fired.value), of = " of " + rule.value_field;
  if (lang == Lang::zh) {
    const std::string its = rule.value_field + " 的";
    switch (rule.type) {
      case Type::value_count:
        return rule.value_field + " 有 " + value + " 个不同取值";
      case Type::value_sum:
        return its + "总和 " + value;
      case Type::value_avg:
        return its + "平均值 " + value;
      case Type::value_median:
        return its + "中位数 " + value;
      case Type::value_percentile:
        return its + "第 " + number_of(rule.percentile) + " 百分位 " + value;
      default:
        return value + " 次";
    }
  }
  switch (rule.type) {
    case Type::value_count:
      return value + " values" + of;
    case Type::value_sum:
      return "sum " + value + of;
    case Type::value_avg:
      return "average " + value + of;
    case Type::value_median:
      return "median " + value + of;
    case Type::value_percentile:
      return "percentile " + number_of(rule.percentile) + " " + value + of;
    default:
      return value;
  }
}

// "3", of a count that is reached; otherwise with its signs, as "≥ 2 and ≤ 5".
std::string limits_text(const CorrelationRule& rule, Lang lang) {
  constexpr const char* kSigns[] = {"≥ ", "> ", "≤ ", "< ", "= ", "≠ "};
  using Op = CorrelationRule::Limit::Op;
  std::string out;
  for (const auto& [op, operand] : rule.limits) {
    const bool is_reached = rule.counts() && !rule.waits;
    out += out.empty() ? "" : lang == Lang::zh ? " 且 " : " and ";
    if (!is_reached) out += kSigns[static_cast<size_t>(op)];
    out += number_of(operand + (is_reached && op == Op::gt));
  }
  return out;
}

const std::string& title_of(const RuleHead& rule, Lang lang) {
  return lang == Lang::zh && !rule.title_zh.empty() ? rule.title_zh : rule.title;
}

}  // namespace

bool FieldTexts::first(const Record& record, std::string_view name, std::string* text) {
  if (const auto bar = name.find('|'); bar != name.npos) [[unlikely]]
    return first(record, name.substr(0, bar), text) || first(record, name.substr(bar + 1), text);
  if (name == kActor) {
    const auto* actors = detectors_.find<Actors>();
    return actors && actors->of(record, scratch_, text);
  }
  if (name == kDoer) {
    const auto* actors = detectors_.find<Actors>();
    *text = actors ? actors->doer_of(record, scratch_) : std::string();
    return !text->empty();
  }
  struct Found {
    bool any = false;
    std::string* text;
  } found{false, text};
  scratch_.clear();
  visit_field(
      record, find_field(name), name, scratch_,
      [](void* context, const Value& value) {
        auto* to = static_cast<Found*>(context);
        if (to->any) return;
        to->any = true;
        *to->text = value.text;
      },
      &found);
  return found.any;
}

std::string rule_key(const RuleHead& rule, const Record& record, FieldTexts& fields) {
  if (rule.key.empty()) return names_and_values(kDefaultKey, record, fields);
  return names_and_values(rule.key, record, fields);
}

std::string habit_subject(const RuleHead& rule, const Record& record, FieldTexts& fields) {
  return rule.id + " " + names_and_values(rule.habit, record, fields);
}

std::string habit_subject_on_all_hosts(const RuleHead& rule, const Record& record, FieldTexts& fields,
                                       std::string* host) {
  std::vector<std::string> others;
  bool has_host = false, has_account = false;
  std::string text;
  for (const auto& name : rule.habit) {
    if (name == kHostName)
      has_host = fields.first(record, kHostName, host) && !host->empty();
    else
      others.push_back(name);
    if (name == kActor || name == "user.name") has_account |= fields.first(record, name, &text) && !text.empty();
  }
  if (!has_host || !has_account) return {};
  return rule.id + " on all hosts " + names_and_values(others, record, fields);
}

namespace {
// What an act is, whomever it is done to: an office that makes accounts does the same each time.
std::string shown_act(const RuleHead& rule, const std::string& name, const Record& record, FieldTexts& fields) {
  if (name == kHostName || name.starts_with("user.target.")) return {};
  const bool is_made_account = name == "user.name" && std::none_of(rule.habit.begin(), rule.habit.end(), [](auto& one) {
                                 return one == kActor || one == "user.name";
                               });
  if (is_made_account) return {};
  std::string shown = shown_value(record, name, fields, Lang::en);
  if (name != "process.command_line") return shown;
  const std::string whom = account_named_by(shown);
  return whom.empty() ? shown : shown.substr(0, shown.rfind(whom));
}
}  // namespace

std::string act_subject(const RuleHead& rule, const Record& record, FieldTexts& fields) {
  std::string act;
  for (const auto& name : rule.habit)
    if (name != kHostName) act += shown_value(record, name, fields, Lang::en) + " ";
  act += expand(rule.reason, [&](const std::string& name) { return shown_act(rule, name, record, fields); });
  std::erase_if(act, [](char c) { return c >= '0' && c <= '9'; });
  return rule.id + " act " + std::to_string(hash_of(act));
}

std::string_view habit_account(const RuleHead& rule) {
  for (const auto& name : rule.habit)
    if (name == kActor || name == "user.name") return name;
  return {};
}

std::string habit_subject_of(std::string_view account, const RuleHead& rule, const Record& record, FieldTexts& fields) {
  return rule.id + " " + names_and_values(rule.habit, record, fields, habit_account(rule), account);
}

bool group_key(const std::vector<std::string>& wanted, const std::vector<std::string>& names, const Record& record,
               FieldTexts& fields, std::string* key) {
  key->clear();
  std::string text;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!fields.first(record, wanted[i], &text)) return false;
    *key += (i ? " " : "") + names[i] + "=" + printable(text);
  }
  return true;
}

std::string rule_reason(const RuleHead& rule, const std::string& key, const Record& record, FieldTexts& fields,
                        Lang lang) {
  const std::string& words = lang == Lang::zh ? rule.reason_zh : rule.reason;
  if (words.empty()) {
    std::string out = title_of(rule, lang) + (key.empty()        ? ""
                                              : lang == Lang::zh ? "（" + key + "）"
                                                                 : " (" + key + ")");
    std::string text;
    for (auto name : kWhat)
      if (fields.first(record, name, &text)) return out + (lang == Lang::zh ? "：" : ": ") + printable(text);
    return out;
  }
  return expand(words, [&](const std::string& name) { return shown_value(record, name, fields, lang); });
}

std::vector<std::string> said_fields(const CorrelationRule& rule) {
  std::vector<std::string> out;
  expand(rule.head.reason + rule.head.reason_zh, [&](const std::string& name) {
    auto is_alias = [&](const auto& alias) { return alias.first == name; };
    bool in_common = !rule.waits &&
                     std::find(rule.group_by.begin(), rule.group_by.end(), name) != rule.group_by.end() &&
                     std::none_of(rule.aliases.begin(), rule.aliases.end(), is_alias);
    if (!is_said_of_the_window(name) && !in_common && std::find(out.begin(), out.end(), name) == out.end())
      out.push_back(name);
    return std::string();
  });
  return out;
}

std::string hit_words(const LoadedRules::Correlation& correlation, const Record& record, FieldTexts& fields) {
  std::string words, text, one;
  for (size_t i = 0; i < correlation.said_fields.size(); ++i) {
    if (!fields.first(record, correlation.said_fields[i], &text)) continue;
    one.clear();
    put_varint(one, i);
    put_text(one, printable(text));
    if (words.size() + one.size() <= Correlations::kHitWordsMax) words += one;
  }
  return words;
}

std::string correlation_reason(const LoadedRules& rules, const LoadedRules::Correlation& correlation,
                               const CorrelationFired& fired, const std::string& key, const Record* record,
                               FieldTexts& fields, Lang lang) {
  const CorrelationRule& rule = correlation.rule;
  const bool zh = lang == Lang::zh;
  if (const std::string& words = zh ? rule.head.reason_zh : rule.head.reason; !words.empty()) {
    return expand(words, [&](const std::string& name) -> std::string {
      if (name == "count") return std::to_string(fired.count);
      if (name == "timespan") return window_text(fired.hits, lang);
      if (name == "since") return time_text_utc(fired.hits.front().at_ns);
      const auto& said = correlation.said_fields;
      auto field = std::find(said.begin(), said.end(), name);
      if (field != said.end())
        if (auto text = said_by_hits(fired.hits, static_cast<size_t>(field - said.begin()))) return *text;
      return record ? shown_value(*record, name, fields, lang) : missing_text(name, lang);
    });
  }
  std::string about = key.empty() ? "" : zh ? "（" + key + "）" : " (" + key + ")";
  const std::string title = title_of(rule.head, lang) + (zh ? "：" : ": ");
  if (!rule.is_temporal() && zh)
    return title + window_text(fired.hits, lang) + "内 " + measured_text(rule, fired, lang) + "，阈值为 " +
           duration_text(rule.timespan_ns, lang) + "内 " + limits_text(rule, lang) + about;
  if (!rule.is_temporal())
    return title + measured_text(rule, fired, lang) + " within " + window_text(fired.hits, lang) + ", limit " +
           limits_text(rule, lang) + " in " + duration_text(rule.timespan_ns) + about;
  std::string steps;
  for (size_t i = 0; i < fired.hits.size() && i < kTitlesMax; ++i) {
    uint32_t part = correlation.parts[fired.hits[i].part];
    const RuleHead& head = part & LoadedRules::kCorrelation
                               ? rules.correlations()[part & ~LoadedRules::kCorrelation].rule.head
                               : rules.rules()[part].head;
    const std::string when = time_text_utc(fired.hits[i].at_ns);
    steps += i == 0 ? "" : zh ? "，随后 " : ", then ";
    steps += zh ? when + " " + title_of(head, lang) : title_of(head, lang) + " at " + when;
  }
  return title + steps + about;
}

std::string correlation_baseline(const CorrelationRule& rule, const CorrelationFired& fired) {
  std::string out = "count=" + std::to_string(fired.count);
  if (rule.reads_numbers()) out += " value=" + std::to_string(std::llround(fired.value));
  for (const auto& [op, operand] : rule.limits)
    out += " limit=" + std::to_string(std::llround(operand) + (op == CorrelationRule::Limit::Op::gt));
  if (rule.limits.empty()) out += " limit=1";
  return out + " timespan_s=" + std::to_string(rule.timespan_ns / kSecond);
}

Alert alert_of(const Record& record, FieldTexts& fields) {
  Alert alert;
  std::string_view log = record.origin->log;
  alert.tenant = log.substr(0, log.find_first_of("@:"));
  alert.event_ns = record.event_ns;
  alert.raised_ns = record.origin->received_ns;
  std::string text;
  // Nobody is to be accused by a text that another program wrote than the one it names.
  const bool is_believed = !fields.first(record, ecs::yushi_program_unconfirmed->name, &text);
  for (auto name : kShown)
    if ((is_believed || !(name.starts_with("user.") || name.starts_with("source."))) &&
        fields.first(record, name, &text))
      alert.fields.emplace_back(name, text);
  if (is_believed && fields.first(record, kActor, &text) && text != alert.field("user.name"))
    alert.actor = printable(text);
  return alert;
}

namespace {

// Of `name=value name=value` each name that a field has, with its value.
template <class Take>
void each_in_key(std::string_view key, Take&& take) {
  const auto name_at = [key](size_t at) {
    const size_t end = key.find_first_of("= ", at);
    const auto name = key.substr(at, end == key.npos ? 0 : end - at);
    return end != key.npos && key[end] == '=' && (name == kActor || may_be_field(name)) ? name : std::string_view();
  };
  for (size_t at = 0; at < key.size();) {
    const auto name = name_at(at);
    if (name.empty()) return;
    size_t end = key.find(' ', at);
    while (end != key.npos && name_at(end + 1).empty()) end = key.find(' ', end + 1);
    end = std::min(end, key.size());
    take(name == kActor ? "user.name" : name, key.substr(at + name.size() + 1, end - at - name.size() - 1));
    at = end + 1;
  }
}

}  // namespace

Record with_facts(const Record* record, const Alert& alert, std::string_view log, Arena& arena) {
  Record out;
  if (record) {
    out = *record;
  } else {
    Origin origin;
    origin.received_ns = alert.raised_ns;
    origin.log = arena.copy(log);
    out.origin = arena.make(origin);
    out.event_ns = alert.event_ns;
  }
  std::string raw(out.raw);
  std::vector<Capture> captures(out.captures.begin(), out.captures.end());
  const auto add = [&](std::string_view name, std::string_view text) {
    const Field* field = find_field(name);
    Scratch scratch;
    Value value;
    if (!field || (record && first_value(*record, field, scratch, &value))) return;
    captures.push_back({static_cast<uint32_t>(raw.size()), static_cast<uint32_t>(text.size()) & 0xffffff,
                        static_cast<uint32_t>(Escape::none), field});
    raw += text;
  };
  for (const auto& [name, text] : alert.fields) add(name, text);
  if (!record && alert.fields.empty()) each_in_key(alert.key, add);
  out.raw = arena.copy_padded(raw);
  out.captures = arena.copy(std::span<const Capture>(captures));
  return out;
}

std::vector<RecordId> record_ids(std::string_view log, const std::vector<uint64_t>& indexes) {
  std::vector<RecordId> out;
  for (size_t i = 0; i < indexes.size(); ++i)
    if (i + 1 < kAlertRecordsMax || i + 1 == indexes.size()) out.push_back({std::string(log), indexes[i]});
  return out;
}

std::string alert_id(const Alert& alert) {
  std::string text;
  put_text(text, alert.rule_id);
  put_text(text, alert.key);
  if (!alert.records.empty()) {
    put_text(text, alert.records.front().log);
    put_varint(text, alert.records.front().index);
  }
  return to_hex(as_bytes(sha256(text))).substr(0, 16);
}

RuleHead head_of(const Finding& finding) {
  RuleHead head;
  head.id = finding.kind->id;
  head.title = finding.kind->title;
  head.title_zh = finding.kind->title_zh;
  head.digest = finding_digest(*finding.kind);
  head.severity = finding.severity;
  head.score = finding.score;
  if (!finding.kind->tactic.empty()) head.tags.emplace_back(finding.kind->tactic);
  head.tags.emplace_back(finding.kind->tag);
  return head;
}

void put_head(const RuleHead& head, Alert& alert) {
  alert.rule_id = head.id;
  alert.rule_name = head.title;
  alert.rule_name_zh = head.title_zh;
  alert.rule_digest = head.digest;
  alert.engine = kDetectEngine;
  alert.severity = head.severity;
  alert.score = head.score;
  alert.tags = head.tags;
}

void weigh_one_level_less(Alert& alert) {
  if (alert.severity <= Severity::low) return;
  alert.severity = static_cast<Severity>(static_cast<int>(alert.severity) - 1);
  alert.score = std::min(alert.score, score_of(alert.severity));
}

void take(Finding& finding, std::string_view log, Alert& alert) {
  put_head(head_of(finding), alert);
  alert.reason = std::move(finding.reason);
  alert.reason_zh = std::move(finding.reason_zh);
  for (auto& field : finding.fields)
    if (alert.field(field.first).empty()) alert.fields.push_back(std::move(field));
  alert.baseline = std::move(finding.baseline);
  alert.learning = finding.learning;
  alert.records = record_ids(log, finding.records);
}

std::string finding_digest(const FindingKind& kind) {
  return to_hex(as_bytes(sha256(std::string(kind.id) + "/" + std::to_string(kind.version))));
}

}  // namespace yushi::detect
